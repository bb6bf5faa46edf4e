package links

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rathausnetz/federation"
)

const (
	resultPrefix = "links/result/"
	claimPrefix  = "links/claim/"
	claimFor     = 2 * time.Hour // longer than a host should take
)

func resultKey(raw string) string { return resultPrefix + federation.Sum([]byte(raw)).String() }

func (c *Checker) load(ctx context.Context) (map[string]Result, error) {
	out := map[string]Result{}
	err := c.cfg.Store.Scan(ctx, resultPrefix, func(_ string, b []byte) bool {
		var r Result
		if json.Unmarshal(b, &r) == nil {
			out[r.Address] = r
		}
		return len(out) < 2*MaxLinks
	})
	if err != nil {
		return nil, fmt.Errorf("results of links: %w", err)
	}
	return out, nil
}

func (c *Checker) save(ctx context.Context, r Result) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return c.cfg.Store.Put(ctx, resultKey(r.Address), b, max(keepFor, 2*c.cfg.Every))
}

// forget deletes the results of links that are in no record any more.
func (c *Checker) forget(ctx context.Context, known map[string]Result, wanted map[string]bool) error {
	if len(wanted) == 0 {
		return nil // nothing is published, or not yet
	}
	for raw := range known {
		if wanted[raw] {
			continue
		}
		if err := c.cfg.Store.Delete(ctx, resultKey(raw)); err != nil {
			return fmt.Errorf("results of links: %w", err)
		}
	}
	return nil
}
