package staff

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation/store"
)

// Errors of accounts.
var (
	ErrUnknown = errors.New("staff: there is no such account")
	ErrLocked  = errors.New("staff: the account is locked")
	ErrName    = errors.New("staff: a name has 1 to 100 characters")
	ErrNoRole  = errors.New("staff: at least one role is needed")
	ErrConsole = errors.New("staff: the account of the command line cannot be changed")
	ErrTaken   = errors.New("staff: this login belongs to another account")
)

// ConsoleID is the account of whoever may open the operator's socket.
const ConsoleID = "KONSOLE"

const (
	accountPrefix = "staff/account/"
	loginPrefix   = "staff/login/"
	maxName       = 100 // characters
	idLength      = 8   // of rand.Text: 40 bits
)

// Login is an identity that was proved: a subject at an issuer.
type Login struct {
	Issuer  string `json:"iss,omitempty"`
	Subject string `json:"sub,omitempty"`
}

// Account is one member of the staff.
type Account struct {
	ID    string `json:"id"`   // stands in the audit trail, see Actor
	Name  string `json:"name"` // for the list of staff; never in trail or log
	Roles Roles  `json:"roles"`
	Login Login  `json:"login,omitzero"` // zero until an invitation is accepted
	// ByProvider: the roles come from the provider's claims at each login.
	ByProvider bool      `json:"by_provider,omitempty"`
	Locked     bool      `json:"locked,omitempty"`
	Created    time.Time `json:"created"`
	Seen       time.Time `json:"seen,omitzero"` // last login
}

// Actor is how the account is called in the audit trail.
func (a Account) Actor() string { return "staff:" + a.ID }

// Console reports whether this is the account of the command line.
func (a Account) Console() bool { return a.ID == ConsoleID }

// Staff keeps the accounts. It is safe for concurrent use and by several
// replicas over one store.
type Staff struct {
	store store.Store
	now   func() time.Time
}

// New returns the staff kept in st; now nil is time.Now.
func New(st store.Store, now func() time.Time) *Staff {
	if now == nil {
		now = time.Now
	}
	return &Staff{store: st, now: now}
}

