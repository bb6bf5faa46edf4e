package directory

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// member is the part of the index that one member owns. It is built from one
// Source alone and never changed; SetReachable copies it.
type member struct {
	federation.Member
	serial    uint64
	fetched   time.Time
	stale     bool
	reachable bool
	hasCopy   bool

	offers      int
	source      *catalog.Catalogue // as it was given; nil if load is set
	catalogue   *catalog.Catalogue // source with sorted offers; nil if load is set
	load        func(i int) (*catalog.Offer, error)
	units       []catalog.Unit // sorted by ID
	delegations []catalog.Delegation

	segments []placed // responsible claims, by area
	contacts []placed // role 03
	own      []ownOffer
	traits   []traits // of offers, in the order of the catalogue
	claims   int
}

// placed is a segment with its area.
type placed struct {
	area region.Area
	segment
}

// ownOffer is an offer without LeiKa key with its claims.
type ownOffer struct {
	offer  int32
	reach  catalog.Reach
	valid  catalog.Validity
	claims []areaClaim
}

type areaClaim struct {
	area region.Area
	claim
}

// offer returns offer i, nil if it cannot be read again.
func (m *member) offer(i int32) *catalog.Offer {
	if m.catalogue != nil {
		return &m.catalogue.Offers[i]
	}
	if m.load == nil {
		return nil
	}
	o, err := m.load(int(i))
	if err != nil {
		return nil
	}
	return o
}

// find returns the index of the offer with this ID, -1 if there is none.
func (m *member) find(id catalog.ID) int32 {
	i, ok := sortFind(m.offers, func(i int) int {
		o := m.offer(int32(i))
		if o == nil {
			return 0
		}
		return cmp.Compare(id, o.ID)
	})
	if !ok {
		return -1
	}
	if o := m.offer(int32(i)); o == nil || o.ID != id {
		return -1
	}
	return int32(i)
}

