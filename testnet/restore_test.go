package testnet

import (
	"context"
	"os"
	"testing"
	"time"

	"rathausnetz/federation/mirror"
)

// TestRestart: a restart publishes nothing by itself, and a member whose data
// folder has lost its own catalogue goes on after the serial that the others
// have instead of sealing one twice.
func TestRestart(t *testing.T) {
	nw := startNetwork(t, Spec{})
	m, witness := nw.Member("bissendorf"), nw.Member("melle")
	before, _ := witness.sees(m)
	restart := func(loss func()) {
		t.Helper()
		if err := m.Stop(); err != nil {
			t.Fatal(err)
		}
		loss()
		if err := m.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		settled(t, nw)
		if s, _ := witness.sees(m); s.Serial != before.Serial || s.Copy != mirror.StateFresh || s.Error != "" {
			t.Errorf("serial %d is now %d, %s, %q", before.Serial, s.Serial, s.Copy, s.Error)
		}
		if own := m.serial(); own != before.Serial {
			t.Errorf("the member itself is at %d", own)
		}
	}
	restart(func() {})
	restart(func() {
		if err := os.RemoveAll(m.dir("data", "mirror")); err != nil {
			t.Fatal(err)
		}
	})
	if err := publishJourney(t.Context(), nw); err != nil {
		t.Error(err)
	}
	settled(t, nw)
}

// settled waits until everybody has everything.
func settled(t *testing.T, nw *Network) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
}
