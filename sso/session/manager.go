package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
)

// Errors of Get and Start; a store that cannot be reached is reported as
// store.ErrUnavailable.
var (
	ErrNone    = errors.New("session: not signed in")
	ErrExpired = errors.New("session: past its time limit")
	ErrRevoked = errors.New("session: issuer is not trusted any more")
	ErrEnded   = errors.New("session: the issuer has ended this login already")
)

// Config configures a Manager.
type Config struct {
	Store store.Store
	// Secure is true on https: cookie __Host-rn with Secure. Plain http is for
	// loopback names only, and then the cookie is called rn.
	Secure bool
	// Trusted is asked at every Get: sessions of an issuer that has lost its
	// membership count no more. Their records stay until their limits, because
	// a node that has just started may not know its network yet. nil trusts
	// every issuer. It must be quick and open no connection.
	Trusted func(issuer federation.EntityID) bool
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: discard
}

// Manager starts, finds and ends sessions. It has no state of its own and is
// safe for concurrent use, also by several replicas over one store.
type Manager struct{ c Config }

// New checks the configuration. It does no I/O.
func New(c Config) (*Manager, error) {
	if c.Store == nil {
		return nil, errors.New("session: Config.Store is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Manager{c: c}, nil
}

const (
	recordPrefix = "sso/session/"
	secretBytes  = 32
)

// Extra is what Start keeps beside the identity.
type Extra struct {
	IDToken string // at most 8 KiB, else it is not kept
	Draft   string
	Begun   time.Time // when the login was begun here; zero: unknown
}

// maxIDToken is the longest ID token kept as a hint, in bytes.
const maxIDToken = 8 << 10

// Start signs the browser in: it makes a new secret, writes the record, sets
// the cookie on w and ends the session the request came with, so that a
// secret known before the login is worth nothing after it (fixation). Errors:
// ErrEnded if the issuer logged this sid out in the meantime, ErrExpired if
// the authentication is older than its level allows, store.ErrUnavailable.
func (m *Manager) Start(ctx context.Context, w http.ResponseWriter, r *http.Request, id sso.Identity, x Extra) (*Session, error) {
	now := m.c.Now().UTC()
	s := &Session{Identity: id, Started: now, Seen: now, Draft: x.Draft}
	if len(x.IDToken) <= maxIDToken {
		s.IDToken = x.IDToken
	}
	s.setSecret(newSecret())
	left := s.RemainingAbsolute(now)
	if left == 0 {
		return nil, fmt.Errorf("%w: authenticated at %s", ErrExpired, id.AuthTime.Format(time.RFC3339))
	}
	old, err := m.fromCookie(r)
	if err != nil && !errors.Is(err, ErrNone) && !errors.Is(err, ErrRecord) {
		return nil, err
	}
	if err := m.link(ctx, s); err != nil {
		return nil, err
	}
	if err := m.c.Store.Create(ctx, s.key, encode(s), left); err != nil {
		return nil, err
	}
	// Order matters: EndIssuerSID writes its mark before it reads the index,
	// we read the mark after we wrote the index. One of the two sees the other.
	if ended, err := m.loggedOut(ctx, id.Issuer, id.Session, x.Begun); err != nil || ended {
		if derr := m.c.Store.Delete(ctx, s.key); derr != nil {
			return nil, derr
		}
		if err != nil {
			return nil, err
		}
		return nil, ErrEnded
	}
	if old != nil {
		if old.Draft == s.Draft {
			old.Draft = "" // it goes on with the new session
		}
		if err := m.remove(ctx, old); err != nil {
			return nil, err
		}
	}
	http.SetCookie(w, m.cookie(s.secret))
	return s, nil
}

// Get returns the session of the request and notes that it was seen: one read
// of the store, and a write about once in a sixtieth of the idle limit.
// Errors: ErrNone, ErrExpired, ErrRevoked, store.ErrUnavailable.
func (m *Manager) Get(r *http.Request) (*Session, error) {
	s, err := m.fromCookie(r)
	if err != nil {
		return nil, err
	}
	now := m.c.Now().UTC()
	if s.Remaining(now) == 0 {
		if err := m.remove(r.Context(), s); err != nil {
			return nil, err
		}
		return nil, ErrExpired
	}
	if m.c.Trusted != nil && !m.c.Trusted(s.Identity.Issuer) {
		return nil, ErrRevoked
	}
	if now.Sub(s.Seen) >= LimitsOf(s.Identity.Level).Idle/touchShare {
		return m.touch(r.Context(), s, now)
	}
	return s, nil
}

// Peek returns the session of the request like Get, but does not count as use:
// asking how long a session lasts does not make it last longer. Errors:
// ErrNone, ErrExpired, ErrRevoked, store.ErrUnavailable.
func (m *Manager) Peek(r *http.Request) (*Session, error) {
	s, err := m.fromCookie(r)
	switch {
	case err != nil:
		return nil, err
	case s.Remaining(m.c.Now().UTC()) == 0:
		return nil, ErrExpired
	case m.c.Trusted != nil && !m.c.Trusted(s.Identity.Issuer):
		return nil, ErrRevoked
	}
	return s, nil
}

// touch writes the time of the last request. A record that was deleted in the
// meantime stays deleted.
func (m *Manager) touch(ctx context.Context, s *Session, now time.Time) (*Session, error) {
	fresh := *s
	fresh.Seen = now
	gone := false
	err := m.c.Store.Update(ctx, s.key, func(old []byte) ([]byte, time.Duration, error) {
		gone = old == nil
		if gone {
			return nil, 0, nil
		}
		cur, err := decode(old)
		if err != nil {
			return nil, 0, err
		}
		// A draft taken in the meantime must not come back.
		fresh.Draft = cur.Draft
		return encode(&fresh), fresh.RemainingAbsolute(now), nil
	})
	switch {
	case err != nil:
		return nil, err
	case gone:
		return nil, ErrNone
	}
	return &fresh, nil
}

// End signs the browser out here and clears its cookie. It returns the session
// that was ended, or ErrNone; the cookie is cleared in any case.
func (m *Manager) End(ctx context.Context, w http.ResponseWriter, r *http.Request) (*Session, error) {
	c := m.cookie("")
	c.MaxAge = -1
	http.SetCookie(w, c)
	s, err := m.fromCookie(r)
	if err != nil {
		return nil, err
	}
	return s, m.remove(ctx, s)
}

func (m *Manager) fromCookie(r *http.Request) (*Session, error) {
	c, err := r.Cookie(m.CookieName())
	if err != nil || len(c.Value) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return nil, ErrNone
	}
	var probe Session
	probe.setSecret(c.Value)
	b, err := m.c.Store.Get(r.Context(), probe.key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	s, err := decode(b)
	if err != nil {
		return nil, err
	}
	s.secret, s.key = probe.secret, probe.key
	return s, nil
}

func (m *Manager) remove(ctx context.Context, s *Session) error {
	if err := m.c.Store.Delete(ctx, s.key); err != nil {
		return err
	}
	if s.Draft != "" { // nobody can reach it any more
		if err := m.c.Store.Delete(ctx, draftKey(s.Draft)); err != nil {
			return err
		}
	}
	return m.unlink(ctx, s)
}

func (s *Session) setSecret(secret string) {
	sum := sha256.Sum256([]byte(secret))
	s.secret, s.key = secret, recordPrefix+hex.EncodeToString(sum[:])
}

// CookieName returns __Host-rn on https and rn on plain loopback http, where
// browsers refuse the prefix.
func (m *Manager) CookieName() string {
	if m.c.Secure {
		return "__Host-rn"
	}
	return "rn"
}

// cookie ends with the browser's session; the server's limits are stricter.
// Lax, not Strict: the person returns from the provider by a cross-site
// navigation and must be signed in on the page that follows.
func (m *Manager) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: m.CookieName(), Value: value, Path: "/",
		Secure: m.c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func newSecret() string {
	var b [secretBytes]byte
	// crypto/rand.Read never fails since Go 1.24; it ends the process instead.
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
