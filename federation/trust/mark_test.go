package trust_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// noMember checks that e's chain holds but its mark does not, and that a step
// says why.
func (n *network) noMember(t *testing.T, e *trusttest.Entity, rule string) {
	t.Helper()
	c, err := n.resolve(e.ID)
	if err != nil {
		t.Fatalf("the chain itself: %v", err)
	}
	if _, err := c.Member(); !errors.Is(err, trust.ErrMark) {
		t.Fatalf("member: %v", err)
	}
	for _, s := range c.Steps {
		if s.Verdict == trust.VerdictDropped && strings.Contains(s.Rule+" "+s.Detail, rule) {
			return
		}
	}
	t.Errorf("no step names %q: %+v", rule, c.Steps)
}

func markClaims(n *network, change func(*trust.MarkClaims)) trust.MarkClaims {
	now := time.Now()
	c := trust.MarkClaims{
		Issuer: n.kreis.ID, Subject: n.melle.ID, Type: trust.MarkType(n.land.ID), IssuedAt: trust.At(now), Expires: trust.At(now.Add(time.Hour)),
		ID: "m", LegalName: "Stadt Melle", Kind: federation.KindGemeinde, Seat: n.melle.Seat, Generation: 1,
	}
	c.SetScope(n.melle.Scope)
	change(&c)
	return c
}

// showMark makes melle show this token as its membership mark.
func (n *network) showMark(mark string) {
	n.bend(n.melle, "configuration", func(c map[string]any) {
		c["trust_marks"] = []any{map[string]any{"trust_mark_type": trust.MarkType(n.land.ID), "trust_mark": mark}}
	})
}

func TestI130_MarkThatDoesNotHold(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		change func(*trust.MarkClaims)
		rule   string
	}{
		"expired":           {func(c *trust.MarkClaims) { c.Expires = trust.At(now.Add(-time.Second)) }, "expired"},
		"from the future":   {func(c *trust.MarkClaims) { c.IssuedAt = trust.At(now.Add(2 * time.Minute)) }, "future"},
		"of another":        {func(c *trust.MarkClaims) { c.Subject = "https://other.example" }, "sub is the one"},
		"other type":        {func(c *trust.MarkClaims) { c.Type = "https://other.example/tm" }, "trust_mark_type"},
		"no expiry":         {func(c *trust.MarkClaims) { c.Expires = 0 }, ""},
		"older generation":  {func(c *trust.MarkClaims) { c.Generation = 0 }, "generation"},
		"future, no expiry": {func(c *trust.MarkClaims) { c.Expires, c.IssuedAt = 0, trust.At(now.Add(2*time.Minute)) }, ""},
		"no name":           {func(c *trust.MarkClaims) { c.LegalName = "" }, "legal_name"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.showMark(sign(t, n.kreis.Key, trust.TypeMark, markClaims(n, c.change)))
			n.noMember(t, n.melle, c.rule)
		})
	}
	t.Run("wrong typ", func(t *testing.T) {
		n := newNetwork(t)
		n.showMark(sign(t, n.kreis.Key, "JWT", markClaims(n, func(*trust.MarkClaims) {})))
		n.noMember(t, n.melle, "wrong typ")
	})
	t.Run("alg none", func(t *testing.T) {
		n := newNetwork(t)
		n.showMark(b64(map[string]any{"alg": "none", "typ": trust.TypeMark, "kid": n.kreis.Key.ID()}) + "." + b64(markClaims(n, func(*trust.MarkClaims) {})) + ".AAAA")
		n.noMember(t, n.melle, "algorithm")
	})
	t.Run("signed by the member itself", func(t *testing.T) {
		n := newNetwork(t)
		n.showMark(sign(t, n.melle.Key, trust.TypeMark, markClaims(n, func(*trust.MarkClaims) {})))
		n.noMember(t, n.melle, "kid")
	})
	t.Run("one byte changed", func(t *testing.T) {
		n := newNetwork(t)
		good := sign(t, n.kreis.Key, trust.TypeMark, markClaims(n, func(*trust.MarkClaims) {}))
		parts := strings.Split(good, ".")
		parts[1] = b64(markClaims(n, func(c *trust.MarkClaims) { c.Area.ARS = []region.Area{region.MustArea("034590012012")} }))
		n.showMark(strings.Join(parts, "."))
		n.noMember(t, n.melle, "signature")
	})
}

