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
