package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
)

const (
	indexPrefix  = "sso/session-sid/"
	endedPrefix  = "sso/session-ended/"
	maxPerSID    = 16 // browsers that share one login at the issuer
	keyDigits    = 2 * sha256.Size
	endedForMark = maxAbsolute // no code of that login can arrive later
)

// sidHash names a login at an issuer. Issuer and sid belong together: a sid
// of one issuer says nothing about the sessions of another [SSO.md §10 F87].
func sidHash(issuer federation.EntityID, sid string) string {
	sum := sha256.Sum256([]byte(string(issuer) + "\x00" + sid))
	return hex.EncodeToString(sum[:])
}

// link enters s into the index of its sid. The index value is a list of
// 64-digit record names; beyond maxPerSID the oldest session is ended.
func (m *Manager) link(ctx context.Context, s *Session) error {
	if s.Identity.Session == "" {
		return nil
	}
	name := []byte(s.key[len(recordPrefix):])
	var evicted []byte
	err := m.c.Store.Update(ctx, indexPrefix+sidHash(s.Identity.Issuer, s.Identity.Session), func(old []byte) ([]byte, time.Duration, error) {
		evicted = nil
		list := append(bytes.Clone(old), name...)
		if len(list) > maxPerSID*keyDigits {
			evicted, list = list[:keyDigits:keyDigits], list[keyDigits:]
		}
		return list, maxAbsolute, nil
	})
	if err != nil || evicted == nil {
		return err
	}
	return m.c.Store.Delete(ctx, recordPrefix+string(evicted))
}

func (m *Manager) unlink(ctx context.Context, s *Session) error {
	if s.Identity.Session == "" {
		return nil
	}
	name := []byte(s.key[len(recordPrefix):])
	return m.c.Store.Update(ctx, indexPrefix+sidHash(s.Identity.Issuer, s.Identity.Session), func(old []byte) ([]byte, time.Duration, error) {
		var rest []byte
		for i := 0; i+keyDigits <= len(old); i += keyDigits {
			if n := old[i : i+keyDigits]; !bytes.Equal(n, name) {
				rest = append(rest, n...)
			}
		}
		return rest, maxAbsolute, nil
	})
}

// EndIssuerSID ends every session that came from this login at the issuer and
// refuses those still on their way. It returns how many were ended; none is
// no error [BCLOGOUT §2.7].
func (m *Manager) EndIssuerSID(ctx context.Context, issuer federation.EntityID, sid string) (int, error) {
	hash := sidHash(issuer, sid)
	at := binary.BigEndian.AppendUint64(nil, uint64(m.c.Now().UnixNano()))
	if err := m.c.Store.Put(ctx, endedPrefix+hash, at, endedForMark); err != nil {
		return 0, err
	}
	list, err := m.c.Store.Take(ctx, indexPrefix+hash)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for i := 0; i+keyDigits <= len(list); i += keyDigits {
		if err := m.forget(ctx, recordPrefix+string(list[i:i+keyDigits])); err != nil {
			// The index is put back so that the issuer's next try ends the rest.
			return n, errors.Join(err, m.c.Store.Put(ctx, indexPrefix+hash, list, maxAbsolute))
		}
		n++
	}
	return n, nil
}

// forget removes a record, and what was typed and kept for its person.
func (m *Manager) forget(ctx context.Context, key string) error {
	b, err := m.c.Store.Take(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := decode(b)
	if err != nil || s.Draft == "" {
		return nil // an unreadable record is gone, too
	}
	return m.c.Store.Delete(ctx, draftKey(s.Draft))
}

// loggedOut reports whether the issuer ended this login after it was begun
// here. A person who was logged out of this portal alone may come back with
// the same sid, by a login begun later.
func (m *Manager) loggedOut(ctx context.Context, issuer federation.EntityID, sid string, begun time.Time) (bool, error) {
	if sid == "" {
		return false, nil
	}
	b, err := m.c.Store.Get(ctx, endedPrefix+sidHash(issuer, sid))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || len(b) != 8 || begun.IsZero() {
		return true, err
	}
	return !begun.After(time.Unix(0, int64(binary.BigEndian.Uint64(b)))), nil
}
