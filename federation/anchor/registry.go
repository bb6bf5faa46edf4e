package anchor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Invitation says who is invited and what it may claim.
type Invitation struct {
	Name         string           `json:"name"` // legal name
	ShortName    string           `json:"short_name,omitempty"`
	Kind         federation.Kind  `json:"kind"`
	AGS          string           `json:"ags,omitempty"`
	Seat         region.Area      `json:"seat"` // zero for a utility
	Scope        federation.Scope `json:"scope"`
	Intermediate bool             `json:"intermediate,omitempty"` // becomes a hub itself
}

// State of a member in the registry.
type State string

// The states. Only active members are served by any endpoint.
const (
	StatePending   State = "pending"
	StateActive    State = "active"
	StateSuspended State = "suspended"
	StateRefused   State = "refused"
	StateRevoked   State = "revoked"
)

// Member is one entry of the registry.
type Member struct {
	ID federation.EntityID `json:"id"`
	Invitation
	State       State      `json:"state"`
	Keys        trust.JWKS `json:"jwks"`  // federation keys
	Words       []string   `json:"words"` // fingerprint of the key that signed the request, to read aloud
	EntityTypes []string   `json:"entity_types,omitempty"`
	Generation  uint64     `json:"generation"` // 0 until the first approval
	Requested   time.Time  `json:"requested"`
	Decided     time.Time  `json:"decided,omitzero"`
	By          string     `json:"by,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Next        *Plan      `json:"next,omitempty"` // what changes on a day to come
}

// Filter selects members; the zero value selects all.
type Filter struct{ State State }

const memberPrefix = "anchor/member/"

// List returns the members sorted by ID. They are read only.
func (a *Anchor) List(ctx context.Context, f Filter) ([]Member, error) {
	var out []Member
	var broken error
	read, next := *a.read.Load(), map[string]entry{}
	err := a.cfg.Store.Scan(ctx, memberPrefix, func(key string, value []byte) bool {
		e, ok := read[key]
		if !ok || !bytes.Equal(e.raw, value) {
			e = entry{raw: bytes.Clone(value)}
			if err := json.Unmarshal(value, &e.member); err != nil {
				broken = fmt.Errorf("registry entry %s: %w", key, err)
				return false
			}
		}
		next[key] = e
		if f.State == "" || f.State == e.member.State {
			out = append(out, e.member)
		}
		return true
	})
	if err := errors.Join(err, broken); err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	a.read.Store(&next)
	return out, nil
}

// entry is a member as List has read it: everybody asks for the list after
// every decision, and reading hundreds of keys takes long.
type entry struct {
	raw    []byte
	member Member
}

// Show returns one member, ErrNotMember if there is none.
func (a *Anchor) Show(ctx context.Context, id federation.EntityID) (Member, error) {
	var m Member
	b, err := a.cfg.Store.Get(ctx, memberPrefix+string(id))
	if errors.Is(err, store.ErrNotFound) {
		return m, fmt.Errorf("%s: %w", id, ErrNotMember)
	}
	if err != nil {
		return m, fmt.Errorf("member %s: %w", id, err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("member %s: %w", id, err)
	}
	return m, nil
}

// active is Show for members that are served.
func (a *Anchor) active(ctx context.Context, id federation.EntityID) (Member, error) {
	m, err := a.Show(ctx, id)
	if err == nil && m.State != StateActive {
		err = fmt.Errorf("%s is %s: %w", id, m.State, ErrNotMember)
	}
	return m, err
}

// update changes one member in one atomic step and returns it. change may run
// several times; it gets nil for an unknown member.
func (a *Anchor) update(ctx context.Context, id federation.EntityID, change func(*Member) (*Member, error)) (Member, error) {
	var result Member
	err := a.cfg.Store.Update(ctx, memberPrefix+string(id), func(old []byte) ([]byte, time.Duration, error) {
		var m *Member
		if old != nil {
			m = new(Member)
			if err := json.Unmarshal(old, m); err != nil {
				return nil, 0, fmt.Errorf("registry entry: %w", err)
			}
		}
		m, err := change(m)
		if err != nil {
			return nil, 0, err
		}
		result = *m
		b, err := json.Marshal(m)
		return b, 0, err
	})
	if err != nil {
		return Member{}, fmt.Errorf("member %s: %w", id, err)
	}
	return result, nil
}
