package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"rathausnetz/federation/trust"
)

// How often one key set is fetched, whatever tokens arrive [SSO.md §10 G97].
const (
	keyCooldown  = time.Minute     // after any fetch, while a good set is held
	firstRetry   = 5 * time.Second // while none is held yet
	keyMaxAge    = time.Hour       // a set older than this is fetched again
	maxKeySets   = 64
	maxTokenSize = 64 << 10 // bytes, of ID tokens and logout tokens
)

// keySet holds the published keys of one provider: one fetch at a time, a
// cooldown between fetches, and the last good set for as long as no better
// one arrives [SSO.md §10 G98].
type keySet struct {
	url string
	c   *Client
	one chan struct{} // capacity 1: whoever holds it may fetch

	mu      sync.Mutex // guards the fields below
	keys    trust.JWKS
	tried   time.Time // last fetch, good or bad
	fetched time.Time // last good one
}

// open verifies a token with the keys at hand, and with fresh ones if its kid
// is unknown and the cooldown is over.
func (k *keySet) open(ctx context.Context, door trust.Door, raw string, typs []string) (*trust.Token, error) {
	keys, wait := k.state()
	if wait.age {
		if err := k.refresh(ctx); err != nil && keys.Keys() == 0 {
			return nil, err
		}
		keys, _ = k.state()
	}
	t, err := door.Open(raw, typs, keys)
	if !errors.Is(err, trust.ErrUnknownKey) {
		return t, err
	}
	if ferr := k.refresh(ctx); ferr != nil {
		return nil, errors.Join(err, ferr)
	}
	keys, _ = k.state()
	return door.Open(raw, typs, keys)
}

type due struct{ age, cool bool }

// state returns the keys, whether the set is old, and whether a fetch is
// allowed now.
func (k *keySet) state() (trust.JWKS, due) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.c.c.Now()
	pause := keyCooldown
	if k.keys.Keys() == 0 {
		pause = firstRetry
	}
	// A clock that was set back must not stop fetching for an hour.
	cool := k.tried.IsZero() || now.Sub(k.tried) >= pause || now.Before(k.tried)
	return k.keys, due{age: cool && (k.fetched.IsZero() || now.Sub(k.fetched) >= keyMaxAge), cool: cool}
}

// refresh fetches the set unless the cooldown forbids it; that is no error.
func (k *keySet) refresh(ctx context.Context) error {
	select {
	case k.one <- struct{}{}:
		defer func() { <-k.one }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
	if _, d := k.state(); !d.cool {
		return nil
	}
	keys, err := k.fetch(ctx)
	if err != nil && ctx.Err() != nil {
		return err // the caller gave up; that says nothing about the provider
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried = k.c.c.Now()
	if err != nil {
		k.c.c.Log.Error("key set not usable, last good one kept", "url", k.url, "err", err)
		return err
	}
	k.keys, k.fetched = keys, k.tried
	return nil
}

func (k *keySet) fetch(ctx context.Context) (trust.JWKS, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return trust.JWKS{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	a, err := k.c.do(req)
	if err != nil {
		return trust.JWKS{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if a.status != http.StatusOK {
		return trust.JWKS{}, fmt.Errorf("%w: status %d", ErrKeys, a.status)
	}
	keys, err := trust.ParseJWKS(a.body)
	if err != nil {
		return trust.JWKS{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if keys.Keys() == 0 {
		return trust.JWKS{}, fmt.Errorf("%w: no signature key in it", ErrKeys)
	}
	return keys, nil
}

// open verifies a token of m: first with the keys that its metadata carries,
// then with those it publishes.
func (c *Client) open(ctx context.Context, m *Metadata, raw string, typs []string) (*trust.Token, error) {
	door := trust.Door{Algorithms: m.algorithms(), MaxBytes: maxTokenSize}
	if m.Keys.Keys() > 0 {
		t, err := door.Open(raw, typs, m.Keys)
		if m.JWKSURI == "" || !errors.Is(err, trust.ErrUnknownKey) {
			return t, err
		}
	}
	return c.keySet(m).open(ctx, door, raw, typs)
}

func (c *Client) keySet(m *Metadata) *keySet {
	name := m.Issuer + "\x00" + m.JWKSURI
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.sets[name]; k != nil {
		return k
	}
	if len(c.sets) >= maxKeySets {
		clear(c.sets) // far more providers than a network has; each is fetched again
	}
	k := &keySet{url: m.JWKSURI, c: c, one: make(chan struct{}, 1)}
	c.sets[name] = k
	return k
}
