package catalog

import (
	"fmt"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
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
	return Admit(c, m, nil)
}

// Delegated reports whether others have delegated a key to a member, for an
// area or a part of it.
type Delegated func(key leika.ID, area region.Area) bool

// Admit is WithinScope for a member to which others have delegated: claims
// outside its own grant that delegated knows stay. Whether a delegation holds
// for one place on one day is for whoever resolves to say [DESIGN §4.2]. Offers
// without LeiKa key cannot be delegated.
func Admit(c *Catalogue, m federation.Member, delegated Delegated) (*Catalogue, []Finding) {
	f := scopeFilter{member: m, delegated: delegated}
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
	member    federation.Member
	delegated Delegated // nil: nothing is
	list      []Finding
}

// covers reports whether a claim for key in area is granted or delegated.
func (f *scopeFilter) covers(key leika.ID, area region.Area) bool {
	if _, _, ok := f.member.Granted(key, area); ok {
		return true
	}
	return f.delegated != nil && !key.IsZero() && f.delegated(key, area)
}

// anyDelegated reports whether something of an offer is delegated.
func (f *scopeFilter) anyDelegated(o *Offer) bool {
	return slices.ContainsFunc(o.Zustaendigkeiten, func(z Zustaendigkeit) bool {
		return f.delegated != nil && !o.Leika.IsZero() && f.delegated(o.Leika, z.Area)
	})
}

func (f *scopeFilter) lost(id ID, code, field, message string) {
	f.list = append(f.list, Finding{
		Severity: Warn, Code: code, Record: id, Field: field, Message: message, Member: f.member.ID, Mark: f.member.MarkID,
		Remedy: "Der Landkreis kann die Gewährung erweitern, das Mitglied seinen Katalog berichtigen.",
	})
}

func (f *scopeFilter) offer(o Offer) (Offer, bool) {
	if !f.member.Scope.CoversKey(o.Leika) && !(f.member.Next != nil && f.member.Next.Scope.CoversKey(o.Leika)) && !f.anyDelegated(&o) {
		f.lost(o.ID, CodeScopeKey, "leika", fmt.Sprintf("Der LeiKa-Schlüssel %s ist nicht gewährt.", o.Leika))
		return o, false
	}
	had := len(o.Zustaendigkeiten)
	o.Zustaendigkeiten = f.claims(&o)
	if had > 0 && len(o.Zustaendigkeiten) == 0 {
		return o, false
	}
	o.Onlinedienste = f.onlinedienste(&o)
	return o, true
}

func (f *scopeFilter) claims(o *Offer) []Zustaendigkeit {
	kept := make([]Zustaendigkeit, 0, len(o.Zustaendigkeiten))
	for _, z := range o.Zustaendigkeiten {
		if !f.covers(o.Leika, z.Area) {
			f.lost(o.ID, CodeScopeArea, "zustaendigkeit", fmt.Sprintf("Das Gebiet %s ist nicht gewährt.", z.Area))
			continue
		}
		if _, _, own := f.member.Granted(o.Leika, z.Area); !own { // by delegation: the grant's exceptions do not limit what others give
			kept = append(kept, z)
			continue
		}
		kept = append(kept, f.granted(o.Leika, z)...)
	}
	return kept
}

// granted returns a claim as the member's grants let it stand, each in its own
// time: cut off on the day a planned grant takes it away, begun on the day
// one allows it. Where nothing changes it stays one claim.
func (f *scopeFilter) granted(key leika.ID, z Zustaendigkeit) []Zustaendigkeit {
	var out []Zustaendigkeit
	for _, g := range f.member.Grants() {
		if !g.CoversKey(key) || !g.CoversArea(z.Area) {
			continue
		}
		cut := z
		cut.Except = except(g.Scope, z.Area, z.Except)
		var ok bool
		if cut.Valid, ok = z.Valid.Within(Validity{From: g.From, To: g.To}); !ok {
			continue
		}
		if n := len(out); n > 0 && slices.Equal(out[n-1].Except, cut.Except) {
			out[n-1].Valid.To = cut.Valid.To // the new grant says the same
			continue
		}
		if len(out) > 0 {
			cut.ID += "-ab-" + ID(g.From.Format(time.DateOnly))
		}
		out = append(out, cut)
	}
	return out
}

// except adds the exceptions of a grant inside area to those of a claim.
func except(s federation.Scope, area region.Area, own []region.Area) []region.Area {
	out := own
	for _, x := range s.Except {
		if area.Covers(x) && !slices.ContainsFunc(out, func(e region.Area) bool { return e.Covers(x) }) {
			out = append(slices.Clip(out), x)
		}
	}
	if len(out) > len(own) {
		slices.SortFunc(out, region.Area.Compare)
	}
	return out
}

func (f *scopeFilter) onlinedienste(o *Offer) []Onlinedienst {
	kept := make([]Onlinedienst, 0, len(o.Onlinedienste))
	for _, d := range o.Onlinedienste {
		areas := make([]region.Area, 0, len(d.Areas))
		for _, a := range d.Areas {
			if f.covers(o.Leika, a) {
				areas = append(areas, a)
				continue
			}
			f.lost(o.ID, CodeScopeArea, "onlinedienst", fmt.Sprintf("Das Gebiet %s ist nicht gewährt.", a))
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
