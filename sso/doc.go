// Package sso holds the nouns of signing in: Identity, what an OpenID
// Provider has said about a person, and the texts a page needs. The provider
// is sso/op, the relying party sso/rp, browser sessions are sso/session and
// sources of accounts sso/upstream.
package sso
