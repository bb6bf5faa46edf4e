package anchor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rathausnetz/federation/store"
)

const (
	gossipRecord   = "anchor/gossip"
	gossipKeyBytes = 32
	maxGossipKeys  = 8
	gossipPoll     = 10 * time.Minute // members ask at least this often
)

// gossipKey is one symmetric key with its life: from Primary on it encrypts,
// until Retire it decrypts.
type gossipKey struct {
	Key     []byte    `json:"key"`
	Primary time.Time `json:"primary"`
	Retire  time.Time `json:"retire,omitzero"`
}

// GossipKeys returns the gossip keys, 32 bytes each; the first one encrypts.
// The first call makes one.
func (a *Anchor) GossipKeys(ctx context.Context) ([][]byte, error) {
	keys, _, err := a.gossipKeys(ctx)
	return keys, err
}

// gossipKeys also says when the answer will change at the latest.
func (a *Anchor) gossipKeys(ctx context.Context) ([][]byte, time.Duration, error) {
	var all []gossipKey
	b, err := a.cfg.Store.Get(ctx, gossipRecord)
	switch {
	case errors.Is(err, store.ErrNotFound):
		all, err = a.changeGossip(ctx, func(old []gossipKey) []gossipKey {
			if len(old) > 0 {
				return old
			}
			return []gossipKey{newGossipKey(a.cfg.Now())}
		})
	case err == nil:
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("gossip keys: %w", err)
	}
	now := a.cfg.Now()
	again := gossipPoll
	sooner := func(t time.Time) {
		if d := t.Sub(now); d > 0 && d < again {
			again = d
		}
	}
	var live []gossipKey
	for _, k := range all {
		sooner(k.Primary)
		sooner(k.Retire)
		if k.Retire.IsZero() || now.Before(k.Retire) {
			live = append(live, k)
		}
	}
	slices.SortStableFunc(live, func(x, y gossipKey) int {
		switch px, py := !x.Primary.After(now), !y.Primary.After(now); {
		case px && !py:
			return -1
		case py && !px:
			return 1
		}
		return y.Primary.Compare(x.Primary)
	})
	out := make([][]byte, len(live))
	for i, k := range live {
		out[i] = k.Key
	}
	return out, again, nil
}

func newGossipKey(primary time.Time) gossipKey {
	k := gossipKey{Key: make([]byte, gossipKeyBytes), Primary: primary.UTC()}
	rand.Read(k.Key) // never fails
	return k
}

// RotateGossipKeys makes a new gossip key. Members learn it at once, encrypt
// with it after Config.GossipLead and drop the old one Config.GossipGrace
// later, so that nobody is cut off on the way.
func (a *Anchor) RotateGossipKeys(ctx context.Context, by, reason string) error {
	now := a.cfg.Now()
	primary := now.Add(a.cfg.GossipLead)
	_, err := a.changeGossip(ctx, func(old []gossipKey) []gossipKey {
		keys := slices.DeleteFunc(old, func(k gossipKey) bool { return !k.Retire.IsZero() && !now.Before(k.Retire) })
		for i := range keys {
			if keys[i].Retire.IsZero() {
				keys[i].Retire = primary.Add(a.cfg.GossipGrace).UTC()
			}
		}
		if len(keys) >= maxGossipKeys { // oldest first
			keys = keys[len(keys)-maxGossipKeys+1:]
		}
		return append(keys, newGossipKey(primary))
	})
	if err != nil {
		return fmt.Errorf("rotate gossip keys: %w", err)
	}
	return a.Note(ctx, by, "gossip-key", "", reason)
}

func (a *Anchor) changeGossip(ctx context.Context, change func([]gossipKey) []gossipKey) ([]gossipKey, error) {
	var result []gossipKey
	err := a.cfg.Store.Update(ctx, gossipRecord, func(old []byte) ([]byte, time.Duration, error) {
		var keys []gossipKey
		if old != nil {
			if err := json.Unmarshal(old, &keys); err != nil {
				return nil, 0, err
			}
		}
		result = change(keys)
		b, err := json.Marshal(result)
		return b, 0, err
	})
	return result, err
}

// gossipAnswer carries the gossip keys, primary first, and when to ask again.
type gossipAnswer struct {
	Keys  [][]byte `json:"keys"`
	Again int64    `json:"again"` // seconds
}

// serveGossipKeys hands the gossip keys to active members. Use it over TLS
// only, loopback aside.
func (a *Anchor) serveGossipKeys(w http.ResponseWriter, r *http.Request) error {
	t, c, err := a.readRequest(w, r, maxRequest, typeGossipKeys)
	if err != nil {
		return err
	}
	m, err := a.known(r.Context(), t, c)
	if err != nil {
		return err
	}
	switch m.State {
	case StateActive:
	case StatePending:
		return ErrNotApproved
	default:
		return fmt.Errorf("%s is %s: %w", m.ID, m.State, ErrNotMember)
	}
	keys, again, err := a.gossipKeys(r.Context())
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, gossipAnswer{Keys: keys, Again: int64(max(again, time.Second) / time.Second)})
	return nil
}
