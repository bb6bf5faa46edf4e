package staff

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRole is returned for a word that names no role.
var ErrRole = errors.New("staff: unknown role; there are redaktion, verbund and leitung")

// Roles is a set of roles. Combine with |; the zero value may do nothing.
type Roles uint8

// The roles [UX.md §8].
const (
	Redaktion Roles = 1 << iota // catalogue, links, texts
	Verbund                     // the hub: join, approve, scope, conflicts
	Leitung                     // everything, with staff, revocation and publishing of the branding

	Everyone = Redaktion | Verbund | Leitung
)

var words = []struct {
	role Roles
	word string
}{{Redaktion, "redaktion"}, {Verbund, "verbund"}, {Leitung, "leitung"}}

// ParseRole reads one of redaktion, verbund, leitung.
func ParseRole(s string) (Roles, error) {
	for _, w := range words {
		if w.word == s {
			return w.role, nil
		}
	}
	return 0, fmt.Errorf("%w: %.40q", ErrRole, s)
}

// Single returns the roles of the set one by one, in the order above.
func (r Roles) Single() []Roles {
	var out []Roles
	for _, w := range words {
		if r&w.role != 0 {
			out = append(out, w.role)
		}
	}
	return out
}

// Any reports whether the two sets have a role in common.
func (r Roles) Any(other Roles) bool { return r&other != 0 }

// String returns the words of ParseRole, separated by commas.
func (r Roles) String() string {
	var out []string
	for _, w := range words {
		if r&w.role != 0 {
			out = append(out, w.word)
		}
	}
	return strings.Join(out, ",")
}

// MarshalText implements encoding.TextMarshaler.
func (r Roles) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty is no role.
func (r *Roles) UnmarshalText(b []byte) error {
	*r = 0
	if len(b) == 0 {
		return nil
	}
	for s := range strings.SplitSeq(string(b), ",") {
		one, err := ParseRole(s)
		if err != nil {
			return err
		}
		*r |= one
	}
	return nil
}
