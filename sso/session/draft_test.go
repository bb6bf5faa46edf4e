package session

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/clocktest"
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
	c.Add(draftLife + time.Second)
	if _, err := m.TakeDraft(ctx, &Session{Draft: name}, "/p"); !errors.Is(err, ErrNoDraft) {
		t.Errorf("after an hour: %v, want ErrNoDraft", err)
	}
}

// What was typed does not outlive the login it was kept for, however that ends.
func TestDraftEndsWithTheSession(t *testing.T) {
	ctx := context.Background()
	for what, end := range map[string]func(m *Manager, c *clocktest.Clock, r *http.Request) error{
		"logged out here": func(m *Manager, _ *clocktest.Clock, r *http.Request) error {
			_, err := m.End(ctx, httptest.NewRecorder(), r)
			return err
		},
		"logged out elsewhere": func(m *Manager, c *clocktest.Clock, _ *http.Request) error {
			id := identity(c, federation.LevelNiedrig)
			_, err := m.EndIssuerSID(ctx, id.Issuer, id.Session)
			return err
		},
		"past its limit": func(m *Manager, c *clocktest.Clock, r *http.Request) error {
			c.Add(LimitsOf(federation.LevelNiedrig).Idle)
			if _, err := m.Get(r); !errors.Is(err, ErrExpired) {
				return err
			}
			return nil
		},
	} {
		c := newClock()
		mem := store.NewMemory(c.Now)
		m := manager(t, c, mem)
		name, err := m.SaveDraft(ctx, Draft{Path: "/antrag/7", Values: map[string][]string{"hund": {"Waldi"}}})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if _, err := m.Start(ctx, w, request(), identity(c, federation.LevelNiedrig), Extra{Draft: name}); err != nil {
			t.Fatal(err)
		}
		if err := end(m, c, request(w.Result().Cookies()...)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := mem.Scan(ctx, "", func(key string, b []byte) bool {
			if strings.Contains(string(b), "Waldi") {
				t.Errorf("%s: %s is left", what, key)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Asking how long a login lasts does not make it last.
func TestPeekIsNoUse(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	w := httptest.NewRecorder()
	if _, err := m.Start(context.Background(), w, request(), identity(c, federation.LevelNiedrig), Extra{}); err != nil {
		t.Fatal(err)
	}
	r := request(w.Result().Cookies()...)
	for range 11 {
		c.Add(5 * time.Minute)
		if _, err := m.Peek(r); err != nil {
			t.Fatal(err)
		}
	}
	c.Add(5 * time.Minute)
	if _, err := m.Peek(r); !errors.Is(err, ErrExpired) {
		t.Errorf("after an hour of asking: %v, want ErrExpired", err)
	}
	if _, err := m.Peek(request()); !errors.Is(err, ErrNone) {
		t.Errorf("nobody: %v, want ErrNone", err)
	}
}