func TestI131_IssuerNotEntitled(t *testing.T) {
	t.Run("not in trust_mark_issuers", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.land.MarkIssuers[trust.MarkType(n.land.ID)] = []federation.EntityID{n.land.ID} })
		n.noMember(t, n.melle, "trust_mark_issuers")
	})
	t.Run("type not listed at all", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.land.MarkIssuers = nil })
		n.noMember(t, n.melle, "trust_mark_issuers")
	})
	t.Run("an empty list does not open the membership mark", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.land.MarkIssuers[trust.MarkType(n.land.ID)] = []federation.EntityID{} })
		n.noMember(t, n.melle, "trust_mark_issuers")
	})
	t.Run("issuer without own chain", func(t *testing.T) {
		n := newNetwork(t)
		fremd := n.AddHub("fremd", n.land, federation.Scope{Subtree: []region.Area{region.MustArea("03")}})
		const typ = "https://example.org/tm/anderes"
		n.Change(func() {
			fremd.Blocked = true
			n.land.MarkIssuers[typ] = []federation.EntityID{fremd.ID}
		})
		n.melleShows(t, typ, fremd, "")
		c, err := n.resolve(n.melle.ID)
		if err != nil || len(c.Marks) != 0 {
			t.Errorf("%v, marks %v", err, c.Marks)
		}
		n.Change(func() { fremd.Blocked = false })
		if c, err = n.resolve(n.melle.ID); err != nil || len(c.Marks) != 1 {
			t.Errorf("with a chain: %v, marks %v", err, c.Marks)
		}
	})
	t.Run("membership from a hub that is not above", func(t *testing.T) {
		n := newNetwork(t)
		fremd := n.AddHub("fremd", n.land, federation.Scope{Subtree: []region.Area{region.MustArea("03")}})
		n.showMark(sign(t, fremd.Key, trust.TypeMark, markClaims(n, func(c *trust.MarkClaims) { c.Issuer = fremd.ID })))
		n.noMember(t, n.melle, "superior")
	})
	owner := trusttest.Key("owner")
	const typ = "https://example.org/tm/eigen"
	delegation := func(sub federation.EntityID, exp time.Time) string {
		return sign(t, owner, trust.TypeMarkDelegation, map[string]any{"iss": "https://owner.example", "sub": sub, "trust_mark_type": typ, "iat": time.Now().Unix(), "exp": exp.Unix()})
	}
	later := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		delegation func(n *network) string
		marks      int
	}{
		"delegation missing":     {func(*network) string { return "" }, 0},
		"delegation expired":     {func(n *network) string { return delegation(n.kreis.ID, time.Now().Add(-time.Second)) }, 0},
		"delegation for another": {func(n *network) string { return delegation("https://other.example", later) }, 0},
		"delegation by no owner": {func(n *network) string {
			return sign(t, n.kreis.Key, trust.TypeMarkDelegation, map[string]any{"iss": "https://owner.example", "sub": n.kreis.ID, "trust_mark_type": typ})
		}, 0},
		"delegation by the owner": {func(n *network) string { return delegation(n.kreis.ID, later) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.bend(n.land, "configuration", func(cl map[string]any) {
				cl["trust_mark_owners"] = map[string]any{typ: map[string]any{"sub": "https://owner.example", "jwks": owner.Public()}}
				cl["trust_mark_issuers"] = map[string]any{typ: []any{n.kreis.ID}, trust.MarkType(n.land.ID): []any{n.land.ID, n.kreis.ID}}
			})
			n.melleShows(t, typ, n.kreis, c.delegation(n))
			got, err := n.resolve(n.melle.ID)
			if err != nil || len(got.Marks) != c.marks {
				t.Errorf("%v, %d marks, want %d; %+v", err, len(got.Marks), c.marks, got.Steps)
			}
		})
	}
}

