package testnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/portal"
)

// The account that the demonstration's hub has for everybody to try.
const (
	DemoUser     = "demo"
	DemoPassword = "osnabruecker-land"
	DemoName     = "Demonstrationskonto"
)

const (
	operatorName = "testnet"
	joinAtOnce   = 8
	waves        = 4 // at most: with each of them everybody looks at everybody again
	pollEvery    = 20 * time.Millisecond
)

// Network is a running Landkreis.
type Network struct {
	spec   Spec
	dir    string
	block  netip.Prefix // loopback addresses for gossip; invalid: ports of 127.0.0.1
	began  time.Time
	up     time.Duration // from the start until everybody had everything
	ownDir bool          // made here, removed by Close
	ca     *authority
	log    *slog.Logger
	source *source // of accounts at a higher level

	// resolver is shared by all nodes of a crowd, nil in a network where each
	// verifies for itself.
	resolver *trust.Resolver
	round    atomic.Uint64 // of retitle
	faults   atomic.Int32  // nodes that anything is wrong with
	watch    watchers

	mu      sync.RWMutex
	members []*Member // hub first; guarded by mu
}

// Start runs the network and returns when every node holds every catalogue.
// Close must be called, also after an error of Await.
func Start(ctx context.Context, spec Spec) (nw *Network, err error) {
	if err := spec.fill(); err != nil {
		return nil, err
	}
	nw = &Network{began: time.Now(), block: ownBlock(), spec: spec, dir: spec.Dir, log: spec.Log}
	if spec.OnEvent != nil {
		nw.Watch(spec.OnEvent)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, nw.Close())
		}
	}()
	if nw.dir == "" {
		if nw.dir, err = os.MkdirTemp("", "rathausnetz-"); err != nil {
			return nw, fmt.Errorf("%w: %w", ErrSpec, err)
		}
		nw.ownDir = true
	}
	if spec.TLS {
		if nw.ca, err = newAuthority(); err != nil {
			return nw, err
		}
	}
	bodies, err := spec.bodies()
	if err != nil {
		return nw, err
	}
	for i, b := range bodies {
		b.follows = spec.Follow && !b.leads && i%2 == 1
		if _, err := nw.add(b); err != nil {
			return nw, err
		}
	}
	if err := nw.startSource(); err != nil {
		return nw, err
	}
	if err := nw.acquaint(); err != nil {
		return nw, err
	}
	if spec.Members > crowdAbove {
		if err := nw.share(); err != nil {
			return nw, err
		}
	}
	if err := nw.startHubs(ctx); err != nil {
		return nw, err
	}
	if err := nw.joinAll(ctx, slices.DeleteFunc(nw.Members(), (*Member).leads)); err != nil {
		return nw, err
	}
	err = nw.AwaitConverged(ctx)
	nw.up = time.Since(nw.began)
	return nw, err
}

// startHubs starts the hubs from the top down, each with the demonstration's
// account.
func (nw *Network) startHubs(ctx context.Context) error {
	hubs := slices.DeleteFunc(nw.Members(), func(m *Member) bool { return !m.leads() })
	slices.SortStableFunc(hubs, func(a, b *Member) int { return a.body.area.Len() - b.body.area.Len() })
	for _, m := range hubs {
		begin := m.start
		if m.above != nil {
			begin = m.Join
		}
		if err := begin(ctx); err != nil {
			return err
		}
		if !m.config().OP.Enabled {
			continue
		}
		if _, err := m.Node().AddAccount(ctx, portal.Account{Username: DemoUser, Password: DemoPassword, Name: DemoName, Level: federation.LevelNiedrig}); err != nil {
			return err
		}
	}
	return nil
}

func (s Spec) bodies() ([]body, error) {
	if s.Anchors {
		return anchorBodies(s.Register)
	}
	if s.Neighbour {
		return besideBodies()
	}
	demo, err := demoBodies()
	if err != nil {
		return nil, err
	}
	if s.Synthetic {
		return s.syntheticBodies(demo)
	}
	bodies, n := demo, s.Members
	if s.Kreis != demo[0].area {
		if bodies, err = elsewhere(demo, s.Register, s.Kreis); err != nil {
			return nil, err
		}
		n = max(n, 1)
		if s.Members == 0 {
			n = len(demo) - 1
		}
	}
	switch {
	case n == 0:
		return bodies, nil
	case len(bodies) > n+1:
		return bodies[:n+1], nil
	}
	bodies = furtherBodies(bodies, pattern(demo), s.Register, s.Kreis, n)
	if len(bodies) < n+1 {
		return nil, fmt.Errorf("%w: %s has places for only %d members; load a larger register or ask for fewer", ErrSpec, s.Register.Name(s.Kreis), len(bodies)-1)
	}
	return bodies, nil
}

