package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
)

// Errors of this package. Check never tells whether the name or the password
// was wrong.
var (
	ErrWrong    = errors.New("account: name or password is wrong, or the account is locked")
	ErrTooMany  = errors.New("account: too many attempts, wait some minutes")
	ErrNotFound = errors.New("account: no such account")
	ErrExists   = errors.New("account: the name is taken")
	ErrInput    = errors.New("account: not allowed")
)

// Account is one account. The password is never part of it.
type Account struct {
	ID       string           `json:"id"`       // random; never shown to a portal
	Username string           `json:"username"` // lower case
	Claims   sso.Claims       `json:"claims"`
	Level    federation.Level `json:"level"` // that a login with the password reaches
	Locked   bool             `json:"locked,omitempty"`
	Created  time.Time        `json:"created"`
	Changed  time.Time        `json:"changed"` // of the password
}

// NewAccount is what Add needs.
type NewAccount struct {
	Username string           `json:"username"`
	Password string           `json:"password"`
	Claims   sso.Claims       `json:"claims"`
	Level    federation.Level `json:"level"` // zero: basis
}

// Config of Accounts.
type Config struct {
	Store store.Store // required
	// MaxLevel is the highest level an account may have; zero: niedrig, because
	// a password alone gives no more [eIDAS (EU) 2015/1502]. A demonstration
	// network may set substanziell.
	MaxLevel federation.Level
	Cost     Cost // zero: DefaultCost
	Now      func() time.Time
	Log      *slog.Logger
}

// Accounts is the repository. It is safe for concurrent use, also by several
// replicas over one store.
type Accounts struct {
	c     Config
	slots chan struct{} // bounds argon2 runs: each takes Cost.Memory KiB

	mu     sync.Mutex     // guards flight
	flight map[string]int // attempts under way, by counter key
}

