// Package ledger is what the OpenID Provider remembers, over one store.Store:
// pushed requests, logins on their way, codes, access tokens, used jti values,
// the sessions of browsers, and per account where it is signed in and what was
// handed over.
//
// Secrets that leave the provider (codes, handles, tokens, cookies) are 32
// random bytes and are stored as SHA-256 only. One-time objects are consumed
// by one atomic step of the store [SSO.md §4]. The ledger decides nothing:
// that is sso/op/protocol.
package ledger
