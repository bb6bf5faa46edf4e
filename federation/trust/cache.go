package trust

import (
	"errors"
	"sync"
	"time"

	"rathausnetz/federation"
)

// chainCache keeps verified chains until they expire and failures for a short
// while, at most max of both together.
type chainCache struct {
	max int

	mu      sync.RWMutex
	entries map[federation.EntityID]cacheEntry // guarded by mu
}

// cacheEntry is a chain, or an error with the time until which it counts.
type cacheEntry struct {
	chain *Chain
	at    time.Time // when it was verified
	err   error
	until time.Time // of err
}

func (e cacheEntry) holds(now time.Time) bool {
	if e.chain != nil {
		return e.chain.Valid(now)
	}
	return now.Before(e.until)
}

func newChainCache(most int) *chainCache {
	return &chainCache{max: most, entries: make(map[federation.EntityID]cacheEntry)}
}

// get returns what is known about id and holds at now.
func (c *chainCache) get(id federation.EntityID, now time.Time) (cacheEntry, bool) {
	c.mu.RLock()
	e, ok := c.entries[id]
	c.mu.RUnlock()
	return e, ok && e.holds(now)
}

// recent is get for chains verified at most ttl ago. A clock that was set back
// makes an entry old, not young.
func (c *chainCache) recent(id federation.EntityID, now time.Time, ttl time.Duration) (cacheEntry, bool) {
	e, ok := c.get(id, now)
	if age := now.Sub(e.at); ok && e.chain != nil && (age < 0 || age > ttl) {
		return cacheEntry{}, false
	}
	return e, ok
}

// valid returns the chain of id if it holds at now, however old it is.
func (c *chainCache) valid(id federation.EntityID, now time.Time) (*Chain, bool) {
	e, ok := c.get(id, now)
	return e.chain, ok && e.chain != nil
}

// put keeps a chain that was verified at this time.
func (c *chainCache) put(chain *Chain, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room(at)
	c.entries[chain.Leaf] = cacheEntry{chain: chain, at: at}
}

// fail remembers a failure. A chain that still holds survives a network that
// does not answer and an anchor that shows foreign keys, but nothing that its
// superior has said about it.
func (c *chainCache) fail(id federation.EntityID, err error, now time.Time, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	soft := errors.Is(err, ErrFetch) || errors.Is(err, ErrAddress) || errors.Is(err, ErrLimit) || errors.Is(err, ErrAnchorKeys)
	if e, ok := c.entries[id]; ok && e.chain != nil && e.holds(now) && soft && !errors.Is(err, ErrNotFound) {
		return
	}
	c.room(now)
	c.entries[id] = cacheEntry{err: err, until: now.Add(ttl)}
}

func (c *chainCache) drop(id federation.EntityID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, id)
}

// room makes place for one more entry: first failures and what has expired,
// then anything. The caller holds mu.
func (c *chainCache) room(now time.Time) {
	if len(c.entries) < c.max {
		return
	}
	for id, e := range c.entries {
		if e.chain == nil || !e.holds(now) {
			delete(c.entries, id)
		}
	}
	for id := range c.entries {
		if len(c.entries) < c.max {
			return
		}
		delete(c.entries, id)
	}
}
