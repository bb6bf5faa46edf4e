package portal

import (
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/mirror"
)

// Happening says what an Event is about.
type Happening string

// What can happen, as one node sees it.
const (
	Announced Happening = "announced" // this node has published Serial and told the network
	Pulled    Happening = "pulled"    // Serial of Peer is verified, indexed and served here
	Refused   Happening = "refused"   // what Peer itself has answered breaks a rule, see Detail
	Dead      Happening = "dead"      // Peer does not answer any more
	Alive     Happening = "alive"     // Peer answers
	Stale     Happening = "stale"     // the copy of Peer is past its validity, and labelled
	Frozen    Happening = "frozen"    // Peer has sealed one serial twice; the last good copy stays
	Revoked   Happening = "revoked"   // Peer is no longer a member, its offers are gone
)

// Event is something a node has seen, for people who watch a network.
type Event struct {
	Time   time.Time           `json:"time"`
	Node   federation.EntityID `json:"node"`
	What   Happening           `json:"what"`
	Peer   federation.EntityID `json:"peer,omitempty"`
	Serial uint64              `json:"serial,omitempty"`
	Detail string              `json:"detail,omitempty"`
}

// event tells Options.OnEvent.
func (n *Node) event(what Happening, peer federation.EntityID, serial uint64, detail string) {
	if n.opt.OnEvent != nil {
		n.opt.OnEvent(Event{Time: time.Now(), Node: n.cfg.Entity, What: what, Peer: peer, Serial: serial, Detail: detail})
	}
}

// seenCopy is what was last told of a copy.
type seenCopy struct {
	serial uint64
	state  mirror.State
}

// noteCopy tells what is new about a copy, after the directory has it. Only the
// mirror calls it, one call at a time.
func (n *Node) noteCopy(c mirror.Copy) {
	id := c.Member.ID
	before, now := n.seen[id], seenCopy{c.Serial, c.State}
	if before == now || id == n.cfg.Entity {
		return
	}
	n.seen[id] = now
	switch {
	case c.State == mirror.StateStale:
		n.event(Stale, id, c.Serial, "")
	case c.State == mirror.StateFrozen:
		n.event(Frozen, id, c.Serial, "")
	case c.State == mirror.StateFresh:
		n.event(Pulled, id, c.Serial, "")
	}
}

// noteReachable labels a member and tells it.
func (n *Node) noteReachable(id federation.EntityID, up bool) {
	n.directory.SetReachable(id, up)
	what := Dead
	if up {
		what = Alive
	}
	n.event(what, id, 0, "")
}
