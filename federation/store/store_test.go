package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
)

// clock is a time that only moves when told.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_800_000_000_000)
	return c
}
func (c *clock) Now() time.Time         { return time.UnixMilli(c.ms.Load()) }
func (c *clock) Elapse(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		c := newClock()
		return storetest.Subject{Store: store.NewMemory(c.Now), Elapse: c.Elapse}
	})
}

func openBolt(t testing.TB, path string, now func() time.Time) *store.Bolt {
	t.Helper()
	b, err := store.OpenBolt(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		c := newClock()
		return storetest.Subject{Store: openBolt(t, filepath.Join(t.TempDir(), "db"), c.Now), Elapse: c.Elapse}
	})
}

func TestBolt_ReopenKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := openBolt(t, path, nil)
	if err := b.Put(t.Context(), "t/a", []byte("1"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenBolt(path, nil); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("second open of a locked file: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := openBolt(t, path, nil).Get(t.Context(), "t/a"); err != nil || string(got) != "1" {
		t.Fatalf("after reopening: %q, %v", got, err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", fi.Mode(), err)
	}
}

func TestBolt_RefusesForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, []byte("not a database, but long enough to be read as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenBolt(path, nil); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
}

func TestBolt_ExpiredKeysLeaveTheFile(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "db")
	b := openBolt(t, path, c.Now)
	for round := range 10 {
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				if err := b.Put(t.Context(), fmt.Sprintf("t/%d-%d", i*7919%500, round), make([]byte, 1000), time.Minute); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		c.Elapse(2 * time.Minute)
	}
	// 5,000 records of 1 kB were written, 500 lived at any time. The file grows
	// by doubling: 4 MiB are enough, with all records it would have 8.
	if fi, err := os.Stat(path); err != nil || fi.Size() > 5<<20 {
		t.Fatalf("file has %d bytes, %v", fi.Size(), err)
	}
}

func openRedis(t testing.TB, cfg store.RedisConfig) *store.Redis {
	t.Helper()
	r, err := store.OpenRedis(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestRedis(t *testing.T) {
	addr := storetest.StartRedis(t).Addr
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		n++
		return storetest.Subject{Store: openRedis(t, store.RedisConfig{Addrs: []string{addr}, Prefix: fmt.Sprintf("[%d]*:", n)})}
	})
}

func TestRedis_EvictingIsRefused(t *testing.T) {
	r := storetest.StartRedis(t, "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
	if _, err := store.OpenRedis(t.Context(), store.RedisConfig{Addrs: []string{r.Addr}}); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
}

func TestRedis_FullFailsClosed(t *testing.T) {
	r := storetest.StartRedis(t, "--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
	s := openRedis(t, store.RedisConfig{Addrs: []string{r.Addr}})
	for i := range 10_000 {
		err := s.Create(t.Context(), fmt.Sprint("t/", i), make([]byte, 10_000), time.Hour)
		if errors.Is(err, store.ErrUnavailable) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("2 MB took 100 MB")
}

func TestRedis_DownAndHungFailFast(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "hung": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			r := storetest.StartRedis(t)
			s := openRedis(t, store.RedisConfig{Addrs: []string{r.Addr}})
			if err := r.Cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := s.Create(t.Context(), "t/a", nil, time.Hour); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
			if took := time.Since(start); took > 4*time.Second {
				t.Fatalf("took %v", took)
			}
			if signal != syscall.SIGSTOP {
				return
			}
			if err := r.Cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			storetest.Await(t, func(ctx context.Context) bool { return s.Put(ctx, "t/b", nil, 0) == nil })
		})
	}
}

func TestRedis_NobodyThere(t *testing.T) {
	addr := "127.0.0.1:" + storetest.FreePort(t)
	start := time.Now()
	if _, err := store.OpenRedis(t.Context(), store.RedisConfig{Addrs: []string{addr}}); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Fatalf("took %v", took)
	}
}

// benchStore measures the write pattern of one login: create, take, update.
func benchStore(b *testing.B, s store.Store) {
	var n atomic.Int64
	value := make([]byte, 600)
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := fmt.Sprint("t/", n.Add(1))
			if err := s.Create(b.Context(), key, value, time.Minute); err != nil {
				b.Error(err)
			}
			if _, err := s.Take(b.Context(), key); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkCreateTake(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchStore(b, store.NewMemory(nil)) })
	b.Run("bolt", func(b *testing.B) { benchStore(b, openBolt(b, filepath.Join(b.TempDir(), "db"), nil)) })
	b.Run("redis", func(b *testing.B) {
		benchStore(b, openRedis(b, store.RedisConfig{Addrs: []string{storetest.StartRedis(b).Addr}}))
	})
}

func BenchmarkGet(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) store.Store{
		"memory": func(b *testing.B) store.Store { return store.NewMemory(nil) },
		"bolt":   func(b *testing.B) store.Store { return openBolt(b, filepath.Join(b.TempDir(), "db"), nil) },
		"redis": func(b *testing.B) store.Store {
			return openRedis(b, store.RedisConfig{Addrs: []string{storetest.StartRedis(b).Addr}})
		},
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			if err := s.Put(b.Context(), "t/a", make([]byte, 600), time.Hour); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Get(b.Context(), "t/a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A change that panics is the caller's fault alone: whoever waits for the same
// commit gets an answer, and the store goes on.
func TestBoltChangeThatPanics(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "s.db"), nil)
	ctx := t.Context()
	var wg sync.WaitGroup
	panicked := make(chan any, 8)
	for i := range 32 {
		wg.Go(func() {
			if i%4 != 0 {
				if err := b.Put(ctx, fmt.Sprint("t/", i), []byte("v"), 0); err != nil {
					t.Error(err)
				}
				return
			}
			defer func() { panicked <- recover() }()
			_ = b.Update(ctx, "t/x", func([]byte) ([]byte, time.Duration, error) { panic("no such thing") })
		})
	}
	wg.Wait()
	close(panicked)
	for p := range panicked {
		if p != "no such thing" {
			t.Errorf("the caller was told %v", p)
		}
	}
	if _, err := b.Get(ctx, "t/1"); err != nil {
		t.Error(err)
	}
}
