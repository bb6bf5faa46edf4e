package mirror

import (
	"errors"
	"os"
	"testing"
)

// TestCatchUpAfterARestore: a member whose data folder is of yesterday learns
// from the others how far it was, and goes on from there.
func TestCatchUpAfterARestore(t *testing.T) {
	n := newNet(t)
	owner := n.member("owner").open()
	holder := n.member("holder").open()
	owner.publish(5)
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(owner.dir)); err != nil {
		t.Fatal(err)
	}
	owner.publish(6)
	owner.publish(7)
	if err := holder.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(owner.dir); err != nil {
		t.Fatal(err)
	}
	owner.dir = backup
	owner.open()
	if serial, _ := owner.Own(); serial != 1 {
		t.Fatalf("restored at serial %d", serial)
	}
	if err := owner.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := owner.OwnCopy(t.Context()); err != nil || c.Serial != 3 || len(c.Catalogue.Offers) != 7 {
		t.Errorf("caught up with %s, %v", offers(c), err)
	}
	owner.publish(8)
	if err := holder.pull(t.Context(), owner.id, nil); err != nil || !holder.holds(owner, 4) {
		t.Errorf("the next serial: %v", err)
	}
	holder.down(true)
	if err := owner.CatchUp(t.Context()); err != nil {
		t.Errorf("an answer without a catalogue is an answer: %v", err)
	}
	holder.server.Close()
	if err := owner.CatchUp(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody answers: %v", err)
	}
}

// TestCatchUpTooLate: the serial was sealed anew before anybody was asked.
func TestCatchUpTooLate(t *testing.T) {
	n := newNet(t)
	owner, holder := n.member("owner").open(), n.member("holder").open()
	owner.publish(5)
	if err := holder.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	owner.dir = t.TempDir()
	owner.open()
	owner.publish(6)
	if err := owner.CatchUp(t.Context()); !errors.Is(err, ErrEquivocates) {
		t.Errorf("got %v", err)
	}
}

// TestOwnCopyDoesNotWaitForRun: at a start the own membership is verified
// after the disk was read.
func TestOwnCopyDoesNotWaitForRun(t *testing.T) {
	n := newNet(t)
	owner := n.member("owner").open()
	owner.publish(5)
	n.revoke(owner.id, errRevoked)
	owner.open()
	if c, err := owner.OwnCopy(t.Context()); err != nil || c.Catalogue != nil {
		t.Errorf("without membership: %s, %v", offers(c), err)
	}
	n.revoke(owner.id, nil)
	if c, err := owner.OwnCopy(t.Context()); err != nil || c.Serial != 1 || len(c.Catalogue.Offers) != 5 {
		t.Errorf("%s, %v", offers(c), err)
	}
}
