package portal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/federation/roster"
	"rathausnetz/federation/trust"
)

// Intervals of the node's upkeep.
const (
	pollApproval  = time.Second           // between two questions whether the hub has approved
	rekeyEvery    = 15 * time.Second      // a hub looks after its own gossip keys
	retryUpkeep   = 30 * time.Second      // after a failure
	firstDoubt    = time.Second           // while the own membership does not verify; doubles
	pokeAtMost    = time.Second           // between two refreshes caused by unknown nodes
	rosterPause   = 50 * time.Millisecond // between two looks at who is a member
	configMinutes = time.Minute           // an entity configuration is signed at most this often
)

// network is everything that exists only once the node is a member.
type network struct {
	resolver  *trust.Resolver
	roster    *roster.Roster
	discovery gossip
	probes    probes
	wanted    chan struct{} // capacity 1: the roster should be refreshed soon
	again     atomic.Int32  // how often more, until everybody listed is verified
	noticed   chan struct{} // capacity 1: a revocation was heard, keys may have changed
}

func (n *Node) openFederation() error {
	var err error
	if n.member, err = loadMembership(n.path("membership.json")); err != nil {
		return err
	}
	n.directory = directory.New(directory.Config{Register: n.register, Now: n.now})
	n.mirror, err = mirror.New(mirror.Config{
		Dir: n.path("mirror"), Self: n.cfg.Entity, HTTP: n.outbound(forCatalogue), Members: holders{members{n}}, Limits: n.opt.Mirror, Now: n.now, Log: n.log,
		OnChange: func(c mirror.Copy) { n.noteOutside(c); n.showCopy(c); n.noteCopy(c) }, OnDrop: n.hide,
		OnEquivocation: n.noteEquivocation, OnRefused: n.noteRefused,
	})
	if err != nil {
		return err
	}
	n.publisher = &publisher{node: n, again: make(chan struct{}, 1)}
	n.client, err = anchor.NewClient(anchor.ClientConfig{Self: n.cfg.Entity, Keys: n.currentKeys, HTTP: n.outbound(forMembership), AllowLoopback: n.cfg.LoopbackHTTP, Now: n.now})
	if err != nil || !n.cfg.Hub.Enabled {
		return err
	}
	return n.openAnchor()
}

// openAnchor makes this node a hub: a trust anchor, or one below another.
func (n *Node) openAnchor() error {
	h := n.cfg.Hub
	owner := anchor.Invitation{Name: h.Name, ShortName: h.Short, Kind: h.Kind, Seat: h.Area, Scope: federation.Scope{Subtree: []region.Area{h.Area}}}
	cfg := anchor.Config{
		Self: n.cfg.Entity, Owner: owner, Keys: n.currentKeys, Store: n.store, HTTP: n.outbound(forMembership),
		AllowLoopback: n.cfg.LoopbackHTTP, OnNotice: n.notify, Probe: n.lookAt, OnReadmit: func(federation.EntityID) { n.tellNews(newsMembers) }, Now: n.now, Log: n.log,
	}
	var err error
	if h.Superior {
		cfg.Above = n.above
	} else if cfg.Resolver, err = n.trustItself(); err != nil {
		return err
	}
	n.anchor, err = anchor.New(cfg)
	return err
}

// trustItself makes a trust anchor its own first member.
func (n *Node) trustItself() (*trust.Resolver, error) {
	own := n.keys.FederationJWKS()
	err := n.member.update(func(s *membershipState) {
		s.Ticket = &anchor.Ticket{Hub: n.cfg.Entity, HubKeys: own, TrustAnchor: n.cfg.Entity, AnchorKeys: own}
		s.Approved = true
	})
	if err == nil {
		n.resolver, err = n.newResolver()
	}
	return n.resolver, err
}

// newResolver believes the trust anchor that joining has named.
func (n *Node) newResolver() (*trust.Resolver, error) {
	if n.opt.Resolver != nil {
		return n.opt.Resolver, nil
	}
	t := n.member.get().Ticket
	return trust.NewResolver(trust.ResolverConfig{
		HTTP: n.outbound(forMembership), AllowLoopback: n.cfg.LoopbackHTTP, Now: n.now, Log: n.log,
		Anchors: []trust.Anchor{{ID: t.TrustAnchor, Keys: t.AnchorKeys}},
	})
}

func (n *Node) currentKeys() *trust.Keys { return n.keys }

// members gives the mirror the verified membership, or nobody before the node
// has joined.
type members struct{ n *Node }

func (m members) Chain(id federation.EntityID) (*trust.Chain, error) {
	if net := m.n.network.Load(); net != nil {
		return net.roster.Chain(id)
	}
	return nil, fmt.Errorf("%w: this node has not joined a network", roster.ErrNotMember)
}

func (m members) Members() []federation.Member {
	if net := m.n.network.Load(); net != nil {
		return net.roster.Members()
	}
	return nil
}

