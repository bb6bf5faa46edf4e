package directory

import (
	"cmp"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Coverage returns the matrix for keys (nil: all that somebody offers) and
// places on a date.
func (d *Directory) Coverage(keys []leika.ID, places []region.Area, date time.Time) Matrix {
	ix := d.index.Load()
	if keys == nil {
		keys = ix.offered()
	}
	m := Matrix{
		Keys: keys, Titles: make([]string, len(keys)), Places: places,
		Cells: make([][]Cell, len(keys)), Version: ix.version,
	}
	date = d.day(date)
	for i, key := range keys {
		m.Titles[i] = ix.title(key)
		m.Cells[i] = make([]Cell, len(places))
		for j, place := range places {
			m.Cells[i][j] = ix.cell(key, place, date)
		}
	}
	return m
}

func (ix *index) cell(key leika.ID, place region.Area, date time.Time) Cell {
	var f found
	if !ix.find(&f, key, place, date) {
		if ix.unheard(key, place) >= 0 {
			return Cell{Sign: SignUnknown, Reason: Unknown}
		}
		return Cell{Sign: SignNobody, Reason: None}
	}
	v := &view{ix: ix, place: place, date: date, own: -1}
	c := Cell{Reason: f.first[0].reason(place), Member: ix.members[f.first[0].slot].ID}
	for i := range f.n {
		o := offering{hit: *f.at(i), area: ix.nodes[f.node].area}
		c.Online = c.Online || v.online(&o)
	}
	switch {
	case f.members > 1:
		c.Sign, c.Reason = SignConflict, Conflict
	case ix.nodes[f.node].area.Len() < place.Len() && c.Reason != Own:
		c.Sign = SignParent
	case c.Online:
		c.Sign = SignOnline
	default:
		c.Sign = SignDescribed
	}
	return c
}

// Conflicts returns every conflict on a date, by key then area. A conflict is
// looked for where claims are made: in a Gemeinde below, a nearer claim may
// settle it.
func (d *Directory) Conflicts(date time.Time) []Clash {
	ix := d.index.Load()
	date = d.day(date)
	var out []Clash
	for n := range ix.nodes {
		nd := &ix.nodes[n]
		if len(nd.segments) < 2 {
			continue
		}
		seen := map[uint32]int{}
		for i := range nd.segments {
			nd.segments[i].each(func(no, _ uint32) { seen[no]++ })
		}
		for no, members := range seen {
			if members < 2 {
				continue
			}
			if c, ok := ix.clash(ix.keys.ids[no], nd.area, date); ok {
				out = append(out, c)
			}
		}
	}
	slices.SortFunc(out, func(a, b Clash) int {
		return cmp.Or(cmp.Compare(a.Leika, b.Leika), a.Area.Compare(b.Area))
	})
	return out
}

func (ix *index) clash(key leika.ID, area region.Area, date time.Time) (Clash, bool) {
	var f found
	if !ix.findKey(&f, key, area, date) || f.members < 2 {
		return Clash{}, false
	}
	c := Clash{Leika: key, Title: ix.title(key), Area: area}
	last := federation.EntityID("")
	for i := range f.n {
		h := f.at(i)
		m := ix.members[h.slot]
		if m.ID == last {
			continue
		}
		last = m.ID
		c.Members = append(c.Members, m.Member)
		if o := m.offer(h.offer); o != nil {
			c.Offers = append(c.Offers, o.ID)
		} else {
			c.Offers = append(c.Offers, "")
		}
	}
	return c, true
}

// Gaps returns, by key, what is offered somewhere but not in all of places.
func (d *Directory) Gaps(places []region.Area, date time.Time) []Gap {
	ix := d.index.Load()
	date = d.day(date)
	var out []Gap
	for _, key := range ix.offered() {
		g := Gap{Leika: key, Title: ix.title(key), Date: date}
		for _, place := range places {
			switch c := ix.cell(key, place, date); c.Sign {
			case SignNobody:
				g.Places = append(g.Places, place)
			case SignUnknown:
				g.Unknown = append(g.Unknown, place)
			default:
				g.Offered++
			}
		}
		if len(g.Places)+len(g.Unknown) > 0 {
			out = append(out, g)
		}
	}
	return out
}
