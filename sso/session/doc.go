// Package session keeps a browser signed in at one portal.
//
// It owns the cookie, the record behind it, the idle and absolute limits by
// Level [SSO.md §5], the index by issuer and sid that back-channel logout
// needs, the CSRF token of a session, and form drafts that outlive a login.
// It does not know how a person signs in: sso/rp does, and calls Start.
//
// The browser holds 32 random bytes; the store holds their SHA-256 as key, so
// that a copy of the store opens no session [SSO.md §4]. Nothing is cached in
// the process: a logout that one replica receives counts at once in all.
package session
