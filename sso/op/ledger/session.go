package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/op/protocol"
)

// Session is one browser signed in at the provider.
type Session struct {
	Key      string           `json:"-"`  // names the session; useless as a cookie
	ID       string           `json:"id"` // stays when the cookie changes; source of every sid
	Account  string           `json:"account"`
	Person   string           `json:"person"` // how the account is called
	Upstream string           `json:"upstream,omitempty"`
	Claims   sso.Claims       `json:"claims,omitzero"`
	Level    federation.Level `json:"level"` // it may be reused at; none after a login of level hoch
	Auth     time.Time        `json:"auth"`  // when the person authenticated at Level
	LastAuth time.Time        `json:"last"`  // the same, for any level
	AMR      []string         `json:"amr,omitempty"`
	Began    time.Time        `json:"began"`
	Seen     time.Time        `json:"seen"`
	Parties  []Party          `json:"parties,omitempty"` // in the order of signing in
	Moved    string           `json:"moved,omitempty"`   // nothing but the key it now has
}

// Party is a client where this session is signed in.
type Party struct {
	Client string           `json:"client"`
	Name   string           `json:"name"`
	Since  time.Time        `json:"since"`
	Last   time.Time        `json:"last"`
	Level  federation.Level `json:"level"`
	Claims []string         `json:"claims,omitempty"` // confirmed
}

// maxParties is how many clients one session can be signed in at.
const maxParties = 200

// life is the level whose limits the session has.
func (s *Session) life() federation.Level {
	if s.Level == federation.LevelNone {
		return federation.LevelHoch
	}
	return s.Level
}

// Alive reports whether the session may be used at now.
func (s *Session) Alive(now time.Time) bool {
	auth := s.Auth
	if s.Level == federation.LevelNone {
		auth = s.LastAuth
	}
	return protocol.Alive(s.life(), auth, s.Seen, now)
}

// Party returns the entry of a client, nil if there is none.
func (s *Session) Party(client string) *Party {
	for i := range s.Parties {
		if s.Parties[i].Client == client {
			return &s.Parties[i]
		}
	}
	return nil
}

// SignedIn is what a login has found out about a person.
type SignedIn struct {
	Account, Person, Upstream string
	Claims                    sso.Claims
	Level                     federation.Level
	AuthTime                  time.Time
	AMR                       []string
}

// Enter puts a login into a session: a new one, or old if it is of the same
// person. A login of level hoch is for the request it was made for and leaves
// the reusable level as it was [SSO.md §5, 3].
func Enter(old *Session, in SignedIn, now time.Time) Session {
	s := Session{ID: Random(), Account: in.Account, Began: now}
	if old != nil && old.Account == in.Account {
		s = *old
		s.Parties = slices.Clone(old.Parties)
		in.Claims = in.Claims.Or(old.Claims)
	}
	s.Person, s.Upstream, s.Claims, s.AMR, s.Seen, s.LastAuth = in.Person, in.Upstream, in.Claims, in.AMR, now, in.AuthTime
	if in.Level < federation.LevelHoch {
		s.Level, s.Auth = in.Level, in.AuthTime
	}
	return s
}

// left is how long the session may stay in the store.
func (s *Session) left(now time.Time) time.Duration {
	absolute, idle := protocol.Limits(s.life())
	auth := s.Auth
	if s.Level == federation.LevelNone {
		auth = s.LastAuth
	}
	return max(time.Second, min(auth.Add(absolute).Sub(now), idle))
}

// Open keeps a new session under its Key, the digest of a cookie value of 32
// random bytes. The account learns of it; its oldest sessions end when there
// are too many.
func (l *Ledger) Open(ctx context.Context, s Session) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return Together(
		func() error { return l.store.Create(ctx, sessionPrefix+s.Key, b, s.left(l.now())) },
		func() error { return l.enlist(ctx, s.Account, s.Key) },
	)
}

// Session returns the living session of a cookie. Errors: ErrUnknown, also for
// the cookie that a session had before its last login.
func (l *Ledger) Session(ctx context.Context, cookie string) (*Session, error) {
	s, err := l.session(ctx, protocol.Digest(cookie))
	if err == nil && s.Moved != "" {
		return nil, ErrUnknown
	}
	return s, err
}

// maxMoves is how many logins back SessionByKey follows a session.
const maxMoves = 4

// SessionByKey returns a living session by its key or by one it had before:
// codes and tokens name the key of their time. Errors: ErrUnknown.
func (l *Ledger) SessionByKey(ctx context.Context, key string) (*Session, error) {
	for range maxMoves {
		s, err := l.session(ctx, key)
		if err != nil || s.Moved == "" {
			return s, err
		}
		key = s.Moved
	}
	return nil, ErrUnknown
}

// Move leaves word at a session's old key where it is now.
func (l *Ledger) Move(ctx context.Context, account, old, key string) error {
	b, err := json.Marshal(Session{Moved: key})
	if err != nil {
		return err
	}
	if err := l.store.Put(ctx, sessionPrefix+old, b, spentLife); err != nil {
		return err
	}
	return l.delist(ctx, account, old)
}

// session returns what lies at a key. What has ended is removed: a clock that
// goes back does not revive it.
func (l *Ledger) session(ctx context.Context, key string) (*Session, error) {
	b, err := l.store.Get(ctx, sessionPrefix+key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errors.Join(ErrUnknown, l.store.Delete(ctx, sessionPrefix+key))
	}
	if err != nil {
		return nil, err
	}
	s := &Session{Key: key}
	if err := decode(b, s); err != nil {
		return nil, err
	}
	if s.Moved == "" && !s.Alive(l.now()) {
		return nil, errors.Join(ErrUnknown, l.store.Delete(ctx, sessionPrefix+key))
	}
	return s, nil
}

// Change applies f to a living session and marks it as used now. Errors:
// ErrUnknown.
func (l *Ledger) Change(ctx context.Context, key string, f func(*Session)) error {
	return l.store.Update(ctx, sessionPrefix+key, func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			return nil, 0, ErrUnknown
		}
		s := &Session{Key: key}
		if err := decode(old, s); err != nil {
			return nil, 0, err
		}
		if s.Moved != "" {
			return nil, 0, ErrUnknown
		}
		f(s)
		now := l.now()
		s.Seen = now
		b, err := json.Marshal(s)
		return b, s.left(now), err
	})
}

// Join notes that a session is signed in at a client with these claims
// confirmed.
func (s *Session) Join(p Party) {
	if have := s.Party(p.Client); have != nil {
		have.Name, have.Last, have.Level = p.Name, p.Last, p.Level
		for _, c := range p.Claims {
			if !slices.Contains(have.Claims, c) {
				have.Claims = append(have.Claims, c)
			}
		}
		return
	}
	if len(s.Parties) < maxParties {
		s.Parties = append(s.Parties, p)
	}
}

// Part takes a client out of a session. Errors: ErrUnknown.
func (l *Ledger) Part(ctx context.Context, key, client string) error {
	return l.Change(ctx, key, func(s *Session) {
		s.Parties = slices.DeleteFunc(s.Parties, func(p Party) bool { return p.Client == client })
	})
}

// Close ends a session and returns what it was; nil if there was none.
func (l *Ledger) Close(ctx context.Context, key string) (*Session, error) {
	b, err := l.store.Take(ctx, sessionPrefix+key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &Session{Key: key}
	if err := decode(b, s); err != nil {
		return nil, err
	}
	return s, l.delist(ctx, s.Account, key)
}
