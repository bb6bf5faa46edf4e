// Package rptest is an OpenID Provider for tests of the client side: it runs
// in the process, keeps the rules of the code flow with PAR, PKCE and
// private_key_jwt, signs one person in without asking, and misbehaves where a
// test tells it to. It signs with the standard library alone, so that it can
// also make tokens that no sane library would.
package rptest
