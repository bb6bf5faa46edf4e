package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso/op/protocol"
)

// Handover is one entry of the history: what went to whom.
type Handover struct {
	Client string           `json:"client"`
	Name   string           `json:"name"`
	At     time.Time        `json:"at"`
	Level  federation.Level `json:"level"`
	Claims []string         `json:"claims,omitempty"`
}

// person is what is kept about an account besides the account itself.
type person struct {
	Sessions []string   `json:"sessions,omitempty"` // keys, oldest first
	History  []Handover `json:"history,omitempty"`  // oldest first
}

const (
	maxSessions = 50
	maxHistory  = 100
	historyLife = 365 * 24 * time.Hour
)

func accountKey(account string) string { return accountPrefix + protocol.Digest(account) }

func (l *Ledger) changePerson(ctx context.Context, account string, f func(*person)) error {
	return l.store.Update(ctx, accountKey(account), func(old []byte) ([]byte, time.Duration, error) {
		var p person
		if old != nil {
			if err := decode(old, &p); err != nil {
				return nil, 0, err
			}
		}
		f(&p)
		if len(p.Sessions) == 0 && len(p.History) == 0 {
			return nil, 0, nil
		}
		b, err := json.Marshal(p)
		return b, historyLife, err
	})
}

func (l *Ledger) enlist(ctx context.Context, account, key string) error {
	var over []string
	err := l.changePerson(ctx, account, func(p *person) {
		over = nil
		p.Sessions = append(p.Sessions, key)
		if n := len(p.Sessions) - maxSessions; n > 0 {
			over = slices.Clone(p.Sessions[:n])
			p.Sessions = p.Sessions[n:]
		}
	})
	for _, old := range over {
		err = errors.Join(err, l.store.Delete(ctx, sessionPrefix+old))
	}
	return err
}

func (l *Ledger) delist(ctx context.Context, account, key string) error {
	return l.changePerson(ctx, account, func(p *person) {
		p.Sessions = slices.DeleteFunc(p.Sessions, func(k string) bool { return k == key })
	})
}

// Note adds to the history of an account.
func (l *Ledger) Note(ctx context.Context, account string, h Handover) error {
	return l.changePerson(ctx, account, func(p *person) {
		p.History = append(p.History, h)
		if n := len(p.History) - maxHistory; n > 0 {
			p.History = p.History[n:]
		}
	})
}

func (l *Ledger) person(ctx context.Context, account string) (person, error) {
	var p person
	b, err := l.store.Get(ctx, accountKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	return p, decode(b, &p)
}

// Sessions returns the living sessions of an account, oldest first.
func (l *Ledger) Sessions(ctx context.Context, account string) ([]*Session, error) {
	p, err := l.person(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []*Session
	for _, key := range p.Sessions {
		s, err := l.SessionByKey(ctx, key)
		switch {
		case err == nil:
			out = append(out, s)
		case !errors.Is(err, ErrUnknown):
			return nil, err
		}
	}
	return out, nil
}

// History returns the last hand-overs of an account, oldest first.
func (l *Ledger) History(ctx context.Context, account string) ([]Handover, error) {
	p, err := l.person(ctx, account)
	return p.History, err
}

// Forget removes what is kept about an account that is deleted: its history,
// and the codes and access tokens that are out. Its sessions have to be closed
// before. It reads through all codes and tokens, which live for minutes.
func (l *Ledger) Forget(ctx context.Context, account string) error {
	err := l.store.Delete(ctx, accountKey(account))
	for _, prefix := range []string{codePrefix, tokenPrefix} {
		var mine []string
		scan := l.store.Scan(ctx, prefix, func(key string, b []byte) bool {
			var of struct {
				Account string `json:"account"`
			}
			if json.Unmarshal(b, &of) == nil && of.Account == account {
				mine = append(mine, key)
			}
			return true
		})
		err = errors.Join(err, scan)
		for _, key := range mine {
			err = errors.Join(err, l.store.Delete(ctx, key))
		}
	}
	return err
}
