package region

import (
	"slices"
)

// builder lays editions over each other, the oldest first.
type builder struct {
	now     map[Area]Place
	past    map[Area]Place
	changes map[Area]change
	former  map[Area][]string // official names that a current area once had
	extra   []PLZ
	r       *Register
}

func newBuilder() *builder {
	return &builder{
		now: make(map[Area]Place), past: make(map[Area]Place),
		changes: make(map[Area]change), former: make(map[Area][]string),
		r: &Register{},
	}
}

// add lays e over what is there. Inside what e covers it replaces
// everything; outside, it adds.
func (b *builder) add(e *Edition) {
	if !slices.Contains(b.r.dates, e.Date) {
		b.r.dates = append(b.r.dates, e.Date)
	}
	if e.Source != "" && !slices.Contains(b.r.sources, e.Source) {
		b.r.sources = append(b.r.sources, e.Source)
	}
	within := func(a Area) bool {
		for _, c := range e.Covers {
			if c.Covers(a) {
				return true
			}
		}
		return false
	}
	next := make(map[Area]Place, len(e.Places))
	for _, p := range e.Places {
		p.FirstSeen, p.LastSeen = e.Date, e.Date
		if old, ok := b.now[p.Area]; ok {
			p.FirstSeen = old.FirstSeen
			if old.Official != p.Official {
				b.former[p.Area] = append(b.former[p.Area], old.Official)
			}
		}
		next[p.Area] = p
	}
	if len(b.now) > 0 {
		for _, c := range compare(b.now, next, within) {
			c.after, c.before = c.old.LastSeen, e.Date
			b.changes[c.old.Area] = c
			b.past[c.old.Area] = c.old
			delete(b.now, c.old.Area)
		}
	}
	for a, p := range next {
		b.now[a] = p
		delete(b.past, a)
		delete(b.changes, a)
	}
	b.extra = append(b.extra, e.Extra...)
}

// finish builds the maps that Lookup reads.
func (b *builder) finish() *Register {
	r := b.r
	r.places = sortedPlaces(b.now)
	r.past = sortedPlaces(b.past)
	r.areas = make(map[Area]int32, len(r.places)+len(r.past))
	r.ags = make(map[AGS]int32, len(r.places)+len(r.past))
	r.plz = make(map[uint32][]int32, len(r.places))
	r.names = nameIndex{
		exact: make(map[string][]int32, 2*len(r.places)),
		short: make(map[string][]int32, len(r.places)/4),
		alike: make(map[string][]int32, len(r.places)),
		parts: make(map[string][]int32),
	}
	// Past places go in first, so that a current one takes over an AGS that
	// both have had.
	for i := range r.past {
		b.index(^int32(i))
	}
	for i := range r.places {
		b.index(int32(i))
	}
	for _, p := range b.extra {
		r.addPLZ(p)
	}
	for _, index := range [...]map[string][]int32{r.names.exact, r.names.short, r.names.alike} {
		for _, refs := range index {
			r.sortRefs(refs)
		}
	}
	b.link()
	return r
}

func sortedPlaces(m map[Area]Place) []Place {
	out := make([]Place, 0, len(m))
	for _, p := range m {
		out = append(out, p)
	}
	slices.SortFunc(out, byArea)
	return out
}

func (b *builder) index(ref int32) {
	r := b.r
	p := r.at(ref)
	r.areas[p.Area] = ref
	if !p.AGS.IsZero() {
		r.ags[p.AGS] = ref
	}
	if p.PLZ != "" && ref >= 0 {
		r.putPLZ(p.PLZ, ref)
	}
	r.names.add(p, ref)
	for _, name := range b.former[p.Area] {
		old := Place{Area: p.Area, Type: p.Type, Official: name}
		old.setNames()
		r.names.add(&old, ref)
	}
}

// sortRefs puts the narrower area first, then orders by area.
func (r *Register) sortRefs(refs []int32) {
	slices.SortFunc(refs, func(x, y int32) int {
		p, q := r.at(x), r.at(y)
		if d := q.Area.Len() - p.Area.Len(); d != 0 {
			return d
		}
		return p.Area.Compare(q.Area)
	})
}

// link resolves changes to current places, over several editions if need be.
func (b *builder) link() {
	b.r.changes = make(map[Area]*Succession, len(b.changes))
	for a, c := range b.changes {
		s := &Succession{Old: c.old, Evidence: c.evidence, After: c.after, Before: c.before}
		for _, area := range b.follow(c.into, nil) {
			s.New = append(s.New, b.now[area])
		}
		if len(s.New) == 0 {
			s.Evidence = NotKnown
		}
		b.r.changes[a] = s
	}
}

// follow replaces areas that have vanished in their turn; seen stops circles.
func (b *builder) follow(into, seen []Area) []Area {
	var out []Area
	for _, a := range into {
		if slices.Contains(seen, a) {
			continue
		}
		if _, ok := b.now[a]; ok {
			out = append(out, a)
		} else if c, ok := b.changes[a]; ok {
			out = append(out, b.follow(c.into, append(seen, a))...)
		}
	}
	slices.SortFunc(out, Area.Compare)
	return slices.Compact(out)
}
