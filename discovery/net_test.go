package discovery

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
)

var errNoMember = errors.New("not a member")

// testNet is a network of nodes in this process; its entities sign with keys
// made from their IDs.
type testNet struct {
	t       testing.TB
	profile Profile
	key     []byte

	mu      sync.Mutex
	members map[federation.EntityID]bool // guarded by mu
	cut     map[netip.AddrPort]int       // side of a cut, 0 if none; guarded by mu
	nodes   []*testNode                  // guarded by mu
}

type testNode struct {
	*Discovery
	net    *testNet
	id     federation.EntityID
	addr   netip.AddrPort
	cancel context.CancelFunc
	done   chan error

	mu      sync.Mutex
	heard   map[federation.EntityID]federation.Announcement
	count   int
	notices []string
	up      map[federation.EntityID]bool
}

func newNet(t testing.TB) *testNet {
	n := &testNet{t: t, profile: Loopback(), key: bytes.Repeat([]byte{7}, 32),
		members: make(map[federation.EntityID]bool), cut: make(map[netip.AddrPort]int)}
	t.Cleanup(n.stop)
	return n
}

// stop ends all nodes at once.
func (n *testNet) stop() {
	for _, x := range n.nodes {
		x.cancel()
	}
	for _, x := range n.nodes {
		x.stop()
	}
}

func seedOf(id federation.EntityID) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(id))
	return ed25519.NewKeyFromSeed(sum[:])
}

func announcement(id federation.EntityID, serial uint64) federation.Announcement {
	a := federation.Announcement{Member: id, Serial: serial, Manifest: federation.Sum(fmt.Appendf(nil, "%s %d", id, serial))}
	copy(a.Signature[:], ed25519.Sign(seedOf(id), a.SigningInput()))
	return a
}

func entity(i int) federation.EntityID {
	return federation.EntityID(fmt.Sprintf("https://gemeinde-%03d.example", i))
}

func (n *testNet) isMember(id federation.EntityID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members[id]
}

func (n *testNet) admit(id federation.EntityID, in bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members[id] = in
}

func (n *testNet) verifyNode(id federation.EntityID, b, sig []byte) error {
	if !n.isMember(id) || !ed25519.Verify(seedOf(id).Public().(ed25519.PublicKey), b, sig) {
		return errNoMember
	}
	return nil
}

func (n *testNet) verify(a federation.Announcement) error {
	if !n.isMember(a.Member) || !ed25519.Verify(seedOf(a.Member).Public().(ed25519.PublicKey), a.SigningInput(), a.Signature[:]) {
		return errNoMember
	}
	return nil
}

func (n *testNet) config(id federation.EntityID, name string) (Config, *testNode) {
	node := &testNode{net: n, id: id, heard: make(map[federation.EntityID]federation.Announcement),
		up: make(map[federation.EntityID]bool), done: make(chan error, 1)}
	return Config{
		Self: id, Name: name, Bind: "127.0.0.1:0", Keys: [][]byte{n.key}, Profile: n.profile,
		Seeds:              n.seeds,
		SignNode:           func(b []byte) ([]byte, error) { return ed25519.Sign(seedOf(id), b), nil },
		VerifyNode:         n.verifyNode,
		VerifyAnnouncement: n.verify,
		OnAnnouncement: func(a federation.Announcement) {
			node.mu.Lock()
			defer node.mu.Unlock()
			node.heard[a.Member] = a
			node.count++
		},
		OnNotice: func(s string) error {
			if s == "forged" {
				return errNoMember
			}
			node.mu.Lock()
			defer node.mu.Unlock()
			node.notices = append(node.notices, s)
			return nil
		},
		OnReachable: func(id federation.EntityID, up bool) {
			node.mu.Lock()
			defer node.mu.Unlock()
			node.up[id] = up
		},
		Block: func(to netip.AddrPort) bool {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.cut[to] != n.cut[node.addr]
		},
	}, node
}

// seeds names the first two nodes that run.
func (n *testNet) seeds() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, x := range n.nodes[:min(2, len(n.nodes))] {
		out = append(out, x.addr.String())
	}
	return out
}

func (n *testNet) start(cfg Config, node *testNode) *testNode {
	n.t.Helper()
	d, err := New(cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	node.Discovery = d
	ctx, cancel := context.WithCancel(context.Background())
	node.cancel = cancel
	go func() { node.done <- d.Run(ctx) }()
	wait, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	addr, err := d.Addr(wait)
	if err != nil {
		cancel()
		n.t.Fatalf("%v; run: %v", err, <-node.done)
	}
	n.mu.Lock()
	node.addr = addr
	n.nodes = append(n.nodes, node)
	n.mu.Unlock()
	return node
}

func (n *testNet) add(i int) *testNode {
	id := entity(i)
	n.admit(id, true)
	return n.start(n.config(id, "a"))
}

// stop ends a node regularly; it may be called twice.
func (n *testNode) stop() {
	n.cancel()
	if err, ok := <-n.done; ok {
		if err != nil {
			n.net.t.Errorf("run of %s: %v", n.id, err)
		}
		close(n.done)
	}
}

// isolate cuts the nodes off from all others, both ways.
func (n *testNet) isolate(side int, nodes ...*testNode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range nodes {
		n.cut[x.addr] = side
	}
}

func (n *testNode) has(a federation.Announcement) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.heard[a.Member] == a
}

func (n *testNode) sees(k int) bool { return n.Stats().Alive == k }

// await polls until ok holds; it fails the test after a time nobody should need.
func await(t testing.TB, what string, ok func() bool) time.Duration {
	t.Helper()
	return awaitFor(t, what, 30*time.Second, ok)
}

func awaitFor(t testing.TB, what string, most time.Duration, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Since(start) > most {
			t.Fatalf("not within %s: %s", most, what)
		}
		<-tick.C
	}
	return time.Since(start)
}

func all(nodes []*testNode, ok func(*testNode) bool) func() bool {
	return func() bool {
		for _, n := range nodes {
			if !ok(n) {
				return false
			}
		}
		return true
	}
}

func (n *testNet) grow(count int) []*testNode {
	n.t.Helper()
	var nodes []*testNode
	for i := range count {
		nodes = append(nodes, n.add(i))
	}
	await(n.t, "all nodes see each other", all(nodes, func(x *testNode) bool { return x.sees(count - 1) }))
	return nodes
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func testLogQuiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func tempPeers(t testing.TB) string { return filepath.Join(t.TempDir(), "peers.json") }
