package session

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
)

func TestDraftReturnsOnce(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	name, err := m.SaveDraft(ctx, Draft{Path: "/antrag/7", Values: map[string][]string{"hund": {"Waldi"}}})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := start(t, m, identity(c, federation.LevelNiedrig))
	s, err := m.Start(ctx, httptest.NewRecorder(), request(), identity(c, federation.LevelSubstanziell), Extra{Draft: name})
	if err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func() (Draft, error){
		"no session":      func() (Draft, error) { return m.TakeDraft(ctx, nil, "/antrag/7") },
		"another session": func() (Draft, error) { return m.TakeDraft(ctx, other, "/antrag/7") },
		"another page":    func() (Draft, error) { return m.TakeDraft(ctx, s, "/antrag/8") },
	} {
		if _, err := f(); !errors.Is(err, ErrNoDraft) {
			t.Errorf("%s: %v, want ErrNoDraft", what, err)
		}
	}
	d, err := m.TakeDraft(ctx, s, "/antrag/7")
	if err != nil || d.Values["hund"][0] != "Waldi" {
		t.Fatalf("draft %v, %v", d, err)
	}
	if _, err := m.TakeDraft(ctx, s, "/antrag/7"); !errors.Is(err, ErrNoDraft) {
		t.Errorf("second time: %v, want ErrNoDraft", err)
	}
}

func TestDraftLimits(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	if _, err := m.SaveDraft(ctx, Draft{Values: map[string][]string{"a": {strings.Repeat("x", maxDraft)}}}); !errors.Is(err, ErrDraftBig) {
		t.Errorf("oversize: %v, want ErrDraftBig", err)
	}
	name, err := m.SaveDraft(ctx, Draft{Path: "/p"})
	if err != nil {
		t.Fatal(err)
	}
	c.add(draftLife + time.Second)
	if _, err := m.TakeDraft(ctx, &Session{Draft: name}, "/p"); !errors.Is(err, ErrNoDraft) {
		t.Errorf("after an hour: %v, want ErrNoDraft", err)
	}
}
