package directory

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory/words"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Size returns the number of members with a copy, of their offers and of
// their distinct Leistungen: for "8 Portale, 1.165 Leistungen".
func (d *Directory) Size() (members, offers, leistungen int) {
	ix := d.index.Load()
	for _, slot := range ix.sorted {
		if m := ix.members[slot]; m.hasCopy {
			members++
			offers += m.offers
		}
	}
	return members, offers, ix.texts.live
}

// Lebenslagen returns the eight tiles in their usual order with the counts
// for the place, neighbours' offers not counted.
func (d *Directory) Lebenslagen(place region.Area, lang string) []Lebenslage {
	ix := d.index.Load()
	v := d.view(ix, place, "", d.day(time.Time{}))
	table := lebenslagen()
	out := make([]Lebenslage, len(table))
	best := make([][]offering, len(table))
	for _, doc := range ix.texts.docs {
		if doc.offers == 0 {
			continue
		}
		o, ok := v.of(doc)
		if !ok || o.neighbour {
			continue
		}
		t := ix.members[o.slot].traits[o.offer]
		for i := range table {
			if t>>i&1 != 0 {
				out[i].Count++
				best[i] = append(best[i], o)
			}
		}
	}
	for i := range table {
		out[i].Slug, out[i].Name = table[i].slug, table[i].de
		if lang == "en" {
			out[i].Name = table[i].en
		}
		out[i].Examples = v.examples(best[i], lang)
	}
	return out
}

