package portal

import (
	"rathausnetz/portal/admin/hub"
)

// hubPages are the operator pages of a hub.
func (n *Node) hubPages() *hub.Hub {
	area, name := n.networkArea()
	return hub.New(hub.Config{
		Self: n.cfg.Entity, Name: name, Area: area, Anchor: n.anchor, Directory: n.directory, Register: n.register,
		Peers: n.peers, Gaps: n.reports.Gaps, Kept: n.mirror.Kept,
	})
}

// peers is the state of every member's portal as this node sees it.
func (n *Node) peers() []hub.Peer {
	net := n.network.Load()
	if net == nil {
		return nil
	}
	seen := peersByEntity(net.discovery.Peers())
	var out []hub.Peer
	for _, m := range net.roster.Members() {
		s := n.memberStatus(m, seen[m.ID])
		p := hub.Peer{Member: m, Self: m.ID == n.cfg.Entity, Reachable: n.reachable(m.ID), Since: s.Since, RTT: s.RTT, Copy: s.Copy,
			Serial: s.Serial, Announced: s.Announced, Offers: s.Offers, Outside: s.Outside, Checked: s.Checked}
		if c, ok := n.mirror.Copy(m.ID); ok {
			p.Err = c.Err
		}
		out = append(out, p)
	}
	return out
}
