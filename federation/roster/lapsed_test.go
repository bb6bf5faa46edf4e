package roster_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"rathausnetz/federation/roster"
)

// TestRestartLongAfterHubIsDown: a node that is started when all statements
// have run out knows whose copies it may show as old, and gives nobody a chain.
func TestRestartLongAfterHubIsDown(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	r := w.roster(t, dir)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.down(true, true)
	// A notice that comes while the hub is away still counts, and nothing that
	// is saved then forgets who was a member.
	w.clock.Add(90 * time.Minute) // statements live one hour
	if err := r.Notice(notice(t, w.kreis, w.kreis.Key, w.bohmte, 1, w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(72 * time.Hour) // after the notice itself has run out
	for range 2 {               // also when nothing was refreshed in between
		r = w.roster(t, dir)
		if err := r.Load(); err != nil {
			t.Fatal(err)
		}
		if got := ids(r); len(got) != 0 {
			t.Errorf("members without statements: %v", got)
		}
		if _, err := r.Chain(w.melle.ID); !errors.Is(err, roster.ErrExpired) {
			t.Errorf("chain of one whose statements ran out: %v", err)
		}
		if _, ok := r.Lapsed(w.melle.ID); !ok || !slices.Contains(r.LapsedMembers(), w.melle.ID) {
			t.Error("its copy may not be shown")
		}
		if _, ok := r.Lapsed(w.bohmte.ID); ok {
			t.Error("one that was revoked is shown")
		}
	}
	// After a week nothing is shown.
	w.clock.Add(5 * 24 * time.Hour)
	late := w.roster(t, dir)
	if err := late.Load(); err != nil || len(late.LapsedMembers()) != 0 {
		t.Errorf("after a week: %v, %v", late.LapsedMembers(), err)
	}
	w.down(false, false)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Chain(w.melle.ID); err != nil {
		t.Errorf("with the hub back: %v", err)
	}
}
