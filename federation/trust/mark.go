package trust

import (
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
)

// MarkType returns the type of the membership mark below this trust anchor:
// ANCHOR/tm/zustaendigkeit/v1 [SSO.md §3].
func MarkType(anchor federation.EntityID) string { return anchor.URL("/tm/zustaendigkeit/v1") }

// MarkClaims is what a hub says about a member in the zustaendigkeit mark.
type MarkClaims struct {
	Issuer     federation.EntityID `json:"iss"`
	Subject    federation.EntityID `json:"sub"`
	Type       string              `json:"trust_mark_type"`
	IssuedAt   Seconds             `json:"iat"`
	Expires    Seconds             `json:"exp"`
	ID         string              `json:"jti"`
	Ref        string              `json:"ref,omitempty"`
	Delegation string              `json:"delegation,omitempty"`
	LegalName  string              `json:"legal_name"`
	ShortName  string              `json:"short_name,omitempty"`
	Kind       federation.Kind     `json:"kind"`
	AGS        string              `json:"ags,omitempty"`
	Seat       region.Area         `json:"seat"`
	Area       MarkArea            `json:"area"`
	// LeikaPrefixes and OwnOffersOnly as in federation.Scope.
	LeikaPrefixes []string `json:"leika_prefixes,omitempty"`
	OwnOffersOnly bool     `json:"own_offers_only,omitempty"`
	Generation    uint64   `json:"generation,omitempty"` // of the membership, see Notice
}

// MarkArea is the area claim.
type MarkArea struct {
	ARS     []region.Area `json:"ars,omitempty"`
	Subtree []region.Area `json:"subtree,omitempty"`
	Except  []region.Area `json:"except,omitempty"`
}

// Scope returns what the mark grants.
func (c MarkClaims) Scope() federation.Scope {
	return federation.Scope{
		Areas: c.Area.ARS, Subtree: c.Area.Subtree, Except: c.Area.Except,
		LeikaPrefixes: c.LeikaPrefixes, OwnOffersOnly: c.OwnOffersOnly,
	}
}

// SetScope is the reverse of Scope.
func (c *MarkClaims) SetScope(s federation.Scope) {
	c.Area = MarkArea{ARS: s.Areas, Subtree: s.Subtree, Except: s.Except}
	c.LeikaPrefixes, c.OwnOffersOnly = s.LeikaPrefixes, s.OwnOffersOnly
}

// Mark is a verified trust mark.
type Mark struct {
	Claims  MarkClaims
	Type    string
	Issuer  federation.EntityID
	Expires time.Time
	Compact string
}

// IssueMark signs a mark. Issuer, subject, type, times and jti must be set.
func IssueMark(k *Key, c MarkClaims) (string, error) {
	if c.Issuer == "" || c.Subject == "" || c.Type == "" || c.IssuedAt == 0 || c.Expires == 0 || c.ID == "" {
		return "", fmt.Errorf("issue mark for %s: %w: issuer, subject, type, times and jti are required", c.Subject, ErrMark)
	}
	return Sign(k, TypeMark, c)
}
