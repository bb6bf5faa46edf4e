package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"rathausnetz/federation"
)

// CodeLife is how long a code may be redeemed.
const CodeLife = time.Minute

// Code is what a code stands for. It is bound to everything the request and
// the login said, and all of it is compared at redemption [SSO.md §4].
type Code struct {
	Client      string           `json:"client"`
	RedirectURI string           `json:"redirect_uri"`
	Challenge   string           `json:"challenge"`
	Nonce       string           `json:"nonce,omitempty"`
	Request     string           `json:"request"` // digest of the parameters
	Account     string           `json:"account"`
	Session     string           `json:"session"` // key of the provider's session
	Subject     string           `json:"sub"`
	SID         string           `json:"sid"`
	Level       federation.Level `json:"level"`
	AuthTime    int64            `json:"auth_time"` // seconds since 1970
	AMR         []string         `json:"amr,omitempty"`
	Claims      []string         `json:"claims,omitempty"` // released
	Expires     int64            `json:"exp"`              // milliseconds since 1970
	// Spent is set by the first attempt to redeem, whatever became of it; Token
	// then names the access token that was issued.
	Spent bool   `json:"spent,omitempty"`
	Token string `json:"token,omitempty"`
}

// Redeem judges a token request for a code that was not spent before
// [RFC 6749 §4.1.3], [RFC 7636 §4.6].
func Redeem(c *Code, client string, p Params, now time.Time) *Refusal {
	switch {
	case now.UnixMilli() >= c.Expires:
		return refuse(InvalidGrant, "code expired")
	case c.Client != client:
		return refuse(InvalidGrant, "code of another client")
	case c.RedirectURI != p["redirect_uri"]:
		return refuse(InvalidGrant, "redirect_uri differs from the request")
	case c.Challenge == "":
		return refuse(InvalidGrant, "code without challenge")
	case !verifies(c.Challenge, p["code_verifier"]):
		return refuse(InvalidGrant, "code_verifier does not match")
	}
	return nil
}

func verifies(challenge, verifier string) bool {
	if len(verifier) < 43 || len(verifier) > 128 || !printable(verifier, 128) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	got := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(got), []byte(challenge)) == 1
}
