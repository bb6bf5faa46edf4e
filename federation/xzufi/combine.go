package xzufi

import (
	"reflect"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// Combine puts the catalogues of several members into one, for an export of
// what a whole network offers. Where two members have given one ID to different
// records, the record of the later member, by its own ID, gets the member's
// host as agency; records that are the same in every field stand there once.
// Delegations are left out: they are between members, and the claims they have
// made valid are in the catalogues. The result is normalised, belongs to
// member, and depends on the catalogues alone, not on their order. They are not
// changed.
func Combine(member federation.EntityID, list []*catalog.Catalogue) *catalog.Catalogue {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *catalog.Catalogue) int { return compareID(catalog.ID(a.Member), catalog.ID(b.Member)) })
	out := &catalog.Catalogue{Member: member}
	taken := taken{units: map[catalog.ID]catalog.Unit{}, forms: map[catalog.ID]catalog.Onlinedienst{}, other: map[catalog.ID]bool{}}
	for _, c := range list {
		own := c.Clone() // its records are renamed in place
		taken.units.resolve(own)
		for i := range own.Offers {
			taken.offer(&own.Offers[i], c.Member.Host())
		}
		for i := range own.Units {
			if _, ok := taken.units[own.Units[i].ID]; !ok {
				taken.units[own.Units[i].ID] = own.Units[i]
				out.Units = append(out.Units, own.Units[i])
			}
		}
		out.Offers = append(out.Offers, own.Offers...)
	}
	out.Normalize()
	return out
}

// units are the units of the members so far.
type units map[catalog.ID]catalog.Unit

// resolve renames the units of c that others have under the same ID, and what
// refers to them.
func (u units) resolve(c *catalog.Catalogue) {
	renamed := map[catalog.ID]catalog.ID{}
	for i := range c.Units {
		x := &c.Units[i]
		if other, ok := u[x.ID]; ok && !reflect.DeepEqual(other, *x) {
			renamed[x.ID] = below(c.Member.Host(), x.ID)
			x.ID = renamed[x.ID]
		}
	}
	for i := range c.Offers {
		for z := range c.Offers[i].Zustaendigkeiten {
			x := &c.Offers[i].Zustaendigkeiten[z]
			if to, ok := renamed[x.Unit]; ok {
				x.Unit = to
			}
		}
	}
}

// taken are the IDs of the members so far.
type taken struct {
	units
	forms map[catalog.ID]catalog.Onlinedienst
	other map[catalog.ID]bool // offers and Zustaendigkeiten, by ID and kind
}

// offer renames what others have under the same ID.
func (t *taken) offer(o *catalog.Offer, host string) {
	var used []catalog.ID // noted at the end: an offer may have one claim several times
	rename := func(kind, id catalog.ID) catalog.ID {
		if t.other[kind+id] {
			id = below(host, id)
		}
		used = append(used, kind+id)
		return id
	}
	o.ID = rename("offer ", o.ID)
	for i := range o.Zustaendigkeiten {
		o.Zustaendigkeiten[i].ID = rename("claim ", o.Zustaendigkeiten[i].ID)
	}
	for i := range o.Onlinedienste {
		d := &o.Onlinedienste[i]
		for k := range d.Links {
			d.Links[k].ID = rename("claim ", d.Links[k].ID)
		}
		bare := *d // where it is part of several offers it differs in these two
		bare.Links, bare.Areas = nil, nil
		if other, ok := t.forms[d.ID]; ok && !reflect.DeepEqual(other, bare) {
			d.ID = below(host, d.ID)
			bare.ID = d.ID
		}
		t.forms[d.ID] = bare
	}
	for _, id := range used {
		t.other[id] = true
	}
}

// below is an ID under the agency of a member.
func below(host string, id catalog.ID) catalog.ID { return catalog.NewID(host, string(id)) }
