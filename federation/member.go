package federation

import (
	"errors"
	"fmt"

	"rathausnetz/federation/region"
)

// ErrKind is returned for a word that names no Kind.
var ErrKind = errors.New("federation: unknown kind of member")

// Kind says what sort of body a member is.
type Kind uint8

// The kinds of members.
const (
	KindUnknown Kind = iota
	KindGemeinde
	KindSamtgemeinde
	KindLandkreis
	KindLand
	KindUnternehmen // a public utility: no territory of its own, serves a set of areas
)

var kindWords = [...]string{"", "gemeinde", "samtgemeinde", "landkreis", "land", "unternehmen"}

// ParseKind reads one of gemeinde, samtgemeinde, landkreis, land, unternehmen.
func ParseKind(s string) (Kind, error) {
	for i, w := range kindWords {
		if s == w && i > 0 {
			return Kind(i), nil
		}
	}
	return KindUnknown, fmt.Errorf("%w %q: one of %v", ErrKind, s, kindWords[1:])
}

// String returns the word of ParseKind, "" for KindUnknown.
func (k Kind) String() string {
	if int(k) < len(kindWords) {
		return kindWords[k]
	}
	return ""
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty is KindUnknown.
func (k *Kind) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*k = KindUnknown
		return nil
	}
	v, err := ParseKind(string(b))
	if err != nil {
		return err
	}
	*k = v
	return nil
}

// Member is what the network has verified about one participant. Every field
// was signed by the member's hub or, where said so, by the member itself and
// bounded by the hub's policy.
type Member struct {
	ID        EntityID    `json:"id"`
	Name      string      `json:"name"`                // legal name, from the trust mark
	ShortName string      `json:"short_name"`          // for badges; from the trust mark
	Kind      Kind        `json:"kind"`                // from the trust mark
	Seat      region.Area `json:"seat"`                // own area, zero for a utility
	Scope     Scope       `json:"scope"`               // what it may claim, from the trust mark
	MarkID    string      `json:"mark_id,omitempty"`   // jti of that trust mark, for audit
	IsHub     bool        `json:"is_hub,omitempty"`    // an intermediate or trust anchor
	IsOP      bool        `json:"is_op,omitempty"`     // runs an OpenID Provider
	Phone     string      `json:"phone,omitempty"`     // self-asserted, for "fragen Sie nach"
	LoginURI  string      `json:"login_uri,omitempty"` // initiate_login_uri of its portal [OIDC §4]
	Next      *Planned    `json:"next,omitempty"`      // what replaces Scope on a day to come; from the trust mark
}
