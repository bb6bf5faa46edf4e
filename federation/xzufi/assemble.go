package xzufi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// sorted returns the records of a class in the order of ids.
func (s *state) sorted(k Klasse) []Record {
	var list []Record
	for _, r := range s.records {
		if r.Klasse == k {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Record) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// assemble puts the records together again. Claims and forms without what
// they belong to are left out and reported as orphans.
func (s *state) assemble(member federation.EntityID, serial uint64) *catalog.Catalogue {
	c := &catalog.Catalogue{Member: member, Serial: serial}
	offers := map[catalog.ID]*catalog.Offer{}
	for _, r := range s.sorted(Leistung) {
		o := *r.Offer
		offers[o.ID] = &o
	}
	s.specialise(offers)
	for _, r := range s.sorted(Organisationseinheit) {
		c.Units = append(c.Units, *r.Unit)
	}
	used := map[catalog.ID]bool{}
	for _, r := range s.sorted(Zustaendigkeit) {
		s.claim(c, offers, r, used)
	}
	for _, r := range s.sorted(Onlinedienst) {
		if !used[r.ID] && r.File != "" {
			s.orphan(r, "Der Onlinedienst gehört zu keiner Leistung und wurde ausgelassen.", "Liefern Sie eine Zuständigkeit, die ihn mit einer Leistung verbindet.")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(offers)) {
		c.Offers = append(c.Offers, *offers[id])
	}
	c.Normalize()
	return c
}

// claim hands one claim to the offer it is for.
func (s *state) claim(c *catalog.Catalogue, offers map[catalog.ID]*catalog.Offer, r Record, used map[catalog.ID]bool) {
	cl := r.Claim
	if cl.To != "" {
		c.Delegations = append(c.Delegations, catalog.Delegation{ID: r.ID, Leika: cl.Leika, Areas: slices.Clone(cl.Areas), To: cl.To, Valid: cl.Valid})
		return
	}
	form, isForm := s.records[key{Onlinedienst, cl.Parent}]
	o := offers[cl.Offer]
	if isForm {
		used[cl.Parent] = true
	}
	switch {
	case o == nil && r.File == "": // its Leistung was deleted, and it goes with it
	case o == nil:
		s.orphan(r, fmt.Sprintf("Die Leistung %s der Zuständigkeit fehlt. Die Zuständigkeit wurde ausgelassen.", cl.Offer), "Liefern Sie die Leistung mit.")
	case isForm:
		s.formOnly(r)
		addForm(o, *form.Form, catalog.Link{ID: r.ID, Areas: slices.Clone(cl.Areas)})
	case cl.OfOnline:
		s.orphan(r, fmt.Sprintf("Der Onlinedienst %s der Zuständigkeit fehlt. Die Zuständigkeit wurde ausgelassen.", cl.Parent), "Liefern Sie den Onlinedienst mit.")
	case len(cl.Areas) == 0:
		s.say(r, catalog.CodeArea, "Die Zuständigkeit nennt kein Gebiet und wurde ausgelassen.", "Ergänzen Sie gebietID.")
	default:
		if _, ok := s.records[key{Organisationseinheit, cl.Parent}]; !ok && cl.Parent != "" && r.File != "" {
			s.orphan(r, fmt.Sprintf("Die Organisationseinheit %s der Zuständigkeit fehlt. Die Zuständigkeit gilt ohne Anschrift.", cl.Parent), "Liefern Sie die Organisationseinheit mit.")
		}
		for _, x := range cl.Except {
			if !slices.ContainsFunc(cl.Areas, func(a region.Area) bool { return a != x && a.Covers(x) }) {
				s.say(r, catalog.CodeArea, fmt.Sprintf("Die Ausnahme %s liegt in keinem Gebiet der Zuständigkeit und wurde ausgelassen.", x), "Nehmen Sie nur Gebiete aus, die im Gebiet liegen.")
			}
		}
		addClaim(o, r.ID, cl)
	}
}

// formOnly says what a catalogue cannot keep of the claim of a form: a form is
// offered in areas, without exceptions and with its own validity.
func (s *state) formOnly(r Record) {
	if len(r.Claim.Except) > 0 {
		s.say(r, catalog.CodeArea, "Die Zuständigkeit eines Onlinedienstes nimmt Gebiete aus. Die Ausnahmen wurden nicht übernommen.", "Nennen Sie nur die Gebiete, in denen der Onlinedienst gilt.")
	}
	if !r.Claim.Valid.IsZero() {
		s.say(r, catalog.CodeValidity, "Die Zuständigkeit eines Onlinedienstes ist befristet. Die Frist wurde nicht übernommen.", "Tragen Sie die Gültigkeit beim Onlinedienst ein.")
	}
}

// addClaim adds one Zustaendigkeit for each area, with the exceptions inside
// it; an exception outside every area means nothing.
func addClaim(o *catalog.Offer, id catalog.ID, cl *Claim) {
	areas := slices.Clone(cl.Areas)
	slices.SortFunc(areas, region.Area.Compare)
	for _, a := range slices.Compact(areas) {
		z := catalog.Zustaendigkeit{ID: id, Area: a, Role: cl.Role, Unit: cl.Parent, Valid: cl.Valid}
		for _, x := range cl.Except {
			if x != a && a.Covers(x) {
				z.Except = append(z.Except, x)
			}
		}
		o.Zustaendigkeiten = append(o.Zustaendigkeiten, z)
	}
}

// addForm adds a form to an offer, or one more link to it. A link without
// areas means wherever the offer is responsible, whatever the others say.
func addForm(o *catalog.Offer, form catalog.Onlinedienst, l catalog.Link) {
	i := slices.IndexFunc(o.Onlinedienste, func(d catalog.Onlinedienst) bool { return d.ID == form.ID })
	if i < 0 {
		form.Links, form.Areas = nil, nil
		o.Onlinedienste = append(o.Onlinedienste, form)
		i = len(o.Onlinedienste) - 1
	}
	d := &o.Onlinedienste[i]
	d.Links = append(d.Links, l)
	d.Areas = nil
	for _, l := range d.Links {
		if len(l.Areas) == 0 {
			d.Areas = nil
			return
		}
		d.Areas = append(d.Areas, l.Areas...)
	}
}

// specialise turns every Spezialisierung into an offer of its own: what it
// leaves out comes from its base, and without claims of its own it takes over
// the base's claims where it holds [XZuFi 2.2 spezialisierung].
func (s *state) specialise(offers map[catalog.ID]*catalog.Offer) {
	claimed := map[catalog.ID]bool{}
	for _, r := range s.records {
		if r.Klasse == Zustaendigkeit {
			claimed[r.Claim.Offer] = true
		}
	}
	for _, r := range s.sorted(Spezialisierung) {
		o := *r.Offer
		base := offers[r.Base]
		if base == nil {
			s.orphan(r, fmt.Sprintf("Die Leistung %s der Spezialisierung fehlt.", r.Base), "Liefern Sie die Leistung mit.")
			if len(o.Title) == 0 {
				continue
			}
		} else {
			inherit(&o, base)
			if !claimed[o.ID] {
				s.takeOver(r)
			}
		}
		offers[o.ID] = &o
	}
}

func inherit(o, base *catalog.Offer) {
	if o.Leika.IsZero() {
		o.Leika, o.Own = base.Leika, base.Own
	}
	if len(o.Title) == 0 {
		o.Title = maps.Clone(base.Title)
	}
	for _, b := range base.Sections {
		if o.Section(b.Kind) == nil {
			o.Sections = append(slices.Clip(o.Sections), catalog.Section{Kind: b.Kind, Text: maps.Clone(b.Text)})
		}
	}
	for _, f := range []struct{ own, base *[]string }{
		{&o.Synonyms, &base.Synonyms}, {&o.Audience, &base.Audience}, {&o.Lebenslagen, &base.Lebenslagen}, {&o.SDG, &base.SDG},
	} {
		if len(*f.own) == 0 {
			*f.own = slices.Clone(*f.base)
		}
	}
	if o.Themenfeld == "" {
		o.Themenfeld = base.Themenfeld
	}
}

// takeOver gives a Spezialisierung the claims of its base, narrowed to the
// areas where it holds; an area it takes as a whole is taken from the base.
func (s *state) takeOver(r Record) {
	for _, z := range s.sorted(Zustaendigkeit) {
		if z.Claim.Offer != r.Base || z.Claim.To != "" {
			continue
		}
		agency, value := z.ID.Split()
		_, of := r.ID.Split()
		own := *z.Claim
		own.Offer, own.Areas = r.ID, nil
		for _, a := range r.Areas {
			if slices.ContainsFunc(z.Claim.Areas, func(b region.Area) bool { return b.Covers(a) }) {
				own.Areas = append(own.Areas, a)
			}
		}
		if len(own.Areas) == 0 {
			continue
		}
		s.put(Record{File: r.File, Line: r.Line, Klasse: Zustaendigkeit, ID: catalog.NewID(agency, value+"."+of), Claim: &own})
		rest := *z.Claim
		rest.Areas = slices.DeleteFunc(slices.Clone(rest.Areas), func(a region.Area) bool { return slices.Contains(own.Areas, a) })
		z.Claim = &rest
		if len(rest.Areas) == 0 {
			delete(s.records, key{Zustaendigkeit, z.ID})
		} else {
			s.put(z)
		}
	}
}
