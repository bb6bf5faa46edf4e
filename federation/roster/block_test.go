package roster_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

func block(t *testing.T, issuer *trusttest.Entity, key *trust.Key, host string, blocked bool, generation uint64, now time.Time) string {
	t.Helper()
	compact, err := trust.IssueBlock(key, trust.Block{Issuer: issuer.ID, IssuedAt: trust.At(now), Expires: trust.At(now.Add(48 * time.Hour)),
		Host: host, Blocked: blocked, Generation: generation, Decided: trust.At(now), Reason: "Betrug"})
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// A decision about a host counts if the own hub or a hub above it has signed
// it, once, until a newer one comes.
func TestBlocks(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	r := w.roster(t, dir)
	now := w.clock.Now()
	const page = "https://www.boese.example/x"
	is := func() bool { _, ok := r.Blocks().Blocked(page); return ok }
	genuine := block(t, w.kreis, w.kreis.Key, "boese.example", true, 3, now)
	if err := r.Notice(genuine); err == nil {
		t.Error("taken before the hub was verified")
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-r.Changed()
	for name, c := range map[string]struct {
		compact string
		want    error
	}{
		"a member":         {block(t, w.melle, w.melle.Key, "boese.example", true, 9, now), trust.ErrNotSuperior},
		"foreign key":      {block(t, w.kreis, w.melle.Key, "boese.example", true, 9, now), trust.ErrUnknownKey},
		"expired":          {block(t, w.kreis, w.kreis.Key, "boese.example", true, 9, now.Add(-72*time.Hour)), trust.ErrExpired},
		"of the future":    {block(t, w.kreis, w.kreis.Key, "boese.example", true, 9, now.Add(time.Hour)), trust.ErrNotYet},
		"whole domain":     {block(t, w.kreis, w.kreis.Key, "example", true, 9, now), trust.ErrClaims},
		"not canonical":    {block(t, w.kreis, w.kreis.Key, "Boese.example", true, 9, now), trust.ErrClaims},
		"an address":       {block(t, w.kreis, w.kreis.Key, "https://boese.example/", true, 9, now), trust.ErrClaims},
		"of another kind":  {"x", trust.ErrToken},
		"signature broken": {genuine[:len(genuine)-4] + "AAAA", trust.ErrSignature},
	} {
		if err := r.Notice(c.compact); !errors.Is(err, c.want) || is() {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := r.Notice(genuine); err != nil || !is() {
		t.Fatalf("the hub's own was not taken: %v", err)
	}
	select {
	case <-r.Changed():
	default:
		t.Error("no signal")
	}
	// It survives a restart, even one without the hub.
	w.down(true, true)
	r = w.roster(t, dir)
	if err := r.Load(); err != nil || !is() {
		t.Fatalf("after a restart: %v, blocked %v", err, is())
	}
	w.down(false, false)
	// Opened again; the old notice has no effect any more.
	if err := r.Notice(block(t, w.kreis, w.kreis.Key, "boese.example", false, 4, now)); err != nil || is() {
		t.Fatalf("not opened: %v", err)
	}
	if err := r.Notice(genuine); err != nil || is() {
		t.Errorf("an old notice that was played again has an effect: %v", err)
	}
	// The Land above decides for itself; its Landkreis cannot open that.
	if err := r.Notice(block(t, w.land, w.land.Key, "boese.example", true, 1, now)); err != nil || !is() {
		t.Fatalf("the Land's was not taken: %v", err)
	}
	if err := r.Notice(block(t, w.kreis, w.kreis.Key, "boese.example", false, 5, now)); err != nil || !is() {
		t.Errorf("the Landkreis has opened what the Land has closed: %v", err)
	}
}

// A node that was away learns at the next refresh what was decided meanwhile.
func TestBlocksAreLearntAtRefresh(t *testing.T) {
	w := newWorld(t)
	r := w.roster(t, "")
	notices := []string{block(t, w.kreis, w.kreis.Key, "boese.example", true, 1, w.clock.Now())}
	w.Change(func() {
		w.kreis.Serve = func(rw http.ResponseWriter, req *http.Request) bool {
			if req.URL.Path != "/federation/notices" {
				return false
			}
			_ = json.NewEncoder(rw).Encode(map[string]any{"notices": notices})
			return true
		}
	})
	// The first refresh verifies the hub after it asked for notices; the next
	// one takes them.
	for range 2 {
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, is := r.Blocks().Blocked("https://boese.example/"); !is {
		t.Error("not learnt")
	}
}