// New checks the configuration. It does no I/O.
func New(c Config) (*Accounts, error) {
	if c.Store == nil {
		return nil, errors.New("account: Config.Store is needed")
	}
	if c.MaxLevel == federation.LevelNone {
		c.MaxLevel = federation.LevelNiedrig
	}
	if c.Cost == (Cost{}) {
		c.Cost = DefaultCost()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Accounts{c: c, slots: make(chan struct{}, parallel()), flight: map[string]int{}}, nil
}

// MaxLevel returns the highest level an account may have.
func (a *Accounts) MaxLevel() federation.Level { return a.c.MaxLevel }

// record is an account as it is stored, under the digest of its name.
type record struct {
	Account
	Hash string `json:"hash"`
}

const (
	namePrefix = "sso/account/name/"
	idPrefix   = "sso/account/id/" // → username
)

func nameKey(username string) string {
	sum := sha256.Sum256([]byte(username))
	return namePrefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Limits of what an account may hold, in bytes.
const (
	minPassword = 8
	maxPassword = 256
	maxUsername = 100
	maxClaim    = 200
)

// Username returns the form a name is stored in: trimmed, lower case.
func Username(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func checkText(what, s string, low, high int) error {
	switch {
	case len(s) < low || len(s) > high:
		return fmt.Errorf("%w: %s needs %d to %d bytes", ErrInput, what, low, high)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%w: %s has control characters", ErrInput, what)
	}
	return nil
}

func (a *Accounts) checkNew(n *NewAccount) error {
	n.Username = Username(n.Username)
	if n.Level == federation.LevelNone {
		n.Level = federation.LevelBasis
	}
	errs := []error{
		checkText("the name", n.Username, 1, maxUsername),
		a.CheckPassword(n.Username, n.Password),
	}
	for what, s := range map[string]string{
		"name": n.Claims.Name, "given_name": n.Claims.GivenName, "family_name": n.Claims.FamilyName,
		"email": n.Claims.Email, "locale": n.Claims.Locale,
	} {
		errs = append(errs, checkText(what, s, 0, maxClaim))
	}
	if n.Level > a.c.MaxLevel {
		errs = append(errs, fmt.Errorf("%w: level %s, at most %s here", ErrInput, n.Level, a.c.MaxLevel))
	}
	return errors.Join(errs...)
}

// Add makes an account. Errors: ErrInput, ErrExists, store.ErrUnavailable.
func (a *Accounts) Add(ctx context.Context, n NewAccount) (*Account, error) {
	if err := a.checkNew(&n); err != nil {
		return nil, err
	}
	hash, err := a.hash(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	now := a.c.Now().UTC()
	r := record{Hash: hash, Account: Account{
		ID: "a-" + random(), Username: n.Username, Claims: n.Claims, Level: n.Level, Created: now, Changed: now,
	}}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	// The index first: an ID that leads to no account is harmless.
	if err := a.c.Store.Put(ctx, idPrefix+r.ID, []byte(r.Username), 0); err != nil {
		return nil, err
	}
	err = a.c.Store.Create(ctx, nameKey(r.Username), b, 0)
	if errors.Is(err, store.ErrExists) {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrExists, r.Username), a.c.Store.Delete(ctx, idPrefix+r.ID))
	}
	if err != nil {
		return nil, err
	}
	a.c.Log.Info("account added")
	return &r.Account, nil
}

// List returns all accounts in no particular order.
func (a *Accounts) List(ctx context.Context) ([]Account, error) {
	var all []Account
	var bad error
	err := a.c.Store.Scan(ctx, namePrefix, func(_ string, b []byte) bool {
		var r record
		if bad = json.Unmarshal(b, &r); bad != nil {
			return false
		}
		all = append(all, r.Account)
		return true
	})
	return all, errors.Join(err, bad)
}

// Lock keeps an account from signing in. Sessions that exist are not ended
// here; see op.EndAll.
func (a *Accounts) Lock(ctx context.Context, username string) (*Account, error) {
	return a.change(ctx, username, func(r *record) { r.Locked = true })
}

// Unlock undoes Lock and forgets failed attempts.
func (a *Accounts) Unlock(ctx context.Context, username string) (*Account, error) {
	acc, err := a.change(ctx, username, func(r *record) { r.Locked = false })
	if err != nil {
		return nil, err
	}
	return acc, a.c.Store.Delete(ctx, tryKey("name", Username(username)))
}

// CheckPassword says whether an account may have this password: ErrInput.
func (a *Accounts) CheckPassword(username, password string) error {
	err := checkText("the password", password, minPassword, maxPassword)
	if strings.EqualFold(Username(username), password) {
		err = errors.Join(err, fmt.Errorf("%w: the password is the name", ErrInput))
	}
	return err
}

// SetPassword sets a new password without asking for the old one.
func (a *Accounts) SetPassword(ctx context.Context, username, password string) (*Account, error) {
	if err := a.CheckPassword(username, password); err != nil {
		return nil, err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	now := a.c.Now().UTC()
	return a.change(ctx, username, func(r *record) { r.Hash, r.Changed = hash, now })
}

// Delete removes an account for good, with its recovery code and its count of
// failed attempts; its ID is never used again.
func (a *Accounts) Delete(ctx context.Context, username string) error {
	r, err := a.read(ctx, username)
	if err != nil {
		return err
	}
	return errors.Join(a.c.Store.Delete(ctx, nameKey(r.Username)), a.c.Store.Delete(ctx, idPrefix+r.ID),
		a.forgetCode(ctx, r.ID), a.c.Store.Delete(ctx, tryKey("name", r.Username)))
}

// Get returns the account with this ID. Errors: ErrNotFound.
func (a *Accounts) Get(ctx context.Context, id string) (*Account, error) {
	if !strings.HasPrefix(id, "a-") {
		return nil, ErrNotFound
	}
	b, err := a.c.Store.Get(ctx, idPrefix+id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	r, err := a.read(ctx, string(b))
	if err != nil {
		return nil, err
	}
	if r.ID != id {
		return nil, ErrNotFound
	}
	return &r.Account, nil
}

// Find returns the account with this name. Errors: ErrNotFound.
func (a *Accounts) Find(ctx context.Context, username string) (*Account, error) {
	r, err := a.read(ctx, username)
	if err != nil {
		return nil, err
	}
	return &r.Account, nil
}

func (a *Accounts) read(ctx context.Context, username string) (*record, error) {
	b, err := a.c.Store.Get(ctx, nameKey(Username(username)))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("account: record: %w", err)
	}
	return &r, nil
}

func (a *Accounts) change(ctx context.Context, username string, f func(*record)) (*Account, error) {
	var r record
	err := a.c.Store.Update(ctx, nameKey(Username(username)), func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			return nil, 0, ErrNotFound
		}
		r = record{}
		if err := json.Unmarshal(old, &r); err != nil {
			return nil, 0, fmt.Errorf("account: record: %w", err)
		}
		f(&r)
		b, err := json.Marshal(r)
		return b, 0, err
	})
	if err != nil {
		return nil, err
	}
	return &r.Account, nil
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}