// pattern is the Gemeinde whose catalogue further ones take over.
func pattern(demo []body) body {
	for _, b := range demo {
		if b.name == "bissendorf" {
			return b
		}
	}
	return demo[len(demo)-1]
}

// add gives a body its address and folder, and starts nothing.
func (nw *Network) add(b body) (*Member, error) {
	taken := map[int]bool{}
	for _, m := range nw.Members() {
		taken[m.port], taken[int(m.gossip.Port())], taken[m.pool] = true, true, true
	}
	ln, gossip, err := nw.spec.listen(len(nw.Members()), nw.block, taken)
	if err != nil {
		return nil, err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	scheme := "http"
	if nw.ca != nil {
		scheme = "https"
	}
	id, err := federation.ParseEntityID(scheme+"://"+b.name+".localhost:"+strconv.Itoa(port), true)
	if err != nil {
		ln.Close()
		return nil, err
	}
	pool := 0
	if b.leads && b.kind == federation.KindLandkreis && nw.spec.pools() {
		if pool, err = nw.spec.poolPort(len(nw.Members()), taken); err != nil {
			return nil, errors.Join(err, ln.Close())
		}
	}
	m := &Member{pool: pool, above: nw.above(b), Name: b.name, Entity: id, Area: b.area, Legal: b.legal, net: nw, body: b, port: port, gossip: gossip, first: ln}
	nw.mu.Lock()
	defer nw.mu.Unlock()
	for _, o := range nw.members {
		if o.body.below == m.Name {
			o.above = m
		}
	}
	nw.members = append(nw.members, m)
	return m, nil
}

// remove stops a node that was added later and forgets it.
func (nw *Network) remove(m *Member) error {
	err := m.Stop()
	nw.mu.Lock()
	defer nw.mu.Unlock()
	nw.members = slices.DeleteFunc(nw.members, func(o *Member) bool { return o == m })
	return errors.Join(err, os.RemoveAll(m.dir()))
}

// joinAll invites and starts members, some at a time, and approves them in
// waves: whoever hears of a member of the next one finds it ready. In a crowd
// each wave has everything before the next one comes.
func (nw *Network) joinAll(ctx context.Context, members []*Member) error {
	g, asking := errgroup.WithContext(ctx)
	g.SetLimit(joinAtOnce)
	for _, m := range members {
		g.Go(func() error { return m.ask(asking) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	in := []*Member{nw.Hub()}
	for wave := range slices.Chunk(members, max(joinAtOnce, len(members)/waves)) {
		for _, m := range wave {
			if err := m.approve(ctx); err != nil {
				return err
			}
		}
		for _, m := range wave {
			if err := Await(ctx, m.admitted); err != nil {
				return err
			}
		}
		if in = append(in, wave...); len(members) <= crowdAbove {
			continue
		}
		if err := nw.awaitAmong(ctx, func() []*Member { return in }); err != nil {
			return err
		}
		if nw.spec.OnJoined != nil {
			nw.spec.OnJoined(len(in)-1, len(members))
		}
	}
	return nil
}

var errNotAdmitted = errors.New("testnet: does not know yet that it is a member")

func (m *Member) admitted() error {
	if n := m.Node(); n != nil && !n.IsMember() {
		return fmt.Errorf("%s: %w", m.Name, errNotAdmitted)
	}
	return nil
}

// Hub returns the Landkreis.
func (nw *Network) Hub() *Member { return nw.Members()[0] }

// Members returns all nodes, the hub first. The slice is the caller's.
func (nw *Network) Members() []*Member {
	nw.mu.RLock()
	defer nw.mu.RUnlock()
	return slices.Clone(nw.members)
}

// Landkreis returns the hub and the nodes that gossip with it: all but those
// of another Landkreis.
func (nw *Network) Landkreis() []*Member {
	hub := nw.Hub()
	return slices.DeleteFunc(nw.Members(), func(m *Member) bool { return m.circle() != hub })
}

// Member returns the node called name, nil if there is none.
func (nw *Network) Member(name string) *Member {
	for _, m := range nw.Members() {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Transport reaches the network's names; with TLS it trusts the network's CA.
func (nw *Network) Transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	trust.GuardTransport(t, true)
	if nw.ca != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: nw.ca.pool(), MinVersion: tls.VersionTLS12}
	}
	return t
}

// Roots is the network's CA, nil without TLS.
func (nw *Network) Roots() *x509.CertPool {
	if nw.ca == nil {
		return nil
	}
	return nw.ca.pool()
}
