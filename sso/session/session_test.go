package session

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
)

func newClock() *clocktest.Clock { return clocktest.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)) }

const (
	opA = federation.EntityID("https://a.example")
	opB = federation.EntityID("https://b.example")
)

func manager(t testing.TB, c *clocktest.Clock, st store.Store) *Manager {
	t.Helper()
	m, err := New(Config{Store: st, Secure: true, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func identity(c *clocktest.Clock, l federation.Level) sso.Identity {
	return sso.Identity{
		Issuer: opA, Subject: "pairwise", Session: "sid-1", Level: l, AuthTime: c.Now(),
		AMR: []string{"pwd", "otp"}, Upstream: "konto",
		Claims: sso.Claims{Name: "Erika Mustermann", GivenName: "Erika", FamilyName: "Mustermann", Email: "e@example.test", Locale: "de"},
	}
}

func start(t testing.TB, m *Manager, id sso.Identity, cookies ...*http.Cookie) (*Session, *http.Cookie) {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := m.Start(context.Background(), w, request(cookies...), id, Extra{IDToken: "e30.e30.e30"})
	if err != nil {
		t.Fatal(err)
	}
	set := w.Result().Cookies()
	if len(set) != 1 {
		t.Fatalf("%d cookies were set, want 1", len(set))
	}
	return s, set[0]
}

func request(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://portal.example/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

func TestStartAndGet(t *testing.T) {
	c := newClock()
	stores := map[string]store.Store{"memory": store.NewMemory(c.Now)}
	b, err := store.OpenBolt(filepath.Join(t.TempDir(), "s.db"), c.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	stores["bolt"] = b
	for name, st := range stores {
		t.Run(name, func(t *testing.T) {
			m := manager(t, c, st)
			id := identity(c, federation.LevelSubstanziell)
			_, cookie := start(t, m, id)
			s, err := m.Get(request(cookie))
			if err != nil {
				t.Fatal(err)
			}
			if s.Identity.Claims != id.Claims || s.Identity.Subject != id.Subject || len(s.Identity.AMR) != 2 ||
				s.Identity.AMR[1] != "otp" || !s.Identity.AuthTime.Equal(id.AuthTime) || s.IDToken != "e30.e30.e30" {
				t.Errorf("session differs from what was put in: %+v", s)
			}
		})
	}
}

func TestCookieAttributes(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	_, cookie := start(t, m, identity(c, federation.LevelNiedrig))
	if cookie.Name != "__Host-rn" || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("cookie %s is not a __Host- cookie with Secure, HttpOnly and Lax", cookie)
	}
	plain, err := New(Config{Store: store.NewMemory(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if plain.CookieName() != "rn" {
		t.Errorf("on plain loopback http the cookie is called %s, want rn", plain.CookieName())
	}
}

func TestStoreHoldsNoSecret(t *testing.T) {
	c := newClock()
	st := store.NewMemory(c.Now)
	_, cookie := start(t, manager(t, c, st), identity(c, federation.LevelNiedrig))
	err := st.Scan(context.Background(), "", func(key string, value []byte) bool {
		if strings.Contains(key, cookie.Value) || strings.Contains(string(value), cookie.Value) {
			t.Errorf("the cookie's value is in the store under %s", key)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestE67_LimitsByLevel(t *testing.T) {
	for _, tt := range []struct {
		level          federation.Level
		absolute, idle time.Duration
	}{
		{federation.LevelBasis, 12 * time.Hour, time.Hour},
		{federation.LevelNiedrig, 12 * time.Hour, time.Hour},
		{federation.LevelSubstanziell, 2 * time.Hour, 30 * time.Minute},
		{federation.LevelHoch, 30 * time.Minute, 5 * time.Minute},
	} {
		t.Run(tt.level.String(), func(t *testing.T) {
			c := newClock()
			m := manager(t, c, store.NewMemory(c.Now))
			_, cookie := start(t, m, identity(c, tt.level))
			c.Add(tt.idle - time.Second)
			if _, err := m.Get(request(cookie)); err != nil {
				t.Fatalf("one second before the idle limit: %v", err)
			}
			c.Add(tt.idle)
			if _, err := m.Get(request(cookie)); !errors.Is(err, ErrExpired) {
				t.Fatalf("at the idle limit: %v, want ErrExpired", err)
			}
			if _, err := m.Get(request(cookie)); !errors.Is(err, ErrNone) {
				t.Fatalf("after that: %v, want ErrNone", err)
			}

			_, cookie = start(t, m, identity(c, tt.level))
			step := tt.idle / 2
			for past := step; past < tt.absolute; past += step {
				c.Add(step)
				if _, err := m.Get(request(cookie)); err != nil {
					t.Fatalf("active session after %s: %v", past, err)
				}
			}
			c.Add(step)
			if _, err := m.Get(request(cookie)); err == nil {
				t.Errorf("session lives after its absolute limit of %s", tt.absolute)
			}
		})
	}
}

func TestAbsoluteLimitCountsFromAuthentication(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	id := identity(c, federation.LevelSubstanziell)
	c.Add(110 * time.Minute)
	_, cookie := start(t, m, id)
	c.Add(9 * time.Minute)
	if _, err := m.Get(request(cookie)); err != nil {
		t.Fatalf("119 minutes after the authentication: %v", err)
	}
	c.Add(2 * time.Minute)
	if _, err := m.Get(request(cookie)); err == nil {
		t.Error("the session is older than the login it came from may be")
	}
	if _, err := m.Start(context.Background(), httptest.NewRecorder(), request(), id, Extra{}); !errors.Is(err, ErrExpired) {
		t.Errorf("start with a login of 121 minutes ago: %v, want ErrExpired", err)
	}
}

func TestJ148_ClockSetBackRevivesNothing(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	_, cookie := start(t, m, identity(c, federation.LevelHoch))
	c.Add(6 * time.Minute)
	if _, err := m.Get(request(cookie)); !errors.Is(err, ErrExpired) {
		t.Fatalf("got %v, want ErrExpired", err)
	}
	c.Add(-time.Hour)
	if _, err := m.Get(request(cookie)); !errors.Is(err, ErrNone) {
		t.Errorf("after the clock went back: %v, want ErrNone", err)
	}
}

func TestRemaining(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	s, _ := start(t, m, identity(c, federation.LevelHoch))
	c.Add(2 * time.Minute)
	if got := s.Remaining(c.Now()); got != 3*time.Minute {
		t.Errorf("Remaining is %s, want 3m", got)
	}
	if got := s.RemainingAbsolute(c.Now()); got != 28*time.Minute {
		t.Errorf("RemainingAbsolute is %s, want 28m", got)
	}
	c.Add(time.Hour)
	if s.Remaining(c.Now()) != 0 || s.RemainingAbsolute(c.Now()) != 0 {
		t.Error("an ended session has time left")
	}
}

func TestFixation_LoginAndStepUpRenewTheSecret(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	first, planted := start(t, m, identity(c, federation.LevelNiedrig))
	second, fresh := start(t, m, identity(c, federation.LevelSubstanziell), planted)
	if planted.Value == fresh.Value || first.CSRF() == second.CSRF() {
		t.Error("step-up kept the cookie or the CSRF token")
	}
	if _, err := m.Get(request(planted)); !errors.Is(err, ErrNone) {
		t.Errorf("the old cookie still works: %v", err)
	}
	if _, err := m.Get(request(fresh)); err != nil {
		t.Errorf("the new one does not: %v", err)
	}
}

func TestCSRF(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	a, cookie := start(t, m, identity(c, federation.LevelNiedrig))
	b, _ := start(t, m, identity(c, federation.LevelNiedrig))
	if !a.CheckCSRF(a.CSRF()) || a.CheckCSRF(b.CSRF()) || a.CheckCSRF("") || a.CSRF() == cookie.Value {
		t.Error("the CSRF token must be good for its own session only, and must not be the cookie")
	}
	again, err := m.Get(request(cookie))
	if err != nil || again.CSRF() != a.CSRF() {
		t.Errorf("the token changed without a new session: %v", err)
	}
}

func TestEnd(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	_, cookie := start(t, m, identity(c, federation.LevelNiedrig))
	w := httptest.NewRecorder()
	if _, err := m.End(context.Background(), w, request(cookie)); err != nil {
		t.Fatal(err)
	}
	if set := w.Result().Cookies(); len(set) != 1 || set[0].MaxAge >= 0 || set[0].Value != "" {
		t.Errorf("the cookie was not cleared: %v", set)
	}
	if _, err := m.Get(request(cookie)); !errors.Is(err, ErrNone) {
		t.Errorf("got %v, want ErrNone", err)
	}
	if _, err := m.End(context.Background(), httptest.NewRecorder(), request(cookie)); !errors.Is(err, ErrNone) {
		t.Errorf("second End: %v, want ErrNone", err)
	}
}

func TestF87_SidOfAnotherIssuer(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	a := identity(c, federation.LevelNiedrig)
	b := a
	b.Issuer = opB
	_, ca := start(t, m, a)
	_, cb := start(t, m, b)
	n, err := m.EndIssuerSID(context.Background(), opA, "sid-1")
	if err != nil || n != 1 {
		t.Fatalf("ended %d sessions, %v; want 1", n, err)
	}
	if _, err := m.Get(request(ca)); !errors.Is(err, ErrNone) {
		t.Errorf("session of A: %v, want ErrNone", err)
	}
	if _, err := m.Get(request(cb)); err != nil {
		t.Errorf("session of B was touched: %v", err)
	}
}

func TestLogoutReachesEveryReplicaAtOnce(t *testing.T) {
	c := newClock()
	st := store.NewMemory(c.Now)
	one, two := manager(t, c, st), manager(t, c, st)
	_, cookie := start(t, one, identity(c, federation.LevelNiedrig))
	if _, err := two.Get(request(cookie)); err != nil {
		t.Fatal(err)
	}
	if _, err := one.EndIssuerSID(context.Background(), opA, "sid-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Get(request(cookie)); !errors.Is(err, ErrNone) {
		t.Errorf("the other replica says %v, want ErrNone", err)
	}
}

func TestLogoutBeforeTheSessionBegan(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	if n, err := m.EndIssuerSID(context.Background(), opA, "sid-1"); err != nil || n != 0 {
		t.Fatalf("ended %d, %v", n, err)
	}
	w := httptest.NewRecorder()
	if _, err := m.Start(context.Background(), w, request(), identity(c, federation.LevelNiedrig), Extra{}); !errors.Is(err, ErrEnded) {
		t.Errorf("start after the logout: %v, want ErrEnded", err)
	}
	if len(w.Result().Cookies()) != 0 {
		t.Error("a cookie was set")
	}
	early, late := Extra{Begun: c.Now()}, Extra{Begun: c.Now().Add(time.Second)}
	if _, err := m.Start(context.Background(), w, request(), identity(c, federation.LevelNiedrig), early); !errors.Is(err, ErrEnded) {
		t.Errorf("login begun before the logout: %v, want ErrEnded", err)
	}
	if _, err := m.Start(context.Background(), w, request(), identity(c, federation.LevelNiedrig), late); err != nil {
		t.Errorf("login begun after the logout of this portal alone: %v", err)
	}
}

func TestTouchDoesNotReviveAnEndedSession(t *testing.T) {
	c := newClock()
	st := store.NewMemory(c.Now)
	m := manager(t, c, st)
	s, _ := start(t, m, identity(c, federation.LevelNiedrig))
	if err := st.Delete(context.Background(), s.key); err != nil {
		t.Fatal(err)
	}
	if _, err := m.touch(context.Background(), s, c.Now()); !errors.Is(err, ErrNone) {
		t.Errorf("got %v, want ErrNone", err)
	}
	if _, err := st.Get(context.Background(), s.key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the record came back: %v", err)
	}
}

func TestManyBrowsersShareOneSid(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	var cookies []*http.Cookie
	for range maxPerSID + 3 {
		_, cookie := start(t, m, identity(c, federation.LevelNiedrig))
		cookies = append(cookies, cookie)
	}
	for i, cookie := range cookies {
		_, err := m.Get(request(cookie))
		if i < 3 && !errors.Is(err, ErrNone) || i >= 3 && err != nil {
			t.Errorf("browser %d of %d: %v", i+1, len(cookies), err)
		}
	}
	if n, err := m.EndIssuerSID(context.Background(), opA, "sid-1"); err != nil || n != maxPerSID {
		t.Fatalf("ended %d, %v; want %d", n, err, maxPerSID)
	}
	for i, cookie := range cookies {
		if _, err := m.Get(request(cookie)); !errors.Is(err, ErrNone) {
			t.Errorf("browser %d is still signed in: %v", i+1, err)
		}
	}
}

func TestRevokedWhileLoggedIn(t *testing.T) {
	c := newClock()
	trusted := true
	m, err := New(Config{Store: store.NewMemory(c.Now), Now: c.Now, Trusted: func(federation.EntityID) bool { return trusted }})
	if err != nil {
		t.Fatal(err)
	}
	_, cookie := start(t, m, identity(c, federation.LevelNiedrig))
	if _, err := m.Get(request(cookie)); err != nil {
		t.Fatal(err)
	}
	trusted = false
	if _, err := m.Get(request(cookie)); !errors.Is(err, ErrRevoked) {
		t.Errorf("got %v, want ErrRevoked", err)
	}
}

// brokenStore is away.
type brokenStore struct{ store.Store }

func (brokenStore) Get(context.Context, string) ([]byte, error) { return nil, store.ErrUnavailable }

func TestJ147_StoreAway(t *testing.T) {
	c := newClock()
	mem := store.NewMemory(c.Now)
	_, cookie := start(t, manager(t, c, mem), identity(c, federation.LevelNiedrig))
	if _, err := manager(t, c, brokenStore{mem}).Get(request(cookie)); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v, want store.ErrUnavailable", err)
	}
}

func TestForeignCookies(t *testing.T) {
	c := newClock()
	m := manager(t, c, store.NewMemory(c.Now))
	for _, v := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 5000)} {
		if _, err := m.Get(request(&http.Cookie{Name: m.CookieName(), Value: v})); !errors.Is(err, ErrNone) {
			t.Errorf("cookie of %d characters: %v, want ErrNone", len(v), err)
		}
	}
}

func TestReaches(t *testing.T) {
	var none *Session
	s := &Session{Identity: sso.Identity{Level: federation.LevelNiedrig}}
	if !none.Reaches(federation.LevelNone) || none.Reaches(federation.LevelBasis) ||
		!s.Reaches(federation.LevelNiedrig) || s.Reaches(federation.LevelSubstanziell) {
		t.Error("levels are compared wrongly")
	}
}

func BenchmarkGet(b *testing.B) {
	c := newClock()
	m := manager(b, c, store.NewMemory(c.Now))
	id := identity(c, federation.LevelNiedrig)
	w := httptest.NewRecorder()
	if _, err := m.Start(context.Background(), w, request(), id, Extra{IDToken: strings.Repeat("x", 900)}); err != nil {
		b.Fatal(err)
	}
	r := request(w.Result().Cookies()[0])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Get(r); err != nil {
			b.Fatal(err)
		}
	}
}

// countingStore counts what reaches the store.
type countingStore struct {
	store.Store
	mu     sync.Mutex
	reads  int
	writes int
}

func (s *countingStore) Get(ctx context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	return s.Store.Get(ctx, key)
}

func (s *countingStore) Update(ctx context.Context, key string, f func([]byte) ([]byte, time.Duration, error)) error {
	s.mu.Lock()
	s.writes++
	s.mu.Unlock()
	return s.Store.Update(ctx, key, f)
}

func TestGetIsOneRoundTrip(t *testing.T) {
	c := newClock()
	mem := store.NewMemory(c.Now)
	_, cookie := start(t, manager(t, c, mem), identity(c, federation.LevelNiedrig))
	counting := &countingStore{Store: mem}
	m := manager(t, c, counting)
	for range 59 {
		c.Add(time.Second)
		if _, err := m.Get(request(cookie)); err != nil {
			t.Fatal(err)
		}
	}
	if counting.reads != 59 || counting.writes != 0 {
		t.Errorf("59 pages in a minute cost %d reads and %d writes, want 59 and 0", counting.reads, counting.writes)
	}
	c.Add(time.Second)
	if _, err := m.Get(request(cookie)); err != nil || counting.writes != 1 {
		t.Errorf("after a minute: %v, %d writes, want 1", err, counting.writes)
	}
}
