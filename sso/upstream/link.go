package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/sso/rp/provider"
)

// Errors of Links.
var (
	ErrNoOffer = errors.New("upstream: link offer unknown, used, too old or of another session")
	ErrLinked  = errors.New("upstream: identity belongs to another account")
	ErrLast    = errors.New("upstream: the account would have no way to sign in")
)

const (
	identityPrefix = "sso/link/identity/"
	accountPrefix  = "sso/link/account/"
	offerPrefix    = "sso/link/offer/"
	offerLife      = 10 * time.Minute
	maxLinks       = 16 // identities of one account

	// madePrefix begins the names of accounts that Account has made.
	madePrefix = "u-"
)

// Link is one identity that belongs to an account.
type Link struct {
	Upstream string    `json:"upstream"`
	Key      string    `json:"key"` // names the identity without telling it
	Since    time.Time `json:"since"`
}

// Links remembers which identity belongs to which account. The key of an
// identity is issuer and subject, nothing else: a person whose subject changed
// at the source, or who has the same name or e-mail address, is somebody new
// [SSO.md §10 E73, E75]. It is safe for concurrent use, also by several
// replicas over one store.
type Links struct {
	store store.Store
	now   func() time.Time
}

// NewLinks returns Links over st; now nil means time.Now.
func NewLinks(st store.Store, now func() time.Time) (*Links, error) {
	if st == nil {
		return nil, errors.New("upstream: links need a store")
	}
	if now == nil {
		now = time.Now
	}
	return &Links{store: st, now: now}, nil
}

// Account returns the account that p belongs to, and makes a new one at the
// first visit. An account ID made here is "u-" and 43 random characters.
func (l *Links) Account(ctx context.Context, p *Person) (id string, created bool, err error) {
	id, found, err := l.Find(ctx, p)
	if err != nil || found {
		return id, false, err
	}
	id = madePrefix + provider.Random()
	err = l.attach(ctx, id, p)
	if errors.Is(err, ErrLinked) { // another replica was faster
		id, _, err = l.Find(ctx, p)
		return id, false, err
	}
	return id, err == nil, err
}

// Find returns the account that p belongs to, if there is one.
func (l *Links) Find(ctx context.Context, p *Person) (account string, found bool, err error) {
	b, err := l.store.Get(ctx, identityPrefix+identityKey(p))
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	return string(b), err == nil, err
}

// Made reports whether Account has made this account: nobody can sign in to it
// but by one of its identities.
func Made(account string) bool { return strings.HasPrefix(account, madePrefix) }

// Offer is the first half of linking: the person is signed in to account in
// session (any string that names the session to the caller). It returns a
// random value, good for 10 minutes, once, and in that session only, which the
// caller carries through the login at the other source.
func (l *Links) Offer(ctx context.Context, account, session string) (string, error) {
	if account == "" || session == "" {
		return "", fmt.Errorf("%w: no account or no session", ErrNoOffer)
	}
	b, err := json.Marshal(offer{Account: account, Session: digest(session), Made: l.now().UTC()})
	if err != nil {
		return "", err
	}
	value := provider.Random()
	return value, l.store.Create(ctx, offerPrefix+digest(value), b, offerLife)
}

type offer struct {
	Account string    `json:"account"`
	Session string    `json:"session"`
	Made    time.Time `json:"made"`
}

// Accept is the second half: p has just signed in at the other source, in the
// same session. It links p to the account of the offer and returns the account.
// Errors: ErrNoOffer; ErrLinked if p has an account already, which is then left
// as it is.
func (l *Links) Accept(ctx context.Context, value, session string, p *Person) (string, error) {
	b, err := l.store.Take(ctx, offerPrefix+digest(value))
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrNoOffer
	}
	if err != nil {
		return "", err
	}
	var o offer
	if err := json.Unmarshal(b, &o); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoOffer, err)
	}
	if subtle.ConstantTimeCompare([]byte(o.Session), []byte(digest(session))) != 1 || l.now().Sub(o.Made) >= offerLife {
		return "", ErrNoOffer
	}
	return o.Account, l.attach(ctx, o.Account, p)
}

// attach writes the list of the account first: an identity that points to an
// account is then always listed there and can be removed.
func (l *Links) attach(ctx context.Context, account string, p *Person) error {
	key := identityKey(p)
	if err := l.free(ctx, key, account); err != nil {
		return err
	}
	if err := l.change(ctx, account, func(list []Link) ([]Link, error) {
		if slices.ContainsFunc(list, func(x Link) bool { return x.Key == key }) {
			return list, nil
		}
		if len(list) >= maxLinks {
			return nil, fmt.Errorf("upstream: an account has at most %d identities", maxLinks)
		}
		return append(list, Link{Upstream: p.Upstream, Key: key, Since: l.now().UTC()}), nil
	}); err != nil {
		return err
	}
	err := l.store.Create(ctx, identityPrefix+key, []byte(account), 0)
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	if err := l.free(ctx, key, account); err != nil { // another account was faster
		return errors.Join(err, l.change(ctx, account, without(key)))
	}
	return nil
}

// free returns ErrLinked if the identity belongs to another account.
func (l *Links) free(ctx context.Context, key, account string) error {
	b, err := l.store.Get(ctx, identityPrefix+key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	case string(b) != account:
		return ErrLinked
	}
	return nil
}

// List returns the identities of an account, oldest first.
func (l *Links) List(ctx context.Context, account string) ([]Link, error) {
	b, err := l.store.Get(ctx, accountPrefix+digest(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Link
	return list, json.Unmarshal(b, &list)
}

// Remove takes an identity from an account. Unless the account has another
// way to sign in (elsewhere), the last one stays (ErrLast).
func (l *Links) Remove(ctx context.Context, account, key string, elsewhere bool) error {
	found := false
	err := l.change(ctx, account, func(list []Link) ([]Link, error) {
		found = slices.ContainsFunc(list, func(x Link) bool { return x.Key == key })
		if found && len(list) == 1 && !elsewhere {
			return nil, ErrLast
		}
		return without(key)(list)
	})
	if err != nil || !found {
		return err
	}
	return l.store.Delete(ctx, identityPrefix+key)
}

// Forget removes every identity of an account that is deleted.
func (l *Links) Forget(ctx context.Context, account string) error {
	list, err := l.List(ctx, account)
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := l.store.Delete(ctx, identityPrefix+x.Key); err != nil {
			return err
		}
	}
	return l.store.Delete(ctx, accountPrefix+digest(account))
}

func without(key string) func([]Link) ([]Link, error) {
	return func(list []Link) ([]Link, error) {
		return slices.DeleteFunc(list, func(x Link) bool { return x.Key == key }), nil
	}
}

func (l *Links) change(ctx context.Context, account string, f func([]Link) ([]Link, error)) error {
	return l.store.Update(ctx, accountPrefix+digest(account), func(old []byte) ([]byte, time.Duration, error) {
		var list []Link
		if old != nil {
			if err := json.Unmarshal(old, &list); err != nil {
				return nil, 0, err
			}
		}
		list, err := f(list)
		if err != nil || len(list) == 0 {
			return nil, 0, err
		}
		b, err := json.Marshal(list)
		return b, 0, err
	})
}

func identityKey(p *Person) string { return digest(p.Issuer + "\x00" + p.Subject) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
