package testnet

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/portal"
)

// What the Landkreis gives away in delegatedBeyondMark.
const (
	delegatedLeika = "99036049069000"
	delegatedTitle = "Kennzeichenwunsch beim Nachbarn"
)

// delegatedBeyondMark: Bad Essen claims a task of the Landkreis in Melle, far
// outside its mark. Nobody believes it, until the Landkreis delegates the task
// to it for Melle, and nobody does any more once that is withdrawn
// [DESIGN §4.2].
func delegatedBeyondMark(t *testing.T, nw *Network) {
	h, melle, kreis := takeOver(t, nw, "bad-essen"), nw.Member("melle"), nw.Hub()
	c := h.genuine.catalogue.Clone()
	c.Offers = append(c.Offers, catalog.Offer{
		ID: "X:uebertragen", Leika: leika.MustParse(delegatedLeika), Title: catalog.Text{"de": delegatedTitle},
		Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: "X:uebertragen.1", Area: melle.Area, Role: catalog.Zustaendig, Unit: c.Units[0].ID}},
	})
	c.Normalize()
	claimed := h.seal(c, h.genuine.content.Serial+1)
	h.serve(claimed)
	h.announce(h.Entity, claimed.content.Serial, claimed.digest())
	h.refusedEverywhere(func(_ *Member, s portal.MemberStatus) error {
		if s.Serial != claimed.content.Serial || s.Outside != 1 {
			return fmt.Errorf("%w: serial %d, %d outside", errNotYet, s.Serial, s.Outside)
		}
		return nil
	})
	answers := func(who *Member, reason string, titled bool) {
		t.Helper()
		for _, o := range h.others() {
			await(t, refusedWithin, func() error { return o.resolves(t, nw, melle, who, reason) })
			status, b := get(t, nw, o.Entity.URL("/api/v1/search?ort="+melle.Area.String()+"&q="+url.QueryEscape(delegatedTitle)))
			if status != http.StatusOK || strings.Contains(string(b), delegatedTitle) != titled {
				t.Errorf("%s finds the title: %v, want %v", o.Name, !titled, titled)
			}
		}
	}
	answers(kreis, "parent", false)

	path := kreis.dir("catalog", delegations)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	given := string(before) + fmt.Sprintf("\n- leika: %q\n  areas: [%q]\n  to: %s\n", delegatedLeika, melle.Area, h.Entity)
	if err := kreis.republish(t.Context(), path, []byte(given)); err != nil {
		t.Fatal(err)
	}
	answers(h.Member, "delegated", true)
	if s, _ := melle.sees(h.Member); s.Outside != 0 || s.Error != "" {
		t.Errorf("delegated and still outside: %d, %q", s.Outside, s.Error)
	}
	if err := kreis.republish(t.Context(), path, before); err != nil {
		t.Fatal(err)
	}
	answers(kreis, "parent", false)
}

// resolves asks a node who has the delegated task in a place.
func (m *Member) resolves(t *testing.T, nw *Network, place, want *Member, reason string) error {
	status, b := get(t, nw, m.Entity.URL("/api/v1/resolve?leika="+delegatedLeika+"&ort="+place.Area.String()))
	var a struct {
		Reason    string
		Providers []struct{ Member struct{ ID string } }
	}
	if err := json.Unmarshal(b, &a); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, b, err)
	}
	if a.Reason != reason || len(a.Providers) != 1 || a.Providers[0].Member.ID != string(want.Entity) {
		return fmt.Errorf("%w: %s says %s, %+v", errNotYet, m.Name, a.Reason, a.Providers)
	}
	return nil
}
