package directory

import (
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// offering is the offer behind a document at the asked place.
type offering struct {
	hit
	area      region.Area
	several   bool
	neighbour bool
	places    int
}

// view is an index seen from one place on one day: which documents have an
// offer there, and whose.
type view struct {
	ix    *index
	place region.Area
	date  time.Time
	own   int32 // slot preferred where place is wide, -1
	node  int32 // of place
	wide  *wideView
	// may has a bit for each key number that somebody claims here or, for a
	// wide place, inside; whether the claim holds today is for of to say.
	may []uint64

	chain []chained // segments around place, the widest area first
	table []uint32  // by key number: who answers, see tabulate; empty if not made
}

type chained struct {
	*segment
	node int32
}

// wideView lists for an area wider than a Gemeinde who offers each key
// anywhere inside it.
type wideView struct {
	first []wideClaim // by key number
}

type wideClaim struct {
	slot   int32 // -1: nobody
	offer  int32
	via    int32
	node   int32
	places int32
}

// wideCache keeps the wide views of one index: they are the same for
// everybody and cost one walk over the claims.
type wideCache struct {
	mu    sync.Mutex
	views map[wideKey]*wideView // guarded by mu
}

type wideKey struct {
	place region.Area
	day   int64
}

// maxWideViews bounds the cache; a Land has fewer Kreise. When it is full it
// starts anew.
const maxWideViews = 64

func (d *Directory) view(ix *index, place region.Area, own federation.EntityID, date time.Time) *view {
	v := &view{ix: ix, place: place, date: date, own: -1, node: ix.nodeOf(place), may: make([]uint64, len(ix.keys.ids)/64+1)}
	for n := v.node; n >= 0; n = ix.nodes[n].parent {
		segments := ix.nodes[n].segments
		for i := range segments {
			segments[i].unite(v.may)
		}
	}
	if place.Len() < 12 {
		v.wide = ix.wideView(place, date)
		for no := range v.wide.first {
			if v.wide.first[no].slot >= 0 {
				v.may[no/64] |= 1 << (no % 64)
			}
		}
		if own != "" {
			_, v.own = ix.member(own)
		}
	}
	return v
}

// possible is a quick test before of, by the number of a document's key, -1
// for an own offer: false means that of fails.
func (v *view) possible(no int32) bool {
	return no < 0 || v.may[no/64]>>(no%64)&1 != 0
}

func (ix *index) wideView(place region.Area, date time.Time) *wideView {
	c := ix.wide
	c.mu.Lock()
	defer c.mu.Unlock()
	key := wideKey{place, date.Unix()}
	if w := c.views[key]; w != nil {
		return w
	}
	w := ix.newWideView(place, date)
	if len(c.views) >= maxWideViews {
		clear(c.views)
	}
	c.views[key] = w
	return w
}

// newWideView walks over every area inside place. The first claim is the one
// of the widest and then first area, then of the first member.
func (ix *index) newWideView(place region.Area, date time.Time) *wideView {
	w := &wideView{first: make([]wideClaim, len(ix.keys.ids))}
	for i := range w.first {
		w.first[i].slot = -1
	}
	for n := range ix.nodes {
		nd := &ix.nodes[n]
		if !place.Covers(nd.area) {
			continue
		}
		for i := range nd.segments {
			s := &nd.segments[i]
			s.each(func(no, to uint32) { ix.widen(&w.first[no], s, int32(n), no, to, date) })
		}
	}
	return w
}

func (ix *index) widen(c *wideClaim, s *segment, n int32, no, to uint32, date time.Time) {
	offer, via := int32(to), int32(-1)
	key := ix.keys.ids[no]
	switch {
	case len(ix.given) > 0 && len(ix.given[key]) > 0:
		var f found // a delegation decides who of several stays
		if !ix.findFrom(&f, n, key, ix.nodes[n].area, date) || f.node != n {
			return
		}
		i := 0
		for i < f.n && f.at(i).slot != s.slot {
			i++
		}
		if i == f.n {
			return
		}
		offer, via = f.at(i).offer, f.at(i).via
	case to >= s.offers:
		var f found
		ix.match(&f, s, no, ix.nodes[n].area, date, nil)
		if f.n == 0 {
			return
		}
		offer = f.first[0].offer
	}
	c.places++
	if c.slot < 0 || ix.before(n, s.slot, c.node, c.slot) {
		c.slot, c.offer, c.via, c.node = s.slot, offer, via, n
	}
}

// before orders claims of a wide view by area, wider and smaller first, then
// by member: never by internal numbers.
func (ix *index) before(n, slot, m, than int32) bool {
	a, b := ix.nodes[n].area, ix.nodes[m].area
	if a.Len() != b.Len() {
		return a.Len() < b.Len()
	}
	if a != b {
		return a.Compare(b) < 0
	}
	return ix.members[slot].ID < ix.members[than].ID
}

// of returns what a document is at the place; ok is false if it is not
// offered there.
func (v *view) of(d *document) (o offering, ok bool) {
	if d.key.IsZero() {
		return v.ofOwn(d)
	}
	var f found
	if len(v.table) > 0 {
		if e := v.table[d.no]; e != 0 && e != lookCloser {
			c := &v.chain[e>>24-1]
			return offering{
				hit:  hit{slot: c.slot, offer: int32(e & 0xffffff), zust: -1, via: -1, kind: c.kind, seat: c.seat},
				area: v.ix.nodes[c.node].area, places: v.places(d.no),
			}, true
		}
	}
	if v.ix.findNo(&f, v.node, d.no, d.key, v.place, v.date) {
		return offering{hit: f.first[0], area: v.ix.nodes[f.node].area, several: f.members > 1, places: v.places(d.no)}, true
	}
	if v.wide == nil || int(d.no) >= len(v.wide.first) || v.wide.first[d.no].slot < 0 {
		return o, false
	}
	c := v.wide.first[d.no]
	m := v.ix.members[c.slot]
	o = offering{
		hit:  hit{slot: c.slot, offer: c.offer, zust: -1, via: c.via, kind: m.Kind, seat: m.Seat},
		area: v.ix.nodes[c.node].area, places: int(c.places),
	}
	if v.own >= 0 {
		v.preferOwn(&o, d.no)
	}
	return o, true
}

func (v *view) places(no uint32) int {
	if v.wide == nil {
		return 1
	}
	return max(1, int(v.wide.first[no].places))
}

// lookCloser marks keys whose answer is not plain: a conflict, a claim with
// conditions, a delegation.
const lookCloser = ^uint32(0)

// tabulate writes down who answers each key, for queries with so many hits
// that one walk over all claims around the place is cheaper than a lookup for
// each. An entry is the number of the segment in chain, from 1, and the offer
// in the lower 24 bits.
func (v *view) tabulate(table []uint32) {
	var nodes []int32
	for n := v.node; n >= 0; n = v.ix.nodes[n].parent {
		nodes = append(nodes, n)
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		segments := v.ix.nodes[nodes[i]].segments
		for k := range segments {
			v.chain = append(v.chain, chained{&segments[k], nodes[i]})
		}
	}
	if len(v.chain) > 200 {
		return
	}
	for i := range v.chain {
		c := &v.chain[i]
		entry := uint32(i+1) << 24
		c.each(func(no, to uint32) {
			was := table[no]
			same := was != 0 && was != lookCloser && v.chain[was>>24-1].node == c.node
			if to >= c.offers || to > 0xffffff || same || was == lookCloser {
				table[no] = lookCloser
			} else {
				table[no] = entry | to
			}
		})
	}
	for key := range v.ix.given {
		if no, ok := v.ix.keys.no(key); ok {
			table[no] = lookCloser
		}
	}
	v.table = table
}

// preferOwn takes the offer of the portal's own member where it has one.
func (v *view) preferOwn(o *offering, no uint32) {
	m := v.ix.members[v.own]
	for i := range m.segments {
		p := &m.segments[i]
		if !v.place.Covers(p.area) {
			continue
		}
		var f found
		if !v.ix.findKey(&f, v.ix.keys.ids[no], p.area, v.date) || v.ix.nodes[f.node].area != p.area {
			continue
		}
		for i := range f.n {
			if f.at(i).slot == v.own {
				o.hit, o.area = *f.at(i), p.area
				return
			}
		}
	}
}

func (v *view) ofOwn(d *document) (o offering, ok bool) {
	m := v.ix.members[d.slot]
	if m == nil || int(d.own) >= len(m.own) {
		return o, false
	}
	own := &m.own[d.own]
	if own.offer != d.offer || !own.valid.At(v.date) {
		return o, false
	}
	o = offering{hit: hit{slot: d.slot, offer: d.offer, zust: -1, via: -1, kind: m.Kind, seat: m.Seat}, places: 1}
	for i := range own.claims {
		c := &own.claims[i]
		if c.outside || !c.valid.At(v.date) {
			continue
		}
		inside := v.wide != nil && v.place.Covers(c.area)
		if inside || (c.area.Covers(v.place) && !excepted(c.except, v.place)) {
			o.area, o.zust = c.area, c.zust
			return o, true
		}
	}
	if own.reach != catalog.ReachNetwork {
		return o, false
	}
	if len(own.claims) > 0 {
		o.area, o.zust = own.claims[0].area, own.claims[0].zust
	}
	o.neighbour = true
	return o, true
}

// online reports whether the offer can be used online here and today.
func (v *view) online(o *offering) bool {
	m := v.ix.members[o.slot]
	t := m.traits[o.offer]
	if t&traitConditional == 0 {
		return t&traitOnline != 0
	}
	of := m.offer(o.offer)
	return of != nil && len(open(of, v.at(o), v.date)) > 0
}

// at is the area an offering is looked at from: the place, or where the
// offer is if the place is wider.
func (v *view) at(o *offering) region.Area {
	if o.area.Len() > v.place.Len() {
		return o.area
	}
	return v.place
}

// provider fills in an offering.
func (v *view) provider(o *offering) Provider {
	at := v.at(o)
	p := v.ix.provider(&o.hit, o.area, at, v.date)
	if o.neighbour {
		p.Reason, p.Neighbour = WholeArea, true
	}
	return p
}

// distance orders equal hits as UX.md §5.1: own municipality, its Verband,
// Landkreis, partners, neighbours, Land, Bund.
func (v *view) distance(o *offering) int {
	switch {
	case o.neighbour:
		return 4
	case o.kind == federation.KindUnternehmen:
		return 3
	case o.slot == v.own:
		return 0
	case o.kind == federation.KindLand || o.area.Len() == 2:
		return 5
	case o.area.IsBund():
		return 6
	case o.kind == federation.KindLandkreis:
		return 2
	case o.kind == federation.KindSamtgemeinde && v.place != o.seat:
		return 1
	}
	return 0
}

func newWideCache() *wideCache { return &wideCache{views: map[wideKey]*wideView{}} }
