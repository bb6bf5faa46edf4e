package audit_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/audit"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

func open(st store.Store, prefix string) *audit.Trail {
	keys := &trust.Keys{Federation: []*trust.Key{trusttest.Key("hub")}}
	return audit.New(audit.Config{Self: "https://hub.example", Keys: func() *trust.Keys { return keys }, Store: st, Prefix: prefix})
}

// Many writers at a time make one chain; two trails in one store are apart.
func TestChain(t *testing.T) {
	st := store.NewMemory(time.Now)
	a, b := open(st, "x/audit"), open(st, "y/audit")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := a.Note(t.Context(), "staff:ABCDEFGH", "do", "thing", strings.Repeat("ä", 300)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := b.Note(t.Context(), "root", "other", "", ""); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Verify(t.Context()); err != nil || n != 20 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := b.Verify(t.Context()); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	records, err := a.Read(t.Context(), 18, 10)
	if err != nil || len(records) != 3 || records[0].Seq != 18 || len(records[0].Reason) > 400 || strings.Contains(records[0].Reason, "\ufffd") {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestTampering(t *testing.T) {
	for what, spoil := range map[string]func(*testing.T, store.Store) error{
		"removed": func(t *testing.T, st store.Store) error {
			return st.Delete(t.Context(), "x/audit/00000000000000000002")
		},
		"cut off": func(t *testing.T, st store.Store) error {
			return st.Delete(t.Context(), "x/audit/00000000000000000003")
		},
		"changed": func(t *testing.T, st store.Store) error {
			return st.Put(t.Context(), "x/audit/00000000000000000002", []byte(`{"seq":2}`), 0)
		},
		"end removed": func(t *testing.T, st store.Store) error { return st.Delete(t.Context(), "x/audit-head") },
		"end forged": func(t *testing.T, st store.Store) error {
			return st.Put(t.Context(), "x/audit-head", []byte("a.b.c"), 0)
		},
		"added": func(t *testing.T, st store.Store) error {
			return st.Create(t.Context(), "x/audit/00000000000000000004", []byte(`{"seq":4}`), 0)
		},
	} {
		t.Run(what, func(t *testing.T) {
			st := store.NewMemory(time.Now)
			a := open(st, "x/audit")
			for range 3 {
				if err := a.Note(t.Context(), "root", "do", "thing", ""); err != nil {
					t.Fatal(err)
				}
			}
			if err := spoil(t, st); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Verify(t.Context()); !errors.Is(err, audit.ErrBroken) {
				t.Errorf("%v", err)
			}
		})
	}
}