// holders tells the mirror whose copies may be kept. A member whose statements
// have run out because its hub is away keeps its copy, labelled as old; it may
// do nothing else with them. Whoever was revoked or is gone from the list is
// dropped.
type holders struct{ members }

func (h holders) Chain(id federation.EntityID) (*trust.Chain, error) {
	chain, err := h.members.Chain(id)
	if errors.Is(err, roster.ErrExpired) {
		if last, ok := h.n.network.Load().roster.Lapsed(id); ok {
			return last, nil
		}
	}
	return chain, err
}

// takePart waits until the node is a member and then runs its part of the
// network until ctx ends.
func (n *Node) takePart(ctx context.Context) error {
	if err := n.awaitApproval(ctx); err != nil {
		return err
	}
	net, err := n.connect(ctx)
	if err != nil {
		return err
	}
	n.network.Store(net)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return net.roster.Run(ctx) })
	g.Go(func() error { return net.discovery.Run(ctx) })
	g.Go(func() error { return n.followRoster(ctx, net) })
	g.Go(func() error { return n.refreshWanted(ctx, net) })
	g.Go(func() error { return n.probeFollowers(ctx, net) })
	g.Go(func() error { return n.keepNeighbours(ctx, net) })
	g.Go(func() error { return n.upkeep(ctx, net) })
	g.Go(func() error { return n.tellHub(ctx) })
	g.Go(func() error { return n.publisher.run(ctx) })
	return g.Wait()
}

// awaitApproval returns nil once the hub has approved this node.
func (n *Node) awaitApproval(ctx context.Context) error {
	tick := time.NewTicker(pollApproval)
	defer tick.Stop()
	said := ""
	for {
		s := n.member.get()
		if s.Approved {
			return nil
		}
		if s.Ticket != nil {
			err := n.client.Poll(ctx, *s.Ticket)
			if err == nil {
				n.log.Info("approved by the hub", "peer", s.Ticket.Hub)
				return n.member.update(func(s *membershipState) { s.Approved = true })
			}
			if !errors.Is(err, anchor.ErrNotApproved) && err.Error() != said {
				said = err.Error()
				n.log.Warn("waiting for approval", "peer", s.Ticket.Hub, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.member.changed:
		case <-tick.C:
		}
	}
}

// connect builds the node's part of the network from what joining left.
func (n *Node) connect(ctx context.Context) (*network, error) {
	s, err := n.gossipState(ctx)
	if err != nil {
		return nil, err
	}
	if n.resolver == nil {
		if n.resolver, err = n.newResolver(); err != nil {
			return nil, err
		}
	}
	r, err := roster.New(roster.Config{Resolver: n.resolver, Hub: n.hub(), Self: n.cfg.Entity, HTTP: n.outbound(forMembership), Dir: n.path("roster"), RefreshEvery: n.refreshEvery(), OnNotice: n.passOn, Blocks: &n.blocks.list, OnBlock: n.passOnBlock, Now: n.now, Log: n.log})
	if err != nil {
		return nil, err
	}
	if err := r.Load(); err != nil { // whoever publishes right after a start is a member already
		n.log.Warn("kept statements not usable", "err", err)
	}
	net := &network{resolver: n.resolver, roster: r, probes: probes{known: map[federation.EntityID]probe{}}, wanted: make(chan struct{}, 1), noticed: make(chan struct{}, 1)}
	if n.cfg.Gossip.Follow {
		net.discovery, err = n.newFollower(net)
	} else {
		net.discovery, err = n.newDiscovery(net, s)
	}
	return net, err
}

// gossipState returns the membership with gossip keys. A node that was a
// member before starts with the keys it has, whether or not its hub answers;
// upkeep looks for newer ones at once. A new one needs the hub this once.
func (n *Node) gossipState(ctx context.Context) (membershipState, error) {
	for {
		s := n.member.get()
		if len(s.Gossip) > 0 && (n.anchor == nil || n.cfg.Hub.Superior) {
			return s, nil
		}
		_, err := n.refreshMembership(ctx)
		if err == nil {
			return n.member.get(), nil
		}
		n.log.Warn("first contact after approval", "peer", s.Ticket.Hub, "err", err)
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-time.After(pollApproval):
		}
	}
}

// refreshMembership fetches a fresh trust mark and the gossip keys, and says
// when to do so again.
func (n *Node) refreshMembership(ctx context.Context) (again time.Duration, err error) {
	if n.cfg.Hub.Superior {
		return n.refreshBelow(ctx)
	}
	if n.anchor != nil {
		keys, err := n.anchor.GossipKeys(ctx)
		if err != nil {
			return 0, err
		}
		return rekeyEvery, n.member.update(func(s *membershipState) { s.Gossip = keys })
	}
	t, err := n.client.Renew(ctx, *n.member.get().Ticket)
	if err != nil {
		return 0, err
	}
	mark, claims, err := n.client.FetchMark(ctx, t)
	if err != nil {
		return 0, err
	}
	keys, again, err := n.client.FetchGossipKeys(ctx, t)
	if err != nil {
		return 0, err
	}
	if half := claims.Expires.Time().Sub(n.now()) / 2; half < again {
		again = half
	}
	return again, n.member.update(func(s *membershipState) { s.Ticket, s.Mark, s.Gossip = &t, mark, keys })
}

// upkeep keeps mark and gossip keys fresh: in time, and at once after a notice.
func (n *Node) upkeep(ctx context.Context, net *network) error {
	wait, doubt := time.Duration(0), firstDoubt
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-net.noticed:
			doubt = firstDoubt
		case <-time.After(wait):
		}
		again, err := n.refreshMembership(ctx)
		if err == nil {
			m := n.member.get()
			err = errors.Join(net.discovery.SetKeys(m.Gossip), n.pool.setKeys(m.Pool), n.resolver.Believe(m.Ticket.TrustAnchor, m.Ticket.AnchorKeys))
		}
		wait = max(again, time.Second)
		if err != nil {
			n.log.Warn("membership was not refreshed", "err", err)
			wait = retryUpkeep
		} else if !n.verifiedItself(ctx, net) {
			wait, doubt = doubt, min(2*doubt, retryUpkeep)
		} else {
			doubt = firstDoubt
		}
	}
}

