package discovery

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/memberlist"

	"rathausnetz/federation"
)

// peer is what is known of one instance of one node; guarded by Discovery.mu.
type peer struct {
	gossipName
	id           federation.EntityID
	addr         netip.AddrPort
	state        State
	since        time.Time
	rtt          time.Duration
	leaving      bool
	announcement federation.Announcement // from its metadata, not yet verified
	signature    []byte                  // of its binding; nil: from the peers file
	refused      bool                    // its binding no longer verifies: it is not shown
}

func (p *peer) up() bool { return p.state == StateAlive && !p.refused }

// noteAlive runs under memberlist's node lock, after NotifyAlive let n pass.
func (d *Discovery) noteAlive(n *memberlist.Node) {
	m, addr, err := readNode(n)
	if err != nil {
		return // NotifyAlive has refused and counted it
	}
	g, err := parseGossipName(n.Name)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if n.Name == d.gossipName {
		return
	}
	p := d.peers[n.Name]
	if p == nil {
		d.makeRoom()
		p = &peer{gossipName: g}
		d.peers[n.Name] = p
	}
	p.id, p.addr, p.leaving, p.announcement = m.Entity, addr, m.Leaving, m.Announcement
	p.signature, p.refused = m.Signature, false
	if p.state != StateAlive {
		p.state, p.since = StateAlive, d.now()
		d.alive.Add(1)
	}
	d.inbox.node(n.Name)
}

func (d *Discovery) noteGone(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.peers[name]
	if p == nil {
		return
	}
	if p.state == StateAlive {
		d.alive.Add(-1)
	}
	p.state, p.since = StateDead, d.now()
	if p.leaving {
		p.state = StateLeft
	}
	d.inbox.node(name)
}

// makeRoom drops the peer that has been gone longest when the table is full;
// called with mu held.
func (d *Discovery) makeRoom() {
	if len(d.peers) < maxPeers {
		return
	}
	oldest := ""
	for name, p := range d.peers {
		if p.state != StateAlive && (oldest == "" || p.since.Before(d.peers[oldest].since)) {
			oldest = name
		}
	}
	delete(d.peers, oldest)
}

// forgetAfter is how long a node that is gone is still asked.
const forgetAfter = 7 * 24 * time.Hour

// forgetOld drops nodes that have been gone for long.
func (d *Discovery) forgetOld() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, p := range d.peers {
		if p.state != StateAlive && d.now().Sub(p.since) > forgetAfter {
			delete(d.peers, name)
		}
	}
}

// dropSuperseded forgets earlier instances of a node once a later one is
// alive; called with mu held.
func (d *Discovery) dropSuperseded(by *peer) {
	for name, p := range d.peers {
		if p.id == by.id && p.name == by.name && p.instance < by.instance && p.state != StateAlive {
			delete(d.peers, name)
		}
	}
}

// up reports whether any node of id is alive; called with mu held.
func (d *Discovery) up(id federation.EntityID) bool {
	for _, p := range d.peers {
		if p.id == id && p.up() {
			return true
		}
	}
	return false
}

// Peers returns the nodes known, without this one, sorted by entity and name.
// Of several instances of one node it shows the one alive, else the latest.
func (d *Discovery) Peers() []Peer {
	d.mu.Lock()
	defer d.mu.Unlock()
	type key struct {
		id   federation.EntityID
		name string
	}
	best := make(map[key]*peer, len(d.peers))
	for _, p := range d.peers {
		if p.refused {
			continue
		}
		k := key{p.id, p.name}
		b := best[k]
		alive := p.state == StateAlive
		if b == nil || alive && b.state != StateAlive ||
			alive == (b.state == StateAlive) && p.instance > b.instance {
			best[k] = p
		}
	}
	out := make([]Peer, 0, len(best))
	for _, p := range best {
		v := Peer{Entity: p.id, Name: p.name, State: p.state, Since: p.since, RTT: p.rtt}
		if p.addr.IsValid() {
			v.Addr = p.addr.String()
		}
		if m := d.members[p.id]; m != nil {
			v.Announcement, v.Capped = m.newest, m.capped
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Peer) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Reachable reports whether a node of id is alive as far as gossip knows;
// this node's own entity always is.
func (d *Discovery) Reachable(id federation.EntityID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return id == d.cfg.Self || d.up(id)
}

// Stats returns the counters.
func (d *Discovery) Stats() Stats {
	drops := d.inbox.drops()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Alive, s.Dropped = int(d.alive.Load()), drops
	if d.meter != nil {
		s.Bytes = d.meter.Load()
	}
	return s
}

// stranger is a node that was refused: gossip does not tell of it again when
// its entity becomes a member, so it has to be asked then.
type stranger struct {
	name string
	addr netip.AddrPort
	meta nodeMeta
}

const maxStrangers = 512

// noteStranger remembers a refused node; when there are too many, any other
// one is forgotten.
func (d *Discovery) noteStranger(s stranger) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.refusedNodes {
		if len(d.refusedNodes) < maxStrangers {
			break
		}
		delete(d.refusedNodes, name)
	}
	d.refusedNodes[s.name] = s
}

// admitStrangers moves refused nodes whose binding verifies now among those
// that the rejoin loop asks.
func (d *Discovery) admitStrangers(changed func(federation.EntityID) bool) {
	d.mu.Lock()
	refused := slices.Collect(maps.Values(d.refusedNodes))
	d.mu.Unlock()
	for _, s := range refused {
		g, err := parseGossipName(s.name)
		if err != nil || !changed(s.meta.Entity) || d.bindings.check(s.name, s.addr, s.meta) != nil {
			continue
		}
		d.mu.Lock()
		delete(d.refusedNodes, s.name)
		if d.peers[s.name] == nil {
			d.makeRoom()
			d.peers[s.name] = &peer{gossipName: g, id: s.meta.Entity, addr: s.addr, since: d.now(), signature: s.meta.Signature}
		}
		d.mu.Unlock()
	}
}

// Recheck verifies the bindings of the nodes of some entities again, because
// those are members now or no more, or their keys have changed. Nodes that no
// longer verify are hidden until they do, and those that were refused until now
// are asked at once.
func (d *Discovery) Recheck(changed func(federation.EntityID) bool) {
	d.bindings.clear(changed)
	d.admitStrangers(changed)
	select {
	case d.rechecked <- struct{}{}:
	default:
	}
	var nodes []stranger
	d.mu.Lock()
	for name, p := range d.peers {
		if p.signature != nil && changed(p.id) {
			nodes = append(nodes, stranger{name, p.addr, nodeMeta{Entity: p.id, Signature: p.signature}})
		}
	}
	d.mu.Unlock()
	for _, n := range nodes {
		err := d.bindings.check(n.name, n.addr, n.meta)
		d.mu.Lock()
		p := d.peers[n.name]
		changed := p != nil && p.refused != (err != nil)
		if changed {
			p.refused = err != nil
			if m := d.members[p.id]; m != nil && p.refused {
				m.newest, m.held = federation.Announcement{}, nil
			}
		}
		d.mu.Unlock()
		if changed {
			d.log.Info("binding of a node judged again", "peer", string(n.meta.Entity), "err", err)
			d.inbox.node(n.name)
		}
	}
}
