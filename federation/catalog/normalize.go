package catalog

import (
	"cmp"
	"slices"
	"time"

	"rathausnetz/federation/region"
)

// sectionOrder is the order in which sections are stored and shown.
func sectionOrder() []SectionKind {
	return []SectionKind{
		Kurztext, Volltext, Unterlagen, Voraussetzungen, Kosten, Fristen, Bearbeitungsdauer,
		Verfahrensablauf, Rechtsgrundlage, Formulare, Hinweise, Weiterfuehrendes, Rechtsbehelf,
	}
}

// Rank returns the place of k among the sections, from 0; -1 if k is none.
func (k SectionKind) Rank() int { return slices.Index(sectionOrder(), k) }

// Normalize brings c into canonical order and form: records sorted by ID,
// lists sorted and without repetition, empty texts and lists removed, times
// in UTC and whole seconds. Two catalogues that mean the same have the same
// chunks afterwards. It changes c in place and drops no record.
func (c *Catalogue) Normalize() {
	for i := range c.Offers {
		c.Offers[i].normalize()
	}
	for i := range c.Units {
		u := &c.Units[i]
		u.Name, u.Hours = tidyText(u.Name), tidyText(u.Hours)
		u.Geaendert = tidyTime(u.Geaendert)
	}
	for i := range c.Delegations {
		d := &c.Delegations[i]
		d.Areas, d.Valid = tidyAreas(d.Areas), d.Valid.tidy()
	}
	slices.SortStableFunc(c.Offers, func(a, b Offer) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(c.Units, func(a, b Unit) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(c.Delegations, func(a, b Delegation) int { return cmp.Compare(a.ID, b.ID) })
}

func (o *Offer) normalize() {
	o.Title = tidyText(o.Title)
	o.Synonyms, o.Audience = tidySet(o.Synonyms), tidySet(o.Audience)
	o.Lebenslagen, o.SDG = tidySet(o.Lebenslagen), tidySet(o.SDG)
	for i := range o.Sections {
		o.Sections[i].Text = tidyText(o.Sections[i].Text)
	}
	o.Sections = nonEmpty(slices.DeleteFunc(o.Sections, func(s Section) bool { return len(s.Text) == 0 }))
	slices.SortStableFunc(o.Sections, func(a, b Section) int { return cmp.Compare(a.Kind.Rank(), b.Kind.Rank()) })
	for i := range o.Zustaendigkeiten {
		z := &o.Zustaendigkeiten[i]
		z.Except, z.Valid = tidyAreas(z.Except), z.Valid.tidy()
	}
	o.Zustaendigkeiten = nonEmpty(o.Zustaendigkeiten)
	slices.SortStableFunc(o.Zustaendigkeiten, func(a, b Zustaendigkeit) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), a.Area.Compare(b.Area))
	})
	for i := range o.Onlinedienste {
		o.Onlinedienste[i].normalize()
	}
	o.Onlinedienste = nonEmpty(o.Onlinedienste)
	slices.SortStableFunc(o.Onlinedienste, func(a, b Onlinedienst) int { return cmp.Compare(a.ID, b.ID) })
	o.Valid, o.Geaendert = o.Valid.tidy(), tidyTime(o.Geaendert)
}

func (d *Onlinedienst) normalize() {
	d.Title, d.Areas, d.Valid = tidyText(d.Title), tidyAreas(d.Areas), d.Valid.tidy()
	for i := range d.Links {
		d.Links[i].Areas = tidyAreas(d.Links[i].Areas)
	}
	d.Links = nonEmpty(d.Links)
	slices.SortStableFunc(d.Links, func(a, b Link) int { return cmp.Compare(a.ID, b.ID) })
}

func (v Validity) tidy() Validity { return Validity{From: tidyTime(v.From), To: tidyTime(v.To)} }

func tidyTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

func tidyText(t Text) Text {
	for lang, s := range t {
		if s == "" {
			delete(t, lang)
		}
	}
	if len(t) == 0 {
		return nil
	}
	return t
}

func tidySet(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	slices.Sort(list)
	return nonEmpty(slices.Compact(list))
}

func tidyAreas(list []region.Area) []region.Area {
	slices.SortFunc(list, region.Area.Compare)
	return nonEmpty(slices.Compact(list))
}

// nonEmpty returns nil for an empty list: both are the same catalogue.
func nonEmpty[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