// verifiedItself verifies this node's own membership if that has failed so far:
// its first statements may have been fetched before they showed the mark, or a
// notice has ended it before the new mark was there, and the roster would look
// again only with its next refresh.
func (n *Node) verifiedItself(ctx context.Context, net *network) bool {
	if _, err := net.roster.Chain(n.cfg.Entity); err == nil {
		return true
	}
	if err := net.roster.RefreshMember(ctx, n.cfg.Entity); err != nil {
		n.log.Debug("own membership was not verified", "err", err)
		return false
	}
	return true
}

// listed is a member as followRoster has found it.
type listed struct {
	member federation.Member
	keys   trust.JWKS
}

// followRoster keeps the directory in step with who is a member.
func (n *Node) followRoster(ctx context.Context, net *network) error {
	known := map[federation.EntityID]listed{}
	blocks := uint64(0)
	for {
		now := map[federation.EntityID]listed{}
		changed := map[federation.EntityID]bool{} // for gossip
		decided := n.blocks.list.Version()        // about hosts: everybody's links are looked at again
		all := decided != blocks
		blocks = decided
		quiet := false // somebody is new whom gossip does not bring
		for _, m := range net.roster.Members() {
			is := listed{member: m}
			if c, err := net.roster.Chain(m.ID); err == nil {
				is.keys = c.Keys
			}
			now[m.ID] = is
			before, ok := known[m.ID]
			quiet = quiet || !ok && net.follows(m.ID)
			if !ok || all || !reflect.DeepEqual(before.member, m) {
				n.showMember(m)
			}
			if !ok || !before.keys.Equal(is.keys) {
				changed[m.ID] = true
			}
		}
		for _, id := range net.roster.LapsedMembers() { // also from before the start
			if _, member := now[id]; !member {
				changed[id] = changed[id] || known[id].keys.Keys() > 0
				now[id] = listed{} // shown anew when it is one again
				n.showLapsed(id)
			}
		}
		for id := range known {
			if _, member := now[id]; !member {
				n.log.Info("no longer a member", "peer", id)
				n.hide(id)
				n.event(Revoked, id, 0, "")
				changed[id] = true
				if _, err := net.roster.Chain(id); errors.Is(err, roster.ErrRevoked) && id != n.cfg.Entity {
					n.mirror.Drop(id) // and its bytes; whoever is away otherwise may come back
				}
			}
		}
		known = now
		if quiet && n.anchor != nil {
			n.tellNews(newsMembers)
		}
		n.mirror.Recheck()
		if len(changed) > 0 {
			net.discovery.Recheck(func(id federation.EntityID) bool { return changed[id] })
		}
		select { // many members come at once
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(cmp.Or(n.opt.RosterPause, rosterPause)):
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-net.roster.Changed():
		}
	}
}

// reachable says whether a member answers now: by gossip where it is heard
// there, by asking where it only follows, else by whether the last pull worked.
func (n *Node) reachable(id federation.EntityID) bool {
	if n.isOffline() {
		return false
	}
	if id == n.cfg.Entity {
		return true
	}
	net := n.network.Load()
	if net == nil {
		return false
	}
	if v, ok := net.probes.get(id); ok {
		return !v.down
	}
	if net.discovery.Reachable(id) {
		return true
	}
	for _, p := range net.discovery.Peers() {
		if p.Entity == id {
			return false
		}
	}
	c, ok := n.mirror.Copy(id)
	return ok && c.Err == nil && c.Serial > 0
}