func sortFind(n int, compare func(int) int) (int, bool) {
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := compare(mid); {
		case c == 0:
			return mid, true
		case c > 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

// unit returns the unit with this ID, nil if there is none.
func (m *member) unit(id catalog.ID) *catalog.Unit {
	if id == "" {
		return nil
	}
	i, ok := slices.BinarySearchFunc(m.units, id, func(u catalog.Unit, id catalog.ID) int { return cmp.Compare(u.ID, id) })
	if !ok {
		return nil
	}
	return &m.units[i]
}

// arrival is a member on its way into the index, with what only the search
// needs of it.
type arrival struct {
	*member
	slot   int32
	fresh  []catalog.Offer // nil for a member without copy
	hashes []uint64        // of the searched texts of fresh
}

// newMember builds the part of one member. slot is its place in the index,
// keys knows every key of the source.
func newMember(s Source, slot int32, keys *keyTable, seed maphash.Seed) arrival {
	m := &member{
		Member: s.Member, serial: s.Serial, fetched: s.Fetched,
		stale: s.Stale, reachable: s.Reachable,
	}
	c := s.Catalogue
	if c == nil {
		return arrival{member: m, slot: slot}
	}
	m.hasCopy, m.offers = true, len(c.Offers)
	m.units, m.delegations = c.Units, c.Delegations
	if !slices.IsSortedFunc(m.units, func(a, b catalog.Unit) int { return cmp.Compare(a.ID, b.ID) }) {
		m.units = slices.Clone(m.units)
		slices.SortStableFunc(m.units, func(a, b catalog.Unit) int { return cmp.Compare(a.ID, b.ID) })
	}
	if s.Load != nil {
		m.load = s.Load // the catalogue is sorted, or Load could not count
	} else {
		m.source, m.catalogue = c, sortedOffers(c)
		c = m.catalogue
	}
	in := arrival{member: m, slot: slot, fresh: c.Offers, hashes: make([]uint64, len(c.Offers))}
	table := lebenslagen()
	responsible := claimSorter{all: make([]sortedClaim, 0, len(c.Offers))}
	var contact claimSorter
	m.traits = make([]traits, len(c.Offers))
	for i := range c.Offers {
		o := &c.Offers[i]
		in.hashes[i] = textHash(seed, o)
		if o.Leika.IsZero() {
			m.traits[i] = traitsOf(table, 0, o)
			m.own = append(m.own, m.ownOffer(int32(i), o))
			continue
		}
		no, _ := keys.no(o.Leika)
		m.traits[i] = traitsOf(table, keys.situations[no], o)
		inKey := m.Scope.CoversKey(o.Leika)
		for z := range o.Zustaendigkeiten {
			cl, area := m.claim(int32(i), int32(z), o, inKey)
			switch role := o.Zustaendigkeiten[z].Role; {
			case role.Responsible():
				responsible.add(area, no, cl)
			case role == catalog.Ansprechpunkt:
				contact.add(area, no, cl)
			}
		}
	}
	m.claims = len(responsible.all)
	m.segments = responsible.segments(m, slot)
	m.contacts = contact.segments(m, slot)
	return in
}

// sortedOffers returns c with offers by ID, as Normalize leaves them.
func sortedOffers(c *catalog.Catalogue) *catalog.Catalogue {
	byID := func(a, b catalog.Offer) int { return cmp.Compare(a.ID, b.ID) }
	if slices.IsSortedFunc(c.Offers, byID) {
		return c
	}
	sorted := *c
	sorted.Offers = slices.Clone(c.Offers)
	slices.SortStableFunc(sorted.Offers, byID)
	return &sorted
}

func (m *member) claim(offer, zust int32, o *catalog.Offer, inKey bool) (claim, region.Area) {
	z := &o.Zustaendigkeiten[zust]
	c := claim{
		offer: offer, zust: zust, valid: intersect(o.Valid, z.Valid), except: z.Except,
		outside: !inKey || !m.Scope.CoversArea(z.Area),
	}
	if m.Next != nil {
		var granted catalog.Validity
		var ok bool
		granted.From, granted.To, ok = m.Granted(o.Leika, z.Area)
		c.valid, c.outside = intersect(c.valid, granted), !ok
	}
	if !c.outside {
		c.except = m.except(z)
	}
	return c, z.Area
}

// except returns where z does not hold: its own exceptions and those of the
// grant, which a wide claim must not reach over.
func (m *member) except(z *catalog.Zustaendigkeit) []region.Area {
	out := z.Except
	if m.Next != nil {
		return out // catalog.Admit has made one claim for each grant, with its exceptions
	}
	for _, x := range m.Scope.Except {
		if z.Area.Covers(x) {
			out = append(slices.Clip(out), x)
		}
	}
	return out
}

func (m *member) ownOffer(i int32, o *catalog.Offer) ownOffer {
	own := ownOffer{offer: i, reach: o.Reach, valid: o.Valid}
	for z := range o.Zustaendigkeiten {
		if !o.Zustaendigkeiten[z].Role.Responsible() {
			continue
		}
		cl, area := m.claim(i, int32(z), o, true)
		own.claims = append(own.claims, areaClaim{area, cl})
	}
	m.claims += len(own.claims)
	return own
}

// intersect returns the days on which both hold.
func intersect(a, b catalog.Validity) catalog.Validity {
	v := a
	if v.From.IsZero() || b.From.After(v.From) {
		v.From = b.From
	}
	if v.To.IsZero() || (!b.To.IsZero() && b.To.Before(v.To)) {
		v.To = b.To
	}
	return v
}

// claimSorter gathers the claims of one member and cuts them into segments.
type claimSorter struct{ all []sortedClaim }

type sortedClaim struct {
	area region.Area
	key  uint32
	claim
}

func (s *claimSorter) add(area region.Area, key uint32, c claim) {
	s.all = append(s.all, sortedClaim{area, key, c})
}

func (s *claimSorter) segments(m *member, slot int32) []placed {
	slices.SortFunc(s.all, func(a, b sortedClaim) int {
		if a.area != b.area {
			return a.area.Compare(b.area)
		}
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.offer, b.offer), cmp.Compare(a.zust, b.zust))
	})
	var out []placed
	for from := 0; from < len(s.all); {
		to := from
		for to < len(s.all) && s.all[to].area == s.all[from].area {
			to++
		}
		out = append(out, placed{s.all[from].area, m.segment(s.all[from:to], slot)})
		from = to
	}
	return out
}

// segment builds one segment of claims that share an area, sorted by key.
func (m *member) segment(claims []sortedClaim, slot int32) segment {
	keys := make([]uint32, 0, len(claims))
	to := make([]uint32, 0, len(claims))
	var extra [][]claim
	for from := 0; from < len(claims); {
		end := from
		for end < len(claims) && claims[end].key == claims[from].key {
			end++
		}
		keys = append(keys, claims[from].key)
		if end == from+1 && claims[from].plain() {
			to = append(to, uint32(claims[from].offer))
		} else {
			list := make([]claim, 0, end-from)
			for i := from; i < end; i++ {
				list = append(list, claims[i].claim)
			}
			to = append(to, uint32(m.offers+len(extra)))
			extra = append(extra, list)
		}
		from = end
	}
	return segment{
		set: newSet(keys, to, uint32(m.offers+len(extra))), extra: extra,
		slot: slot, offers: uint32(m.offers), kind: m.Kind, seat: m.Seat,
	}
}