// melleShows makes melle show one mark of another type.
func (n *network) melleShows(t *testing.T, typ string, issuer *trusttest.Entity, delegation string) {
	t.Helper()
	claims := map[string]any{"iss": issuer.ID, "sub": n.melle.ID, "trust_mark_type": typ, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if delegation != "" {
		claims["delegation"] = delegation
	}
	mark := sign(t, issuer.Key, trust.TypeMark, claims)
	n.bend(n.melle, "configuration", func(c map[string]any) {
		c["trust_marks"] = []any{map[string]any{"trust_mark_type": typ, "trust_mark": mark}}
	})
}

func TestI134_PrefixTricks(t *testing.T) {
	n := newNetwork(t)
	for name, area := range map[string]map[string]any{
		"7 digits":           {"ars": []string{"0345900"}},
		"13 digits":          {"ars": []string{"0345900240241"}},
		"4 digits":           {"subtree": []string{"0345"}},
		"letters":            {"ars": []string{"03459002402a"}},
		"full-width digits":  {"ars": []string{"０３４５９"}},
		"sign and space":     {"ars": []string{"+3459", " 3459"}},
		"number, not string": {"ars": []any{3459}},
	} {
		n.bend(n.kreis, "mark", func(c map[string]any) { c["area"] = area })
		n.noMember(t, n.melle, "claims")
		_ = name
	}
	n = newNetwork(t)
	n.bend(n.kreis, "mark", func(c map[string]any) { c["area"] = map[string]any{"ars": []string{"03459"}} })
	c, err := n.resolve(n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Member()
	if err != nil {
		t.Fatal(err)
	}
	if m.Scope.CoversArea(region.MustArea("034590024024")) {
		t.Error("a grant for one area covers what lies below it without subtree")
	}
	if !m.Scope.CoversArea(region.MustArea("03459")) {
		t.Error("the area itself is not covered")
	}
}

func TestI135_Attenuation(t *testing.T) {
	area := func(s ...string) (out []region.Area) {
		for _, a := range s {
			out = append(out, region.MustArea(a))
		}
		return out
	}
	for name, c := range map[string]struct {
		hub, member federation.Scope
		holds       bool
	}{
		"inside":                    {federation.Scope{Subtree: area("03459")}, federation.Scope{Areas: area("034590024024")}, true},
		"foreign Kreis":             {federation.Scope{Subtree: area("03459")}, federation.Scope{Areas: area("034540024024")}, false},
		"one of two foreign":        {federation.Scope{Subtree: area("03459")}, federation.Scope{Areas: area("034590024024", "034540001001")}, false},
		"whole Land":                {federation.Scope{Subtree: area("03459")}, federation.Scope{Subtree: area("03")}, false},
		"Bund":                      {federation.Scope{Subtree: area("03459")}, federation.Scope{Subtree: area("")}, false},
		"subtree of an exact grant": {federation.Scope{Areas: area("03459")}, federation.Scope{Subtree: area("03459")}, false},
		"into an exception":         {federation.Scope{Subtree: area("03459"), Except: area("034590024")}, federation.Scope{Areas: area("034590024024")}, false},
		"around an exception":       {federation.Scope{Subtree: area("03459"), Except: area("034590024")}, federation.Scope{Subtree: area("03459")}, false},
		"more keys":                 {federation.Scope{Subtree: area("03459"), LeikaPrefixes: []string{"99012"}}, federation.Scope{Areas: area("034590024024")}, false},
		"fewer keys":                {federation.Scope{Subtree: area("03459"), LeikaPrefixes: []string{"99012"}}, federation.Scope{Areas: area("034590024024"), LeikaPrefixes: []string{"99012070"}}, true},
		"own offers only":           {federation.Scope{Subtree: area("03459"), OwnOffersOnly: true}, federation.Scope{Areas: area("034590024024")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.Change(func() { n.kreis.Scope, n.melle.Scope = c.hub, c.member })
			if !c.holds {
				n.noMember(t, n.melle, "attenuation")
				return
			}
			chain, err := n.resolve(n.melle.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := chain.Member(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("hub whose own mark is wider than the anchor's", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.kreis.Scope = federation.Scope{Subtree: area("05")} })
		n.noMember(t, n.kreis, "attenuation")
		n.noMember(t, n.melle, "mark of its own")
	})
	t.Run("hub without mark", func(t *testing.T) {
		n := newNetwork(t)
		n.bend(n.kreis, "configuration", func(c map[string]any) { delete(c, "trust_marks") })
		n.noMember(t, n.melle, "mark of its own")
	})
}
