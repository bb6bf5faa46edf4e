package upstream

import (
	"fmt"
	"slices"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/sso"
)

// Set is the sources of one provider. It is immutable.
type Set struct{ list []*Upstream }

// NewSet refuses two sources with one ID, one issuer-and-client or one
// redirect URI: answers could be confused.
func NewSet(list ...*Upstream) (*Set, error) {
	for i, a := range list {
		for _, b := range list[:i] {
			switch {
			case a.c.ID == b.c.ID:
				return nil, fmt.Errorf("upstream: two sources with ID %q", a.c.ID)
			case a.c.RedirectURI == b.c.RedirectURI:
				return nil, fmt.Errorf("upstream: %q and %q share a redirect URI", a.c.ID, b.c.ID)
			}
		}
	}
	return &Set{list: slices.Clone(list)}, nil
}

// Get returns the source with this ID.
func (s *Set) Get(id string) (*Upstream, bool) {
	if s == nil {
		return nil, false
	}
	for _, u := range s.list {
		if u.c.ID == id {
			return u, true
		}
	}
	return nil, false
}

// Choices lists the sources that reach level, for the page where a person says
// where they have an account. With a place those that serve it come first, and
// those of other places follow; with words only those whose name contains them
// all are listed. Nothing is guessed from an e-mail address [SSO.md §11, 10].
func (s *Set) Choices(level federation.Level, place *region.Area, words string) []sso.UpstreamChoice {
	if s == nil {
		return nil
	}
	var near, wide, far []sso.UpstreamChoice
	for _, u := range s.list {
		if !u.Reaches(level) || !matches(u.c.Name, words) {
			continue
		}
		switch {
		case len(u.c.Places) == 0:
			wide = append(wide, u.Choice())
		case place != nil && u.serves(*place):
			near = append(near, u.Choice())
		default:
			far = append(far, u.Choice())
		}
	}
	return slices.Concat(near, wide, far)
}

func (u *Upstream) serves(place region.Area) bool {
	for _, a := range u.c.Places {
		if a.Covers(place) {
			return true
		}
	}
	return false
}

func matches(name, words string) bool {
	name = strings.ToLower(name)
	for w := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(name, w) {
			return false
		}
	}
	return true
}
