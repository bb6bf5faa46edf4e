package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/store"
)

// Subject is a store under test.
type Subject struct {
	Store store.Store
	// Elapse moves the store's clock; nil if it runs on real time. The suite
	// waits for the effect in either case.
	Elapse func(time.Duration)
}

// racers is how many goroutines fight for one key.
const racers = 50

// Run runs the suite; open is called once per case and returns an empty store.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"get what was put":           getPut,
		"create only once":           createOnce,
		"take only once":             takeOnce,
		"take race":                  takeRace,
		"create race":                createRace,
		"update counts every call":   updateRace,
		"update creates, deletes":    updateCases,
		"expiry":                     expiry,
		"expiry is renewed":          renewed,
		"scan in order":              scan,
		"values are copies":          copies,
		"refuses bad input":          refuses,
		"cancelled context":          cancelled,
		"closed store is unusable":   closed,
		"many keys, all still there": many,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Store.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(t, s)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func wantValue(t *testing.T, s store.Store, key, want string) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	must(t, err)
	if string(got) != want {
		t.Fatalf("%s = %q, want %q", key, got, want)
	}
}

func getPut(t *testing.T, s Subject) {
	ctx := t.Context()
	_, err := s.Store.Get(ctx, "t/a")
	wantErr(t, err, store.ErrNotFound)
	must(t, s.Store.Put(ctx, "t/a", []byte("1"), 0))
	wantValue(t, s.Store, "t/a", "1")
	must(t, s.Store.Put(ctx, "t/a", []byte("\x00\xff binary"), time.Hour))
	wantValue(t, s.Store, "t/a", "\x00\xff binary")
	must(t, s.Store.Put(ctx, "t/empty", nil, 0))
	wantValue(t, s.Store, "t/empty", "")
	must(t, s.Store.Delete(ctx, "t/a"))
	must(t, s.Store.Delete(ctx, "t/a"))
	_, err = s.Store.Get(ctx, "t/a")
	wantErr(t, err, store.ErrNotFound)
}

func createOnce(t *testing.T, s Subject) {
	ctx := t.Context()
	must(t, s.Store.Create(ctx, "t/a", []byte("1"), time.Hour))
	wantErr(t, s.Store.Create(ctx, "t/a", []byte("2"), time.Hour), store.ErrExists)
	wantValue(t, s.Store, "t/a", "1")
	must(t, s.Store.Delete(ctx, "t/a"))
	must(t, s.Store.Create(ctx, "t/a", []byte("3"), 0))
	wantValue(t, s.Store, "t/a", "3")
}

func takeOnce(t *testing.T, s Subject) {
	ctx := t.Context()
	must(t, s.Store.Put(ctx, "t/a", []byte("1"), time.Hour))
	got, err := s.Store.Take(ctx, "t/a")
	must(t, err)
	if string(got) != "1" {
		t.Fatalf("took %q", got)
	}
	_, err = s.Store.Take(ctx, "t/a")
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Store.Get(ctx, "t/a")
	wantErr(t, err, store.ErrNotFound)
}

// race runs do in many goroutines at once and returns their errors.
func race(do func(i int) error) []error {
	errs := make([]error, racers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func wantOneWinner(t *testing.T, errs []error, loser error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantErr(t, err, loser)
		}
	}
	if won != 1 {
		t.Fatalf("%d of %d succeeded, want exactly one", won, len(errs))
	}
}

func takeRace(t *testing.T, s Subject) {
	must(t, s.Store.Put(t.Context(), "t/code", []byte("1"), time.Hour))
	wantOneWinner(t, race(func(int) error {
		_, err := s.Store.Take(t.Context(), "t/code")
		return err
	}), store.ErrNotFound)
}

func createRace(t *testing.T, s Subject) {
	wantOneWinner(t, race(func(i int) error {
		return s.Store.Create(t.Context(), "t/jti", fmt.Append(nil, i), time.Hour)
	}), store.ErrExists)
}

func updateRace(t *testing.T, s Subject) {
	for _, err := range race(func(int) error {
		return s.Store.Update(t.Context(), "t/n", func(old []byte) ([]byte, time.Duration, error) {
			return append(old, 'x'), time.Hour, nil
		})
	}) {
		must(t, err)
	}
	wantValue(t, s.Store, "t/n", strings.Repeat("x", racers))
}

