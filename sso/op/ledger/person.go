package ledger

import (
	"bytes"
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

// What is kept about an account besides the account itself are two lists of
// lines, oldest first: the keys of its sessions, and its history, a JSON object
// a line. Each login adds to both, so they are added to without being read.
const (
	maxSessions = 50
	maxHistory  = 100
	historyLife = 365 * 24 * time.Hour
)

func sessionsKey(account string) string { return accountPrefix + protocol.Digest(account) }
func historyKey(account string) string  { return historyPrefix + protocol.Digest(account) }

// push adds a line to a list and returns the lines that fell off its top.
func push(list, line []byte, most int) (longer []byte, over [][]byte) {
	longer = append(append(bytes.Clone(list), line...), '\n')
	for n := bytes.Count(longer, []byte{'\n'}); n > most; n-- {
		i := bytes.IndexByte(longer, '\n')
		over, longer = append(over, longer[:i:i]), longer[i+1:]
	}
	return longer, over
}

func lines(list []byte) [][]byte {
	all := bytes.Split(list, []byte{'\n'})
	return slices.DeleteFunc(all, func(l []byte) bool { return len(l) == 0 })
}

func (l *Ledger) enlist(ctx context.Context, account, key string) error {
	var over [][]byte
	err := l.store.Update(ctx, sessionsKey(account), func(old []byte) ([]byte, time.Duration, error) {
		var list []byte
		list, over = push(old, []byte(key), maxSessions)
		return list, historyLife, nil
	})
	for _, old := range over {
		err = errors.Join(err, l.store.Delete(ctx, sessionPrefix+string(old)))
	}
	return err
}

func (l *Ledger) delist(ctx context.Context, account, key string) error {
	return l.store.Update(ctx, sessionsKey(account), func(old []byte) ([]byte, time.Duration, error) {
		rest := slices.DeleteFunc(lines(old), func(k []byte) bool { return string(k) == key })
		if len(rest) == 0 {
			return nil, 0, nil
		}
		return append(bytes.Join(rest, []byte{'\n'}), '\n'), historyLife, nil
	})
}

// Note adds to the history of an account.
func (l *Ledger) Note(ctx context.Context, account string, h Handover) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return l.store.Update(ctx, historyKey(account), func(old []byte) ([]byte, time.Duration, error) {
		list, _ := push(old, b, maxHistory)
		return list, historyLife, nil
	})
}

// list returns the lines of a list, none if there is no list.
func (l *Ledger) list(ctx context.Context, key string) ([][]byte, error) {
	b, err := l.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return lines(b), err
}

// Sessions returns the living sessions of an account, oldest first.
func (l *Ledger) Sessions(ctx context.Context, account string) ([]*Session, error) {
	keys, err := l.list(ctx, sessionsKey(account))
	if err != nil {
		return nil, err
	}
	var out []*Session
	for _, key := range keys {
		s, err := l.SessionByKey(ctx, string(key))
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
	all, err := l.list(ctx, historyKey(account))
	if err != nil {
		return nil, err
	}
	var out []Handover
	for _, line := range all {
		var h Handover
		if err := decode(line, &h); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// Forget removes what is kept about an account that is deleted: its history,
// and the codes and access tokens that are out. Its sessions have to be closed
// before. It reads through all codes and tokens, which live for minutes.
func (l *Ledger) Forget(ctx context.Context, account string) error {
	err := errors.Join(l.store.Delete(ctx, sessionsKey(account)), l.store.Delete(ctx, historyKey(account)))
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
