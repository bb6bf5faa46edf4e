package store

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory keeps everything in the process; it is lost with it.
type Memory struct {
	now func() time.Time

	mu     sync.RWMutex // guards the fields below
	items  map[string]*item
	ends   endings
	closed bool
}

type item struct {
	key   string
	value []byte // never changed in place
	end   int64  // milliseconds, 0 = never
	index int    // in ends, -1 = not there
}

// sweepMemory is how many expired keys one write drops at most.
const sweepMemory = 4

// NewMemory returns an empty store. now nil means time.Now.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: clock(now), items: make(map[string]*item)}
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := m.now().UnixMilli()
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, errClosed
	}
	it := m.items[key]
	if it == nil || gone(it.end, now) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return bytes.Clone(it.value), nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, value, ttl); err != nil {
		return err
	}
	return m.write(ctx, func(now time.Time) error {
		m.set(key, value, deadline(now, ttl))
		return nil
	})
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, value, ttl); err != nil {
		return err
	}
	return m.write(ctx, func(now time.Time) error {
		if it := m.items[key]; it != nil && !gone(it.end, now.UnixMilli()) {
			return fmt.Errorf("%w: %s", ErrExists, key)
		}
		m.set(key, value, deadline(now, ttl))
		return nil
	})
}

// Take implements Store.
func (m *Memory) Take(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := m.write(ctx, func(now time.Time) error {
		it := m.items[key]
		if it == nil {
			return fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		m.drop(it) // an expired one too: a clock that goes back must not revive it
		if gone(it.end, now.UnixMilli()) {
			return fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		value = it.value
		return nil
	})
	return value, err
}

// Update implements Store.
func (m *Memory) Update(ctx context.Context, key string, change func([]byte) ([]byte, time.Duration, error)) error {
	for range maxTries {
		old, err := m.Get(ctx, key)
		if err != nil && !isNotFound(err) {
			return err
		}
		value, ttl, err := change(bytes.Clone(old))
		if err != nil {
			return err
		}
		if err := checkWrite(key, value, ttl); err != nil {
			return err
		}
		done, err := m.swap(ctx, key, old, value, ttl)
		if done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: %s changed %d times meanwhile", ErrUnavailable, key, maxTries)
}

func (m *Memory) swap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (done bool, err error) {
	err = m.write(ctx, func(now time.Time) error {
		var have []byte
		it := m.items[key]
		if it != nil && !gone(it.end, now.UnixMilli()) {
			have = it.value
		}
		if (have == nil) != (old == nil) || !bytes.Equal(have, old) {
			return nil
		}
		done = true
		switch {
		case value != nil:
			m.set(key, value, deadline(now, ttl))
		case it != nil:
			m.drop(it)
		}
		return nil
	})
	return done, err
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string) error {
	return m.write(ctx, func(time.Time) error {
		if it := m.items[key]; it != nil {
			m.drop(it)
		}
		return nil
	})
}

// Scan implements Store.
func (m *Memory) Scan(ctx context.Context, prefix string, each func(string, []byte) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := m.now().UnixMilli()
	var found []*item
	m.mu.RLock()
	closed := m.closed
	for key, it := range m.items {
		if strings.HasPrefix(key, prefix) && !gone(it.end, now) {
			found = append(found, &item{key: key, value: it.value})
		}
	}
	m.mu.RUnlock()
	if closed {
		return errClosed
	}
	slices.SortFunc(found, func(a, b *item) int { return strings.Compare(a.key, b.key) })
	for _, it := range found {
		if !each(it.key, bytes.Clone(it.value)) {
			return nil
		}
	}
	return nil
}

// Close implements Store; afterwards every call returns ErrUnavailable.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.items, m.ends = true, nil, nil
	return nil
}

func (m *Memory) write(ctx context.Context, do func(now time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	now := m.now()
	for range sweepMemory {
		if len(m.ends) == 0 || !gone(m.ends[0].end, now.UnixMilli()) {
			break
		}
		m.drop(m.ends[0])
	}
	return do(now)
}

// set stores a copy of value; an empty value is kept as empty, not as nil.
func (m *Memory) set(key string, value []byte, end int64) {
	if old := m.items[key]; old != nil {
		m.drop(old)
	}
	it := &item{key: key, value: append([]byte{}, value...), end: end, index: -1}
	m.items[key] = it
	if end != 0 {
		heap.Push(&m.ends, it)
	}
}

func (m *Memory) drop(it *item) {
	delete(m.items, it.key)
	if it.index >= 0 {
		heap.Remove(&m.ends, it.index)
	}
}

// endings is a heap of items by their end, soonest first.
type endings []*item

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].end < e[j].end }
func (e endings) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].index, e[j].index = i, j
}

// Push implements heap.Interface.
func (e *endings) Push(x any) {
	it := x.(*item)
	it.index = len(*e)
	*e = append(*e, it)
}

// Pop implements heap.Interface.
func (e *endings) Pop() any {
	last := len(*e) - 1
	it := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	it.index = -1
	return it
}
