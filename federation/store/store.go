package store

import (
	"context"
	"errors"
	"time"
)

// Errors every Store returns, wrapped with the key where that helps.
var (
	ErrNotFound    = errors.New("store: not found")
	ErrExists      = errors.New("store: exists already")
	ErrUnavailable = errors.New("store: unavailable") // callers fail closed: 503 with Retry-After
	ErrInvalid     = errors.New("store: key, value or ttl not allowed")
)

// MaxValue is the largest value accepted, in bytes.
const MaxValue = 1 << 20

// Store keeps small values by key. Keys are printable ASCII of at most 512
// bytes and begin with a namespace ("sso/code/…"). A ttl of zero means for
// ever; an expired key does not exist for any operation. Implementations are
// safe for concurrent use, and every method is one atomic step for its key:
// of many concurrent calls of Take or Create for one key exactly one succeeds.
type Store interface {
	// Get returns a copy of the value, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put writes the value whether or not the key exists.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Create writes the value only if the key does not exist, else ErrExists.
	Create(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Take returns the value and deletes the key in one step, or ErrNotFound.
	Take(ctx context.Context, key string) ([]byte, error)
	// Update replaces the value by what change returns. old is nil if the key
	// does not exist; returning nil deletes it. An error of change is
	// returned as it is and nothing is written. change may run several times; it
	// must be quick and must not call the store.
	Update(ctx context.Context, key string, change func(old []byte) (value []byte, ttl time.Duration, err error)) error
	// Delete removes the key; removing a missing key is no error.
	Delete(ctx context.Context, key string) error
	// Scan calls each for every key with the prefix, in ascending order of
	// keys, until each returns false. Keys written meanwhile may be missed.
	Scan(ctx context.Context, prefix string, each func(key string, value []byte) bool) error
	// Close releases the store. It is idempotent.
	Close() error
}
