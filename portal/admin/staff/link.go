package staff

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation/store"
)

// Errors of links; each has a sentence of its own for people.
var (
	ErrLinkUnknown = errors.New("staff: this link is not known")
	ErrLinkUsed    = errors.New("staff: this link was used already")
	ErrLinkExpired = errors.New("staff: this link has expired")
)

// How long links are good.
const (
	LinkLife       = 15 * time.Minute
	InvitationLife = 7 * 24 * time.Hour

	rememberLinks = 30 * 24 * time.Hour // so that a used one gets its own sentence
	linkPrefix    = "staff/link/"
)

// link is what the store keeps about a one-time link, by the hash of its
// secret.
type link struct {
	Account string    `json:"account"`
	Expires time.Time `json:"expires"`
	Used    bool      `json:"used,omitempty"`
	Invites bool      `json:"invites,omitempty"` // the account has no login yet
}

// Link makes a one-time secret that lets whoever has it in as the account of
// the command line. It is good for LinkLife.
func (s *Staff) Link(ctx context.Context) (secret string, expires time.Time, err error) {
	return s.newLink(ctx, link{Account: ConsoleID}, LinkLife)
}

// Redeem uses such a secret up: of many callers exactly one succeeds. Errors:
// ErrLinkUnknown, ErrLinkUsed, ErrLinkExpired.
func (s *Staff) Redeem(ctx context.Context, secret string) (Account, error) {
	l, err := s.useUp(ctx, secret, false)
	if err != nil {
		return Account{}, err
	}
	return s.Get(ctx, l.Account)
}

// Invite makes an account without a login and a one-time secret for the person
// it is meant for, good for InvitationLife. Errors: ErrName, ErrNoRole.
func (s *Staff) Invite(ctx context.Context, name string, roles Roles) (a Account, secret string, expires time.Time, err error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName || cleanName(name, "") != name {
		return a, "", expires, ErrName
	}
	if roles == 0 {
		return a, "", expires, ErrNoRole
	}
	a = Account{ID: newID(), Name: name, Roles: roles, Created: s.now().UTC()}
	if err := s.create(ctx, a); err != nil {
		return a, "", expires, err
	}
	secret, expires, err = s.newLink(ctx, link{Account: a.ID, Invites: true}, InvitationLife)
	return a, secret, expires, err
}

// Invited returns the account that an invitation is for, without using it up.
func (s *Staff) Invited(ctx context.Context, secret string) (Account, error) {
	b, err := s.store.Get(ctx, linkKey(secret))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Account{}, err
	}
	l, err := s.usable(b, true)
	if err != nil {
		return Account{}, err
	}
	return s.Get(ctx, l.Account)
}

// Accept gives the invited account its login. Errors: those of links,
// ErrTaken, ErrLocked.
func (s *Staff) Accept(ctx context.Context, secret string, l Login) (Account, error) {
	a, err := s.Invited(ctx, secret)
	if err != nil {
		return a, err
	}
	if a.Locked {
		return a, ErrLocked
	}
	if id, err := s.idOf(ctx, l); err == nil && id != a.ID {
		return a, ErrTaken
	} else if err != nil && !errors.Is(err, ErrUnknown) {
		return a, err
	}
	if _, err := s.useUp(ctx, secret, true); err != nil {
		return a, err
	}
	if err := s.bind(ctx, l, a.ID); err != nil {
		return a, err
	}
	return s.change(ctx, a.ID, func(a *Account) error {
		a.Login, a.Seen = l, s.now().UTC()
		return nil
	})
}

func (s *Staff) newLink(ctx context.Context, l link, life time.Duration) (string, time.Time, error) {
	secret := rand.Text() + rand.Text()[:10]
	l.Expires = s.now().Add(life).UTC()
	b, err := json.Marshal(l)
	if err != nil {
		return "", l.Expires, err
	}
	if err := s.store.Create(ctx, linkKey(secret), b, life+rememberLinks); err != nil {
		return "", l.Expires, fmt.Errorf("staff: link: %w", err)
	}
	return secret, l.Expires, nil
}

func (s *Staff) useUp(ctx context.Context, secret string, invites bool) (link, error) {
	var out link
	err := s.store.Update(ctx, linkKey(secret), func(old []byte) ([]byte, time.Duration, error) {
		l, err := s.usable(old, invites)
		if err != nil {
			return nil, 0, err
		}
		out = l
		l.Used = true
		b, err := json.Marshal(l)
		return b, rememberLinks, err
	})
	return out, err
}

func (s *Staff) usable(b []byte, invites bool) (link, error) {
	var l link
	if b == nil {
		return l, ErrLinkUnknown
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("staff: link: %w", err)
	}
	switch {
	case l.Invites != invites:
		return l, ErrLinkUnknown
	case l.Used:
		return l, ErrLinkUsed
	case !s.now().Before(l.Expires):
		return l, ErrLinkExpired
	}
	return l, nil
}

func linkKey(secret string) string { return linkPrefix + digest(secret) }
