package protocol

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Names derives what a client learns of a person and a session from a secret
// of the provider. The same secret must be used for ever: another one gives
// every person another subject everywhere.
type Names struct{ Salt []byte }

// Subject returns the pairwise sub of an account at a sector: 43 characters of
// base64url, which cannot be a client_id [OIDC §8.1].
func (n Names) Subject(sector, account string) string { return n.derive("sub", sector, account) }

// SID returns the session ID that one client knows: another one at each, so
// that two clients cannot join what they know [BCLOGOUT §2.1].
func (n Names) SID(client, session string) string { return n.derive("sid", client, session) }

// Form returns the CSRF token of a form: it holds for one browser and one
// handle.
func (n Names) Form(browser, handle string) string { return n.derive("form", browser, handle) }

// Address returns a stand-in for an address or name that must not be stored.
func (n Names) Address(s string) string { return n.derive("addr", s, "") }

func (n Names) derive(use, a, b string) string {
	mac := hmac.New(sha256.New, n.Salt)
	for _, s := range [...]string{use, a, b} {
		// Length first: no two triples give the same bytes.
		mac.Write([]byte{byte(len(s) >> 8), byte(len(s))})
		mac.Write([]byte(s))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Digest returns the SHA-256 of a secret in base64url: what is stored in place
// of codes, handles, tokens and cookies.
func Digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
