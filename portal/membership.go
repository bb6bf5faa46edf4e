package portal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/google/renameio/v2"

	"rathausnetz/federation/anchor"
	"rathausnetz/federation/trust"
)

// membership is what a node keeps about its own place in the network. It is
// written whole, by temporary file and rename, and survives restarts.
type membership struct {
	path string

	mu      sync.Mutex
	state   membershipState
	changed chan struct{} // capacity 1
}

type membershipState struct {
	Ticket   *anchor.Ticket `json:"ticket,omitempty"` // nil: never joined
	Approved bool           `json:"approved"`
	Mark     trust.MarkRef  `json:"mark,omitzero"`    // last trust mark
	Gossip   [][]byte       `json:"gossip,omitempty"` // keys, the first encrypts
	Seeds    []string       `json:"seeds,omitempty"`  // gossip addresses last seen
}

func loadMembership(path string) (*membership, error) {
	m := &membership{path: path, changed: make(chan struct{}, 1)}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &m.state)
	}
	if err != nil {
		return nil, fmt.Errorf("membership file %s: %w; restore it from a backup, or remove it and join again", path, err)
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
