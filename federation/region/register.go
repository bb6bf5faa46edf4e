package region

import (
	"slices"
	"time"
)

// Register maps AGS, ARS, PLZ and names to places, over all editions given
// to NewRegister. After loading (NewRegister, AddPLZ) it is never changed and
// may be read concurrently.
type Register struct {
	places []Place // of the latest edition for each area, sorted by Area
	past   []Place // areas that a later edition no longer has, sorted by Area

	// The maps hold refs: i >= 0 is places[i], i < 0 is past[^i].
	areas   map[Area]int32
	ags     map[AGS]int32
	plz     map[uint32][]int32
	names   nameIndex
	changes map[Area]*Succession // by the old area

	plzComplete bool
	sources     []string
	dates       []time.Time
}

// NewRegister builds a register; editions may come in any order and overlap
// in part. Where two cover the same area, the later one is current and the
// difference is what Lookup reports as Succession. No edition at all gives a
// register that knows nothing.
func NewRegister(editions ...*Edition) *Register {
	b := newBuilder()
	sorted := slices.Clone(editions)
	slices.SortStableFunc(sorted, func(x, y *Edition) int { return x.Date.Compare(y.Date) })
	for _, e := range sorted {
		b.add(e)
	}
	return b.finish()
}

func (r *Register) at(ref int32) *Place {
	if ref < 0 {
		return &r.past[^ref]
	}
	return &r.places[ref]
}

// Editions returns the dates of the loaded editions, oldest first.
func (r *Register) Editions() []time.Time { return slices.Clone(r.dates) }

// Sources returns the source lines that pages must name, without repetition.
func (r *Register) Sources() []string { return slices.Clone(r.sources) }

// Len returns the number of current places.
func (r *Register) Len() int { return len(r.places) }

// Place returns the current place with exactly this area.
func (r *Register) Place(a Area) (Place, bool) {
	i, ok := r.areas[a]
	if !ok || i < 0 {
		return Place{}, false
	}
	return r.places[i], true
}

// Name returns the full name of a ("Stadt Melle"), also of an area that no
// longer exists, "Bund" for the Bund and the digits of an unknown area.
func (r *Register) Name(a Area) string {
	if i, ok := r.areas[a]; ok {
		return r.at(i).FullName
	}
	if a.IsBund() {
		return "Bund"
	}
	return a.String()
}

// ARS returns the area of an AGS by table; for an AGS that no longer exists
// it is the area it had last.
func (r *Register) ARS(a AGS) (Area, bool) {
	if i, ok := r.ags[a]; ok {
		return r.at(i).Area, true
	}
	return Area{}, false
}

// Parents returns the existing areas around a, the nearest first, without a
// itself and without the Bund.
func (r *Register) Parents(a Area) []Place {
	var out []Place
	for p, ok := a.Parent(); ok; p, ok = p.Parent() {
		if place, known := r.Place(p); known {
			out = append(out, place)
		}
	}
	return out
}

// Children returns the places directly inside a: the next existing level
// below each, so a Kreis has its Gemeindeverbände and its verbandsfreie
// Gemeinden. Sorted by area; nil if there are none.
func (r *Register) Children(a Area) []Place {
	var out []Place
	var last Area
	for i := range r.inside(a) {
		p := &r.places[i]
		if p.Area == a || (len(out) > 0 && last.Covers(p.Area)) {
			continue
		}
		out = append(out, *p)
		last = p.Area
	}
	return out
}

// Gemeinden returns every Gemeinde inside a (a itself, if it is one), without
// gemeindefreie Gebiete, sorted by area; nil if there are none.
func (r *Register) Gemeinden(under Area) []Place {
	var out []Place
	for i := range r.inside(under) {
		if p := &r.places[i]; p.Area.IsGemeinde() && p.Type != Gemeindefrei && p.Type != GemeindefreiLeer {
			out = append(out, *p)
		}
	}
	return out
}

// inside yields the indices of the current places that a covers. Areas are
// ordered by digits and then length, so they lie side by side.
func (r *Register) inside(a Area) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		i, _ := slices.BinarySearchFunc(r.places, a, func(p Place, a Area) int { return p.Area.Compare(a) })
		for ; i < len(r.places) && a.Covers(r.places[i].Area); i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// Predecessors returns the successions that lead to a: the areas it has taken
// over since the oldest edition, sorted by area; nil if there are none.
func (r *Register) Predecessors(a Area) []Succession {
	var out []Succession
	for i := range r.past {
		s := r.changes[r.past[i].Area]
		if s == nil || !slices.ContainsFunc(s.New, func(p Place) bool { return p.Area == a }) {
			continue
		}
		c := *s
		c.New = slices.Clone(s.New)
		out = append(out, c)
	}
	return out
}