// examples returns three titles: online ones first, then the shortest.
func (v *view) examples(list []offering, lang string) []string {
	type example struct {
		title  string
		online bool
	}
	all := make([]example, 0, len(list))
	for i := range list {
		if o := v.ix.members[list[i].slot].offer(list[i].offer); o != nil {
			title, _ := o.Title.In(orGerman(lang))
			all = append(all, example{title, v.online(&list[i])})
		}
	}
	slices.SortFunc(all, func(a, b example) int {
		if a.online != b.online {
			if a.online {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(len(a.title), len(b.title)), cmp.Compare(a.title, b.title))
	})
	var out []string
	for _, e := range all[:min(3, len(all))] {
		out = append(out, e.title)
	}
	return out
}

// AZ returns all Leistungen of a place from A to Z, neighbours' offers left
// out.
func (d *Directory) AZ(place region.Area, lang string) []Entry {
	ix := d.index.Load()
	v := d.view(ix, place, "", d.day(time.Time{}))
	var out []Entry
	for _, doc := range ix.texts.docs {
		if doc.offers == 0 {
			continue
		}
		o, ok := v.of(doc)
		if !ok || o.neighbour {
			continue
		}
		m := ix.members[o.slot]
		of := m.offer(o.offer)
		if of == nil {
			continue
		}
		e := Entry{Leika: doc.key, Ref: OfferRef{m.ID, of.ID}, Member: m.Member, Online: v.online(&o)}
		e.Title, e.Lang = of.Title.In(orGerman(lang))
		e.Letter, e.sort = letter(e.Title), words.FoldText(e.Title)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(compareLetters(a.Letter, b.Letter), cmp.Compare(a.sort, b.sort),
			cmp.Compare(a.Title, b.Title), cmp.Compare(a.Leika, b.Leika),
			cmp.Compare(a.Ref.Member, b.Ref.Member), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	return out
}

func letter(title string) string {
	for _, r := range title {
		if !unicode.IsLetter(r) {
			continue
		}
		if f := words.Fold(string(r)); f != "" && f[0] >= 'a' && f[0] <= 'z' {
			return strings.ToUpper(f[:1])
		}
		break
	}
	return "#"
}

func compareLetters(a, b string) int {
	if (a == "#") != (b == "#") {
		if a == "#" {
			return 1
		}
		return -1
	}
	return cmp.Compare(a, b)
}

// Authorities returns the members that serve a place, own municipality
// first, then wider ones, then utilities; with the Bund as place all members
// by name.
func (d *Directory) Authorities(place region.Area) []Authority {
	ix := d.index.Load()
	var out []Authority
	for _, slot := range ix.sorted {
		if m := ix.members[slot]; place.IsBund() || serves(m, place) || place.Covers(m.Seat) && !m.Seat.IsBund() {
			out = append(out, m.authority())
		}
	}
	slices.SortStableFunc(out, func(a, b Authority) int {
		byName := cmp.Or(cmp.Compare(words.FoldText(a.Member.Name), words.FoldText(b.Member.Name)), cmp.Compare(a.Member.ID, b.Member.ID))
		if place.IsBund() {
			return byName
		}
		return cmp.Or(cmp.Compare(nearness(&a.Member), nearness(&b.Member)), byName)
	})
	return out
}

func nearness(m *federation.Member) int {
	if m.Kind == federation.KindUnternehmen {
		return 20
	}
	return 12 - m.Seat.Len()
}

func (m *member) authority() Authority {
	a := Authority{
		Member: m.Member, Offers: m.offers, Serial: m.serial,
		HasCopy: m.hasCopy, Stale: m.stale, Reachable: m.reachable,
	}
	for _, t := range m.traits {
		if t&traitOnline != 0 {
			a.Online++
		}
	}
	for i := range m.units {
		a.Units = append(a.Units, &m.units[i])
	}
	return a
}

// Authority returns one member.
func (d *Directory) Authority(id federation.EntityID) (Authority, bool) {
	m, _ := d.index.Load().member(id)
	if m == nil {
		return Authority{}, false
	}
	return m.authority(), true
}

// Offer returns one offer as its owner published it, with the state of the
// copy; Reason and Zustaendigkeit are those of its first responsible claim.
// ok is false if no copy holds it.
func (d *Directory) Offer(ref OfferRef) (p Provider, ok bool) {
	ix := d.index.Load()
	m, slot := ix.member(ref.Member)
	if m == nil || !m.hasCopy {
		return p, false
	}
	i := m.find(ref.ID)
	if i < 0 {
		return p, false
	}
	o := m.offer(i)
	h := hit{slot: slot, offer: i, zust: -1, via: -1, kind: m.Kind, seat: m.Seat}
	area := m.Seat
	for z := range o.Zustaendigkeiten {
		if o.Zustaendigkeiten[z].Role.Responsible() {
			h.zust, area = int32(z), o.Zustaendigkeiten[z].Area
			break
		}
	}
	return ix.provider(&h, area, area, d.day(time.Time{})), true
}

// Offers returns all offers of one member in the order of its catalogue, nil
// for a member without copy. Offers that cannot be read are left out.
func (d *Directory) Offers(id federation.EntityID) []*catalog.Offer {
	m, _ := d.index.Load().member(id)
	if m == nil {
		return nil
	}
	var out []*catalog.Offer
	for i := range int32(m.offers) {
		if o := m.offer(i); o != nil {
			out = append(out, o)
		}
	}
	return out
}

// Keys returns every LeiKa key that some member offers, in order.
func (d *Directory) Keys() []leika.ID { return d.index.Load().offered() }

func (ix *index) offered() []leika.ID {
	var out []leika.ID
	for _, doc := range ix.texts.docs {
		if doc.offers > 0 && !doc.key.IsZero() {
			out = append(out, doc.key)
		}
	}
	slices.Sort(out)
	return out
}

// Title returns the title most members give a key, "" if nobody offers it.
func (d *Directory) Title(key leika.ID) string { return d.index.Load().title(key) }

func (ix *index) title(key leika.ID) string {
	no, known := ix.keys.no(key)
	if !known || int(no) >= len(ix.texts.ofKey) || ix.texts.ofKey[no] < 0 {
		return ""
	}
	return ix.texts.docs[ix.texts.ofKey[no]].title
}

// Catalogues returns what is shown of every member of which a copy is held, by
// member ID. The catalogues are shared: do not change them. Where texts are
// kept on disk this reads them all.
func (d *Directory) Catalogues() []*catalog.Catalogue {
	ix := d.index.Load()
	var out []*catalog.Catalogue
	for _, slot := range ix.sorted {
		if m := ix.members[slot]; m.hasCopy {
			out = append(out, m.whole())
		}
	}
	return out
}

// whole returns the catalogue as it was given.
func (m *member) whole() *catalog.Catalogue {
	if m.source != nil {
		return m.source
	}
	c := &catalog.Catalogue{Member: m.ID, Serial: m.serial, Units: m.units, Delegations: m.delegations}
	for i := range int32(m.offers) {
		if o := m.offer(i); o != nil {
			c.Offers = append(c.Offers, *o)
		}
	}
	return c
}
