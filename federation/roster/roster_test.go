package roster_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/region"
	"rathausnetz/federation/roster"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

type world struct {
	*trusttest.Federation
	clock         *clocktest.Clock
	land, kreis   *trusttest.Entity
	melle, bohmte *trusttest.Entity
	kreisDown     bool
	landDown      bool
	mu            sync.Mutex
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: clocktest.At(time.Now().Truncate(time.Second))}
	w.Federation = trusttest.New(w.clock.Now)
	t.Cleanup(w.Close)
	w.land = w.AddAnchor("land", federation.Scope{Subtree: []region.Area{region.MustArea("03")}})
	w.kreis = w.AddHub("kreis", w.land, federation.Scope{Subtree: []region.Area{region.MustArea("03459")}})
	w.melle = w.AddMember("melle", w.kreis, "034590024024")
	w.bohmte = w.AddMember("bohmte", w.kreis, "034590013013")
	w.Change(func() {
		for _, e := range []*trusttest.Entity{w.land, w.kreis} {
			e.Serve = func(rw http.ResponseWriter, r *http.Request) bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				if (e == w.kreis && w.kreisDown) || (e == w.land && w.landDown) {
					http.Error(rw, "down", http.StatusBadGateway)
					return true
				}
				return false
			}
		}
	})
	return w
}

func (w *world) down(kreis, land bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kreisDown, w.landDown = kreis, land
}

func (w *world) roster(t testing.TB, dir string) *roster.Roster {
	t.Helper()
	r, err := roster.New(roster.Config{Resolver: w.Resolver(w.land), Hub: w.kreis.ID, Self: w.melle.ID, HTTP: w.Client(), Dir: dir, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ids(r *roster.Roster) []federation.EntityID {
	var out []federation.EntityID
	for _, m := range r.Members() {
		out = append(out, m.ID)
	}
	return out
}

func want(t *testing.T, r *roster.Roster, entities ...*trusttest.Entity) {
	t.Helper()
	got := ids(r)
	if len(got) != len(entities) {
		t.Fatalf("members %v, want %d; verdicts %+v", got, len(entities), r.Verdicts())
	}
	for i, e := range entities {
		if got[i] != e.ID {
			t.Fatalf("members %v, want %s at %d", got, e.ID, i)
		}
	}
}

func notice(t *testing.T, issuer *trusttest.Entity, key *trust.Key, sub *trusttest.Entity, generation uint64, now time.Time) string {
	t.Helper()
	n, err := trust.IssueNotice(key, trust.Notice{Issuer: issuer.ID, Subject: sub.ID, IssuedAt: trust.At(now), Expires: trust.At(now.Add(48 * time.Hour)), ID: "n", Generation: generation, Reason: "revoked"})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
	select {
	case <-r.Changed():
	default:
		t.Error("no signal")
	}
	m := r.Members()
	m[0].Scope.Areas[0] = region.MustArea("01")
	if r.Members()[0].Scope.Areas[0] == m[0].Scope.Areas[0] {
		t.Error("members share memory")
	}
	w.Change(func() { w.bohmte.Blocked = true })
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.kreis, w.melle)
	if _, err := r.Chain(w.bohmte.ID); !errors.Is(err, roster.ErrRevoked) {
		t.Errorf("blocked member: %v", err)
	}
	if _, err := r.Chain("https://nobody.example"); !errors.Is(err, roster.ErrNotMember) {
		t.Errorf("stranger: %v", err)
	}
}

func TestRestartWhileHubIsDown(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	if err := w.roster(t, dir).Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.down(true, true)
	r := w.roster(t, dir)
	if err := r.Load(); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
	if err := r.Refresh(t.Context()); err == nil {
		t.Error("refresh without hub is no error")
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
	w.clock.Add(2 * time.Hour) // statements live one hour
	if got := ids(r); len(got) != 0 {
		t.Errorf("expired members %v", got)
	}
	if _, err := r.Chain(w.melle.ID); !errors.Is(err, roster.ErrExpired) {
		t.Errorf("after expiry: %v", err)
	}
	w.down(false, false)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
}
