package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// Bolt keeps everything in one file. Every write is on disk (fdatasync) when
// the call returns; writers that wait at the same time share one commit.
type Bolt struct {
	db  *bbolt.DB
	now func() time.Time

	mu    sync.Mutex // guards queue and busy
	queue []*job
	busy  bool // a writer is committing and will hand over to queue[0]

	sweepFrom []byte // owned by whoever commits
}

// job is one write that waits for its commit.
type job struct {
	run   func(t *table) error
	err   error
	fault any       // what run panicked with; it belongs to whoever queued the job
	turn  chan bool // true: commit the next group yourself; false: err is set
}

// do runs the job. A fault of one writer must not take the others of its group
// along.
func (j *job) do(t *table) {
	defer func() { j.fault = recover() }()
	j.err = j.run(t)
}

// result is what the writer is told.
func (j *job) result() error {
	if j.fault != nil {
		panic(j.fault)
	}
	return j.err
}

const (
	maxGroup    = 512             // writes in one commit
	sweepBolt   = 4               // keys looked at for expiry, per write
	lockTimeout = 2 * time.Second // for the file lock
)

var bucketName = []byte("rathausnetz-1")

// OpenBolt opens or creates the file (mode 0600). It is ErrUnavailable if
// another process has it open. now nil means time.Now.
func OpenBolt(path string, now func() time.Time) (*Bolt, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:        lockTimeout,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: open %s: %w (is another process using it?)", ErrUnavailable, path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketName)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: prepare %s: %w", ErrUnavailable, path, err), db.Close())
	}
	return &Bolt{db: db, now: clock(now)}, nil
}

// Get implements Store.
func (b *Bolt) Get(ctx context.Context, key string) ([]byte, error) {
	raw, err := b.read(ctx, key)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return raw[endSize:], nil
}

// read returns a copy of the live record, nil if there is none.
func (b *Bolt) read(ctx context.Context, key string) (raw []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = b.db.View(func(tx *bbolt.Tx) error {
		t := table{bucket: tx.Bucket(bucketName), now: b.now()}
		raw = bytes.Clone(t.get(key))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrUnavailable, key, err)
	}
	return raw, nil
}

// Put implements Store.
func (b *Bolt) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, value, ttl); err != nil {
		return err
	}
	return b.write(ctx, func(t *table) error { return t.put(key, value, ttl) })
}

// Create implements Store.
func (b *Bolt) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, value, ttl); err != nil {
		return err
	}
	return b.write(ctx, func(t *table) error {
		if t.get(key) != nil {
			return fmt.Errorf("%w: %s", ErrExists, key)
		}
		return t.put(key, value, ttl)
	})
}