// List returns all accounts but that of the command line, by name.
func (s *Staff) List(ctx context.Context) ([]Account, error) {
	var out []Account
	var broken error
	err := s.store.Scan(ctx, accountPrefix, func(key string, b []byte) bool {
		var a Account
		if broken = json.Unmarshal(b, &a); broken != nil {
			broken = fmt.Errorf("%s: %w", key, broken)
			return false
		}
		if !a.Console() {
			out = append(out, a)
		}
		return true
	})
	if err := errors.Join(err, broken); err != nil {
		return nil, fmt.Errorf("staff: %w", err)
	}
	slices.SortFunc(out, func(a, b Account) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Get returns one account, ErrUnknown if there is none.
func (s *Staff) Get(ctx context.Context, id string) (Account, error) {
	if id == ConsoleID {
		return Account{ID: ConsoleID, Name: "Zugang von der Kommandozeile", Roles: Everyone}, nil
	}
	var a Account
	if !validID(id) {
		return a, ErrUnknown
	}
	b, err := s.store.Get(ctx, accountPrefix+id)
	if errors.Is(err, store.ErrNotFound) {
		return a, ErrUnknown
	}
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return a, fmt.Errorf("staff: account %s: %w", id, err)
	}
	return a, nil
}

func validID(id string) bool {
	return len(id) == idLength && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Find returns the account of a login, and notes that it was used. Errors:
// ErrUnknown, ErrLocked.
func (s *Staff) Find(ctx context.Context, l Login) (Account, error) {
	id, err := s.idOf(ctx, l)
	if err != nil {
		return Account{}, err
	}
	return s.change(ctx, id, func(a *Account) error {
		if a.Locked {
			return ErrLocked
		}
		a.Seen = s.now().UTC()
		return nil
	})
}

// Admit returns the account of a login whose provider has said which roles it
// has, making one at the first time. Roles of an account that was invited are
// left as they are. Errors: ErrLocked, ErrNoRole.
func (s *Staff) Admit(ctx context.Context, l Login, name string, roles Roles) (Account, error) {
	id, err := s.idOf(ctx, l)
	if errors.Is(err, ErrUnknown) {
		if roles == 0 {
			return Account{}, ErrNoRole
		}
		id = newID()
		a := Account{ID: id, Name: cleanName(name, "Konto "+id), Roles: roles, Login: l, ByProvider: true, Created: s.now().UTC()}
		if err := s.create(ctx, a); err != nil {
			return Account{}, err
		}
		if err := s.bind(ctx, l, id); err != nil {
			return Account{}, errors.Join(err, s.store.Delete(ctx, accountPrefix+id))
		}
	} else if err != nil {
		return Account{}, err
	}
	return s.change(ctx, id, func(a *Account) error {
		if a.Locked {
			return ErrLocked
		}
		if a.ByProvider {
			if roles == 0 {
				return ErrNoRole
			}
			a.Roles, a.Name = roles, cleanName(name, a.Name)
		}
		a.Seen = s.now().UTC()
		return nil
	})
}

// SetRoles replaces the roles of an account.
func (s *Staff) SetRoles(ctx context.Context, id string, roles Roles) (Account, error) {
	if roles == 0 {
		return Account{}, ErrNoRole
	}
	return s.change(ctx, id, func(a *Account) error { a.Roles, a.ByProvider = roles, false; return nil })
}

// Lock ends all sessions of an account and lets nobody in with it.
func (s *Staff) Lock(ctx context.Context, id string) (Account, error) {
	return s.change(ctx, id, func(a *Account) error { a.Locked = true; return nil })
}

// Unlock allows it again.
func (s *Staff) Unlock(ctx context.Context, id string) (Account, error) {
	return s.change(ctx, id, func(a *Account) error { a.Locked = false; return nil })
}

// Remove deletes an account with everything kept about it. Its number stays
// in the audit trail.
func (s *Staff) Remove(ctx context.Context, id string) error {
	a, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	if a.Console() {
		return ErrConsole
	}
	if a.Login != (Login{}) {
		err = s.store.Delete(ctx, loginKey(a.Login))
	}
	return errors.Join(err, s.store.Delete(ctx, accountPrefix+id))
}

func (s *Staff) create(ctx context.Context, a Account) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return s.store.Create(ctx, accountPrefix+a.ID, b, 0)
}

func (s *Staff) change(ctx context.Context, id string, f func(*Account) error) (Account, error) {
	if id == ConsoleID {
		return Account{}, ErrConsole
	}
	if !validID(id) {
		return Account{}, ErrUnknown
	}
	var out Account
	err := s.store.Update(ctx, accountPrefix+id, func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			return nil, 0, ErrUnknown
		}
		var a Account
		if err := json.Unmarshal(old, &a); err != nil {
			return nil, 0, err
		}
		if err := f(&a); err != nil {
			return nil, 0, err
		}
		out = a
		b, err := json.Marshal(a)
		return b, 0, err
	})
	if err != nil {
		return Account{}, fmt.Errorf("account %s: %w", id, err)
	}
	return out, nil
}

func (s *Staff) idOf(ctx context.Context, l Login) (string, error) {
	b, err := s.store.Get(ctx, loginKey(l))
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrUnknown
	}
	return string(b), err
}

// bind gives a login to an account; of two accounts that want it, one gets it.
func (s *Staff) bind(ctx context.Context, l Login, id string) error {
	err := s.store.Create(ctx, loginKey(l), []byte(id), 0)
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	have, err := s.idOf(ctx, l)
	if err == nil && have != id {
		err = ErrTaken
	}
	return err
}

func loginKey(l Login) string { return loginPrefix + digest(l.Issuer+"\x00"+l.Subject) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func newID() string { return rand.Text()[:idLength] }

// cleanName makes a name from outside fit for a table, or returns otherwise.
func cleanName(s, otherwise string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == ' ' }), " ")
	if s == "" || !utf8.ValidString(s) {
		return otherwise
	}
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	return s
}
