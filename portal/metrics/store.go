package metrics

import (
	"context"
	"errors"
	"time"

	"rathausnetz/federation/store"
)

var operations = [...]string{"get", "put", "create", "take", "update", "delete", "scan"}

// Store returns s with every operation timed and the unavailable ones counted.
func (m *Metrics) Store(s store.Store) store.Store { return &timed{m: m, Store: s} }

type timed struct {
	store.Store // closed as it is
	m           *Metrics
}

func (t *timed) note(operation string, begun time.Time, err error) {
	t.m.storeTime.WithLabelValues(operation).Observe(time.Since(begun).Seconds())
	if errors.Is(err, store.ErrUnavailable) {
		t.m.storeErrors.WithLabelValues(operation).Inc()
	}
}

// Get implements store.Store, as do the others below.
func (t *timed) Get(ctx context.Context, key string) (value []byte, err error) {
	defer func(begun time.Time) { t.note("get", begun, err) }(time.Now())
	return t.Store.Get(ctx, key)
}

func (t *timed) Put(ctx context.Context, key string, value []byte, ttl time.Duration) (err error) {
	defer func(begun time.Time) { t.note("put", begun, err) }(time.Now())
	return t.Store.Put(ctx, key, value, ttl)
}

func (t *timed) Create(ctx context.Context, key string, value []byte, ttl time.Duration) (err error) {
	defer func(begun time.Time) { t.note("create", begun, err) }(time.Now())
	return t.Store.Create(ctx, key, value, ttl)
}

func (t *timed) Take(ctx context.Context, key string) (value []byte, err error) {
	defer func(begun time.Time) { t.note("take", begun, err) }(time.Now())
	return t.Store.Take(ctx, key)
}

func (t *timed) Update(ctx context.Context, key string, change func([]byte) ([]byte, time.Duration, error)) (err error) {
	defer func(begun time.Time) { t.note("update", begun, err) }(time.Now())
	return t.Store.Update(ctx, key, change)
}

func (t *timed) Delete(ctx context.Context, key string) (err error) {
	defer func(begun time.Time) { t.note("delete", begun, err) }(time.Now())
	return t.Store.Delete(ctx, key)
}

func (t *timed) Scan(ctx context.Context, prefix string, each func(string, []byte) bool) (err error) {
	defer func(begun time.Time) { t.note("scan", begun, err) }(time.Now())
	return t.Store.Scan(ctx, prefix, each)
}
