package catalog

import (
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// A planned grant cuts claims off on its day and begins others on it; nothing
// of it shows before, and nothing outside both grants ever.
func TestAdmitPlanned(t *testing.T) {
	newYear := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	spring := newYear.AddDate(0, 3, 0)
	melle, belm, glane := region.MustArea("034590024024"), region.MustArea("034590008008"), region.MustArea("034590004004")
	kreis := region.MustArea("03459")
	m := federation.Member{ID: "https://a.example", Scope: federation.Scope{Subtree: []region.Area{melle, glane}}}
	m.Next = &federation.Planned{From: newYear, Scope: federation.Scope{Subtree: []region.Area{belm, glane}}}
	claim := func(id ID, a region.Area, v Validity) Offer {
		return Offer{ID: id, Leika: leika.MustParse("99102013004000"), Zustaendigkeiten: []Zustaendigkeit{{ID: id + "z", Area: a, Role: Zustaendig, Valid: v}}}
	}
	c := &Catalogue{Member: m.ID, Offers: []Offer{
		claim("lost", melle, Validity{}), claim("gained", belm, Validity{}), claim("kept", glane, Validity{}), claim("never", region.MustArea("034590012012"), Validity{}),
		claim("ends before", melle, Validity{To: newYear.AddDate(0, -1, 0)}), claim("begins later", belm, Validity{From: spring}), claim("too early", belm, Validity{To: newYear}),
	}}
	got, findings := WithinScope(c, m)
	want := map[ID]Validity{
		"lost": {To: newYear}, "gained": {From: newYear}, "kept": {}, "ends before": {To: newYear.AddDate(0, -1, 0)}, "begins later": {From: spring},
	}
	if len(got.Offers) != len(want) {
		t.Errorf("%d offers are left, want %d: %+v", len(got.Offers), len(want), got.Offers)
	}
	for _, o := range got.Offers {
		if v := o.Zustaendigkeiten[0].Valid; len(o.Zustaendigkeiten) != 1 || v != want[o.ID] {
			t.Errorf("%s: %+v, want %+v", o.ID, v, want[o.ID])
		}
	}
	if len(findings) != 1 || findings[0].Record != "never" {
		t.Errorf("%+v", findings)
	}
	if c.Offers[0].Zustaendigkeiten[0].Valid != (Validity{}) {
		t.Error("the catalogue itself was changed")
	}

	// A wide claim whose exceptions change becomes two, one after the other.
	m.Scope = federation.Scope{Subtree: []region.Area{kreis}}
	m.Next.Scope = federation.Scope{Subtree: []region.Area{kreis}, Except: []region.Area{melle}}
	got, _ = WithinScope(&Catalogue{Member: m.ID, Offers: []Offer{claim("wide", kreis, Validity{})}}, m)
	z := got.Offers[0].Zustaendigkeiten
	if len(z) != 2 || z[0].Valid.To != newYear || len(z[0].Except) != 0 || z[1].Valid.From != newYear || len(z[1].Except) != 1 || z[0].ID == z[1].ID {
		t.Errorf("%+v", z)
	}
	if in := (GateInput{Scope: federation.Scope{Subtree: []region.Area{melle}}, Next: m.Next}); !in.allowed(0, belm) || in.allowed(0, region.MustArea("03460")) {
		t.Error("what is planned cannot be published beforehand")
	}
}
