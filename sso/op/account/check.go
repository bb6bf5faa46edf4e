package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation/store"
)

// Limits against guessing: so many failures within the window.
const (
	maxByName    = 10
	maxByAddress = 100 // one address may be a whole town hall
	window       = 15 * time.Minute
)

// LimitError is ErrTooMany with how long it lasts.
type LimitError struct{ Wait time.Duration }

func (e *LimitError) Error() string {
	return fmt.Sprintf("%v: %s left", ErrTooMany, e.Wait.Round(time.Second))
}

// Unwrap returns ErrTooMany.
func (e *LimitError) Unwrap() error { return ErrTooMany }

// Minutes is Wait for people: rounded up, at least 1.
func (e *LimitError) Minutes() int { return max(1, int((e.Wait+time.Minute-1)/time.Minute)) }

// tries counts failed attempts within a window.
type tries struct {
	N     int   `json:"n"`
	Since int64 `json:"since"` // seconds since 1970
}

func tryKey(kind, subject string) string { return "sso/try/" + kind + "/" + nameKey(subject) }

// Check returns the account that name and password belong to. address is any
// stand-in for where the attempt comes from, "" if it is not to be counted.
//
// The attempt is entered as under way before the password is looked at, and
// counts like a failure until it has succeeded: guesses in parallel get no
// further than guesses in turn. Errors: ErrWrong, *LimitError (which is
// ErrTooMany), store.ErrUnavailable.
func (a *Accounts) Check(ctx context.Context, username, password, address string) (*Account, error) {
	username = Username(username)
	if len(username) > maxUsername || len(password) > maxPassword {
		return nil, ErrWrong
	}
	return a.guarded(ctx, username, address, func() (*Account, error) { return a.check(ctx, username, password) })
}

// guarded counts what try refuses with ErrWrong.
func (a *Accounts) guarded(ctx context.Context, username, address string, try func() (*Account, error)) (*Account, error) {
	counters := []counter{{tryKey("name", username), maxByName}}
	if address != "" {
		counters = append(counters, counter{tryKey("addr", address), maxByAddress})
	}
	var begun []counter
	defer func() { a.leave(begun) }()
	for _, c := range counters {
		if err := a.enter(ctx, c); err != nil {
			return nil, err
		}
		begun = append(begun, c)
	}
	acc, err := try()
	switch {
	case errors.Is(err, ErrWrong):
		for _, c := range counters {
			if err := a.failed(ctx, c.key); err != nil {
				return nil, err
			}
		}
		return nil, ErrWrong
	case err != nil:
		return nil, err
	}
	return acc, a.forget(ctx, counters[0].key)
}

func (a *Accounts) check(ctx context.Context, username, password string) (*Account, error) {
	r, err := a.read(ctx, username)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	hash := ""
	if r != nil {
		hash = r.Hash
	}
	ok, err := a.matches(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	if !ok || r.Locked {
		return nil, ErrWrong
	}
	return &r.Account, nil
}

type counter struct {
	key   string
	limit int
}

// enter counts an attempt as under way; it is ErrTooMany if that and the
// stored failures reach the limit.
func (a *Accounts) enter(ctx context.Context, c counter) error {
	a.mu.Lock()
	a.flight[c.key]++
	under := a.flight[c.key]
	a.mu.Unlock()
	t, err := a.failures(ctx, c.key)
	if err == nil && t.N+under > c.limit {
		// Attempts under way are over in a moment; failures last their window.
		left := time.Second
		if t.N >= c.limit {
			left = min(window, max(left, time.Unix(t.Since, 0).Add(window).Sub(a.c.Now())))
		}
		err = &LimitError{Wait: left}
	}
	if err != nil {
		a.leave([]counter{c})
	}
	return err
}

func (a *Accounts) leave(counters []counter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range counters {
		if a.flight[c.key]--; a.flight[c.key] <= 0 {
			delete(a.flight, c.key)
		}
	}
}

func (a *Accounts) failures(ctx context.Context, key string) (tries, error) {
	b, err := a.c.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return tries{}, nil
	}
	if err != nil {
		return tries{}, err
	}
	return parseTries(b)
}

func parseTries(b []byte) (t tries, err error) {
	if err := json.Unmarshal(b, &t); err != nil {
		return t, fmt.Errorf("account: counter: %w", err)
	}
	return t, nil
}

// failed counts one failure; the window begins with the first.
func (a *Accounts) failed(ctx context.Context, key string) error {
	now := a.c.Now()
	return a.c.Store.Update(ctx, key, func(old []byte) ([]byte, time.Duration, error) {
		t := tries{Since: now.Unix()}
		if old != nil {
			var err error
			if t, err = parseTries(old); err != nil {
				return nil, 0, err
			}
		}
		t.N++
		left := max(time.Second, time.Unix(t.Since, 0).Add(window).Sub(now))
		b, err := json.Marshal(t)
		return b, min(left, window), err
	})
}

// forget ends the counting of a name that has signed in. Most have nothing to
// forget, and that costs no write.
func (a *Accounts) forget(ctx context.Context, key string) error {
	t, err := a.failures(ctx, key)
	if err != nil || t.N == 0 {
		return err
	}
	return a.c.Store.Delete(ctx, key)
}
