package region

import (
	"slices"
	"time"
)

// Evidence says why a place counts as successor.
type Evidence string

// The kinds of evidence, the strongest first.
const (
	// SameAGS: the Gemeinde kept its AGS, only its ARS changed with its Gemeindeverband.
	SameAGS Evidence = "same-ags"
	// SameExtent: exactly one Gemeinde grew, or arose, by the extent of the vanished ones.
	SameExtent Evidence = "extent"
	// SplitExtent: the growth of several Gemeinden adds up to the vanished one.
	SplitExtent Evidence = "extent-split"
	// Members: all Gemeinden of a vanished Gemeindeverband or Kreis now lie in this one.
	Members Evidence = "members"
	// NotKnown: the two editions do not show what became of the place.
	NotKnown Evidence = ""
)

// Succession tells what became of an area that a later edition no longer has.
// The register gives no date for it, only the two editions it lies between.
type Succession struct {
	Old      Place     `json:"old"`
	New      []Place   `json:"new"` // current places; empty if none is known
	Evidence Evidence  `json:"evidence"`
	After    time.Time `json:"after"`  // date of the last edition with Old
	Before   time.Time `json:"before"` // date of the first edition without it, or with it by then
}

// change is a Succession while the register is being built: New by area,
// because the areas may vanish again in a later edition.
type change struct {
	old      Place
	into     []Area
	evidence Evidence
	after    time.Time
	before   time.Time
}

// Limits of the search for sums, which could otherwise grow without end.
const (
	maxMerge = 14 // vanished Gemeinden of one Kreis tried in all combinations
	maxSplit = 60 // grown Gemeinden of one Land tried in pairs and threes
)

// gain is a Gemeinde that is new or has grown, in hectares.
type gain struct {
	area     Area
	hectares int
	taken    bool
}

// compare finds the successors of the places of old that are not in now.
// Both maps hold current places by area; within tells what now is complete
// for.
func compare(old, now map[Area]Place, within func(Area) bool) []change {
	m := matcher{old: old, now: now}
	byAGS := make(map[AGS]Place, len(now))
	for _, p := range now {
		if p.Area.IsGemeinde() {
			byAGS[p.AGS] = p
		}
	}
	var wider []Place
	for a, p := range old {
		if _, still := now[a]; still || !within(a) {
			continue
		}
		switch same, kept := byAGS[p.AGS]; {
		case a.IsGemeinde() && kept:
			m.found = append(m.found, change{old: p, into: []Area{same.Area}, evidence: SameAGS})
		case a.IsGemeinde():
			m.gone = append(m.gone, p)
		default:
			wider = append(wider, p)
		}
	}
	slices.SortFunc(m.gone, byArea)
	slices.SortFunc(m.found, func(x, y change) int { return byArea(x.old, y.old) })
	slices.SortFunc(wider, byArea)
	if len(m.gone) > 0 {
		m.measure(within)
		m.wholeVerbaende()
		m.single()
		m.merged()
		m.split()
	}
	for _, p := range m.gone {
		m.found = append(m.found, change{old: p})
	}
	for _, p := range wider {
		m.found = append(m.found, m.byMembers(p))
	}
	return m.found
}

func byArea(x, y Place) int { return x.Area.Compare(y.Area) }

// matcher assigns vanished Gemeinden to those that grew: land does not
// vanish, so what one lost the others have.
type matcher struct {
	old, now map[Area]Place
	gone     []Place // not yet explained, sorted
	gains    []gain  // sorted by area
	found    []change
}

func (m *matcher) measure(within func(Area) bool) {
	before := make(map[AGS]int, len(m.old))
	for _, p := range m.old {
		if p.Area.IsGemeinde() {
			before[p.AGS] = p.Hectares
		}
	}
	for a, p := range m.now {
		if !a.IsGemeinde() || !within(a) {
			continue
		}
		if g := p.Hectares - before[p.AGS]; g > 10 {
			m.gains = append(m.gains, gain{area: a, hectares: g})
		}
	}
	slices.SortFunc(m.gains, func(x, y gain) int { return x.area.Compare(y.area) })
}

// fits allows for the rounding of each figure to whole hectares.
func fits(sum, hectares, parts int) bool {
	d := sum - hectares
	return max(d, -d) <= 1+parts/2
}

// only returns the one free gain in the same Kreis, else in the same Land,
// that fits; nil if none or several do.
func (m *matcher) only(from Area, sum, parts int) *gain {
	for _, level := range [...]int{5, 2} {
		var hit *gain
		for i := range m.gains {
			g := &m.gains[i]
			if g.taken || g.area.Truncate(level) != from.Truncate(level) || !fits(sum, g.hectares, parts) {
				continue
			}
			if hit != nil {
				return nil
			}
			hit = g
		}
		if hit != nil {
			return hit
		}
	}
	return nil
}

