package testnet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/portal"
	"rathausnetz/testnet/data"
)

// Member is one node of the network.
type Member struct {
	Name   string
	Entity federation.EntityID
	Area   region.Area
	Legal  string

	net    *Network
	above  *Member // its hub; nil for a trust anchor
	body   body
	port   int
	gossip netip.AddrPort
	pool   int          // port of a hub among hubs
	print  string       // fingerprint of a hub
	cut    atomic.Bool  // gossip of this node is cut off
	cutHub atomic.Bool  // gossip among hubs is cut off
	side   atomic.Int32 // of a partition
	left   atomic.Bool  // revoked on purpose
	skew   atomic.Int64 // how far the node's clock is off, in nanoseconds

	mu     sync.Mutex
	first  net.Listener // for the first start; nil after it
	node   *portal.Node // nil while stopped
	stop   context.CancelFunc
	done   chan struct{}
	runErr error
}

// Join does what the two operators do: invite at the hub, start the node, use
// the code, compare the words, approve.
func (m *Member) Join(ctx context.Context) error {
	if err := m.ask(ctx); err != nil {
		return err
	}
	return m.approve(ctx)
}

func (m *Member) approve(ctx context.Context) error {
	if err := m.above.Node().Approve(ctx, operatorName, m.Entity); err != nil {
		return fmt.Errorf("approve %s: %w", m.Name, err)
	}
	return nil
}

// ask is Join up to the approval.
func (m *Member) ask(ctx context.Context) error {
	if err := m.start(ctx); err != nil {
		return err
	}
	hub := m.above.Node()
	inv := anchor.Invitation{Name: m.Legal, ShortName: m.body.short, Kind: m.body.kind,
		Scope: federation.Scope{Subtree: []region.Area{m.Area}, OwnOffersOnly: m.body.utility}, Intermediate: m.leads()}
	if !m.body.utility {
		inv.Seat = m.Area
	}
	var code portal.Invitation
	err := Await(ctx, func() (err error) { // a hub below another may not be approved yet
		code, err = hub.Invite(ctx, portal.InviteRequest{By: operatorName, Invitation: inv})
		return err
	})
	if err != nil {
		return fmt.Errorf("invite %s: %w", m.Name, err)
	}
	res, err := m.Node().Join(ctx, code.Code)
	if err != nil {
		return fmt.Errorf("join %s: %w", m.Name, err)
	}
	known, err := hub.ShowMember(ctx, m.Entity)
	if err != nil {
		return fmt.Errorf("show %s: %w", m.Name, err)
	}
	if got, want := strings.Join(res.Words, " "), strings.Join(known.Words, " "); got != want {
		return fmt.Errorf("%w: %s reads %q over the telephone, the hub sees %q", ErrSpec, m.Name, got, want)
	}
	return nil
}

// start opens and runs the node. The listener is taken anew, so that a
// restarted node has its old address.
func (m *Member) start(ctx context.Context) error {
	if err := m.net.prepare(m); err != nil {
		return err
	}
	ln, err := m.listen()
	if err != nil {
		return err
	}
	opt := portal.Options{Portal: &m.body.portal, Brand: &m.body.brand, Profile: m.net.spec.Profile, Control: m.net.spec.Control,
		Register: m.net.spec.Register, Block: m.blocked, BlockPool: m.blockedPool, Now: m.now, Log: m.net.log.With("node", m.Name),
		BlockHTTP: m.blockedHTTP, OnEvent: m.tell, IdleConns: m.net.spec.idleConns(), Resolver: m.net.resolver, Mirror: m.net.spec.limits(), RosterPause: m.net.spec.rosterPause()}
	if m.net.ca != nil {
		cert, err := m.net.ca.issue(m.Name + ".localhost")
		if err != nil {
			return err
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
		opt.Roots = m.net.ca.pool()
	}
	opt.Listener = ln
	node, err := portal.Open(m.config(), opt)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	m.mu.Lock()
	m.node, m.stop, m.done = node, stop, done
	m.mu.Unlock()
	go func() { // awaited by Stop through done
		defer close(done)
		err := node.Run(run)
		if cerr := node.Close(); err == nil {
			err = cerr
		}
		m.mu.Lock()
		m.runErr = err
		m.mu.Unlock()
		if err != nil {
			m.net.log.Error("node ended", "node", m.Name, "err", err)
		}
	}()
	return nil
}

// listen takes the listener that was kept for the first start, or else the
// same port anew.
func (m *Member) listen() (net.Listener, error) {
	m.mu.Lock()
	ln := m.first
	m.first = nil
	m.mu.Unlock()
	if ln != nil {
		return ln, nil
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.port)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSpec, m.Name, err)
	}
	return ln, nil
}

