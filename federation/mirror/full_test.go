package mirror

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFileSystemFull: the file system says that it has no room, at each step of
// a write. The good copy stays and is served, nothing half written is left, and
// with room again the next pull succeeds.
func TestFileSystemFull(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	owner.publish(20)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{packDir + " create", packDir + " write", packDir + " sync", currentDir + " create", currentDir + " write", currentDir + " rename"} {
		owner.publish(21)
		want, _ := owner.Own()
		reader.Mirror.disk.hook = func(now string) error {
			if now == step {
				return &os.PathError{Op: "write", Path: filepath.Join(reader.dir, now), Err: syscall.ENOSPC}
			}
			return nil
		}
		if err := reader.pull(t.Context(), owner.id, nil); !errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", step, err)
		}
		if !reader.holds(owner, want-1) {
			c, _ := reader.Copy(owner.id)
			t.Errorf("%s: shows %s", step, offers(c))
		}
		noTempFiles(t, reader.dir)
		reader.Mirror.disk.hook = nil
		if reader.open(); !reader.holds(owner, want-1) {
			t.Errorf("%s: lost after a restart", step)
		}
		if err := reader.pull(t.Context(), owner.id, nil); err != nil || !reader.holds(owner, want) {
			t.Errorf("%s: with room again: %v", step, err)
		}
	}
}
