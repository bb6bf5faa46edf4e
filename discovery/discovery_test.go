package discovery

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"rathausnetz/federation"
)

func TestAnnouncementReachesEveryNode(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(6)
	a := announcement(nodes[3].id, 1)
	nodes[3].Announce(a)
	await(t, "all have heard", all(nodes, func(x *testNode) bool { return x == nodes[3] || x.has(a) }))
	late := n.add(6)
	await(t, "a late node hears it from metadata", func() bool { return late.has(a) })
	for _, p := range late.Peers() {
		if p.Entity == nodes[3].id && p.Announcement != a {
			t.Errorf("Peers shows announcement %v", p.Announcement)
		}
	}
	await(t, "it sees the others alive", func() bool { return late.Reachable(nodes[0].id) })
	if late.Reachable("https://nobody.example") {
		t.Error("a stranger is reachable")
	}
}

func TestAnnouncementOfDeadNodeReachesLateOnes(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(3)
	a := announcement(nodes[2].id, 4)
	nodes[2].Announce(a)
	await(t, "both others have heard", all(nodes[:2], func(x *testNode) bool { return x.has(a) }))
	nodes[2].stop()
	await(t, "it has left", all(nodes[:2], func(x *testNode) bool { return !x.Reachable(nodes[2].id) }))
	late := n.add(3)
	await(t, "heard by push/pull", func() bool { return late.has(a) })
}

func TestLeftAndDeadAreTold(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(3)
	stateOf := func(id federation.EntityID) State {
		for _, p := range nodes[0].Peers() {
			if p.Entity == id {
				return p.State
			}
		}
		return StateUnknown
	}
	nodes[1].stop()
	await(t, "left", func() bool { return stateOf(nodes[1].id) == StateLeft })
	n.isolate(1, nodes[2])
	await(t, "dead", func() bool { return stateOf(nodes[2].id) == StateDead })
	await(t, "OnReachable was told", func() bool {
		nodes[0].mu.Lock()
		defer nodes[0].mu.Unlock()
		return !nodes[0].up[nodes[1].id] && !nodes[0].up[nodes[2].id]
	})
}

func everybody(federation.EntityID) bool { return true }

// SSO.md §10 139: a host with the gossip key but without a member's key.
func TestI139_HostWithoutMemberKeyIsNotJoined(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(2)
	stranger := n.start(n.config("https://stranger.example", "a"))
	await(t, "refused", func() bool { return nodes[0].Stats().Refused > 0 || nodes[1].Stats().Refused > 0 })
	if nodes[0].Reachable(stranger.id) || nodes[1].Reachable(stranger.id) {
		t.Error("a stranger was joined")
	}
	n.admit(stranger.id, true)
	nodes[0].Recheck(everybody)
	nodes[1].Recheck(everybody)
	await(t, "joined once it is a member", func() bool { return nodes[0].Reachable(stranger.id) })
	n.admit(stranger.id, false)
	nodes[0].Recheck(func(id federation.EntityID) bool { return id != stranger.id })
	if !nodes[0].Reachable(stranger.id) {
		t.Error("judged again though others have changed")
	}
	nodes[0].Recheck(func(id federation.EntityID) bool { return id == stranger.id })
	await(t, "hidden when it is none any more", func() bool { return !nodes[0].Reachable(stranger.id) })
	n.admit(stranger.id, true)
	nodes[0].Recheck(everybody)
	await(t, "back", func() bool { return nodes[0].Reachable(stranger.id) })
}

// SSO.md §10 139: a join with the wrong gossip key.
func TestI139_WrongGossipKeyIsNotJoined(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(2)
	n.admit(entity(9), true)
	cfg, node := n.config(entity(9), "a")
	cfg.Keys = [][]byte{bytes.Repeat([]byte{8}, 32)}
	wrong := n.start(cfg, node)
	a := announcement(nodes[0].id, 1)
	nodes[0].Announce(a)
	await(t, "the others go on", func() bool { return nodes[1].has(a) })
	if wrong.Stats().Alive != 0 || nodes[0].Reachable(entity(9)) {
		t.Error("joined with a wrong key")
	}
	if err := wrong.SetKeys([][]byte{n.key}); err != nil {
		t.Fatal(err)
	}
	await(t, "joined after the key was corrected", func() bool { return nodes[0].Reachable(entity(9)) && wrong.sees(2) })
}

