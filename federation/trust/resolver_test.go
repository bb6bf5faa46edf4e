package trust_test

import (
	"context"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// network is a Land as anchor, a Landkreis as hub and a Gemeinde below it.
type network struct {
	*trusttest.Federation
	land, kreis, melle *trusttest.Entity
}

func newNetwork(t testing.TB) *network {
	t.Helper()
	n := &network{Federation: trusttest.New(nil)}
	t.Cleanup(n.Close)
	n.land = n.AddAnchor("land", federation.Scope{Subtree: []region.Area{region.MustArea("03")}})
	n.kreis = n.AddHub("kreis", n.land, federation.Scope{Subtree: []region.Area{region.MustArea("03459")}})
	n.melle = n.AddMember("melle", n.kreis, "034590024024")
	return n
}

func (n *network) resolve(id federation.EntityID) (*trust.Chain, error) {
	return n.Resolver(n.land).Resolve(context.Background(), id)
}

func TestChainOfThree(t *testing.T) {
	n := newNetwork(t)
	r := n.Resolver(n.land)
	c, err := r.Resolve(t.Context(), n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Statements) != 4 || c.Anchor != n.land.ID || c.Superior != n.kreis.ID {
		t.Fatalf("chain %v of %d statements, anchor %s, superior %s", c.Leaf, len(c.Statements), c.Anchor, c.Superior)
	}
	m, err := c.Member()
	if err != nil {
		t.Fatalf("%v\n%+v", err, c.Steps)
	}
	if m.Seat != region.MustArea("034590024024") || m.IsHub || m.IsOP || m.LoginURI == "" || m.MarkID != "mark-melle" {
		t.Errorf("member %+v", m)
	}
	before := n.AllRequests()
	if again, err := r.Resolve(t.Context(), n.melle.ID); err != nil || again != c {
		t.Errorf("second resolution: %v %v", again, err)
	}
	if n.AllRequests() != before {
		t.Error("the cache was not used")
	}
	v, err := r.VerifyChain(t.Context(), c.Compacts())
	if err != nil {
		t.Fatal(err)
	}
	if vm, err := v.Member(); err != nil || vm.ID != n.melle.ID {
		t.Errorf("verified chain: %+v, %v", vm, err)
	}
	hub, err := r.Resolve(t.Context(), n.kreis.ID)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := hub.Member(); err != nil || !m.IsHub {
		t.Errorf("hub %+v %v", m, err)
	}
	top, err := r.Resolve(t.Context(), n.land.ID)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := top.Member(); err != nil || !m.IsHub {
		t.Errorf("anchor %+v %v", m, err)
	}
}

func TestVerifyChainAsksNobodyForStrangers(t *testing.T) {
	n := newNetwork(t)
	c, err := n.resolve(n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	good := c.Compacts()
	fremd := trusttest.New(nil)
	t.Cleanup(fremd.Close)
	other := fremd.AddAnchor("fremd", federation.Scope{})
	leaf := fremd.AddMember("melle", other, "034590024024")
	oc, err := fremd.Resolver(other).Resolve(t.Context(), leaf.ID)
	if err != nil {
		t.Fatal(err)
	}
	r := n.Resolver(n.land) // knows nothing yet
	before := n.AllRequests() + fremd.AllRequests()
	for name, chain := range map[string][]string{
		"foreign anchor":         oc.Compacts(),
		"without the anchor":     good[:2],
		"leaf only":              good[:1],
		"foreign top, our name":  {good[0], good[1], n.land.Statement(n.kreis) + "x"},
		"hub vouches for itself": {good[0], good[1], sign(t, n.kreis.Key, trust.TypeStatement, map[string]any{"iss": n.land.ID, "sub": n.kreis.ID, "iat": 1, "exp": 4e9, "jwks": n.kreis.Key.Public()})},
		"order reversed":         {good[0], good[2], good[1]},
		"a statement twice":      {good[0], good[1], good[1], good[2]},
		"empty":                  {},
		"long":                   append(append([]string{}, good...), good...),
	} {
		if _, err := r.VerifyChain(t.Context(), chain); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := n.AllRequests() + fremd.AllRequests(); got != before {
		t.Errorf("%d requests on behalf of strangers", got-before)
	}
	if _, err := r.VerifyChain(t.Context(), good); err != nil {
		t.Errorf("the genuine chain: %v", err)
	}
	if _, err := r.VerifyChain(t.Context(), good[:3]); err != nil {
		t.Errorf("without the anchor's own configuration: %v", err)
	}
}
