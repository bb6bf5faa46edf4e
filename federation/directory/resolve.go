package directory

import (
	"slices"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Resolve says who is responsible [DESIGN §4]. It never fails: what cannot be
// answered is None or Unknown with notices.
func (d *Directory) Resolve(r Request) Answer {
	return d.index.Load().resolve(r, d.day(r.Date), d.register)
}

func (ix *index) resolve(r Request, date time.Time, reg Register) Answer {
	a := Answer{
		Asked: r.Leika, Offer: r.Offer, Place: r.Place, Outdated: r.Outdated,
		Date: date, Version: ix.version,
	}
	if !r.Outdated.IsBund() {
		a.Notices = append(a.Notices, Notice{Kind: NoticeSuccessor, Area: r.Outdated})
	}
	if unknownPlace(reg, r.Place) {
		a.Reason, a.Outside = Unknown, !ix.anyServes(r.Place)
		a.Notices = append(a.Notices, Notice{Kind: NoticeUnknownPlace, Area: r.Place})
		return a
	}
	if r.Leika.IsZero() {
		ix.resolveOffer(&a)
	} else {
		ix.resolveKey(&a)
	}
	if a.Found() && !a.Outdated.IsBund() && a.Reason != Conflict {
		a.Reason = Successor
	}
	return a
}

// unknownPlace reports whether the register misses a Gemeinde or Kreis. The
// levels between need no entry of their own: a Gemeinde without association
// is its own Gemeindeverband.
func unknownPlace(reg Register, place region.Area) bool {
	if reg == nil || (place.Len() != 12 && place.Len() != 5) {
		return false
	}
	_, ok := reg.Place(place)
	return !ok
}

func (ix *index) resolveKey(a *Answer) {
	var f found
	if ix.find(&f, a.Asked, a.Place, a.Date) {
		a.Matched, a.MatchedArea = f.key, ix.nodes[f.node].area
		a.Providers = ix.providers(&f, a.Place, a.Date)
		a.Reason = a.Providers[0].Reason
		if f.members > 1 {
			a.Reason = Conflict
		}
		if f.key != a.Asked {
			a.Notices = append(a.Notices, Notice{Kind: NoticeBroaderKey, Leika: f.key})
		}
	} else {
		a.Reason = None
		if ix.unheard(a.Asked, a.Place) >= 0 {
			a.Reason = Unknown
		} else if !ix.anyServes(a.Place) {
			a.Reason, a.Outside = Unknown, true
			a.Notices = append(a.Notices, Notice{Kind: NoticeOutside, Area: a.Place})
		}
	}
	a.Contacts = ix.contactsFor(a.Asked, a.Place, a.Date)
	ix.notices(a)
	a.Upcoming = ix.upcoming(a, &f)
}

// providers fills in what was found.
func (ix *index) providers(f *found, place region.Area, date time.Time) []Provider {
	out := make([]Provider, 0, f.n)
	for i := range f.n {
		h := f.at(i)
		out = append(out, ix.provider(h, ix.nodes[f.node].area, place, date))
	}
	return out
}

func (ix *index) provider(h *hit, area, place region.Area, date time.Time) Provider {
	m := ix.members[h.slot]
	o := m.offer(h.offer)
	if o == nil { // the copy on disk cannot be read: say who, without texts
		o = &catalog.Offer{}
	}
	p := m.provider(o)
	p.Reason = h.reason(place)
	p.Zustaendigkeit = catalog.Zustaendigkeit{Area: area}
	for z := range o.Zustaendigkeiten {
		if int32(z) == h.zust || (h.zust < 0 && o.Zustaendigkeiten[z].Area == area && o.Zustaendigkeiten[z].Role.Responsible()) {
			p.Zustaendigkeit = o.Zustaendigkeiten[z]
			break
		}
	}
	p.Unit = m.unit(p.Zustaendigkeit.Unit)
	p.Onlinedienste = open(o, place, date)
	if h.via >= 0 {
		p.Via, p.ViaName = ix.members[h.via].ID, ix.members[h.via].ShortName
	}
	return p
}

// provider returns what is the same for every place.
func (m *member) provider(o *catalog.Offer) Provider {
	return Provider{
		Member: m.Member, Offer: o, Serial: m.serial, Geaendert: o.Geaendert,
		Fetched: m.fetched, Stale: m.stale, Reachable: m.reachable,
	}
}

// open returns the Onlinedienste of o that can be used from place on date.
// The slice is o's own if all can.
func open(o *catalog.Offer, place region.Area, date time.Time) []catalog.Onlinedienst {
	usable := func(s *catalog.Onlinedienst) bool {
		if !s.Valid.At(date) {
			return false
		}
		if len(s.Areas) == 0 {
			return true
		}
		return slices.ContainsFunc(s.Areas, func(a region.Area) bool { return a.Covers(place) })
	}
	all := true
	for i := range o.Onlinedienste {
		all = all && usable(&o.Onlinedienste[i])
	}
	if all {
		return o.Onlinedienste
	}
	var out []catalog.Onlinedienst
	for i := range o.Onlinedienste {
		if usable(&o.Onlinedienste[i]) {
			out = append(out, o.Onlinedienste[i])
		}
	}
	return out
}

// contactsFor returns the contacts (role 03) of the nearest area that has any.
func (ix *index) contactsFor(key leika.ID, place region.Area, date time.Time) []Provider {
	no, known := ix.keys.no(key)
	if !known {
		return nil
	}
	var f found
	for n := ix.nodeOf(place); n >= 0; n = ix.nodes[n].parent {
		for i := range ix.nodes[n].contacts {
			ix.match(&f, &ix.nodes[n].contacts[i], no, place, date, nil)
		}
		if f.n == 0 {
			continue
		}
		f.node = n
		return ix.contacts(&f, place, date)
	}
	return nil
}

func (ix *index) contacts(f *found, place region.Area, date time.Time) []Provider {
	out := make([]Provider, 0, f.n)
	area := ix.nodes[f.node].area
	for i := range f.n {
		p := ix.provider(f.at(i), area, place, date)
		for z := range p.Offer.Zustaendigkeiten {
			if zu := &p.Offer.Zustaendigkeiten[z]; zu.Area == area && zu.Role == catalog.Ansprechpunkt {
				p.Zustaendigkeit = *zu
				p.Unit = ix.members[f.at(i).slot].unit(zu.Unit)
				break
			}
		}
		out = append(out, p)
	}
	return out
}

// anyServes reports whether some member was granted a scope for place or sits
// inside it.
func (ix *index) anyServes(place region.Area) bool {
	for n := ix.nodeOf(place); n >= 0; n = ix.nodes[n].parent {
		if len(ix.nodes[n].segments) > 0 {
			return true
		}
	}
	for _, slot := range ix.sorted {
		if m := ix.members[slot]; serves(m, place) || (!m.Seat.IsBund() && place.Covers(m.Seat)) {
			return true
		}
	}
	return false
}

// notices adds what limits the answer: members never heard, old copies,
// members that do not answer, delegations without a claim.
func (ix *index) notices(a *Answer) {
	for _, slot := range ix.silent {
		m := ix.members[slot]
		if !mayClaim(m, a.Asked, a.Place) {
			continue
		}
		nearer := !m.Seat.IsBund() && a.MatchedArea.Covers(m.Seat) && m.Seat != a.MatchedArea
		if !a.Found() || nearer {
			a.Notices = append(a.Notices, Notice{Kind: NoticeNoCopy, Member: m.ID, Name: m.ShortName})
		}
	}
	ix.providerNotices(a)
	for i := range ix.given[a.Asked] {
		g := &ix.given[a.Asked][i]
		if g.area.Covers(a.Place) && g.valid.At(a.Date) && !ix.claims(g, a) {
			n := Notice{Kind: NoticeUnclaimed, Member: g.toID, Via: ix.members[g.from].ID, Area: g.area}
			if g.to >= 0 {
				n.Name = ix.members[g.to].ShortName
			}
			a.Notices = append(a.Notices, n)
		}
	}
}

func (ix *index) claims(g *delegation, a *Answer) bool {
	no, known := ix.keys.no(a.Asked)
	return known && ix.effective(g, no, a.Place, a.Date, ix.given[a.Asked])
}

func (ix *index) providerNotices(a *Answer) {
	for i := range a.Providers {
		p := &a.Providers[i]
		if i > 0 && a.Providers[i-1].Member.ID == p.Member.ID {
			continue
		}
		if p.Stale {
			a.Notices = append(a.Notices, Notice{Kind: NoticeStale, Member: p.Member.ID, Name: p.Member.ShortName, Since: p.Fetched})
		}
		if !p.Reachable {
			a.Notices = append(a.Notices, Notice{Kind: NoticeUnreachable, Member: p.Member.ID, Name: p.Member.ShortName, Since: p.Fetched})
		}
	}
}

// upcoming finds the first day after a.Date on which other members are
// responsible: only days on which some claim or delegation begins or ends
// can be one.
func (ix *index) upcoming(a *Answer, now *found) *Change {
	days := ix.boundaries(a.Asked, a.Place, a.Date)
	for _, day := range days {
		var f found
		ix.find(&f, a.Asked, a.Place, day)
		if sameMembers(now, &f) {
			continue
		}
		c := &Change{Date: day}
		if f.n > 0 {
			c.Providers = ix.providers(&f, a.Place, day)
		}
		return c
	}
	return nil
}

func sameMembers(a, b *found) bool {
	if a.members != b.members {
		return false
	}
	slots := func(f *found) []int32 {
		var out []int32
		for i := range f.n {
			if s := f.at(i).slot; len(out) == 0 || out[len(out)-1] != s {
				out = append(out, s)
			}
		}
		return out
	}
	return slices.Equal(slots(a), slots(b))
}

// boundaries returns the days after date, in order, on which something about
// the key or a broader one changes around place.
func (ix *index) boundaries(key leika.ID, place region.Area, date time.Time) []time.Time {
	var days []time.Time
	note := func(v catalog.Validity) {
		for _, t := range []time.Time{v.From, v.To} {
			if t.After(date) {
				days = append(days, t)
			}
		}
	}
	for ok := true; ok; key, ok = key.Broader() {
		no, known := ix.keys.no(key)
		if !known {
			continue
		}
		for i := range ix.given[key] {
			note(ix.given[key][i].valid)
		}
		for n := ix.nodeOf(place); n >= 0; n = ix.nodes[n].parent {
			for i := range ix.nodes[n].segments {
				s := &ix.nodes[n].segments[i]
				if to, ok := s.find(no); ok && to >= s.offers {
					for _, c := range s.extra[to-s.offers] {
						note(c.valid)
					}
				}
			}
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	return slices.CompactFunc(days, time.Time.Equal)
}

// resolveOffer answers for one offer instead of a key: is it for the place?
func (ix *index) resolveOffer(a *Answer) {
	m, slot := ix.member(a.Offer.Member)
	if m == nil || !m.hasCopy {
		a.Reason = Unknown
		if m != nil {
			a.Notices = append(a.Notices, Notice{Kind: NoticeNoCopy, Member: m.ID, Name: m.ShortName})
		}
		return
	}
	a.Reason = None
	i := m.find(a.Offer.ID)
	if i < 0 {
		return
	}
	o := m.offer(i)
	a.Asked = o.Leika
	var given []delegation
	if !o.Leika.IsZero() {
		given = ix.given[o.Leika]
	}
	if z, ok := m.claimFor(o, slot, a.Place, a.Date, given); ok {
		h := hit{slot: slot, offer: i, zust: int32(z), via: delegatedTo(given, slot, a.Place, a.Date), kind: m.Kind, seat: m.Seat}
		area := o.Zustaendigkeiten[z].Area
		p := ix.provider(&h, area, a.Place, a.Date)
		a.Matched, a.MatchedArea, a.Reason = o.Leika, area, p.Reason
		a.Providers = []Provider{p}
	} else if o.Leika.IsZero() && o.Reach == catalog.ReachNetwork && o.Valid.At(a.Date) {
		p := m.neighbour(o, a.Place, a.Date)
		a.Reason, a.MatchedArea = WholeArea, p.Zustaendigkeit.Area
		a.Providers = []Provider{p}
	}
	ix.providerNotices(a)
}

// claimFor returns the most specific Zustaendigkeit of o that holds for place.
func (m *member) claimFor(o *catalog.Offer, slot int32, place region.Area, date time.Time, given []delegation) (int, bool) {
	best := -1
	for z := range o.Zustaendigkeiten {
		zu := &o.Zustaendigkeiten[z]
		if !zu.Role.Responsible() || !zu.Area.Covers(place) || excepted(m.except(zu), place) || !intersect(o.Valid, zu.Valid).At(date) {
			continue
		}
		if from, to, ok := m.Granted(o.Leika, zu.Area); (!ok || !(catalog.Validity{From: from, To: to}).At(date)) && delegatedTo(given, slot, place, date) < 0 {
			continue
		}
		if best < 0 || zu.Area.Len() > o.Zustaendigkeiten[best].Area.Len() {
			best = z
		}
	}
	return best, best >= 0
}

// neighbour presents an offer that is open to the network outside its area.
func (m *member) neighbour(o *catalog.Offer, place region.Area, date time.Time) Provider {
	p := m.provider(o)
	p.Reason, p.Neighbour = WholeArea, true
	for z := range o.Zustaendigkeiten {
		if o.Zustaendigkeiten[z].Role.Responsible() {
			p.Zustaendigkeit = o.Zustaendigkeiten[z]
			break
		}
	}
	p.Unit = m.unit(p.Zustaendigkeit.Unit)
	p.Onlinedienste = open(o, place, date)
	return p
}
