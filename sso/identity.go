package sso

import (
	"cmp"
	"time"

	"rathausnetz/federation"
)

// Identity is a signed-in person as one portal sees them. Subject is pairwise:
// the same person has another one at every other portal [OIDC §8.1].
type Identity struct {
	Issuer   federation.EntityID `json:"iss"`
	Subject  string              `json:"sub"`
	Session  string              `json:"sid"` // the issuer's session, for logout
	Level    federation.Level    `json:"level"`
	AuthTime time.Time           `json:"auth_time"`
	AMR      []string            `json:"amr,omitempty"`
	Upstream string              `json:"upstream,omitempty"` // which account source vouched
	Claims   Claims              `json:"claims,omitzero"`
}

// Claims are the personal data that the person released to this portal on the
// information page; absent ones are empty.
type Claims struct {
	Name       string `json:"name,omitempty"`
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	Email      string `json:"email,omitempty"`
	Locale     string `json:"locale,omitempty"`
}

// Or returns c with what it lacks taken from other: a source that vouches for
// the name may not know the e-mail address that the account has.
func (c Claims) Or(other Claims) Claims {
	return Claims{
		Name: cmp.Or(c.Name, other.Name), GivenName: cmp.Or(c.GivenName, other.GivenName), FamilyName: cmp.Or(c.FamilyName, other.FamilyName),
		Email: cmp.Or(c.Email, other.Email), Locale: cmp.Or(c.Locale, other.Locale),
	}
}
