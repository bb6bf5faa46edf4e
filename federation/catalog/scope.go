package catalog

import (
	"fmt"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
)

// WithinScope returns what of c its member may claim under its verified
// trust mark: offers and delegations with a foreign key, and single claims,
// online services and delegated areas outside the granted scope are left out,
// and areas the grant excepts become exceptions of the claims that reach into
// them. Every loss is a finding with member, code and the mark's jti. An offer
// that loses all its claims is left out. c itself is not changed; the result
// shares memory with it. [SSO.md §3]
func WithinScope(c *Catalogue, m federation.Member) (*Catalogue, []Finding) {
	f := scopeFilter{member: m}
	out := &Catalogue{Member: c.Member, Serial: c.Serial, Units: c.Units}
	if c.Member != m.ID {
		f.lost("", CodeMember, "", fmt.Sprintf("Der Katalog gehört %s.", c.Member))
		out.Units = nil
		return out, f.list
	}
	for i := range c.Offers {
		if o, ok := f.offer(c.Offers[i]); ok {
			out.Offers = append(out.Offers, o)
		}
	}
	for i := range c.Delegations {
		if d, ok := f.delegation(c.Delegations[i]); ok {
			out.Delegations = append(out.Delegations, d)
		}
	}
	return out, f.list
}

type scopeFilter struct {
	member federation.Member
	list   []Finding
}

func (f *scopeFilter) lost(id ID, code, field, message string) {
	f.list = append(f.list, Finding{
		Severity: Warn, Code: code, Record: id, Field: field, Message: message, Member: f.member.ID, Mark: f.member.MarkID,
		Remedy: "Der Landkreis kann die Gewährung erweitern, das Mitglied seinen Katalog berichtigen.",
	})
}

func (f *scopeFilter) offer(o Offer) (Offer, bool) {
	if !f.member.Scope.CoversKey(o.Leika) {
		f.lost(o.ID, CodeScopeKey, "leika", fmt.Sprintf("Der LeiKa-Schlüssel %s ist nicht gewährt.", o.Leika))
		return o, false
	}
	had := len(o.Zustaendigkeiten)
	o.Zustaendigkeiten = f.claims(o.ID, o.Zustaendigkeiten)
	if had > 0 && len(o.Zustaendigkeiten) == 0 {
		return o, false
	}
	o.Onlinedienste = f.onlinedienste(o.ID, o.Onlinedienste)
	return o, true
}

func (f *scopeFilter) claims(id ID, claims []Zustaendigkeit) []Zustaendigkeit {
	kept := make([]Zustaendigkeit, 0, len(claims))
	for _, z := range claims {
		if !f.member.Scope.CoversArea(z.Area) {
			f.lost(id, CodeScopeArea, "zustaendigkeit", fmt.Sprintf("Das Gebiet %s ist nicht gewährt.", z.Area))
			continue
		}
		z.Except = f.except(z.Area, z.Except)
		kept = append(kept, z)
	}
	return kept
}

// except adds the exceptions of the grant inside area to those of a claim.
func (f *scopeFilter) except(area region.Area, own []region.Area) []region.Area {
	out := own
	for _, x := range f.member.Scope.Except {
		if area.Covers(x) && !slices.ContainsFunc(out, func(e region.Area) bool { return e.Covers(x) }) {
			out = append(slices.Clip(out), x)
		}
	}
	if len(out) > len(own) {
		slices.SortFunc(out, region.Area.Compare)
	}
	return out
}

func (f *scopeFilter) onlinedienste(id ID, list []Onlinedienst) []Onlinedienst {
	kept := make([]Onlinedienst, 0, len(list))
	for _, d := range list {
		areas := make([]region.Area, 0, len(d.Areas))
		for _, a := range d.Areas {
			if f.member.Scope.CoversArea(a) {
				areas = append(areas, a)
				continue
			}
			f.lost(id, CodeScopeArea, "onlinedienst", fmt.Sprintf("Das Gebiet %s ist nicht gewährt.", a))
		}
		if len(d.Areas) > 0 && len(areas) == 0 {
			continue
		}
		d.Areas = nonEmpty(areas)
		kept = append(kept, d)
	}
	return kept
}

func (f *scopeFilter) delegation(d Delegation) (Delegation, bool) {
	if !f.member.Scope.CoversKey(d.Leika) {
		f.lost(d.ID, CodeScopeKey, "leika", fmt.Sprintf("Der LeiKa-Schlüssel %s ist nicht gewährt.", d.Leika))
		return d, false
	}
	areas := make([]region.Area, 0, len(d.Areas))
	for _, a := range d.Areas {
		if delegable(f.member.Scope, a) {
			areas = append(areas, a)
			continue
		}
		f.lost(d.ID, CodeScopeArea, "areas", fmt.Sprintf("Das Gebiet %s ist nicht oder nicht ganz gewährt.", a))
	}
	d.Areas = areas
	return d, len(areas) > 0
}

// delegable reports whether the whole of a is granted: a Delegation has no
// exceptions of its own, so an area the grant reaches only in part cannot be
// handed on.
func delegable(s federation.Scope, a region.Area) bool {
	return s.CoversArea(a) && !slices.ContainsFunc(s.Except, a.Covers)
}