// SSO.md §10 139: a node name equal to an existing member, with the signature
// copied from it, at another address.
func TestI139_CopiedBindingIsRefused(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(1)
	d := nodes[0].Discovery
	id := entity(1)
	n.admit(id, true)
	name := newGossipName(id, "a", time.Unix(1, 0)).String()
	home := netip.MustParseAddrPort("127.0.0.1:1111")
	meta := nodeMeta{Entity: id, Signature: ed25519.Sign(seedOf(id), binding(id, name, home))}
	at := func(addr string, m nodeMeta, name string) error {
		a := netip.MustParseAddrPort(addr)
		return delegate{d}.NotifyAlive(&memberlist.Node{Name: name, Addr: a.Addr().AsSlice(), Port: a.Port(), Meta: m.encode()})
	}
	if err := at("127.0.0.1:1111", meta, name); err != nil {
		t.Errorf("at its own address: %v", err)
	}
	if err := at("127.0.0.1:2222", meta, name); !errors.Is(err, ErrBinding) {
		t.Errorf("at another address: %v", err)
	}
	other := nodeMeta{Entity: entity(0), Signature: meta.Signature}
	if err := at("127.0.0.1:1111", other, name); !errors.Is(err, ErrBinding) {
		t.Errorf("for another entity: %v", err)
	}
	if err := at("127.0.0.1:1111", meta, newGossipName(id, "b", time.Unix(1, 0)).String()); !errors.Is(err, ErrBinding) {
		t.Errorf("under another name: %v", err)
	}
	if err := at("127.0.0.1:1111", meta, "a"); !errors.Is(err, ErrBinding) {
		t.Errorf("under a bare name: %v", err)
	}
}

func TestForgedAnnouncementDisplacesNothing(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(2)
	real := announcement(nodes[1].id, 5)
	nodes[1].Announce(real)
	await(t, "heard", func() bool { return nodes[0].has(real) })
	forged := announcement(nodes[1].id, 1<<60)
	forged.Signature[3] ^= 1
	before := nodes[0].Stats().Refused
	nodes[0].inbox.message(announcementMessage(forged))
	await(t, "refused", func() bool { return nodes[0].Stats().Refused > before })
	next := announcement(nodes[1].id, 6)
	nodes[1].Announce(next)
	await(t, "the next real one is heard", func() bool { return nodes[0].has(next) })
}

func TestEqualSerialWithOtherDigestIsPassedOnOnce(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(1)
	d := nodes[0]
	n.admit(entity(1), true)
	first := announcement(entity(1), 3)
	second := first
	second.Manifest[0] ^= 1
	copy(second.Signature[:], ed25519.Sign(seedOf(entity(1)), second.SigningInput()))
	d.Announce(first)
	await(t, "first", func() bool { return d.has(first) })
	d.Announce(second)
	await(t, "second", func() bool { return d.has(second) })
	d.Announce(second)
	d.Announce(first)
	last := announcement(entity(1), 4)
	d.Announce(last)
	await(t, "last", func() bool { return d.has(last) })
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := d.stats.Announcements; got != 3 {
		t.Errorf("%d announcements delivered, want 3", got)
	}
}

func TestFlooderIsCappedAndNamed(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(3)
	flooder, victim := nodes[1], nodes[2]
	const flood = 400
	for i := range flood {
		nodes[0].inbox.message(announcementMessage(announcement(flooder.id, uint64(i+1))))
	}
	a := announcement(victim.id, 1)
	victim.Announce(a)
	await(t, "others are unaffected", func() bool { return nodes[0].has(a) })
	await(t, "the newest of the flood arrives in the end", func() bool { return nodes[0].has(announcement(flooder.id, flood)) })
	nodes[0].mu.Lock()
	count := nodes[0].count
	nodes[0].mu.Unlock()
	if count > memberBurst+10 {
		t.Errorf("%d announcements were passed on", count)
	}
	for _, p := range nodes[0].Peers() {
		if (p.Entity == flooder.id) != (p.Capped > 0) {
			t.Errorf("%s: capped %d", p.Entity, p.Capped)
		}
	}
}

