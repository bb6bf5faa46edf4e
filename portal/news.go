package portal

import (
	"fmt"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// A hub tells its members by gossip that there is something new to be fetched
// from it. News say nothing themselves and can only make a node look sooner.
const (
	typeNews       = "hub-news+jwt"
	newsMembers    = "members"    // somebody is a member again
	newsNeighbours = "neighbours" // the list of other Landkreise has changed
	newsLife       = 10 * time.Minute
	maxNews        = 1024 // bytes
	newsTries      = 5    // refreshes after news of members, each after twice the time
)

type news struct {
	Issuer   federation.EntityID `json:"iss"`
	IssuedAt trust.Seconds       `json:"iat"`
	Expires  trust.Seconds       `json:"exp"`
	About    string              `json:"about"`
}

// tellNews tells the own members. It never blocks.
func (n *Node) tellNews(about string) {
	net := n.network.Load()
	if net == nil {
		return
	}
	now := n.now()
	compact, err := trust.Sign(n.keys.Federation[0], typeNews, news{n.cfg.Entity, trust.At(now), trust.At(now.Add(newsLife)), about})
	if err == nil {
		err = net.discovery.Notify(compact)
	}
	if err != nil {
		n.log.Warn("news were not told", "about", about, "err", err)
	}
	n.act(net, about)
}

// isNews reports whether a notice is news; it says nothing of its seal.
func isNews(notice string) bool {
	if len(notice) > maxNews {
		return false
	}
	_, err := trust.Peek(notice, typeNews)
	return err == nil
}

// takeNews verifies news of the own hub and looks after what they are about.
func (n *Node) takeNews(net *network, notice string) error {
	hub := n.hub()
	chain, err := net.roster.Chain(hub)
	if err != nil {
		return err
	}
	t, err := trust.Open(notice, typeNews, chain.Keys)
	if err != nil {
		return err
	}
	var c news
	if err := t.Into(&c); err != nil {
		return err
	}
	if err := t.Check(n.now()); err != nil {
		return err
	}
	if c.Issuer != hub || !slices.Contains([]string{newsMembers, newsNeighbours}, c.About) {
		return fmt.Errorf("news of %s about %.20q: %w", c.Issuer, c.About, trust.ErrClaims)
	}
	n.act(net, c.About)
	return nil
}

func (n *Node) act(net *network, about string) {
	switch about {
	case newsMembers:
		net.again.Store(newsTries)
		net.unknownNode()
		if _, err := net.roster.Chain(n.cfg.Entity); err != nil {
			wake(net.noticed) // it may be this node: it needs a new mark
		}
	case newsNeighbours:
		if n.pool == nil {
			wake(n.neighbours.wake)
		}
	}
}
