package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation/store"
)

// Errors of drafts.
var (
	ErrNoDraft  = errors.New("session: no draft for this page")
	ErrDraftBig = errors.New("session: draft too large")
)

const (
	draftPrefix = "sso/draft/"
	maxDraft    = 256 << 10 // bytes as JSON
	draftLife   = time.Hour // as long as a login may take
)

// Draft is what a person had typed into a form when a login became necessary.
type Draft struct {
	Path   string              `json:"path"` // the page it belongs to
	Values map[string][]string `json:"values"`
}

// SaveDraft keeps a form for 60 minutes and returns its random name, which
// the caller hands to the login (rp.LoginOptions.Draft). The name never leaves the
// server: the session made by that login carries it.
func (m *Manager) SaveDraft(ctx context.Context, d Draft) (string, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	if len(b) > maxDraft {
		return "", fmt.Errorf("%w: %d bytes, at most %d are kept", ErrDraftBig, len(b), maxDraft)
	}
	name := newSecret()
	if err := m.c.Store.Create(ctx, draftKey(name), b, draftLife); err != nil {
		return "", err
	}
	return name, nil
}

// Draft returns the draft that belongs to s and path and leaves it, so that the
// page may be loaded again; ErrNoDraft if there is none.
func (m *Manager) Draft(ctx context.Context, s *Session, path string) (Draft, error) {
	var d Draft
	if s == nil || s.Draft == "" {
		return d, ErrNoDraft
	}
	b, err := m.c.Store.Get(ctx, draftKey(s.Draft))
	if errors.Is(err, store.ErrNotFound) {
		return d, ErrNoDraft
	}
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err == nil && d.Path != path {
		return Draft{}, ErrNoDraft
	}
	return d, err
}

// TakeDraft returns the draft that belongs to s and path, once; ErrNoDraft if
// there is none. A draft of another page is left alone.
func (m *Manager) TakeDraft(ctx context.Context, s *Session, path string) (Draft, error) {
	var d Draft
	if s == nil || s.Draft == "" {
		return d, ErrNoDraft
	}
	err := m.c.Store.Update(ctx, draftKey(s.Draft), func(old []byte) ([]byte, time.Duration, error) {
		d = Draft{}
		if old == nil {
			return nil, 0, ErrNoDraft
		}
		if err := json.Unmarshal(old, &d); err != nil {
			return nil, 0, err
		}
		if d.Path != path {
			return nil, 0, ErrNoDraft
		}
		return nil, 0, nil
	})
	if err != nil {
		return Draft{}, err
	}
	return d, nil
}

func draftKey(name string) string {
	sum := sha256.Sum256([]byte(name))
	return draftPrefix + hex.EncodeToString(sum[:])
}