func (m *matcher) assign(places []Place, into []*gain, e Evidence) {
	areas := make([]Area, 0, len(into))
	for _, g := range into {
		g.taken = true
		areas = append(areas, g.area)
	}
	for _, p := range places {
		m.found = append(m.found, change{old: p, into: areas, evidence: e})
		m.gone = slices.DeleteFunc(m.gone, func(q Place) bool { return q.Area == p.Area })
	}
}

// wholeVerbaende: all vanished members of one Gemeindeverband together.
func (m *matcher) wholeVerbaende() {
	groups := make(map[Area][]Place)
	for _, p := range m.gone {
		groups[p.Area.Truncate(9)] = append(groups[p.Area.Truncate(9)], p)
	}
	for _, p := range slices.Clone(m.gone) {
		group := groups[p.Area.Truncate(9)]
		if len(group) < 2 || group[0].Area != p.Area {
			continue
		}
		if g := m.only(p.Area, sum(group), len(group)+1); g != nil {
			m.assign(group, []*gain{g}, SameExtent)
		}
	}
}

func sum(places []Place) (hectares int) {
	for _, p := range places {
		hectares += p.Hectares
	}
	return hectares
}

// single: one vanished Gemeinde is the growth of one other. Two that would
// fit the same growth explain nothing.
func (m *matcher) single() {
	claims := make(map[Area][]Place)
	for _, p := range m.gone {
		if g := m.only(p.Area, p.Hectares, 2); g != nil {
			claims[g.area] = append(claims[g.area], p)
		}
	}
	for i := range m.gains {
		if g := &m.gains[i]; len(claims[g.area]) == 1 {
			m.assign(claims[g.area], []*gain{g}, SameExtent)
		}
	}
}

// merged: exactly one combination of the vanished Gemeinden of a Kreis adds
// up to what one Gemeinde there gained.
func (m *matcher) merged() {
	for i := range m.gains {
		g := &m.gains[i]
		if g.taken {
			continue
		}
		var pool []Place
		for _, p := range m.gone {
			if p.Area.Truncate(5) == g.area.Truncate(5) {
				pool = append(pool, p)
			}
		}
		if group := onlySum(pool, g.hectares); group != nil {
			m.assign(group, []*gain{g}, SameExtent)
		}
	}
}

// onlySum returns the only subset of at least two places that adds up to
// hectares, nil if there is none or more than one.
func onlySum(pool []Place, hectares int) []Place {
	if len(pool) < 2 || len(pool) > maxMerge {
		return nil
	}
	var hit []Place
	for set := range 1 << len(pool) {
		var group []Place
		for i := range pool {
			if set>>i&1 == 1 {
				group = append(group, pool[i])
			}
		}
		if len(group) < 2 || !fits(sum(group), hectares, len(group)+1) {
			continue
		}
		if hit != nil {
			return nil
		}
		hit = group
	}
	return hit
}

// split: what one vanished Gemeinde had is the growth of exactly two or three
// others, in its Kreis or else in its Land.
func (m *matcher) split() {
	for _, p := range slices.Clone(m.gone) {
		for _, level := range [...]int{5, 2} {
			var pool []*gain
			for i := range m.gains {
				if g := &m.gains[i]; !g.taken && g.hectares < p.Hectares && g.area.Truncate(level) == p.Area.Truncate(level) {
					pool = append(pool, g)
				}
			}
			if into := onlyParts(pool, p.Hectares); into != nil {
				m.assign([]Place{p}, into, SplitExtent)
				break
			}
		}
	}
}

func onlyParts(pool []*gain, hectares int) []*gain {
	if len(pool) > maxSplit {
		return nil
	}
	var hit []*gain
	try := func(parts ...*gain) bool {
		total := 0
		for _, g := range parts {
			total += g.hectares
		}
		if !fits(total, hectares, len(parts)+1) {
			return true
		}
		if hit != nil {
			return false
		}
		hit = slices.Clone(parts)
		return true
	}
	for i := range pool {
		for j := range i {
			if !try(pool[j], pool[i]) {
				return nil
			}
		}
	}
	if hit != nil {
		return hit
	}
	for i := range pool {
		for j := range i {
			for k := range j {
				if !try(pool[k], pool[j], pool[i]) {
					return nil
				}
			}
		}
	}
	return hit
}

// byMembers: a vanished Gemeindeverband, Kreis or wider area goes where all
// its Gemeinden went.
func (m *matcher) byMembers(p Place) change {
	c := change{old: p}
	level := p.Area.Len()
	moved := make(map[Area][]Area)
	for _, f := range m.found {
		moved[f.old.Area] = f.into
	}
	var into []Area
	for a := range m.old {
		if !a.IsGemeinde() || !p.Area.Covers(a) {
			continue
		}
		to := moved[a]
		if _, stayed := m.now[a]; stayed {
			to = []Area{a}
		}
		if len(to) == 0 {
			return c
		}
		for _, t := range to {
			into = append(into, t.Truncate(level))
		}
	}
	slices.SortFunc(into, Area.Compare)
	into = slices.Compact(into)
	if len(into) != 1 {
		return c
	}
	if _, exists := m.now[into[0]]; !exists {
		return c
	}
	c.into, c.evidence = into, Members
	return c
}
