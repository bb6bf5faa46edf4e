package discovery

import (
	"time"

	"rathausnetz/federation"
)

// State says what is known of a node.
type State uint8

// The states of a node. A node that memberlist only suspects is still
// StateAlive: memberlist reports a suspicion to nobody, and most are refuted.
const (
	StateUnknown State = iota // from the peers file, not heard of since the start
	StateAlive
	StateDead
	StateLeft // said goodbye
)

// String returns unknown, alive, dead or left.
func (s State) String() string {
	switch s {
	case StateAlive:
		return "alive"
	case StateDead:
		return "dead"
	case StateLeft:
		return "left"
	default:
		return "unknown"
	}
}

// Peer is one node as seen from here: an entity may run several (replicas).
type Peer struct {
	Entity       federation.EntityID
	Name         string // of the node, unique within the entity
	Addr         string // advertised gossip address, host:port
	State        State
	Since        time.Time               // of State
	RTT          time.Duration           // of the last probe; zero: not yet measured
	Announcement federation.Announcement // newest of the entity; Serial 0: none heard
	// Capped counts announcements of the entity that came faster than allowed
	// and were held back or merged into a newer one.
	Capped uint64
}
