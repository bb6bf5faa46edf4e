package anchor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/trust/trusttest"
)

// The hub connects back to whoever asks, not to anybody else, and not often.
func TestProbe(t *testing.T) {
	c := clocktest.At(time.Now())
	f := trusttest.New(c.Now)
	t.Cleanup(f.Close)
	var looked []federation.EntityID // the server answers one request at a time here
	h := addHub(t, f, c, "kreis", func(cfg *anchor.Config) {
		cfg.Probe = func(_ context.Context, m anchor.Member) anchor.Reach {
			looked = append(looked, m.ID)
			return anchor.Reach{Portal: "ok", Gossip: "no answer in time", Heard: "dead"}
		}
	})
	melle, bohmte := h.member(t, "melle", "034590024024"), h.member(t, "bohmte", "034590013013")
	got, err := melle.Probe(t.Context(), melle.ticket)
	if err != nil || got != (anchor.Reach{Portal: "ok", Gossip: "no answer in time", Heard: "dead"}) {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := melle.Probe(t.Context(), melle.ticket); !errors.Is(err, anchor.ErrTooSoon) {
		t.Errorf("at once again: %v", err)
	}
	if _, err := bohmte.Probe(t.Context(), bohmte.ticket); err != nil {
		t.Errorf("another member: %v", err)
	}
	c.Add(11 * time.Second)
	if _, err := melle.Probe(t.Context(), melle.ticket); err != nil {
		t.Errorf("a while later: %v", err)
	}
	if want := []federation.EntityID{melle.entity.ID, bohmte.entity.ID, melle.entity.ID}; !slices.Equal(looked, want) {
		t.Errorf("looked at %v, want %v", looked, want)
	}

	stranger := h.applicant(t, "fremd")
	if _, err := stranger.Probe(t.Context(), melle.ticket); !errors.Is(err, anchor.ErrNotMember) {
		t.Errorf("a stranger: %v", err)
	}
	if err := h.Suspend(t.Context(), "operator", bohmte.entity.ID, ""); err != nil {
		t.Fatal(err)
	}
	c.Add(11 * time.Second)
	if _, err := bohmte.Probe(t.Context(), bohmte.ticket); !errors.Is(err, anchor.ErrNotMember) {
		t.Errorf("a suspended member: %v", err)
	}
	if len(looked) != 3 {
		t.Errorf("looked at %v", looked)
	}
}

// A hub that cannot look says so.
func TestProbeNotOffered(t *testing.T) {
	h := newHub(t)
	melle := h.member(t, "melle", "034590024024")
	if _, err := melle.Probe(t.Context(), melle.ticket); !errors.Is(err, anchor.ErrHub) {
		t.Errorf("%v", err)
	}
}
