package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"rathausnetz/federation/store"
)

// ErrNone is returned for a request without a session that counts: there is
// none, it is past a limit, or its account is locked or gone.
var ErrNone = errors.New("staff: not signed in")

// Limits of a session.
const (
	Idle     = 30 * time.Minute // since the last request
	Absolute = 8 * time.Hour    // since the login

	sessionPrefix = "staff/session/"
	secretBytes   = 32
	touchEvery    = 30 * time.Second // the last request is written at most so often
	maxSaid       = 400              // bytes
)

// Session is one signed-in browser.
type Session struct {
	Account Account
	Started time.Time
	Seen    time.Time
	Said    string // a sentence for the next page, see Say

	key string
}

// Until returns when the session ends at the latest.
func (s *Session) Until() time.Time { return s.Started.Add(Absolute) }

type record struct {
	Account string    `json:"account"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`
	Said    string    `json:"said,omitempty"`
}

// Sessions keeps browsers signed in. It is safe for concurrent use.
type Sessions struct {
	staff  *Staff
	secure bool
}

// NewSessions returns the sessions of staff. secure is true on https: the
// cookie is then called __Host-rn-verwaltung and has the attribute Secure.
func NewSessions(staff *Staff, secure bool) *Sessions {
	return &Sessions{staff: staff, secure: secure}
}

func (m *Sessions) name() string {
	if m.secure {
		return "__Host-rn-verwaltung"
	}
	return "rn-verwaltung"
}

// secret reads the cookie; "" if there is none of the right shape.
func (m *Sessions) secret(r *http.Request) string {
	c, err := r.Cookie(m.name())
	if err != nil || len(c.Value) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return ""
	}
	return c.Value
}

// Browser returns what stands for the browser before and after the login:
// forms carry Token of it. A browser without a cookie gets one, which opens
// nothing: no record belongs to it, and the login replaces it.
func (m *Sessions) Browser(w http.ResponseWriter, r *http.Request) string {
	if s := m.secret(r); s != "" {
		return s
	}
	s := newSecret()
	m.setCookie(w, s)
	return s
}

// Token is the CSRF token of a browser: it follows from the cookie that the
// attacker's page can neither read nor choose.
func Token(browser string) string {
	if browser == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("rathausnetz staff form\x00" + browser))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Token is the token that a request has to bring; "" without a cookie.
func (m *Sessions) Token(r *http.Request) string { return Token(m.secret(r)) }

// Start signs the browser in with a new secret; whatever secret the browser
// had before is worth nothing afterwards (fixation).
func (m *Sessions) Start(ctx context.Context, w http.ResponseWriter, r *http.Request, a Account) error {
	now := m.staff.now().UTC()
	secret := newSecret()
	b, err := json.Marshal(record{Account: a.ID, Started: now, Seen: now})
	if err != nil {
		return err
	}
	if err := m.staff.store.Create(ctx, sessionPrefix+digest(secret), b, Absolute); err != nil {
		return err
	}
	if old := m.secret(r); old != "" {
		if err := m.staff.store.Delete(ctx, sessionPrefix+digest(old)); err != nil {
			return err
		}
	}
	m.setCookie(w, secret)
	return nil
}

// Get returns the session of a request with its account as it is now, and
// notes that it was seen. Errors: ErrNone, store.ErrUnavailable.
func (m *Sessions) Get(r *http.Request) (*Session, error) {
	secret := m.secret(r)
	if secret == "" {
		return nil, ErrNone
	}
	ctx, key := r.Context(), sessionPrefix+digest(secret)
	b, err := m.staff.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(b, &rec); err != nil {
		return nil, errors.Join(ErrNone, err)
	}
	now := m.staff.now().UTC()
	if !now.Before(rec.Seen.Add(Idle)) || !now.Before(rec.Started.Add(Absolute)) {
		return nil, errors.Join(ErrNone, m.staff.store.Delete(ctx, key))
	}
	a, err := m.staff.Get(ctx, rec.Account)
	if errors.Is(err, ErrUnknown) || err == nil && a.Locked {
		return nil, errors.Join(ErrNone, m.staff.store.Delete(ctx, key))
	}
	if err != nil {
		return nil, err
	}
	if now.Sub(rec.Seen) >= touchEvery {
		if err := m.change(ctx, key, func(r *record) { r.Seen = now }); err != nil {
			return nil, err
		}
	}
	return &Session{Account: a, Started: rec.Started, Seen: rec.Seen, Said: rec.Said, key: key}, nil
}

// Say keeps a sentence for the next page that the session opens; "" takes it
// away.
func (m *Sessions) Say(ctx context.Context, s *Session, text string) error {
	if len(text) > maxSaid {
		text = text[:maxSaid]
	}
	s.Said = text
	return m.change(ctx, s.key, func(r *record) { r.Said = text })
}

// End signs the browser out.
func (m *Sessions) End(ctx context.Context, w http.ResponseWriter, s *Session) error {
	http.SetCookie(w, &http.Cookie{Name: m.name(), Path: "/", Secure: m.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	return m.staff.store.Delete(ctx, s.key)
}

func (m *Sessions) change(ctx context.Context, key string, f func(*record)) error {
	return m.staff.store.Update(ctx, key, func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			return nil, 0, ErrNone
		}
		var rec record
		if err := json.Unmarshal(old, &rec); err != nil {
			return nil, 0, err
		}
		f(&rec)
		b, err := json.Marshal(rec)
		return b, max(rec.Started.Add(Absolute).Sub(m.staff.now()), time.Second), err
	})
}

// setCookie sends the cookie. It is Lax, not Strict: the way back from the
// provider is a navigation from another site.
func (m *Sessions) setCookie(w http.ResponseWriter, secret string) {
	http.SetCookie(w, &http.Cookie{Name: m.name(), Value: secret, Path: "/", Secure: m.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func newSecret() string {
	b := make([]byte, secretBytes)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
