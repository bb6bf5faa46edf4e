package portal

import (
	"context"
	"slices"
	"strings"
	"time"

	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/roster"
	"rathausnetz/federation/trust"
)

// purposeNode is what a signature over a gossip binding is made for.
const purposeNode = "gossip node"

// gossipParameter is a member's gossip address in its federation_entity
// metadata: other software ignores it, our nodes take it as a seed.
const gossipParameter = "rathausnetz_gossip"

func (n *Node) newDiscovery(net *network, s membershipState) (*discovery.Discovery, error) {
	return discovery.New(discovery.Config{
		Self: n.cfg.Entity, Name: nodeName(n.cfg.Entity, s.Replica), Bind: n.cfg.Gossip.Bind, Advertise: n.cfg.Gossip.Advertise,
		Keys: s.Gossip, PeersFile: n.path("peers.json"), Profile: n.opt.Profile, Block: n.opt.Block, Now: n.now, Log: n.log,
		Seeds:    func() []string { return n.seeds(net) },
		SignNode: func(b []byte) ([]byte, error) { return n.keys.Federation[0].SignBytes(purposeNode, b) },
		VerifyNode: func(id federation.EntityID, b, sig []byte) error {
			chain, err := net.roster.Chain(id)
			if err != nil {
				net.unknownNode()
				return err
			}
			return trust.VerifyBytes(chain.Keys, purposeNode, b, sig)
		},
		VerifyAnnouncement: net.verifyAnnouncement,
		OnAnnouncement:     n.mirror.Hint,
		OnNotice:           func(s string) error { return n.takeNotice(net, s) },
		OnReachable:        n.noteReachable,
	})
}

// verifyAnnouncement checks an announcement with its member's verified keys. One
// of somebody unknown has the roster look again.
func (net *network) verifyAnnouncement(a federation.Announcement) error {
	chain, err := net.roster.Chain(a.Member)
	if err != nil {
		net.unknownNode()
		return err
	}
	return trust.VerifyAnnouncement(a, chain.Keys)
}

// nodeName is the part of the gossip name that people may read in logs; it
// differs between the replicas of one node.
func nodeName(id federation.EntityID, replica string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, id.Host())
	return name[:min(len(name), 40-1-replicaLen)] + "-" + replica
}

// seeds are the gossip addresses to try: configured ones, and what the other
// members say about themselves in their verified metadata.
func (n *Node) seeds(net *network) []string {
	out := append([]string(nil), n.cfg.Gossip.Peers...)
	for _, m := range net.roster.Members() {
		if m.ID == n.cfg.Entity {
			continue
		}
		if c, err := net.roster.Chain(m.ID); err == nil {
			if a, ok := c.Metadata[trust.TypeEntity][gossipParameter].(string); ok && len(a) < 300 {
				out = append(out, a)
			}
		}
	}
	return out
}

// notify hands a signed notice to everybody, this node included.
func (n *Node) notify(compact string) {
	net := n.network.Load()
	if net == nil {
		return
	}
	if err := net.takeNotice(compact); err != nil {
		n.log.Warn("own notice was not taken", "err", err)
	}
	if err := net.discovery.Notify(compact); err != nil {
		n.log.Error("notice was not gossiped", "err", err)
	}
}

// takeNotice hands a notice to the roster, which knows whether it is genuine,
// and has the gossip keys looked after: a revoked member must not read on.
func (net *network) takeNotice(compact string) error {
	if err := net.roster.Notice(compact); err != nil {
		return err
	}
	wake(net.noticed)
	return nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// unknownNode asks for a refresh of the roster; it is called under locks of
// others and only leaves a mark.
func (net *network) unknownNode() { wake(net.wanted) }

// refreshWanted refreshes the roster when gossip brought somebody unknown: a
// member that was approved a moment ago. It does so at most once per
// pokeAtMost, however many strangers knock.
func (n *Node) refreshWanted(ctx context.Context, net *network) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-net.wanted:
		}
		if err := net.roster.Refresh(ctx); err != nil {
			n.log.Debug("roster was not refreshed", "err", err)
		}
		wait := pokeAtMost
		if again := net.again.Load(); again > 0 && net.unsettled() {
			// Who is a member again may not show its new mark yet.
			net.again.Add(-1)
			wake(net.wanted)
			wait <<= newsTries - again
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// unsettled reports whether somebody is known who is not a member.
func (net *network) unsettled() bool {
	return slices.ContainsFunc(net.roster.Verdicts(), func(v roster.Verdict) bool { return v.State != roster.StateMember })
}
