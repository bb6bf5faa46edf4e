package portal

import (
	"errors"
	"slices"
	"strings"
	"time"

	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/roster"
)

// Status is what a node knows about itself and the others right now.
type Status struct {
	Entity   federation.EntityID `json:"entity"`
	State    string              `json:"state"` // alone, waiting, member or hub
	Hub      federation.EntityID `json:"hub,omitempty"`
	Alive    int                 `json:"alive"`
	Refused  uint64              `json:"refused"` // gossip that did not verify
	Dropped  uint64              `json:"dropped"`
	Sent     uint64              `json:"gossip_bytes"` // in packets, and both ways of the streams begun here
	Index    uint64              `json:"index"`        // version of the directory
	Members  []MemberStatus      `json:"members"`
	Verdicts []roster.Verdict    `json:"verdicts,omitempty"` // who is not a member, and why
}

// MemberStatus is one member as seen from here.
type MemberStatus struct {
	Member    federation.EntityID `json:"member"`
	Name      string              `json:"name"`
	Gossip    string              `json:"gossip"` // alive, dead, left, unknown, follows (answers by HTTPS, not in gossip) or self
	Since     time.Time           `json:"since,omitzero"`
	RTT       time.Duration       `json:"rtt_ns,omitempty"`
	Copy      mirror.State        `json:"copy"`
	Serial    uint64              `json:"serial"`
	Announced uint64              `json:"announced,omitempty"`
	Capped    uint64              `json:"capped,omitempty"` // announcements held back because it makes too many
	Offers    int                 `json:"offers"`
	Outside   int                 `json:"outside,omitempty"` // claims left out because the mark does not grant them
	Bytes     int64               `json:"bytes"`
	Checked   time.Time           `json:"checked,omitzero"`
	Expires   time.Time           `json:"expires,omitzero"`
	Error     string              `json:"error,omitempty"`
}

// Status reports the node's view of the network.
func (n *Node) Status() Status {
	s := Status{Entity: n.cfg.Entity, State: "alone", Index: n.directory.Version()}
	ms := n.member.get()
	if ms.Ticket != nil {
		s.Hub, s.State = ms.Ticket.Hub, "waiting"
	}
	net := n.network.Load()
	if net == nil {
		return s
	}
	s.State = "member"
	if n.anchor != nil {
		s.State = "hub"
	}
	stats := net.discovery.Stats()
	s.Alive, s.Refused, s.Dropped = stats.Alive, stats.Refused, stats.Dropped
	s.Sent = stats.Bytes
	peers := peersByEntity(net.discovery.Peers())
	for _, m := range net.roster.Members() {
		s.Members = append(s.Members, n.memberStatus(m, peers[m.ID]))
	}
	for _, v := range net.roster.Verdicts() {
		if v.State != roster.StateMember {
			s.Verdicts = append(s.Verdicts, v)
		}
	}
	slices.SortFunc(s.Members, func(a, b MemberStatus) int { return strings.Compare(string(a.Member), string(b.Member)) })
	return s
}

// GossipBytes counts what gossip has cost since the start: packets sent, and
// both ways of the streams begun here.
func (n *Node) GossipBytes() uint64 {
	if net := n.network.Load(); net != nil {
		return net.discovery.Stats().Bytes
	}
	return 0
}

// Serving is the serial of a member's catalogue that is shown here, 0 if none is.
func (n *Node) Serving(id federation.EntityID) uint64 {
	if c, ok := n.mirror.Copy(id); ok && c.Catalogue != nil {
		return c.Serial
	}
	return 0
}

// IsMember reports whether this node has verified its own membership.
func (n *Node) IsMember() bool {
	_, err := (members{n}).Chain(n.cfg.Entity)
	return err == nil
}

// Copies returns what is held of every member; see mirror.Mirror.Copies.
func (n *Node) Copies() []mirror.Copy { return n.mirror.Copies() }

// OwnSerial is the number of this node's last publication, 0 before the first.
func (n *Node) OwnSerial() uint64 {
	serial, _ := n.mirror.Own()
	return serial
}

func (n *Node) memberStatus(m federation.Member, p discovery.Peer) MemberStatus {
	out := MemberStatus{Member: m.ID, Name: m.Name, Gossip: p.State.String(), Since: p.Since, RTT: p.RTT, Announced: p.Announcement.Serial, Capped: p.Capped, Copy: mirror.StateNone}
	if m.ID == n.cfg.Entity {
		out.Gossip = "self"
	} else if v, ok := n.network.Load().probes.get(m.ID); ok {
		out.Since, out.Gossip = v.since, "follows"
		if v.down {
			out.Gossip = "dead"
		}
	}
	c, ok := n.mirror.Copy(m.ID)
	if !ok {
		return out
	}
	outside := n.outside(c)
	out.Copy, out.Serial, out.Bytes, out.Checked, out.Expires, out.Outside = c.State, c.Serial, c.Bytes, c.Checked, c.Expires, len(outside)
	if c.Catalogue != nil {
		out.Offers = len(c.Catalogue.Offers)
	}
	switch {
	case errors.Is(c.Err, mirror.ErrUnpublished):
		out.Error = "has not published a catalogue yet"
	case c.Err != nil:
		out.Error = c.Err.Error()
	case len(outside) > 0:
		out.Error = leftOut(c.Member, outside)
	}
	return out
}

// peersByEntity keeps the best node of each entity: one replica that is alive
// is enough.
func peersByEntity(peers []discovery.Peer) map[federation.EntityID]discovery.Peer {
	out := map[federation.EntityID]discovery.Peer{}
	for _, p := range peers {
		if have, ok := out[p.Entity]; !ok || have.State != discovery.StateAlive && p.State == discovery.StateAlive {
			out[p.Entity] = p
		}
	}
	return out
}