func TestNoticeReachesAllAndLateOnes(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(4)
	got := func(x *testNode) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(x.notices) == 1 && x.notices[0] == "revoked"
	}
	if err := nodes[0].Notify("revoked"); err != nil {
		t.Fatal(err)
	}
	await(t, "notice everywhere", all(nodes[1:], got))
	late := n.add(4)
	await(t, "a late node gets it by push/pull", func() bool { return got(late) })
	if err := nodes[0].Notify("forged"); err != nil {
		t.Fatal(err)
	}
	await(t, "a forged one is refused", all(nodes[1:], func(x *testNode) bool { return x.Stats().Refused > 0 }))
	for _, x := range nodes[1:] {
		x.Discovery.mu.Lock()
		if len(x.Discovery.notices) != 1 {
			t.Errorf("%s keeps %d notices", x.id, len(x.Discovery.notices))
		}
		x.Discovery.mu.Unlock()
	}
	for _, bad := range []string{"", strings.Repeat("x", maxNotice+1)} {
		if err := nodes[0].Notify(bad); !errors.Is(err, ErrNotice) {
			t.Errorf("notice of %d bytes: %v", len(bad), err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(3)
	fresh := bytes.Repeat([]byte{9}, 32)
	for _, step := range [][][]byte{{n.key, fresh}, {fresh, n.key}, {fresh}} {
		for _, x := range nodes {
			if err := x.SetKeys(step); err != nil {
				t.Fatal(err)
			}
		}
		if got := nodes[0].ring.GetKeys(); len(got) != len(step) || !bytes.Equal(got[0], step[0]) {
			t.Fatalf("keys after a step: %d", len(got))
		}
	}
	a := announcement(nodes[0].id, 1)
	nodes[0].Announce(a)
	await(t, "announcements under the new key", all(nodes[1:], func(x *testNode) bool { return x.has(a) }))
	if err := nodes[0].SetKeys(nil); !errors.Is(err, ErrConfig) {
		t.Errorf("no keys: %v", err)
	}
	if err := nodes[0].SetKeys([][]byte{{1}}); !errors.Is(err, ErrConfig) {
		t.Errorf("short key: %v", err)
	}
}

func TestCutHealsByItself(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(6)
	left, right := nodes[:4], nodes[4:]
	n.isolate(1, right...)
	await(t, "the cut is seen on both sides", func() bool {
		return all(left, func(x *testNode) bool { return x.sees(3) })() && all(right, func(x *testNode) bool { return x.sees(1) })()
	})
	// Until memberlist has forgotten the dead it would find them by itself.
	gone := time.NewTimer(n.profile.DeadGossip + 2*time.Second)
	defer gone.Stop()
	a, b := announcement(nodes[0].id, 1), announcement(nodes[5].id, 1)
	nodes[0].Announce(a)
	nodes[5].Announce(b)
	await(t, "each side hears its own", func() bool { return nodes[1].has(a) && nodes[4].has(b) })
	<-gone.C
	n.isolate(0, right...)
	took := awaitFor(t, "healed", 10*time.Second, all(nodes, func(x *testNode) bool {
		return x.sees(5) && (x == nodes[0] || x.has(a)) && (x == nodes[5] || x.has(b))
	}))
	t.Logf("healed in %s", took)
}

func TestPeersFileBringsANodeBackWithoutSeeds(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(2)
	file := tempPeers(t)
	n.admit(entity(7), true)
	cfg, node := n.config(entity(7), "a")
	cfg.PeersFile = file
	x := n.start(cfg, node)
	await(t, "joined", func() bool { return x.sees(2) })
	x.stop()
	cfg, node = n.config(entity(7), "a")
	cfg.PeersFile, cfg.Seeds, cfg.Log = file, nil, testLog(t)
	again := n.start(cfg, node)
	await(t, "back without seeds", func() bool { return again.sees(2) && nodes[0].Reachable(entity(7)) })
	for _, p := range nodes[0].Peers() {
		if p.Entity == entity(7) && (p.State != StateAlive || p.Addr != again.addr.String()) {
			t.Errorf("peer %+v", p)
		}
	}
}

func TestUnreadablePeersFileIsNoReasonToStop(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(1)
	file := tempPeers(t)
	if err := os.WriteFile(file, []byte(`{"version":1,"peers":[{`), 0o600); err != nil {
		t.Fatal(err)
	}
	n.admit(entity(7), true)
	cfg, node := n.config(entity(7), "a")
	cfg.PeersFile = file
	x := n.start(cfg, node)
	await(t, "joined by seeds", func() bool { return x.sees(1) && nodes[0].sees(1) })
}

func TestReplicasOfOneNode(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(1)
	id := entity(5)
	n.admit(id, true)
	one := n.start(n.config(id, "replica-1"))
	two := n.start(n.config(id, "replica-2"))
	await(t, "both seen", func() bool { return len(nodes[0].Peers()) == 2 && nodes[0].sees(2) })
	a := announcement(id, 1)
	one.Announce(a)
	await(t, "the other replica hears it too", func() bool { return two.has(a) })
	one.stop()
	await(t, "one left", func() bool { return nodes[0].sees(1) })
	if !nodes[0].Reachable(id) {
		t.Error("unreachable although a replica is alive")
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	for name, change := range map[string]func(*Config){
		"no self":      func(c *Config) { c.Self = "" },
		"no name":      func(c *Config) { c.Name = "" },
		"odd name":     func(c *Config) { c.Name = "A~b" },
		"long name":    func(c *Config) { c.Name = strings.Repeat("a", maxName+1) },
		"no keys":      func(c *Config) { c.Keys = nil },
		"short key":    func(c *Config) { c.Keys = [][]byte{{1, 2}} },
		"no verifier":  func(c *Config) { c.VerifyNode = nil },
		"no announcer": func(c *Config) { c.VerifyAnnouncement = nil },
	} {
		cfg, _ := n.config(entity(1), "a")
		change(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(1)
	n.admit(entity(1), true)
	cfg, _ := n.config(entity(1), "a")
	cfg.Bind = nodes[0].addr.String()
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), cfg.Bind) {
		t.Errorf("a port in use: %v", err)
	}
}

func TestAdvertiseApartFromBind(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	n.admit(entity(1), true)
	cfg, node := n.config(entity(1), "a")
	cfg.Bind, cfg.Advertise = "0.0.0.0:0", "gossip.localhost:0"
	x := n.start(cfg, node)
	if x.addr.Addr() != netip.MustParseAddr("127.0.0.1") || x.addr.Port() == 0 {
		t.Errorf("advertised %s", x.addr)
	}
	y := n.add(2)
	await(t, "joined over the advertised address", func() bool { return x.sees(1) && y.sees(1) })
}

func TestLogHasNoAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"[ERR] memberlist: x from=192.168.1.2:7946":               "[ERR] memberlist: x from=addr",
		"dial tcp 127.0.0.1:0->10.0.0.7:7946: connection refused": "dial tcp addr connection refused",
		"failed to join [2001:db8::1]:7946: timeout":              "failed to join addr timeout",
		"Ignoring 'melle~k2~ab' (10.1.1.1:79) meta":               "Ignoring 'melle~k2~ab' (addr) meta",
		"Using dynamic bind port 40123":                           "Using dynamic bind port 40123",
		"nothing":                                                 "nothing",
	} {
		if got := withoutAddresses(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// A node that was refused, because its membership was not yet verified here,
// is joined as soon as it is, without waiting for a push/pull or a seed.
func TestMemberVerifiedLateIsJoinedAtOnce(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(1)
	n.profile.PushPullInterval, n.profile.RejoinInterval = time.Hour, time.Hour
	late := n.start(n.config(entity(1), "a"))
	await(t, "refused", func() bool { return nodes[0].Stats().Refused > 0 && late.sees(1) })
	if nodes[0].Reachable(late.id) {
		t.Fatal("joined as a stranger")
	}
	n.admit(late.id, true)
	nodes[0].Recheck(everybody)
	await(t, "joined", func() bool { return nodes[0].Reachable(late.id) })
}

func TestStrangersAreBounded(t *testing.T) {
	n := newNet(t)
	d := n.grow(1)[0]
	for i := range maxStrangers + 50 {
		d.noteStranger(stranger{name: newGossipName(entity(1), "a", time.UnixMilli(int64(i))).String()})
	}
	if got := len(d.refusedNodes); got != maxStrangers {
		t.Errorf("%d strangers are remembered", got)
	}
}

func TestNodesGoneForLongAreForgotten(t *testing.T) {
	n := newNet(t)
	d := n.grow(1)[0]
	d.Discovery.mu.Lock()
	d.peers["x"] = &peer{state: StateDead, since: time.Now().Add(-forgetAfter - time.Minute)}
	d.peers["y"] = &peer{state: StateDead, since: time.Now().Add(-time.Hour)}
	d.Discovery.mu.Unlock()
	d.forgetOld()
	d.Discovery.mu.Lock()
	defer d.Discovery.mu.Unlock()
	if d.peers["x"] != nil || d.peers["y"] == nil {
		t.Error("the wrong one was forgotten")
	}
}
