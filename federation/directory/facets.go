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

// filter returns the hits that pass every filter and counts for each filter
// those that would pass with its other choices.
func filter(all []candidate, q *Query, ix *index, f *Facets) []candidate {
	table := lebenslagen()
	situation := traits(0)
	for i := range table {
		if table[i].slug == q.Lebenslage {
			situation = 1 << i
		}
	}
	n := counts{authorities: map[int32]int{}, kinds: map[federation.Kind]int{}, audiences: map[traits]int{}}
	kept := all[:0:0]
	for i := range all {
		c := &all[i]
		m := ix.members[c.slot]
		fails := 0
		note := func(failed bool, bit int) {
			if failed {
				fails |= bit
			}
		}
		note(q.Online && !c.online, failOnline)
		note(q.Authority != "" && m.ID != q.Authority, failAuthority)
		note(q.Kind != federation.KindUnknown && m.Kind != q.Kind, failKind)
		note(q.OnlyPlace && c.neighbour, failPlace)
		note(q.Audience != "" && !c.traits.audience(q.Audience), failAudience)
		note(q.Lebenslage != "" && c.traits&situation == 0, failLebenslage)
		n.add(c, m, fails)
		if fails == 0 {
			kept = append(kept, *c)
		}
	}
	n.facets(f, q, ix, table)
	return kept
}

// audience reports whether an offer is for a group; one that names no group
// is for all.
func (t traits) audience(code string) bool {
	const all = traitCitizen | traitBusiness | traitAuthority
	return t&all == 0 || t&audienceTrait(code) != 0
}

type counts struct {
	online, place int
	authorities   map[int32]int
	kinds         map[federation.Kind]int
	audiences     map[traits]int
	situations    [8]int
}

func (n *counts) add(c *candidate, m *member, fails int) {
	if fails&^failOnline == 0 && c.online {
		n.online++
	}
	if fails&^failPlace == 0 && !c.neighbour {
		n.place++
	}
	if fails&^failAuthority == 0 {
		n.authorities[c.slot]++
	}
	if fails&^failKind == 0 {
		n.kinds[m.Kind]++
	}
	if fails&^failAudience == 0 {
		for _, a := range [...]string{"001", "002", "003"} {
			if c.traits.audience(a) {
				n.audiences[audienceTrait(a)]++
			}
		}
	}
	if fails&^failLebenslage == 0 {
		for i := range n.situations {
			n.situations[i] += int(c.traits >> i & 1)
		}
	}
}

func (n *counts) facets(f *Facets, q *Query, ix *index, table []lebenslage) {
	f.Online, f.OnlyPlace = n.online, n.place
	for slot, count := range n.authorities {
		m := ix.members[slot]
		f.Authorities = append(f.Authorities, Facet{string(m.ID), m.ShortName, count, m.ID == q.Authority})
	}
	for kind, count := range n.kinds {
		if kind != federation.KindUnknown {
			f.Kinds = append(f.Kinds, Facet{kind.String(), kindLabel(kind), count, kind == q.Kind})
		}
	}
	for _, a := range [...][2]string{{"001", "Bürgerinnen und Bürger"}, {"002", "Unternehmen"}, {"003", "Verwaltung"}} {
		if count := n.audiences[audienceTrait(a[0])]; count > 0 {
			f.Audiences = append(f.Audiences, Facet{a[0], a[1], count, a[0] == q.Audience})
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
