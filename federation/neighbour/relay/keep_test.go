package relay

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"rathausnetz/federation"
)

// TestKeptBounds: what a hub keeps does not grow without end; the oldest go.
func TestKeptBounds(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	k, err := OpenKept(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	name := func(i int) federation.Digest { return federation.Sum([]byte(strconv.Itoa(i))) }
	const last = keptFiles + 50
	for i := range last + 1 {
		if err := k.put(name(i), "a.b.c", now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+keptExt))
	if err != nil || len(files) > keptFiles || len(files) < keptFiles/2 || len(files) != k.Len() {
		t.Errorf("%d files, %d held, %v", len(files), k.Len(), err)
	}
	if s, err := k.get(name(0)); s != "" || err != nil {
		t.Errorf("the oldest is there: %q, %v", s, err)
	}
	if s, err := k.get(name(last)); s != "a.b.c" || err != nil {
		t.Errorf("the newest: %q, %v", s, err)
	}
}
