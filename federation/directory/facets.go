package directory

import (
	"cmp"
	"slices"

	"rathausnetz/federation"
)

// Which filters a hit does not pass, one bit each.
const (
	failOnline = 1 << iota
	failAuthority
	failKind
	failPlace
	failAudience
	failLebenslage
)

// filter puts the hits that pass every filter into s.kept and counts for each
// filter those that would pass with its other choices.
func (s *scratch) filter(q *Query, ix *index, f *Facets) {
	table := s.table
	situation := traits(0)
	for i := range table {
		if table[i].slug == q.Lebenslage {
			situation = 1 << i
		}
	}
	n := &s.counts
	n.reset(len(ix.members))
	s.kept = s.kept[:0]
	for i := range s.list {
		c := &s.list[i]
		m := ix.members[c.slot]
		fails := 0
		if q.Online && !c.online {
			fails |= failOnline
		}
		if q.Authority != "" && m.ID != q.Authority {
			fails |= failAuthority
		}
		if q.Kind != federation.KindUnknown && m.Kind != q.Kind {
			fails |= failKind
		}
		if q.OnlyPlace && c.neighbour {
			fails |= failPlace
		}
		if q.Audience != "" && !c.traits.audience(q.Audience) {
			fails |= failAudience
		}
		if q.Lebenslage != "" && c.traits&situation == 0 {
			fails |= failLebenslage
		}
		n.add(c, fails)
		if fails == 0 {
			s.kept = append(s.kept, int32(i))
		}
	}
	n.facets(f, q, ix, table)
}

// audience reports whether an offer is for a group; one that names no group
// is for all.
func (t traits) audience(code string) bool {
	const all = traitCitizen | traitBusiness | traitAuthority
	return t&all == 0 || t&audienceTrait(code) != 0
}

// counts are the numbers behind the filters; authorities counts by slot.
type counts struct {
	online, place int
	authorities   []int32
	touched       []int32 // slots with a count
	kinds         [8]int
	audiences     [3]int
	situations    [8]int
}

func (n *counts) reset(members int) {
	for _, slot := range n.touched {
		n.authorities[slot] = 0
	}
	*n = counts{authorities: n.authorities, touched: n.touched[:0]}
	if len(n.authorities) < members {
		n.authorities = make([]int32, members)
	}
}

func (n *counts) add(c *candidate, fails int) {
	if fails&^failOnline == 0 && c.online {
		n.online++
	}
	if fails&^failPlace == 0 && !c.neighbour {
		n.place++
	}
	if fails&^failAuthority == 0 {
		if n.authorities[c.slot] == 0 {
			n.touched = append(n.touched, c.slot)
		}
		n.authorities[c.slot]++
	}
	if fails&^failKind == 0 {
		n.kinds[c.kind&7]++
	}
	if fails&^failAudience == 0 {
		for i, bit := range [...]traits{traitCitizen, traitBusiness, traitAuthority} { // in the order of audiences
			if c.traits&(traitCitizen|traitBusiness|traitAuthority) == 0 || c.traits&bit != 0 {
				n.audiences[i]++
			}
		}
	}
	if fails&^failLebenslage == 0 && c.traits&(1<<len(n.situations)-1) != 0 {
		for i := range n.situations {
			n.situations[i] += int(c.traits >> i & 1)
		}
	}
}

type audience struct{ code, label string }

func audiences() [3]audience {
	return [3]audience{{"001", "Bürgerinnen und Bürger"}, {"002", "Unternehmen"}, {"003", "Verwaltung"}}
}

func (n *counts) facets(f *Facets, q *Query, ix *index, table []lebenslage) {
	f.Online, f.OnlyPlace = n.online, n.place
	for _, slot := range n.touched {
		m := ix.members[slot]
		f.Authorities = append(f.Authorities, Facet{string(m.ID), m.ShortName, int(n.authorities[slot]), m.ID == q.Authority})
	}
	for k, count := range n.kinds {
		if kind := federation.Kind(k); kind != federation.KindUnknown && count > 0 {
			f.Kinds = append(f.Kinds, Facet{kind.String(), kindLabel(kind), count, kind == q.Kind})
		}
	}
	for i, a := range audiences() {
		if n.audiences[i] > 0 {
			f.Audiences = append(f.Audiences, Facet{a.code, a.label, n.audiences[i], a.code == q.Audience})
		}
	}
	for i := range table {
		if n.situations[i] > 0 {
			f.Lebenslagen = append(f.Lebenslagen, Facet{table[i].slug, table[i].de, n.situations[i], table[i].slug == q.Lebenslage})
		}
	}
	for _, list := range [][]Facet{f.Authorities, f.Kinds, f.Audiences, f.Lebenslagen} {
		slices.SortFunc(list, func(a, b Facet) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
	}
}

func kindLabel(k federation.Kind) string {
	switch k {
	case federation.KindGemeinde:
		return "Gemeinde"
	case federation.KindSamtgemeinde:
		return "Samtgemeinde"
	case federation.KindLandkreis:
		return "Landkreis"
	case federation.KindLand:
		return "Land"
	case federation.KindUnternehmen:
		return "Kommunales Unternehmen"
	}
	return ""
}
