package catalog

import (
	"maps"
	"slices"
)

// Clone returns a catalogue that shares no memory with c: what is published
// is read by others and never changed, so changes are made to a clone.
func (c *Catalogue) Clone() *Catalogue {
	out := &Catalogue{
		Member: c.Member, Serial: c.Serial, Offers: slices.Clone(c.Offers),
		Units: slices.Clone(c.Units), Delegations: slices.Clone(c.Delegations),
	}
	for i := range out.Offers {
		out.Offers[i].unshare()
	}
	for i := range out.Units {
		u := &out.Units[i]
		u.Name, u.Hours = maps.Clone(u.Name), maps.Clone(u.Hours)
	}
	for i := range out.Delegations {
		out.Delegations[i].Areas = slices.Clone(out.Delegations[i].Areas)
	}
	return out
}

// unshare replaces everything o refers to by a copy.
func (o *Offer) unshare() {
	o.Title = maps.Clone(o.Title)
	o.Synonyms, o.Audience = slices.Clone(o.Synonyms), slices.Clone(o.Audience)
	o.Lebenslagen, o.SDG = slices.Clone(o.Lebenslagen), slices.Clone(o.SDG)
	o.Sections = slices.Clone(o.Sections)
	for i := range o.Sections {
		o.Sections[i].Text = maps.Clone(o.Sections[i].Text)
	}
	o.Zustaendigkeiten, o.Onlinedienste = slices.Clone(o.Zustaendigkeiten), slices.Clone(o.Onlinedienste)
	for i := range o.Zustaendigkeiten {
		o.Zustaendigkeiten[i].Except = slices.Clone(o.Zustaendigkeiten[i].Except)
	}
	for i := range o.Onlinedienste {
		d := &o.Onlinedienste[i]
		d.Title, d.Areas, d.Links = maps.Clone(d.Title), slices.Clone(d.Areas), slices.Clone(d.Links)
		for j := range d.Links {
			d.Links[j].Areas = slices.Clone(d.Links[j].Areas)
		}
	}
}
