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

// All returns the sources in their order.
func (s *Set) All() []*Upstream { return slices.Clone(s.list) }

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
// where they have an account: those for people of place first, marked as near,
// then those for everybody, then those of other places. place may be nil.
func (s *Set) Choices(level federation.Level, place *region.Area) []sso.UpstreamChoice {
	var places []region.Area
	if place != nil {
		places = []region.Area{*place}
	}
	near, wide, far := s.by(level, places)
	return slices.Concat(near, wide, far)
}

// Search narrows Choices to what a person has typed: a place, which the caller
// has looked up (places may be several of one name), or words of the name of a
// source. A place gives what serves it and what serves everybody; nothing is
// guessed from an e-mail address [SSO.md §11, 10].
func (s *Set) Search(level federation.Level, places []region.Area, words string) []sso.UpstreamChoice {
	near, wide, far := s.by(level, places)
	named := func(c sso.UpstreamChoice) bool { return matches(c.Name, words) }
	if len(near) == 0 { // no source is for that place only: it decides nothing
		return slices.DeleteFunc(slices.Concat(wide, far), func(c sso.UpstreamChoice) bool { return !named(c) })
	}
	return slices.Concat(near, wide, slices.DeleteFunc(far, func(c sso.UpstreamChoice) bool { return !named(c) }))
}

// by sorts the sources that reach level by whom they are for.
func (s *Set) by(level federation.Level, places []region.Area) (near, wide, far []sso.UpstreamChoice) {
	if s == nil {
		return nil, nil, nil
	}
	for _, u := range s.list {
		c := u.Choice()
		switch {
		case !u.Reaches(level):
		case len(u.c.Places) == 0:
			wide = append(wide, c)
		case slices.ContainsFunc(places, u.serves):
			c.Near = true
			near = append(near, c)
		default:
			far = append(far, c)
		}
	}
	return near, wide, far
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