// Take implements Store.
func (b *Bolt) Take(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := b.write(ctx, func(t *table) error {
		raw := bytes.Clone(t.get(key))
		// An expired one goes too: a clock that goes back must not revive it.
		if err := t.delete(key); err != nil {
			return err
		}
		if raw == nil {
			return fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		value = raw[endSize:]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// Update implements Store. change runs inside the commit that others share, so
// that callers who meet at one key do not have to try again.
func (b *Bolt) Update(ctx context.Context, key string, change func([]byte) ([]byte, time.Duration, error)) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return b.write(ctx, func(t *table) error {
		var old []byte
		if raw := t.get(key); raw != nil {
			old = bytes.Clone(raw[endSize:])
		}
		value, ttl, err := change(old)
		if err == nil {
			err = checkWrite(key, value, ttl)
		}
		switch {
		case err != nil:
			return err
		case value == nil:
			return t.delete(key)
		}
		return t.put(key, value, ttl)
	})
}

// Delete implements Store.
func (b *Bolt) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return b.write(ctx, func(t *table) error { return t.delete(key) })
}

// scanStep is how many keys one read transaction of Scan visits: a slow
// caller must not hold old pages for ever.
const scanStep = 500

// Scan implements Store.
func (b *Bolt) Scan(ctx context.Context, prefix string, each func(string, []byte) bool) error {
	from := []byte(prefix)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var keys []string
		var values [][]byte
		var next []byte
		err := b.db.View(func(tx *bbolt.Tx) error {
			t := table{bucket: tx.Bucket(bucketName), now: b.now()}
			keys, values, next = t.scan([]byte(prefix), from, scanStep)
			return nil
		})
		if err != nil {
			return fmt.Errorf("%w: scan %s: %w", ErrUnavailable, prefix, err)
		}
		for i, key := range keys {
			if !each(key, values[i]) {
				return nil
			}
		}
		if next == nil {
			return nil
		}
		from = next
	}
}

// WriteTo writes a consistent copy of the whole file: a backup of a running
// node. Writers go on meanwhile.
func (b *Bolt) WriteTo(w io.Writer) (n int64, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	return n, err
}

// Close implements Store; afterwards every call returns ErrUnavailable.
func (b *Bolt) Close() error { return b.db.Close() }

// write queues one write and returns when it is on disk. The first waiting
// writer commits for all who wait, then hands over: a group is as large as
// what arrived during the previous commit, and nobody waits for a timer.
func (b *Bolt) write(ctx context.Context, run func(*table) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{run: run, turn: make(chan bool, 1)}
	b.mu.Lock()
	b.queue = append(b.queue, j)
	if b.busy {
		b.mu.Unlock()
		// Commits take milliseconds and end in any case, so ctx need not be
		// watched here; and a writer who is to lead must not walk away.
		if lead := <-j.turn; !lead {
			return j.result()
		}
		b.mu.Lock()
	}
	b.busy = true
	n := min(len(b.queue), maxGroup)
	group := b.queue[:n:n]
	b.queue = b.queue[n:]
	b.mu.Unlock()

	b.commit(group)

	b.mu.Lock()
	if len(b.queue) > 0 {
		b.queue[0].turn <- true
	} else {
		b.queue, b.busy = nil, false
	}
	b.mu.Unlock()
	for _, other := range group {
		if other != j {
			other.turn <- false
		}
	}
	return j.result()
}

func (b *Bolt) commit(group []*job) {
	err := b.db.Update(func(tx *bbolt.Tx) error {
		t := &table{bucket: tx.Bucket(bucketName), now: b.now()}
		for _, j := range group {
			j.do(t)
		}
		if !t.dirty {
			return errNothing // no commit, no fsync
		}
		b.sweepFrom = t.sweep(b.sweepFrom, sweepBolt*len(group))
		return nil
	})
	if err == nil || errors.Is(err, errNothing) {
		return
	}
	for _, j := range group {
		j.err = fmt.Errorf("%w: commit: %w", ErrUnavailable, err)
	}
}

var (
	errNothing = errors.New("store: nothing to write")
	errClosed  = fmt.Errorf("%w: closed", ErrUnavailable)
)

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// table reads and writes records inside one transaction. A record is its end
// (8 bytes, big endian, milliseconds, 0 = never) and the value.
type table struct {
	bucket *bbolt.Bucket
	now    time.Time
	dirty  bool
}

const endSize = 8

// get returns the live record in the transaction's own memory, else nil.
func (t *table) get(key string) []byte {
	raw := t.bucket.Get([]byte(key))
	if len(raw) < endSize || t.expired(raw) {
		return nil
	}
	return raw
}

func (t *table) expired(raw []byte) bool {
	return gone(int64(binary.BigEndian.Uint64(raw)), t.now.UnixMilli())
}

func (t *table) put(key string, value []byte, ttl time.Duration) error {
	raw := make([]byte, endSize, endSize+len(value))
	binary.BigEndian.PutUint64(raw, uint64(deadline(t.now, ttl)))
	t.dirty = true
	return t.bucket.Put([]byte(key), append(raw, value...))
}

func (t *table) delete(key string) error {
	if t.bucket.Get([]byte(key)) == nil {
		return nil
	}
	t.dirty = true
	return t.bucket.Delete([]byte(key))
}

// scan returns copies of up to limit live records and where to go on.
func (t *table) scan(prefix, from []byte, limit int) (keys []string, values [][]byte, next []byte) {
	c := t.bucket.Cursor()
	for k, raw := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, raw = c.Next() {
		if len(keys) == limit {
			return keys, values, bytes.Clone(k)
		}
		if len(raw) >= endSize && !t.expired(raw) {
			keys = append(keys, string(k))
			values = append(values, bytes.Clone(raw[endSize:]))
		}
	}
	return keys, values, nil
}

// sweep looks at n keys from where the last sweep stopped, drops the expired
// ones and returns where to go on. What it misses now it meets on the next
// round: with four keys looked at per write, at most a third more keys than
// the living ones stay in the file.
func (t *table) sweep(from []byte, n int) []byte {
	var dead [][]byte
	c := t.bucket.Cursor()
	k, raw := c.Seek(from)
	for ; k != nil && n > 0; k, raw = c.Next() {
		n--
		if len(raw) >= endSize && t.expired(raw) {
			dead = append(dead, bytes.Clone(k))
		}
	}
	next := bytes.Clone(k)
	for _, key := range dead {
		if err := t.bucket.Delete(key); err != nil {
			return nil // only a read-only or foreign bucket: it stays for the next round
		}
	}
	return next
}
