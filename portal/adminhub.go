package portal

import (
	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/portal/admin/hub"
)

// hubPages are the operator pages of a hub.
func (n *Node) hubPages() *hub.Hub {
	area, name := n.networkArea()
	return hub.New(hub.Config{
		Self: n.cfg.Entity, Name: name, Area: area, Anchor: n.anchor, Directory: n.directory, Register: n.register,
		Peers: n.peers, Gaps: n.reports.Gaps, Kept: n.mirror.Kept, Preview: n.previewGrant,
	})
}

// previewGrant is the directory as it would be if a grant were planned: made
// aside, of the copies held now.
func (n *Node) previewGrant(id federation.EntityID, p federation.Planned) *directory.Directory {
	d := directory.New(directory.Config{Register: n.register, Now: n.now})
	var all []directory.Source
	for _, c := range n.mirror.Copies() {
		if c.Member.ID == "" || c.Catalogue == nil {
			continue
		}
		whole, m := c.Whole, c.Member
		if whole == nil {
			whole = c.Catalogue
		}
		if m.ID == id {
			m.Next = &p
		}
		admitted, _ := catalog.Admit(whole, m, n.showing.given.To(m.ID))
		all = append(all, directory.Source{Member: m, Catalogue: admitted, Serial: c.Serial, Fetched: c.Checked, Reachable: true})
	}
	d.Replace(all...)
	return d
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
