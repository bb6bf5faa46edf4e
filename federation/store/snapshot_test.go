package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

// A snapshot taken while others write is whole: of two values that are always
// written one after the other it never holds only the second.
func TestBolt_SnapshotIsOneMoment(t *testing.T) {
	dir := t.TempDir()
	b := openBolt(t, filepath.Join(dir, "db"), nil)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	begun := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			for _, k := range []string{"first", "second"} {
				if err := b.Create(t.Context(), fmt.Sprintf("t/%s/%06d", k, i), make([]byte, 4096), 0); err != nil {
					t.Error(err)
					return
				}
			}
			if i == 3 {
				close(begun)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-begun
	for n := range 5 {
		path := filepath.Join(dir, fmt.Sprint("copy", n))
		if err := b.Snapshot(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		c := openBolt(t, path, nil)
		count := map[string]int{}
		for _, k := range []string{"first", "second"} {
			if err := c.Scan(t.Context(), "t/"+k+"/", func(string, []byte) bool { count[k]++; return true }); err != nil {
				t.Fatal(err)
			}
		}
		if d := count["first"] - count["second"]; count["second"] < 3 || d < 0 || d > 1 {
			t.Errorf("snapshot %d holds %v", n, count)
		}
		if err := b.Snapshot(t.Context(), path); err == nil {
			t.Error("a snapshot was written over a file")
		}
	}
	close(stop)
	wg.Wait()
}
