package federation

import (
	"strings"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Scope is what a member may claim: granted by its hub in a trust mark
// [SSO.md §3], attenuated from hub to member. The zero value grants nothing.
type Scope struct {
	Areas   []region.Area `json:"ars,omitempty"`     // exactly these areas
	Subtree []region.Area `json:"subtree,omitempty"` // these areas and everything inside them
	Except  []region.Area `json:"except,omitempty"`  // and nothing inside these, whatever is granted above
	// LeikaPrefixes restricts a utility to keys that begin with one of these
	// digit strings; empty means every key.
	LeikaPrefixes []string `json:"leika_prefixes,omitempty"`
	// OwnOffersOnly allows only offers without a LeiKa key.
	OwnOffersOnly bool `json:"own_offers_only,omitempty"`
}

// Everything is the scope without limits: that of no member, but of checks
// that are made before a member is known.
func Everything() Scope { return Scope{Subtree: []region.Area{{}}} }

// CoversArea reports whether a is granted: listed exactly, or inside a
// subtree, and not inside an exception. The comparison is by area, not by
// string prefix: a grant for 0345 cannot exist and so cannot cover 03459.
func (s Scope) CoversArea(a region.Area) bool {
	for _, x := range s.Except {
		if x.Covers(a) {
			return false
		}
	}
	for _, g := range s.Areas {
		if g == a {
			return true
		}
	}
	for _, g := range s.Subtree {
		if g.Covers(a) {
			return true
		}
	}
	return false
}

// CoversKey reports whether offers with this key, or with none (the zero ID),
// may be published.
func (s Scope) CoversKey(k leika.ID) bool {
	if k.IsZero() {
		return true
	}
	if s.OwnOffersOnly {
		return false
	}
	if len(s.LeikaPrefixes) == 0 {
		return true
	}
	digits := k.String()
	for _, p := range s.LeikaPrefixes {
		if p != "" && strings.HasPrefix(digits, p) {
			return true
		}
	}
	return false
}

// Within reports whether every grant of s is also granted by outer: a hub may
// hand out no more than it holds (attenuation). Exceptions of outer must hold
// in s as well, because a subtree of s would otherwise reach into them.
func (s Scope) Within(outer Scope) bool {
	if !s.keysWithin(outer) {
		return false
	}
	for _, a := range s.Areas {
		if !outer.CoversArea(a) {
			return false
		}
	}
	for _, a := range s.Subtree {
		if !outer.coversSubtree(a, s.Except) {
			return false
		}
	}
	return true
}

func (s Scope) coversSubtree(a region.Area, except []region.Area) bool {
	inside := false
	for _, g := range s.Subtree {
		inside = inside || g.Covers(a)
	}
	if !inside {
		return false
	}
	for _, x := range s.Except {
		if x.Covers(a) {
			return false
		}
		if a.Covers(x) && !anyCovers(except, x) {
			return false
		}
	}
	return true
}

func anyCovers(set []region.Area, a region.Area) bool {
	for _, s := range set {
		if s.Covers(a) {
			return true
		}
	}
	return false
}

func (s Scope) keysWithin(outer Scope) bool {
	if outer.OwnOffersOnly {
		return s.OwnOffersOnly
	}
	if len(outer.LeikaPrefixes) == 0 || s.OwnOffersOnly {
		return true
	}
	if len(s.LeikaPrefixes) == 0 {
		return false
	}
	for _, p := range s.LeikaPrefixes {
		ok := false
		for _, o := range outer.LeikaPrefixes {
			ok = ok || (o != "" && strings.HasPrefix(p, o))
		}
		if !ok {
			return false
		}
	}
	return true
}
