package visits_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/portal/visits"
)

func TestCounter(t *testing.T) {
	now := time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)
	st := store.NewMemory(func() time.Time { return now })
	t.Cleanup(func() { st.Close() })
	c := visits.New(st, func() time.Time { return now }, nil)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 100 {
				c.Count("99102013104000")
			}
			c.Count("t:1")
		})
	}
	wg.Wait()
	c.Flush(t.Context())
	now = now.AddDate(0, 0, 1)
	c.Count("t:1")
	c.Count("")
	c.Count(strings.Repeat("x", 101))
	sum := func(days int) string {
		s, err := c.Sums(t.Context(), days)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(s)
	}
	if got := sum(30); got != "map[99102013104000:1000 t:1:11]" {
		t.Error(got)
	}
	if got := sum(1); got != "map[t:1:1]" {
		t.Error(got)
	}
	// What is counted when the node stops is not lost.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = c.Run(ctx)
	if got := fmt.Sprint(visits.New(st, func() time.Time { return now }, nil).Sums(t.Context(), 30)); !strings.Contains(got, "t:1:11") {
		t.Error(got)
	}
	now = now.AddDate(0, 0, 101)
	if got := sum(365); got != "map[]" {
		t.Errorf("after 100 days: %s", got)
	}
}