// config is what the member's node.yaml would say.
func (m *Member) config() config.Config {
	c := config.Default()
	c.Entity, c.Data, c.LoopbackHTTP, c.Demo = m.Entity, m.dir("data"), true, true
	c.Links.Every = 0 // a demonstration asks nobody outside
	c.Gossip.Bind = m.gossip.String()
	c.Gossip.Advertise = c.Gossip.Bind
	if m.body.follows {
		c.Gossip = config.Gossip{Bind: c.Gossip.Bind, Follow: true}
	}
	if m.body.files != nil {
		c.Catalog.Source = m.dir("catalog")
		if _, ok := m.body.files[handwritten]; ok {
			c.Catalog.Source = m.dir("catalog", handwritten)
		}
		if _, err := os.Stat(m.dir("catalog", delegations)); err == nil {
			c.Catalog.Delegations = m.dir("catalog", delegations)
		}
	}
	if m.leads() {
		c.Hub = config.Hub{Enabled: true, Name: m.Legal, Short: m.body.short, Kind: m.body.kind, Area: m.Area, Superior: m.above != nil}
		if m.pool > 0 {
			c.Hub.Pool = m.poolConfig()
		}
		c.OP.Enabled = m.runsProvider()
		if c.OP.Enabled {
			c.OP.Upstreams = m.net.source.upstreams(m)
		}
	}
	return c
}

func (m *Member) dir(elem ...string) string {
	return filepath.Join(append([]string{m.net.dir, m.Name}, elem...)...)
}

// Files of a catalogue that are not XZuFi.
const (
	delegations = "delegationen.yaml"
	handwritten = "katalog.yaml"
)

// prepare writes what a node finds on its disk before its first start: keys,
// and the catalogue with the addresses of this network in it.
func (nw *Network) prepare(m *Member) error {
	keys := m.dir("data", "keys")
	if _, err := os.Stat(keys); errors.Is(err, fs.ErrNotExist) {
		if _, err := trust.CreateKeys(keys); err != nil {
			return err
		}
	}
	if err := nw.writeSecret(m); err != nil {
		return err
	}
	if m.body.files == nil {
		return nil
	}
	if _, err := os.Stat(m.dir("catalog")); err == nil {
		return nil
	}
	return nw.writeCatalogue(m)
}

func (nw *Network) writeCatalogue(m *Member) error {
	if err := os.MkdirAll(m.dir("catalog"), 0o700); err != nil {
		return err
	}
	var pairs []string
	for _, o := range nw.Members() {
		pairs = append(pairs, "https://"+o.Name+"."+data.PlaceholderHost, string(o.Entity), "to: "+o.Name+"\n", "to: "+string(o.Entity)+"\n")
	}
	address := strings.NewReplacer(pairs...)
	for name, b := range m.body.files {
		text := address.Replace(string(b))
		if name == delegations {
			text = nw.onlyPresent(text)
		}
		if err := os.WriteFile(m.dir("catalog", name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// onlyPresent drops delegations to nodes that do not take part: their "to" is
// still a name and not an address.
func (nw *Network) onlyPresent(text string) string {
	entries := strings.Split(text, "\n- ")
	kept := entries[:1]
	for _, e := range entries[1:] {
		if strings.Contains(e, "to: http") {
			kept = append(kept, e)
		}
	}
	if len(kept) == 1 {
		return "[]\n"
	}
	return strings.Join(kept, "\n- ")
}

// Node returns the running node, nil while it is stopped.
func (m *Member) Node() *portal.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.node
}

// blockedPool does the same among hubs.
func (m *Member) blockedPool(to netip.AddrPort) bool {
	if m.cut.Load() || m.cutHub.Load() {
		return int(to.Port()) != m.pool
	}
	for _, o := range m.net.Members() {
		if o != m && (o.cut.Load() || o.cutHub.Load()) && o.pool == int(to.Port()) {
			return true
		}
	}
	return false
}
