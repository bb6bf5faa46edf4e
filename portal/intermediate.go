package portal

import (
	"context"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/trust"
)

// superiorEvery is how often a hub below another one looks there for notices
// and for its own mark: it is not in its superior's gossip, so nobody tells it.
const superiorEvery = 2 * time.Second

// hub is who lists the members of this node's part of the network: a hub does
// so itself, whoever stands above it. "" before the node has asked to join.
func (n *Node) hub() federation.EntityID {
	if n.cfg.Hub.Enabled {
		return n.cfg.Entity
	}
	if t := n.member.get().Ticket; t != nil {
		return t.Hub
	}
	return ""
}

// above is where this hub stands below another one. Its scope is what its mark
// says now, so that nothing wider is handed out after a change.
func (n *Node) above() (anchor.Place, error) {
	s := n.member.get()
	if s.Ticket == nil || !s.Approved || s.Mark.Mark == "" {
		return anchor.Place{}, anchor.ErrNotApproved
	}
	mark, err := trust.OpenMark(s.Mark.Mark, s.Ticket.HubKeys, n.now())
	if err != nil {
		return anchor.Place{}, fmt.Errorf("%w: mark of this hub: %w", anchor.ErrNotApproved, err)
	}
	p := anchor.Place{Superior: s.Ticket.Hub, TrustAnchor: s.Ticket.TrustAnchor, AnchorKeys: s.Ticket.AnchorKeys, Scope: mark.Scope()}
	if net := n.network.Load(); net != nil {
		p.Resolver = net.resolver
	}
	return p, nil
}

// refreshBelow renews what a hub has from its superior. The gossip keys are
// its own: it gossips with its members only.
func (n *Node) refreshBelow(ctx context.Context) (again time.Duration, err error) {
	t, err := n.client.Renew(ctx, *n.member.get().Ticket)
	if err != nil {
		return 0, err
	}
	mark, _, err := n.client.FetchMark(ctx, t)
	if err != nil {
		return 0, err
	}
	keys, err := n.anchor.GossipKeys(ctx)
	if err != nil {
		return 0, err
	}
	var among [][]byte // the superior's own keys serve the hubs below it
	if n.pool != nil {
		if among, _, err = n.client.FetchGossipKeys(ctx, t); err != nil {
			return 0, err
		}
	}
	return superiorEvery, n.member.update(func(s *membershipState) { s.Ticket, s.Mark, s.Gossip, s.Pool = &t, mark, keys, among })
}

// refreshEvery is how often the roster looks at lists and notices; 0 is the
// roster's own default.
func (n *Node) refreshEvery() time.Duration {
	if n.cfg.Hub.Superior {
		return superiorEvery
	}
	return 0
}

// passOn tells the own members what the superior says about this hub; they
// are not in the superior's gossip either. Those whom a hub does not tell find
// out by asking above themselves.
func (n *Node) passOn(notice trust.Notice, compact string) {
	net := n.network.Load()
	if n.pool != nil && notice.Subject != n.cfg.Entity {
		n.pool.drop(notice.Subject, n.now())
	}
	if !n.cfg.Hub.Superior || notice.Subject != n.cfg.Entity || net == nil {
		return
	}
	wake(net.noticed) // the mark has changed, or is gone
	if err := net.discovery.Notify(compact); err != nil {
		n.log.Error("notice was not gossiped", "err", err)
	}
}
