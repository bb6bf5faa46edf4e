package portal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"rathausnetz/federation/anchor"
	"rathausnetz/federation/trust"
)

// membership is what a node keeps about its own place in the network. It is
// written whole, by temporary file and rename, and survives restarts.
type membership struct {
	path   string
	opened time.Time // by the wall clock

	mu      sync.Mutex
	state   membershipState
	changed chan struct{} // capacity 1
}

type membershipState struct {
	Ticket   *anchor.Ticket `json:"ticket,omitempty"` // nil: never joined
	Approved bool           `json:"approved"`
	Mark     trust.MarkRef  `json:"mark,omitzero"`    // last trust mark
	Gossip   [][]byte       `json:"gossip,omitempty"` // keys, the first encrypts
	Pool     [][]byte       `json:"pool,omitempty"`   // keys among hubs, from the superior
	Seeds    []string       `json:"seeds,omitempty"`  // gossip addresses last seen
	Replica  string         `json:"replica"`          // tells the replicas of one node apart; of this data folder
}

const replicaLen = 6 // of rand.Text: 30 bits

func loadMembership(path string) (*membership, error) {
	m := &membership{path: path, opened: time.Now(), changed: make(chan struct{}, 1)}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err == nil:
		err = json.Unmarshal(b, &m.state)
	}
	if err != nil {
		return nil, fmt.Errorf("membership file %s: %w; restore it from a backup, or remove it and join again", path, err)
	}
	if m.state.Replica == "" { // written with the next update
		m.state.Replica = strings.ToLower(rand.Text()[:replicaLen])
	}
	return m, nil
}

// get returns the present state; its parts are replaced, never changed.
func (m *membership) get() membershipState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// update changes the state and writes it before anybody sees it.
func (m *membership) update(change func(*membershipState)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.state
	change(&next)
	b, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return fmt.Errorf("membership: %w", err)
	}
	if err := renameio.WriteFile(m.path, b, 0o600); err != nil {
		return fmt.Errorf("membership: %w", err)
	}
	m.state = next
	select {
	case m.changed <- struct{}{}:
	default:
	}
	return nil
}

// settleWithin is how long after its start a node may still be verifying who
// is a member, and settlePoll how often somebody who waits for that looks.
const (
	settleWithin = 10 * time.Second
	settlePoll   = 20 * time.Millisecond
)

// settle waits, at the start of a member only, until it has verified its own
// membership. A replica that has just come back is sent logins before that; it
// shall neither call a member unknown nor a signed-in citizen a stranger.
func (n *Node) settle(ctx context.Context) {
	for time.Since(n.member.opened) < settleWithin && n.member.get().Approved {
		if _, err := (members{n}).Chain(n.cfg.Entity); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(settlePoll):
		}
	}
}
