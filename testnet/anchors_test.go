package testnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/region"
	"rathausnetz/portal"
)

// TestAnchors: two Landkreise below one Land. All have joined by code.
func TestAnchors(t *testing.T) {
	nw := startNetwork(t, Spec{Anchors: true})
	land, first, second := nw.Member(landName), nw.Hub(), nw.Member(secondName)
	melle, geeste, emsbueren := nw.Member("melle"), nw.Member("geeste"), nw.Member("emsbueren")

	t.Run("chain", func(t *testing.T) {
		// A member is verifiable at home, at the other Landkreis, and at the Land.
		for _, at := range []*Member{melle, first, geeste, second, land} {
			x := explain(t, at, geeste)
			if !x.Trusted || x.Member.Scope.Subtree[0] != geeste.Area {
				t.Fatalf("%s about %s: %+v", at.Name, geeste.Name, x)
			}
			var steps strings.Builder
			for _, s := range x.Steps {
				fmt.Fprintln(&steps, s)
			}
			for _, want := range []string{
				"subordinate statement of " + string(second.Entity) + " about " + string(geeste.Entity),
				"subordinate statement of " + string(land.Entity) + " about " + string(second.Entity),
				"trust anchor", "within the scope of " + string(second.Entity), "within the scope of " + string(land.Entity),
			} {
				if !strings.Contains(steps.String(), want) {
					t.Errorf("%s does not say %q in\n%s", at.Name, want, steps.String())
				}
			}
		}
		if s := melle.Node().Status(); len(s.Members) != 3 {
			t.Errorf("melle knows %d members, its Landkreis has 3 nodes", len(s.Members))
		}
	})

	t.Run("login", func(t *testing.T) {
		ctx, c := within(t, time.Minute), NewCitizen(nw.Transport())
		if err := c.Open(ctx, geeste.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
			t.Fatal(err)
		}
		if c.URL().Host != hostOf(second.Entity.Origin()) {
			t.Fatalf("geeste sends to %s", c.URL())
		}
		if err := c.Submit(ctx, map[string]string{"username": DemoUser, "password": DemoPassword}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(nw.confirm(ctx, c), nw.expectAt(c, geeste, DemoName)); err != nil {
			t.Error(err)
		}
	})

	t.Run("scope", func(t *testing.T) {
		ctx := within(t, time.Minute)
		// The Landkreis cannot even ask for what is not its own.
		_, err := second.Node().Invite(ctx, portal.InviteRequest{By: operatorName, Invitation: anchor.Invitation{
			Name: "Fremd", Kind: federation.KindGemeinde, Scope: federation.Scope{Subtree: []region.Area{melle.Area}}}})
		if !errors.Is(err, anchor.ErrScope) {
			t.Errorf("an area of the other Landkreis: %v", err)
		}
		// The Land takes Geeste out of what the Landkreis holds. The Landkreis
		// goes on handing it out; nobody believes that.
		narrow := federation.Scope{Subtree: []region.Area{second.Area}, Except: []region.Area{geeste.Area}}
		rescope(t, land, second, narrow)
		for _, at := range []*Member{melle, first, emsbueren, second, land} {
			awaitTrust(t, at, geeste, false, "attenuation")
			awaitTrust(t, at, emsbueren, true, "")
		}
		rescope(t, land, second, federation.Scope{Subtree: []region.Area{second.Area}})
		for _, at := range []*Member{first, emsbueren, second} {
			awaitTrust(t, at, geeste, true, "")
		}
		settled(t, nw)
	})

	t.Run("neighbour", func(t *testing.T) {
		// Without a word of configuration: the Land vouches for both, and its
		// keys serve the gossip of the hubs.
		// A hub looks at its neighbours every minute, a member asks as often.
		ctx := within(t, 3*time.Minute)
		awaitNeighbours(ctx, t, []*Member{melle, first, geeste, emsbueren, second}, 1)
		awaitGossip(ctx, t, first, "alive")
		if err := Await(ctx, func() error { // the area was another a moment ago
			a := mustResolve(ctx, t, melle, geeste.Area.String())
			if a.AnsweredBy == nil || a.AnsweredBy.Entity != string(second.Entity) || len(a.Providers) != 1 || a.Providers[0].Member.ID != string(geeste.Entity) {
				return fmt.Errorf("melle about geeste: %+v; melle knows %+v, its hub %+v", a, melle.Node().Neighbours(), first.Node().Neighbours())
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})

	t.Run("revoked", func(t *testing.T) {
		ctx := within(t, time.Minute)
		if err := land.Node().Revoke(ctx, operatorName, second.Entity, "end of the test"); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for _, at := range []*Member{melle, first, land, geeste} {
			awaitTrust(t, at, geeste, false, "")
			awaitTrust(t, at, second, false, "")
		}
		// Those below hear of it by themselves, without their own refresh.
		err := Await(ctx, func() error {
			for _, m := range []*Member{geeste, emsbueren, second} {
				if s := m.Node().Status(); len(s.Members) > 0 {
					return fmt.Errorf("%s still has %d members", m.Name, len(s.Members))
				}
			}
			return nil
		})
		if took := time.Since(begin); err != nil || took > 20*time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
		// A hub that its superior has revoked is nobody's neighbour any more,
		// and what was kept of it is not shown.
		awaitNeighbours(ctx, t, []*Member{melle, first}, 0)
		if a := mustResolve(ctx, t, melle, geeste.Area.String()); a.AnsweredBy != nil || len(a.Providers) > 0 || a.Reason != "unknown" {
			t.Errorf("melle about geeste: %+v", a)
		}
		awaitTrust(t, geeste, melle, true, "")
		if s := melle.Node().Status(); len(s.Members) != 3 {
			t.Errorf("the other Landkreis has %d members", len(s.Members))
		}
	})
}

func rescope(t *testing.T, land, kreis *Member, s federation.Scope) {
	t.Helper()
	d, err := json.Marshal(portal.Decision{ID: kreis.Entity, By: operatorName, Scope: s})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := land.Node().Verbs()["rescope"](t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func explain(t *testing.T, at, about *Member) portal.TrustExplanation {
	t.Helper()
	x, err := at.Node().ExplainTrust(t.Context(), about.Entity)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// awaitTrust waits until the node at judges about as given, for this reason.
func awaitTrust(t *testing.T, at, about *Member, trusted bool, reason string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := Await(ctx, func() error {
		x := explain(t, at, about)
		said := x.Error
		for _, s := range x.Steps {
			said += "\n" + fmt.Sprint(s)
		}
		if x.Trusted != trusted || !strings.Contains(said, reason) {
			return fmt.Errorf("%s trusts %s: %t, %s", at.Name, about.Name, x.Trusted, said)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
