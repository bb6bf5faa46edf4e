package directory

import (
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// hit is one valid claim.
type hit struct {
	slot  int32
	offer int32
	zust  int32 // -1: the offer's first responsible one for the area
	via   int32 // slot of the delegating member, -1
	kind  federation.Kind
	seat  region.Area
}

// found is what find collects at the level that answers. The first claims
// are kept without allocation; conflicts of more members than that go to the
// heap.
type found struct {
	key     leika.ID
	node    int32
	n       int
	members int
	first   [4]hit
	rest    []hit
}

func (f *found) add(h hit) {
	if f.n < len(f.first) {
		f.first[f.n] = h
	} else {
		f.rest = append(f.rest, h)
	}
	if f.n == 0 || f.at(f.n-1).slot != h.slot {
		f.members++
	}
	f.n++
}

func (f *found) at(i int) *hit {
	if i < len(f.first) {
		return &f.first[i]
	}
	return &f.rest[i-len(f.first)]
}

// find is DESIGN §4.3: with the exact key from the most specific area
// upwards, and only if no area answers with broader keys. date is midnight
// UTC of the day. It reports whether anybody is responsible.
func (ix *index) find(f *found, key leika.ID, place region.Area, date time.Time) bool {
	start := ix.nodeOf(place)
	for ok := true; ok; key, ok = key.Broader() {
		if ix.findFrom(f, start, key, place, date) {
			return true
		}
	}
	return false
}

// findKey is find for the exact key alone.
func (ix *index) findKey(f *found, key leika.ID, place region.Area, date time.Time) bool {
	return ix.findFrom(f, ix.nodeOf(place), key, place, date)
}

func (ix *index) findFrom(f *found, start int32, key leika.ID, place region.Area, date time.Time) bool {
	no, known := ix.keys.no(key)
	return known && ix.findNo(f, start, no, key, place, date)
}

// findNo is findKey for a key number and a node that are known already.
func (ix *index) findNo(f *found, start int32, no uint32, key leika.ID, place region.Area, date time.Time) bool {
	var given []delegation
	if len(ix.given) > 0 {
		given = ix.given[key]
	}
	for n := start; n >= 0; n = ix.heads[n].up {
		segments := ix.nodes[n].segments
		for i := range segments {
			ix.match(f, &segments[i], no, place, date, given)
		}
		if f.n > 0 && given != nil {
			ix.yield(f, no, place, date, given)
		}
		if f.n > 0 {
			f.key, f.node = key, n
			return true
		}
	}
	return false
}

// match adds the claims of one member on one key in one area that hold for
// place on date.
func (ix *index) match(f *found, s *segment, no uint32, place region.Area, date time.Time, given []delegation) {
	to, ok := s.find(no)
	if !ok {
		return
	}
	if to < s.offers {
		f.add(hit{slot: s.slot, offer: int32(to), zust: -1, via: -1, kind: s.kind, seat: s.seat})
		return
	}
	list := s.extra[to-s.offers]
	for i := range list {
		c := &list[i]
		if !c.valid.At(date) || excepted(c.except, place) {
			continue
		}
		if c.outside && delegatedTo(given, s.slot, place, date) < 0 {
			continue
		}
		f.add(hit{slot: s.slot, offer: c.offer, zust: c.zust, via: -1, kind: s.kind, seat: s.seat})
	}
}

func excepted(except []region.Area, place region.Area) bool {
	for _, x := range except {
		if x.Covers(place) {
			return true
		}
	}
	return false
}

// delegatedTo returns who has delegated to slot for place, -1 for nobody; of
// several the one with the smallest member ID, because given is so ordered.
func delegatedTo(given []delegation, slot int32, place region.Area, date time.Time) int32 {
	for i := range given {
		g := &given[i]
		if g.to == slot && g.from != slot && g.area.Covers(place) && g.valid.At(date) {
			return g.from
		}
	}
	return -1
}

// yield takes out the claims of members that have given the task for this
// place to a member that claims it, and notes who gave it to those that
// stay [DESIGN §4.2]. Members that delegate in a circle all stay: that is a
// conflict, not an answer.
func (ix *index) yield(f *found, no uint32, place region.Area, date time.Time, given []delegation) {
	var kept found
	for i := range f.n {
		h := *f.at(i)
		if ix.yields(h.slot, no, place, date, given) {
			continue
		}
		h.via = delegatedTo(given, h.slot, place, date)
		kept.add(h)
	}
	kept.key, kept.node = f.key, f.node
	*f = kept
}

// yields reports whether the member has an effective delegation for place
// whose end is another member.
func (ix *index) yields(slot int32, no uint32, place region.Area, date time.Time, given []delegation) bool {
	for i := range given {
		g := &given[i]
		if g.from == slot && ix.effective(g, no, place, date, given) && !ix.returns(g.to, slot, no, place, date, given, len(given)) {
			return true
		}
	}
	return false
}

// effective reports whether g holds for place and its receiver claims it.
func (ix *index) effective(g *delegation, no uint32, place region.Area, date time.Time, given []delegation) bool {
	if g.to < 0 || g.to == g.from || !g.area.Covers(place) || !g.valid.At(date) {
		return false
	}
	for n := ix.nodeOf(place); n >= 0; n = ix.nodes[n].parent {
		segments := ix.nodes[n].segments
		for i := range segments {
			if segments[i].slot != g.to {
				continue
			}
			var f found
			ix.match(&f, &segments[i], no, place, date, given)
			if f.n > 0 {
				return true
			}
		}
	}
	return false
}

// returns reports whether effective delegations lead from slot back to home.
// steps bounds the walk by the number of delegations there are.
func (ix *index) returns(slot, home int32, no uint32, place region.Area, date time.Time, given []delegation, steps int) bool {
	if slot == home {
		return true
	}
	if steps == 0 {
		return false
	}
	for i := range given {
		g := &given[i]
		if g.from == slot && ix.effective(g, no, place, date, given) && ix.returns(g.to, home, no, place, date, given, steps-1) {
			return true
		}
	}
	return false
}

// reason is the rule that made one claim responsible [UX.md §5.2].
func (h *hit) reason(place region.Area) Reason {
	if h.via >= 0 {
		return Delegated
	}
	return reason(h.kind, h.seat, place)
}

func reason(kind federation.Kind, seat, place region.Area) Reason {
	switch {
	case kind == federation.KindUnternehmen:
		return WholeArea
	case seat == place:
		return Own
	case kind == federation.KindLand && seat.IsBund():
		return Parent
	case seat.IsBund():
		return WholeArea
	case kind == federation.KindGemeinde && seat.Covers(place), place.Covers(seat):
		return Own // a kreisfreie Stadt; a Verband of one Gemeinde
	case seat.Covers(place):
		return Parent
	}
	return Delegated // granted by the hub outside its own seat
}

// unheard returns the first member, by ID, that could claim key for place
// but of which no copy is held; -1 if there is none.
func (ix *index) unheard(key leika.ID, place region.Area) int32 {
	for _, slot := range ix.silent {
		if mayClaim(ix.members[slot], key, place) {
			return slot
		}
	}
	return -1
}

// mayClaim reports whether the granted scope allows m a claim for key that
// covers place: for place itself or an area around it.
func mayClaim(m *member, key leika.ID, place region.Area) bool {
	return m.Scope.CoversKey(key) && serves(m, place)
}

func serves(m *member, place region.Area) bool {
	if excepted(m.Scope.Except, place) {
		return false
	}
	for ok := true; ok; place, ok = place.Parent() {
		if m.Scope.CoversArea(place) {
			return true
		}
	}
	return false
}

// Match is the small answer of Lookup: no texts, no allocation. It stays
// valid, and the same, when the index moves on.
type Match struct {
	Reason  Reason // own, parent, delegated, whole-area, conflict, none or unknown
	Matched leika.ID
	Area    region.Area // that answered, the place or wider
	Members int         // how many members claim it, 0 for none and unknown

	member *member
	offer  int32
}

// Member returns the ID of the first responsible member, "" if there is none.
func (m Match) Member() federation.EntityID {
	if m.member == nil {
		return ""
	}
	return m.member.ID
}

// Ref returns the first responsible member's offer in the order of
// Answer.Providers. Where texts are kept on disk this reads them.
func (m Match) Ref() OfferRef {
	if m.member == nil {
		return OfferRef{}
	}
	o := m.member.offer(m.offer)
	if o == nil {
		return OfferRef{}
	}
	return OfferRef{m.member.ID, o.ID}
}

// Lookup is the core of Resolve for a key and a place as the register knows
// it today: the same rules without texts and without allocation. A zero date
// is today.
func (d *Directory) Lookup(key leika.ID, place region.Area, date time.Time) Match {
	ix := d.index.Load()
	if m, ok := ix.quick(key, place); ok {
		return m
	}
	return ix.lookup(key, place, d.day(date))
}

// quick is lookup for the common cases: one member claims the key without
// conditions and nobody has delegated it, or nobody claims it at all. ok is
// false if it is another case.
func (ix *index) quick(key leika.ID, place region.Area) (m Match, ok bool) {
	first, known := ix.keys.numbers.get(uint64(key))
	if !known {
		first = ix.keys.wider(key)
	}
	start, exact := ix.areas.get(place.Code())
	if !exact {
		start = ix.nodeOf(place)
	}
	for no := first; no >= 0; no = ix.keys.broader[no] {
		for n := start; n >= 0; n = ix.heads[n].up {
			h := &ix.heads[n]
			if h.more {
				if ix.claimed(n, uint32(no)) {
					return m, false
				}
				continue
			}
			offer, ok := h.find(uint32(no))
			if !ok {
				continue
			}
			key := ix.keys.ids[no]
			if offer >= h.offers || len(ix.given) > 0 && ix.given[key] != nil {
				return m, false
			}
			m = Match{Reason: reason(h.kind, h.seat, place), Matched: key, Area: place, Members: 1, member: ix.members[h.slot], offer: int32(offer)}
			if !exact || n != start {
				m.Area = ix.nodes[n].area
			}
			return m, true
		}
	}
	return ix.nobody(key, place), true
}

// claimed reports whether some segment of a node has the key.
func (ix *index) claimed(n int32, no uint32) bool {
	segments := ix.nodes[n].segments
	for i := range segments {
		if _, ok := segments[i].find(no); ok {
			return true
		}
	}
	return false
}

func (ix *index) lookup(key leika.ID, place region.Area, date time.Time) Match {
	var f found
	if !ix.find(&f, key, place, date) {
		return ix.nobody(key, place)
	}
	h := &f.first[0]
	m := Match{
		Reason: h.reason(place), Matched: f.key, Area: ix.nodes[f.node].area,
		Members: f.members, member: ix.members[h.slot], offer: h.offer,
	}
	if f.members > 1 {
		m.Reason = Conflict
	}
	return m
}

// nobody is the answer where nobody claims the key.
func (ix *index) nobody(key leika.ID, place region.Area) Match {
	if ix.unheard(key, place) >= 0 {
		return Match{Reason: Unknown}
	}
	return Match{Reason: None}
}
