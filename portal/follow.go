package portal

import (
	"context"
	"net/http"
	"sync"
	"time"

	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// gossip is a node's part in telling and hearing news: discovery.Discovery, or
// discovery.Follower for a node that can make outbound HTTPS only.
type gossip interface {
	Run(ctx context.Context) error
	Announce(a federation.Announcement)
	Announcements() []federation.Announcement
	Notify(notice string) error
	SetKeys(keys [][]byte) error
	Peers() []discovery.Peer
	Reachable(id federation.EntityID) bool
	Stats() discovery.Stats
	Recheck(changed func(federation.EntityID) bool)
	FollowHandler() http.Handler
	ReleaseFollowers()
}

// followsParameter in the federation_entity metadata says that a member is not
// to be found in gossip: whether it answers is asked at its public address.
const followsParameter = "rathausnetz_follows"

// newFollower is newDiscovery for a node behind a firewall.
func (n *Node) newFollower(net *network) (*discovery.Follower, error) {
	return discovery.NewFollower(discovery.FollowerConfig{
		Self: n.cfg.Entity, HTTP: n.patient, Sources: func() []federation.EntityID { return n.sources(net) },
		VerifyAnnouncement: net.verifyAnnouncement,
		OnAnnouncement:     n.mirror.Hint,
		OnNotice:           func(s string) error { return n.takeNotice(net, s) },
		OnReachable:        n.noteReachable,
		Now:                n.now, Log: n.log,
	})
}

// sources are whom a follower asks: the hub, then every member that gossips.
func (n *Node) sources(net *network) []federation.EntityID {
	out := []federation.EntityID{n.hub()}
	for _, m := range net.roster.Members() {
		if m.ID != n.cfg.Entity && m.ID != out[0] && !net.follows(m.ID) {
			out = append(out, m.ID)
		}
	}
	return out
}

// follows reports whether a member's verified metadata says that it follows.
func (net *network) follows(id federation.EntityID) bool {
	c, err := net.roster.Chain(id)
	if err != nil {
		return false
	}
	says, _ := c.Metadata[trust.TypeEntity][followsParameter].(bool)
	return says
}

// announcements serves followers.
func (n *Node) announcements(w http.ResponseWriter, r *http.Request) {
	net := n.network.Load()
	if net == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "this node has not joined a network", http.StatusServiceUnavailable)
		return
	}
	net.discovery.FollowHandler().ServeHTTP(w, r)
}

// releaseFollowers lets the server drain: followers wait for up to half a
// minute.
func (n *Node) releaseFollowers() {
	if net := n.network.Load(); net != nil {
		net.discovery.ReleaseFollowers()
	}
}

// How followers are looked after: each is asked every probeEvery, more seldom
// in a large network, and counts as down after two failures in a row.
const (
	probeEvery    = 5 * time.Second
	probeAgain    = time.Second
	probeTimeout  = 3 * time.Second
	probeAtOnce   = 4
	probesPerStep = 50 // members for which probeEvery holds; above, in proportion
)

// probes are what asking followers has shown. It is safe for concurrent use.
type probes struct {
	mu    sync.Mutex
	known map[federation.EntityID]probe // guarded by mu
}

type probe struct {
	down     bool
	failures int
	since    time.Time
}

// get returns the last verdict about a follower.
func (p *probes) get(id federation.EntityID) (probe, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.known[id]
	return v, ok
}

// note takes the outcome of one question and reports whether the verdict is
// another one than before.
func (p *probes) note(id federation.EntityID, ok bool, now time.Time) (v probe, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, known := p.known[id]
	v = old
	if ok {
		v.failures, v.down = 0, false
	} else {
		v.failures++
		v.down = v.failures > 1
	}
	changed = !known || v.down != old.down
	if changed {
		v.since = now
	}
	p.known[id] = v
	return v, changed
}

// keep forgets who is not in ids.
func (p *probes) keep(ids map[federation.EntityID]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.known {
		if !ids[id] {
			delete(p.known, id)
		}
	}
}

// probeFollowers asks every member that follows whether it answers, because
// gossip does not say. It returns when ctx ends.
func (n *Node) probeFollowers(ctx context.Context, net *network) error {
	for {
		wait := n.probeRound(ctx, net)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// probeRound asks each follower once and says when to do so again.
func (n *Node) probeRound(ctx context.Context, net *network) time.Duration {
	members := net.roster.Members()
	wait := probeEvery * time.Duration(1+len(members)/probesPerStep)
	ids := map[federation.EntityID]bool{}
	for _, m := range members {
		if m.ID != n.cfg.Entity && net.follows(m.ID) {
			ids[m.ID] = true
		}
	}
	net.probes.keep(ids)
	var wg sync.WaitGroup
	slots := make(chan struct{}, probeAtOnce)
	for id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			ok := n.alive(ctx, id)
			if ctx.Err() != nil {
				return
			}
			v, changed := net.probes.note(id, ok, n.now())
			if changed {
				n.log.Info("member that follows was asked", "peer", id, "up", !v.down)
				n.directory.SetReachable(id, !v.down)
			}
		})
	}
	wg.Wait()
	for id := range ids {
		if v, ok := net.probes.get(id); ok && v.failures == 1 {
			wait = probeAgain
		}
	}
	return wait
}

// alive asks a portal whether it runs.
func (n *Node) alive(ctx context.Context, id federation.EntityID) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, id.URL("/healthz"), nil)
	if err != nil {
		return false
	}
	res, err := n.patient.Do(req) // it does not try again by itself
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