func updateCases(t *testing.T, s Subject) {
	ctx := t.Context()
	must(t, s.Store.Update(ctx, "t/a", func(old []byte) ([]byte, time.Duration, error) {
		if old != nil {
			t.Errorf("old = %q for a missing key", old)
		}
		return []byte{}, 0, nil
	}))
	must(t, s.Store.Update(ctx, "t/a", func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			t.Error("old = nil for an existing empty value")
		}
		return []byte("2"), time.Hour, nil
	}))
	wantValue(t, s.Store, "t/a", "2")
	mine := errors.New("mine")
	wantErr(t, s.Store.Update(ctx, "t/a", func([]byte) ([]byte, time.Duration, error) {
		return []byte("3"), 0, mine
	}), mine)
	wantValue(t, s.Store, "t/a", "2")
	remove := func([]byte) ([]byte, time.Duration, error) { return nil, 0, nil }
	must(t, s.Store.Update(ctx, "t/a", remove))
	must(t, s.Store.Update(ctx, "t/a", remove))
	_, err := s.Store.Get(ctx, "t/a")
	wantErr(t, err, store.ErrNotFound)
}

// elapse lets d pass: at once with a clock of its own, else by waiting.
func elapse(t *testing.T, s Subject, d time.Duration) {
	t.Helper()
	if s.Elapse != nil {
		s.Elapse(d)
		return
	}
	select {
	case <-time.After(d + 20*time.Millisecond):
	case <-t.Context().Done():
		t.Fatal("cancelled")
	}
}

func expiry(t *testing.T, s Subject) {
	ctx := t.Context()
	const short = 50 * time.Millisecond
	for _, key := range []string{"t/get", "t/take", "t/create", "t/update", "t/scan"} {
		must(t, s.Store.Put(ctx, key, []byte("old"), short))
	}
	must(t, s.Store.Put(ctx, "t/stays", []byte("s"), time.Hour))
	elapse(t, s, short)
	_, err := s.Store.Get(ctx, "t/get")
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Store.Take(ctx, "t/take")
	wantErr(t, err, store.ErrNotFound)
	must(t, s.Store.Create(ctx, "t/create", []byte("new"), time.Hour))
	must(t, s.Store.Update(ctx, "t/update", func(old []byte) ([]byte, time.Duration, error) {
		if old != nil {
			t.Errorf("update saw the expired %q", old)
		}
		return []byte("new"), time.Hour, nil
	}))
	if got := keys(t, s.Store, "t/"); !slices.Equal(got, []string{"t/create", "t/stays", "t/update"}) {
		t.Fatalf("left: %v", got)
	}
}

func renewed(t *testing.T, s Subject) {
	ctx := t.Context()
	const short = 50 * time.Millisecond
	must(t, s.Store.Put(ctx, "t/a", []byte("1"), short))
	must(t, s.Store.Put(ctx, "t/a", []byte("2"), time.Hour))
	must(t, s.Store.Put(ctx, "t/b", []byte("1"), short))
	must(t, s.Store.Update(ctx, "t/b", func([]byte) ([]byte, time.Duration, error) { return []byte("2"), 0, nil }))
	elapse(t, s, short)
	for i := range 20 { // writes that sweep
		must(t, s.Store.Put(ctx, fmt.Sprint("t/x", i), nil, time.Hour))
	}
	wantValue(t, s.Store, "t/a", "2")
	wantValue(t, s.Store, "t/b", "2")
}

func keys(t *testing.T, s store.Store, prefix string) (found []string) {
	t.Helper()
	must(t, s.Scan(t.Context(), prefix, func(key string, _ []byte) bool {
		found = append(found, key)
		return true
	}))
	return found
}

