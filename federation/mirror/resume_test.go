package mirror

import (
	"errors"
	"os"
	"strings"
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

// TestNothingPublishedYet: a member without a catalogue is no fault; the reason
// says so and not how an HTTP server does. Its first catalogue arrives.
func TestNothingPublishedYet(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	n.member("another").open()
	if err := reader.pull(t.Context(), owner.id, nil); !errors.Is(err, ErrUnpublished) || strings.Contains(err.Error(), "404") {
		t.Errorf("before anything was published: %v", err)
	}
	owner.publish(3)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil || !reader.holds(owner, 1) {
		t.Errorf("afterwards: %v", err)
	}
	owner.down(true)
	late := n.member("late").open()
	if err := late.pull(t.Context(), owner.id, nil); errors.Is(err, ErrUnpublished) {
		t.Errorf("a member that does not answer has published for all we know: %v", err)
	}
}
