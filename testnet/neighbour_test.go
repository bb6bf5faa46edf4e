package testnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/mirror"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/trust"
)

// TestNeighbours: two Landkreise that no Land stands above, each with its own
// trust anchor and its own gossip.
func TestNeighbours(t *testing.T) {
	nw := startNetwork(t, Spec{Neighbour: true})
	hub, beside := nw.Hub(), nw.Member(besideName)
	melle, damme, lohne := nw.Member("melle"), nw.Member(besideTown), nw.Member("lohne")
	ctx := within(t, 2*time.Minute)
	awaitNeighbours(ctx, t, nw.Members(), 1)

	t.Run("move", func(t *testing.T) {
		if r := nw.Try(ctx, NeighbourJourney()); r.Error != "" {
			t.Error(r.Error)
		}
		c := NewCitizen(nw.Transport())
		for path, words := range map[string][]string{
			"/leistung/" + homeLeika + "/03460002": {"Damme gehört zu einem anderen Landkreis", "Zuständig für Damme: Stadt Damme.", besideWords + "des Landkreises Vechta", "Weiter zum Portal: Stadt Damme"},
			"/suche?q=Hund&ort=Damme":              {"Damme gehört zu einem anderen Landkreis", "Zum Portal des Landkreises Vechta"},
		} {
			if err := awaitPage(ctx, c, melle.Entity.URL(path), words...); err != nil {
				t.Error(err)
			}
		}
		page := lohne.Entity.URL("/umzug?von=Lohne&nach=Melle&lang=en")
		if err := awaitPage(ctx, c, page, "At the new place: Melle", melle.Legal, "This information comes from the portal of Landkreis Osnabrück"); err != nil {
			t.Error(err)
		}
	})

	t.Run("seal", func(t *testing.T) {
		a := mustResolve(ctx, t, melle, "49401")
		keys, err := trust.LoadKeys(beside.dir("data", "keys"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.Open(a.AnsweredBy.Seal, neighbour.TypeAnswer, keys.FederationJWKS()); err != nil {
			t.Errorf("the seal in the answer: %v", err)
		}
	})

	t.Run("nothing_else", func(t *testing.T) {
		holdsNothingOf(ctx, t, nw, melle, []*Member{beside, damme, lohne})
	})

	t.Run("change", func(t *testing.T) {
		list := read(t, melle.dir("data", "neighbours.jwt"))
		path := damme.dir("catalog", handwritten)
		before := read(t, path)
		if err := damme.republish(ctx, path, bytes.ReplaceAll(before, []byte("de: "+homeWords), []byte("de: Neue Wohnung anmelden"))); err != nil {
			t.Fatal(err)
		}
		// The answer kept at the hub would hold for ten minutes.
		if err := Await(ctx, func() error {
			if a := mustResolve(ctx, t, melle, damme.Area.String()); len(a.Providers) != 1 || a.Providers[0].Title["de"] != "Neue Wohnung anmelden" {
				return fmt.Errorf("%+v", a)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(list, read(t, melle.dir("data", "neighbours.jwt"))) {
			t.Error("a change at the neighbour's member reached a member of this Landkreis")
		}
		if err := damme.republish(ctx, path, before); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("cut_pool", func(t *testing.T) {
		hub.cutHub.Store(true)
		awaitGossip(ctx, t, hub, "dead")
		if a := mustResolve(ctx, t, melle, "034600003003"); a.AnsweredBy == nil || a.AnsweredBy.Old {
			t.Errorf("without the gossip of hubs, HTTPS works: %+v", a)
		}
		hub.cutHub.Store(false)
		awaitGossip(ctx, t, hub, "alive")
	})

	t.Run("own_hub_down", func(t *testing.T) {
		if err := hub.Stop(); err != nil {
			t.Fatal(err)
		}
		if a := mustResolve(ctx, t, melle, lohne.Area.String()); a.AnsweredBy == nil || a.AnsweredBy.Old || a.Reason != "own" {
			t.Errorf("the neighbour itself is not asked: %+v", a)
		}
		if err := hub.Restart(ctx); err != nil {
			t.Fatal(err)
		}
		awaitGossip(ctx, t, hub, "alive")
		if a := mustResolve(ctx, t, melle, lohne.Area.String()); a.AnsweredBy == nil {
			t.Fatalf("after the restart: %+v", a)
		}
	})

	t.Run("neighbour_down", func(t *testing.T) { neighbourDown(ctx, t, nw) })
}

// neighbourDown: what was asked before is shown with its age, also after the
// own hub was restarted; what was not is unknown, never nobody. It heals.
func neighbourDown(ctx context.Context, t *testing.T, nw *Network) {
	hub, beside, melle, lohne := nw.Hub(), nw.Member(besideName), nw.Member("melle"), nw.Member("lohne")
	if err := beside.Kill(); err != nil {
		t.Fatal(err)
	}
	c := NewCitizen(nw.Transport())
	asked := nw.Member("bissendorf").Entity.URL("/umzug?von=Bissendorf&nach=Damme")
	old := func() {
		t.Helper()
		awaitOld(ctx, t, melle, lohne.Area.String())
		if err := awaitPage(ctx, c, asked, "Diese Angaben sind vom", "Das Portal des Landkreises Vechta antwortet gerade nicht", "Zuständig: Stadt Damme"); err != nil {
			t.Error(err)
		}
	}
	old()
	if a := mustResolve(ctx, t, melle, "034600005005"); a.Reason != "unknown" || len(a.Notices) != 1 || a.Notices[0].Kind != string(neighbour.NoticeSilent) || a.AnsweredBy != nil {
		t.Errorf("never asked: %+v", a)
	}
	if err := awaitPage(ctx, c, melle.Entity.URL("/umzug?von=Melle&nach=Holdorf"), "Wir können jetzt nicht sagen, was in Holdorf zu tun ist"); err != nil {
		t.Error(err)
	}
	if err := hub.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := hub.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	old()
	if err := beside.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := Await(ctx, func() error {
		for _, place := range []string{lohne.Area.String(), "034600005005"} {
			if a := mustResolve(ctx, t, melle, place); a.AnsweredBy == nil || a.AnsweredBy.Old {
				return fmt.Errorf("%s is still old or unknown", place)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// holdsNothingOf looks into everything that a node holds, on disk and in
// memory, for what belongs to others.
func holdsNothingOf(ctx context.Context, t *testing.T, nw *Network, at *Member, others []*Member) {
	t.Helper()
	held := map[string]bool{}
	for _, s := range at.Node().Status().Members {
		held[string(s.Member)] = true
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.Entity.URL("/federation/mirror"), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := nw.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Held []mirror.Held }
	if err := json.Unmarshal(b, &m); err != nil || len(m.Held) == 0 {
		t.Fatalf("mirror: %v", err)
	}
	for _, h := range m.Held {
		held[string(h.Member)] = true
	}
	for _, o := range others {
		if held[string(o.Entity)] {
			t.Errorf("%s holds %s", at.Name, o.Name)
		}
	}
	err = filepath.WalkDir(at.dir("data"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if e.Name() == "neighbours.jwt" && len(b) > 1500 {
			t.Errorf("the list of one neighbour has %d bytes", len(b))
		}
		for _, o := range others[1:] { // the first one is the hub, which is on the list
			if strings.Contains(string(b), hostOf(string(o.Entity))) {
				t.Errorf("%s names %s", path, o.Name)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustResolve(ctx context.Context, t *testing.T, at *Member, place string) resolution {
	t.Helper()
	a, err := at.resolve(ctx, homeLeika, place)
	if err != nil {
		t.Fatalf("%s about %s: %v", at.Name, place, err)
	}
	return a
}

// awaitOld waits until the node labels the answer for a place as old.
func awaitOld(ctx context.Context, t *testing.T, at *Member, place string) {
	t.Helper()
	if err := Await(ctx, func() error {
		a := mustResolve(ctx, t, at, place)
		if a.AnsweredBy == nil || !a.AnsweredBy.Old || len(a.Providers) != 1 || !a.Providers[0].Stale {
			return fmt.Errorf("%+v", a)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// awaitNeighbours waits until each node knows so many other Landkreise.
func awaitNeighbours(ctx context.Context, t *testing.T, members []*Member, n int) {
	t.Helper()
	if err := Await(ctx, func() error {
		for _, m := range members {
			if l := m.Node().Neighbours(); len(l) != n {
				return fmt.Errorf("%s knows %v", m.Name, l)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// awaitGossip waits until a hub sees its one neighbour in this state.
func awaitGossip(ctx context.Context, t *testing.T, hub *Member, state string) {
	t.Helper()
	if err := Await(ctx, func() error {
		if l := hub.Node().Neighbours(); len(l) != 1 || l[0].Gossip != state {
			return fmt.Errorf("%+v", l)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