func scan(t *testing.T, s Subject) {
	ctx := t.Context()
	for _, key := range []string{"t/c", "t/a", "t/b", "t/*", "u/a", "t"} {
		must(t, s.Store.Put(ctx, key, []byte("="+key), 0))
	}
	if got := keys(t, s.Store, "t/"); !slices.Equal(got, []string{"t/*", "t/a", "t/b", "t/c"}) {
		t.Fatalf("scan t/: %v", got)
	}
	if got := keys(t, s.Store, "t/*"); !slices.Equal(got, []string{"t/*"}) {
		t.Fatalf("scan t/*: %v", got)
	}
	var seen []string
	must(t, s.Store.Scan(ctx, "t/", func(key string, value []byte) bool {
		if string(value) != "="+key {
			t.Errorf("%s = %q", key, value)
		}
		seen = append(seen, key)
		// A caller may write meanwhile.
		must(t, s.Store.Put(ctx, "w/"+key, nil, 0))
		return len(seen) < 2
	}))
	if len(seen) != 2 {
		t.Fatalf("scan went on after false: %v", seen)
	}
}

func copies(t *testing.T, s Subject) {
	ctx := t.Context()
	mine := []byte("value")
	must(t, s.Store.Put(ctx, "t/a", mine, 0))
	mine[0] = 'X'
	got, err := s.Store.Get(ctx, "t/a")
	must(t, err)
	got[0] = 'Y'
	wantValue(t, s.Store, "t/a", "value")
	must(t, s.Store.Update(ctx, "t/a", func(old []byte) ([]byte, time.Duration, error) {
		old[0] = 'Z'
		return []byte("value2"), 0, nil
	}))
	wantValue(t, s.Store, "t/a", "value2")
}

func refuses(t *testing.T, s Subject) {
	ctx := t.Context()
	for _, key := range []string{"", strings.Repeat("k", 513), "t/ü", "t/\n", "t/ x"} {
		wantErr(t, s.Store.Put(ctx, key, nil, 0), store.ErrInvalid)
		wantErr(t, s.Store.Create(ctx, key, nil, 0), store.ErrInvalid)
	}
	wantErr(t, s.Store.Put(ctx, "t/a", nil, -1), store.ErrInvalid)
	big := bytes.Repeat([]byte("v"), store.MaxValue)
	must(t, s.Store.Put(ctx, "t/a", big, 0))
	wantErr(t, s.Store.Put(ctx, "t/a", append(big, 'v'), 0), store.ErrInvalid)
	wantErr(t, s.Store.Update(ctx, "t/a", func([]byte) ([]byte, time.Duration, error) {
		return append(big, 'v'), 0, nil
	}), store.ErrInvalid)
	must(t, s.Store.Put(ctx, strings.Repeat("k", 512), nil, time.Nanosecond))
}

func cancelled(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Store.Get(ctx, "t/a")
	wantErr(t, err, context.Canceled)
	wantErr(t, s.Store.Create(ctx, "t/a", nil, 0), context.Canceled)
	_, err = s.Store.Get(t.Context(), "t/a")
	wantErr(t, err, store.ErrNotFound)
}

func closed(t *testing.T, s Subject) {
	ctx := t.Context()
	must(t, s.Store.Put(ctx, "t/a", nil, 0))
	must(t, s.Store.Close())
	must(t, s.Store.Close())
	_, err := s.Store.Get(ctx, "t/a")
	wantErr(t, err, store.ErrUnavailable)
	wantErr(t, s.Store.Put(ctx, "t/a", nil, 0), store.ErrUnavailable)
	_, err = s.Store.Take(ctx, "t/a")
	wantErr(t, err, store.ErrUnavailable)
	wantErr(t, s.Store.Scan(ctx, "t/", func(string, []byte) bool { return true }), store.ErrUnavailable)
}

func many(t *testing.T, s Subject) {
	const each = 40
	for _, err := range race(func(i int) error {
		for j := range each {
			if err := s.Store.Put(t.Context(), fmt.Sprintf("t/%03d/%03d", i, j), []byte("v"), time.Hour); err != nil {
				return err
			}
		}
		return nil
	}) {
		must(t, err)
	}
	got := keys(t, s.Store, "t/")
	if len(got) != racers*each || !slices.IsSorted(got) {
		t.Fatalf("%d keys, sorted %v; want %d in order", len(got), slices.IsSorted(got), racers*each)
	}
}
