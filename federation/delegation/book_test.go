package delegation

import (
	"slices"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

const (
	kreis = federation.EntityID("https://kreis.example")
	stadt = federation.EntityID("https://stadt.example")
	land  = federation.EntityID("https://land.example")
)

var (
	key      = leika.MustParse("99036049069000")
	other    = leika.MustParse("99036026017000")
	inside   = region.MustArea("034590012012")
	outside  = region.MustArea("034590024024")
	verband  = region.MustArea("034595402")
	gemeinde = region.MustArea("034595402001")
)

func member() federation.Member {
	return federation.Member{ID: stadt, MarkID: "jti-7", Scope: federation.Scope{Subtree: []region.Area{inside}}}
}

func offer(id catalog.ID, k leika.ID, areas ...region.Area) catalog.Offer {
	o := catalog.Offer{ID: id, Leika: k, Title: catalog.Text{"de": string(id)}}
	for i, a := range areas {
		o.Zustaendigkeiten = append(o.Zustaendigkeiten, catalog.Zustaendigkeit{ID: id + catalog.ID('a'+rune(i)), Area: a, Role: catalog.Zustaendig})
	}
	return o
}

// ids lists the claims of a catalogue.
func ids(c *catalog.Catalogue) []string {
	var out []string
	for i := range c.Offers {
		for _, z := range c.Offers[i].Zustaendigkeiten {
			out = append(out, string(z.ID))
		}
	}
	return out
}

func gives(k leika.ID, to federation.EntityID, areas ...region.Area) catalog.Delegation {
	return catalog.Delegation{ID: "D:1", Leika: k, Areas: areas, To: to}
}

// TestI133_Delegated: one case for each way in which a delegation does not reach.
func TestI133_Delegated(t *testing.T) {
	whole := &catalog.Catalogue{Member: stadt, Offers: []catalog.Offer{
		offer("A", key, inside, outside), offer("B", other, outside), offer("C", 0, outside), offer("D", key, verband),
	}}
	own := []string{"Aa"}
	for name, c := range map[string]struct {
		given []catalog.Delegation
		scope func(*federation.Scope)
		want  []string
	}{
		"nothing is delegated":                    {nil, nil, own},
		"the key for the area":                    {[]catalog.Delegation{gives(key, stadt, outside)}, nil, []string{"Aa", "Ab"}},
		"another key":                             {[]catalog.Delegation{gives(other, stadt, outside)}, nil, []string{"Aa", "Ba"}},
		"a broader key is another key":            {[]catalog.Delegation{gives(key.Object(), stadt, outside)}, nil, own},
		"to another member":                       {[]catalog.Delegation{gives(key, land, outside)}, nil, own},
		"another area":                            {[]catalog.Delegation{gives(key, stadt, region.MustArea("034590033033"))}, nil, own},
		"an area around it":                       {[]catalog.Delegation{gives(key, stadt, region.MustArea("03459"))}, nil, []string{"Aa", "Ab", "Da"}},
		"a part of it: the directory looks where": {[]catalog.Delegation{gives(key, stadt, gemeinde)}, nil, []string{"Aa", "Da"}},
		"a utility that was granted no key":       {[]catalog.Delegation{gives(key, stadt, outside)}, func(s *federation.Scope) { s.OwnOffersOnly = true }, []string{"Ab"}},
		"what the hub has excepted": {[]catalog.Delegation{gives(key, stadt, outside)}, func(s *federation.Scope) {
			s.Subtree, s.Except = []region.Area{region.MustArea("03459")}, []region.Area{outside}
		}, []string{"Aa", "Ab", "Da"}},
	} {
		t.Run(name, func(t *testing.T) {
			var b Book
			b.Set(kreis, c.given)
			m := member()
			if c.scope != nil {
				c.scope(&m.Scope)
			}
			got, findings := b.Admit(whole, m)
			if !slices.Equal(ids(got), c.want) {
				t.Errorf("admitted %v, want %v", ids(got), c.want)
			}
			for _, f := range findings {
				if f.Member != stadt || f.Mark != "jti-7" {
					t.Errorf("finding without member and mark: %+v", f)
				}
			}
			if again, _ := b.Admit(whole, m); again != got {
				t.Error("the same input gives another catalogue")
			}
			if len(whole.Offers) != 4 || len(whole.Offers[0].Zustaendigkeiten) != 2 {
				t.Error("the catalogue was changed")
			}
		})
	}
}

// TestI133_DelegationWithdrawn: what is no longer delegated is not admitted any more, for
// whatever reason; and only those are named for whom something changes.
func TestI133_DelegationWithdrawn(t *testing.T) {
	whole := &catalog.Catalogue{Member: stadt, Offers: []catalog.Offer{offer("A", key, inside, outside)}}
	given := []catalog.Delegation{gives(key, stadt, outside)}
	var b Book
	admitted := func() int {
		c, _ := b.Admit(whole, member())
		return len(ids(c))
	}
	if changed := b.Set(kreis, given); !slices.Equal(changed, []federation.EntityID{stadt}) || admitted() != 2 {
		t.Fatalf("given: changed %v, %d claims", changed, admitted())
	}
	if changed := b.Set(kreis, slices.Clone(given)); changed != nil {
		t.Errorf("the same again changes %v", changed)
	}
	if changed := b.Set(land, []catalog.Delegation{gives(key, land, outside)}); changed != nil || admitted() != 2 {
		t.Errorf("who gives to himself changes %v", changed)
	}
	if changed := b.Set(kreis, nil); !slices.Equal(changed, []federation.EntityID{stadt}) || admitted() != 1 {
		t.Errorf("withdrawn: changed %v, %d claims", changed, admitted())
	}
	b.Set(kreis, given)
	if changed := b.Forget(kreis); !slices.Equal(changed, []federation.EntityID{stadt}) || admitted() != 1 {
		t.Errorf("the giver is gone: changed %v, %d claims", changed, admitted())
	}
	b.Set(kreis, given)
	b.Set(land, []catalog.Delegation{gives(key, stadt, outside)})
	if changed := b.Forget(kreis); !slices.Equal(changed, []federation.EntityID{stadt}) || admitted() != 2 {
		t.Errorf("two have given it, one is gone: changed %v, %d claims", changed, admitted())
	}
}

// TestPublish: the gate lets through what is delegated as a whole.
func TestPublish(t *testing.T) {
	var b Book
	b.Set(kreis, []catalog.Delegation{gives(key, stadt, outside, gemeinde)})
	in := catalog.GateInput{Scope: member().Scope, Delegated: b.To(stadt)}
	for _, c := range []struct {
		offer catalog.Offer
		block int
	}{
		{offer("A", key, inside, outside), 0},
		{offer("B", other, outside), 1},
		{offer("C", 0, outside), 1},
		{offer("D", key, verband), 1}, // only one Gemeinde of it
		{offer("E", key, gemeinde), 0},
	} {
		n := 0
		for _, f := range catalog.Gates(&catalog.Catalogue{Member: stadt, Offers: []catalog.Offer{c.offer}}, in) {
			if f.Severity == catalog.Block {
				n++
			}
		}
		if n != c.block {
			t.Errorf("%s: %d findings stop it, want %d", c.offer.ID, n, c.block)
		}
	}
	in.Scope.OwnOffersOnly = true
	o := offer("F", key, outside)
	if list := catalog.Gates(&catalog.Catalogue{Member: stadt, Offers: []catalog.Offer{o}}, in); len(list) != 0 {
		t.Errorf("a key that is delegated but not granted: %v", list)
	}
	in.Delegated = nil
	if list := catalog.Gates(&catalog.Catalogue{Member: stadt, Offers: []catalog.Offer{o}, Units: nil}, in); len(list) != 2 {
		t.Errorf("neither granted nor delegated: %v", list)
	}
}
