package visits

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rathausnetz/federation/store"
)

const (
	prefix     = "visits/"
	keepFor    = 100 * 24 * time.Hour
	flushEvery = time.Minute
	maxKeys    = 8000 // of one day: a value of the store has 1 MiB
	maxKey     = 100  // bytes
)

// Counter counts in memory and adds to the store once a minute. It is safe for
// concurrent use and by several replicas over one store.
type Counter struct {
	store store.Store
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	pending map[string]int // guarded by mu
}

// New does no I/O. now nil means time.Now, log nil discards.
func New(st store.Store, now func() time.Time, log *slog.Logger) *Counter {
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Counter{store: st, now: now, log: log, pending: map[string]int{}}
}

// Count adds one to a page: a LeiKa key or the ID of an offer.
func (c *Counter) Count(page string) {
	if page == "" || len(page) > maxKey {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.pending[page]; ok || len(c.pending) < maxKeys {
		c.pending[page]++
	}
}

// Run writes down what was counted, the last time when ctx ends.
func (c *Counter) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			c.Flush(last)
			return ctx.Err()
		case <-tick.C:
			c.Flush(ctx)
		}
	}
}

// Flush adds what was counted to the sums of the day. What cannot be written
// is lost: a count is not worth more.
func (c *Counter) Flush(ctx context.Context) {
	c.mu.Lock()
	counted := c.pending
	c.pending = map[string]int{}
	c.mu.Unlock()
	if len(counted) == 0 {
		return
	}
	key := prefix + c.now().UTC().Format(time.DateOnly)
	err := c.store.Update(ctx, key, func(old []byte) ([]byte, time.Duration, error) {
		day := map[string]int{}
		if old != nil {
			if err := json.Unmarshal(old, &day); err != nil {
				return nil, 0, err
			}
		}
		for page, n := range counted {
			if _, ok := day[page]; ok || len(day) < maxKeys {
				day[page] += n
			}
		}
		b, err := json.Marshal(day)
		return b, keepFor, err
	})
	if err != nil {
		c.log.Warn("visits were not written", "err", err)
	}
}

// Sums returns how often each page was opened in the last days, today
// included, also what is not written yet.
func (c *Counter) Sums(ctx context.Context, days int) (map[string]int, error) {
	first := prefix + c.now().UTC().AddDate(0, 0, 1-days).Format(time.DateOnly)
	out := map[string]int{}
	var broken error
	err := c.store.Scan(ctx, prefix, func(key string, b []byte) bool {
		if key < first {
			return true
		}
		day := map[string]int{}
		if broken = json.Unmarshal(b, &day); broken != nil {
			return false
		}
		for page, n := range day {
			out[page] += n
		}
		return true
	})
	if err == nil {
		err = broken
	}
	if err != nil {
		return nil, fmt.Errorf("visits: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for page, n := range c.pending {
		out[page] += n
	}
	return out, nil
}
