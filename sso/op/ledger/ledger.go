package ledger

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/sso/op/protocol"
)

// Errors of this package; store.ErrUnavailable is passed on.
var (
	ErrUnknown = errors.New("op: unknown, used or expired")
	ErrReplay  = errors.New("op: used before")
)

// Namespaces of the keys.
const (
	pushedPrefix  = "op/par/"
	flowPrefix    = "op/flow/"
	codePrefix    = "op/code/"
	tokenPrefix   = "op/token/"
	jtiPrefix     = "op/jti/"
	sessionPrefix = "op/session/"
	accountPrefix = "op/sessions/" // of an account
	historyPrefix = "op/history/"
)

// Lives of the objects.
const (
	PushedLife = time.Minute
	FlowLife   = time.Hour // long enough to make an account meanwhile [SSO.md §11, 1]
	TokenLife  = 5 * time.Minute
	spentLife  = 10 * time.Minute // how long a second use of a code is noticed
	jtiGrace   = 2 * time.Minute
)

// Ledger is safe for concurrent use, also by several replicas over one store.
type Ledger struct {
	store store.Store
	now   func() time.Time
}

// New returns a Ledger over st.
func New(st store.Store, now func() time.Time) *Ledger { return &Ledger{store: st, now: now} }

// Random returns 32 random bytes in base64url.
func Random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

// Together runs writes to different keys at once, so that a store that syncs
// to disk commits them in one go, and returns all their errors.
func Together(writes ...func() error) error {
	errs := make([]error, len(writes))
	var wg sync.WaitGroup
	for i, write := range writes {
		wg.Go(func() { errs[i] = write() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// create stores v under a new secret and returns the secret.
func (l *Ledger) create(ctx context.Context, prefix string, v any, life time.Duration) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	secret := Random()
	return secret, l.store.Create(ctx, prefix+protocol.Digest(secret), b, life)
}

func known(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknown
	}
	return err
}

func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("op: stored record: %w", err)
	}
	return nil
}

// Pushed is a pushed authorization request: parameters of an authenticated
// client [RFC 9126 §2].
type Pushed struct {
	Client  string          `json:"client"`
	Params  protocol.Params `json:"params"`
	Expires time.Time       `json:"exp"`
}

// Push keeps a request for PushedLife and returns its handle.
func (l *Ledger) Push(ctx context.Context, client string, p protocol.Params) (string, error) {
	return l.create(ctx, pushedPrefix, Pushed{Client: client, Params: p, Expires: l.now().Add(PushedLife)}, PushedLife)
}

// TakePushed returns the request of a handle, once. Errors: ErrUnknown.
func (l *Ledger) TakePushed(ctx context.Context, handle string) (*Pushed, error) {
	b, err := l.store.Take(ctx, pushedPrefix+protocol.Digest(handle))
	if err != nil {
		return nil, known(err)
	}
	var p Pushed
	if err := decode(b, &p); err != nil {
		return nil, err
	}
	if !l.now().Before(p.Expires) {
		return nil, ErrUnknown
	}
	return &p, nil
}

// Use records a one-time object of a client; ErrReplay if it was recorded
// before. Only what passed every other check may be recorded.
func (l *Ledger) Use(ctx context.Context, client string, u protocol.Used) error {
	life := max(0, u.Expires.Sub(l.now())) + jtiGrace
	err := l.store.Create(ctx, jtiPrefix+protocol.Digest(client+"\x00"+u.JTI), []byte{1}, life)
	if errors.Is(err, store.ErrExists) {
		return ErrReplay
	}
	return err
}

// IssueCode keeps a code record and returns the code.
func (l *Ledger) IssueCode(ctx context.Context, c protocol.Code) (string, error) {
	return l.create(ctx, codePrefix, c, protocol.CodeLife)
}

// Code returns the record of a code and leaves it. Errors: ErrUnknown.
func (l *Ledger) Code(ctx context.Context, code string) (*protocol.Code, error) {
	b, err := l.store.Get(ctx, codePrefix+protocol.Digest(code))
	if errors.Is(err, store.ErrNotFound) {
		// An expired record may still lie in the store; a clock that goes back
		// must not revive it.
		return nil, errors.Join(ErrUnknown, l.store.Delete(ctx, codePrefix+protocol.Digest(code)))
	}
	if err != nil {
		return nil, err
	}
	c := &protocol.Code{}
	return c, decode(b, c)
}

// Spend marks the code as used and returns its record. Of many callers one
// gets first true; the others get the record that the first has left, whose
// Token is what has to be revoked. token names the access token that this
// caller is about to issue. Errors: ErrUnknown.
func (l *Ledger) Spend(ctx context.Context, code, token string) (c *protocol.Code, first bool, err error) {
	err = l.store.Update(ctx, codePrefix+protocol.Digest(code), func(old []byte) ([]byte, time.Duration, error) {
		c, first = &protocol.Code{}, false
		if old == nil {
			return nil, 0, ErrUnknown
		}
		if err := decode(old, c); err != nil {
			return nil, 0, err
		}
		if c.Spent {
			return old, spentLife, nil
		}
		first = true
		spent := *c
		spent.Spent, spent.Token = true, protocol.Digest(token)
		b, err := json.Marshal(spent)
		return b, spentLife, err
	})
	if errors.Is(err, ErrUnknown) {
		// An expired record may still lie in the store; a clock that goes back
		// must not revive it.
		err = errors.Join(err, l.store.Delete(ctx, codePrefix+protocol.Digest(code)))
	}
	return c, first, err
}

// Token is what an access token stands for: userinfo of one person for one
// client, as long as the session lives.
type Token struct {
	Client  string    `json:"client"`
	Session string    `json:"session"`
	Account string    `json:"account"`
	Subject string    `json:"sub"`
	Claims  []string  `json:"claims,omitempty"`
	Expires time.Time `json:"exp"`
}

// PutToken keeps the record of an access token chosen by the caller. It is
// ErrReplay if the code was used again meanwhile and the token killed.
func (l *Ledger) PutToken(ctx context.Context, token string, t Token) error {
	t.Expires = l.now().Add(TokenLife)
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	err = l.store.Create(ctx, tokenPrefix+protocol.Digest(token), b, TokenLife)
	if errors.Is(err, store.ErrExists) {
		return ErrReplay
	}
	return err
}

// Token returns the record of an access token. Errors: ErrUnknown.
func (l *Ledger) Token(ctx context.Context, token string) (*Token, error) {
	b, err := l.store.Get(ctx, tokenPrefix+protocol.Digest(token))
	if errors.Is(err, store.ErrNotFound) {
		return nil, errors.Join(ErrUnknown, l.Revoke(ctx, token))
	}
	if err != nil {
		return nil, err
	}
	var t Token
	if err := decode(b, &t); err != nil {
		return nil, err
	}
	if !l.now().Before(t.Expires) {
		return nil, ErrUnknown
	}
	return &t, nil
}

// Revoke removes an access token.
func (l *Ledger) Revoke(ctx context.Context, token string) error {
	return l.store.Delete(ctx, tokenPrefix+protocol.Digest(token))
}

// Kill ends the access token that a code stands for, by its digest, also one
// that is about to be issued: what lies there then is no token and is in the
// way of PutToken.
func (l *Ledger) Kill(ctx context.Context, digest string) error {
	return l.store.Put(ctx, tokenPrefix+digest, []byte("{}"), TokenLife)
}
