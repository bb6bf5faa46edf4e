package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation/anchor"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func healthy() (*Machine, *Node) {
	m := &Machine{Now: now, Data: "/d", Free: 5 << 30, Host: "a.example", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.7")},
		Cert: &Certificate{NotAfter: now.Add(90 * 24 * time.Hour), Covers: true}}
	n := &Node{Now: now, Entity: "https://a.example", Hub: "https://hub.example", State: "member", Offers: 3, Expires: now.Add(20 * time.Hour),
		Reach: &anchor.Reach{Portal: "ok", Gossip: "ok", Heard: "alive"}, Others: []Other{{Name: "Melle", Gossip: "alive", Copy: "fresh", Checked: now}}}
	return m, n
}

// Each case is one fault in a healthy node: one finding, with a remedy.
func TestJudge(t *testing.T) {
	if m, n := healthy(); Worst(Judge(m, n)) != OK {
		t.Fatalf("a healthy node: %+v", Judge(m, n))
	}
	for name, c := range map[string]struct {
		plant   func(*Machine, *Node)
		check   string
		verdict Verdict
	}{
		"disk full":         {func(m *Machine, _ *Node) { m.Free = 5 << 20 }, "disk", Failure},
		"disk nearly full":  {func(m *Machine, _ *Node) { m.Free = 500 << 20 }, "disk", Warning},
		"store away":        {func(_ *Machine, n *Node) { n.StoreErr = "store: unavailable" }, "store", Failure},
		"proxy away":        {func(_ *Machine, n *Node) { n.SelfErr = "connection refused" }, "public address", Failure},
		"somebody else":     {func(_ *Machine, n *Node) { n.Foreign = true }, "public address", Failure},
		"closed from there": {func(_ *Machine, n *Node) { n.Reach.Portal = "no answer in time" }, "from outside", Failure},
		"gossip closed":     {func(_ *Machine, n *Node) { n.Reach.Gossip = "the connection is refused" }, "gossip", Failure},
		"only TCP":          {func(_ *Machine, n *Node) { n.Reach.Heard = "dead" }, "gossip", Failure},
		"hub is old":        {func(_ *Machine, n *Node) { n.Reach = nil }, "from outside", Warning},
		"hub is busy":       {func(_ *Machine, n *Node) { n.Reach, n.ReachErr = nil, "too soon" }, "from outside", Warning},
		"nothing published": {func(_ *Machine, n *Node) { n.Offers = 0 }, "catalogue", Warning},
		"frozen":            {func(_ *Machine, n *Node) { n.Others[0].Copy = "frozen" }, "copies", Failure},
		"refused":           {func(_ *Machine, n *Node) { n.Others[0].Err = "mirror: seal does not verify" }, "copies", Warning},
		"bad metadata":      {func(_ *Machine, n *Node) { n.OPErr = "names another issuer" }, "sign-on", Failure},
	} {
		m, n := healthy()
		c.plant(m, n)
		var found []Finding
		for _, f := range Judge(m, n) {
			if f.Verdict != OK {
				found = append(found, f)
			}
			if (f.Remedy == "") != (f.Verdict == OK) || strings.Contains(f.Remedy, ". ") {
				t.Errorf("%s: remedy of %+v", name, f)
			}
		}
		if len(found) != 1 || found[0].Check != c.check || found[0].Verdict != c.verdict {
			t.Errorf("%s: %+v", name, found)
		}
	}
	m, n := healthy()
	n.Follows, n.Reach.Gossip, n.Reach.Heard = true, "", "unknown"
	if Worst(Judge(m, n)) != OK {
		t.Errorf("a node that follows by HTTPS: %+v", Judge(m, n))
	}
	n.State = "waiting"
	if got := Judge(m, n); Worst(got) != Warning {
		t.Errorf("a node that waits: %+v", got)
	}
}

func TestNames(t *testing.T) {
	var many []string
	for i := range 9 {
		many = append(many, fmt.Sprint("m", i))
	}
	if got := names(many); got != "m0, m1, m2, m3, m4 and 4 more" {
		t.Error(got)
	}
}

// The machine is looked at without changing it.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Entity, cfg.Data = "https://192.0.2.1", filepath.Join(dir, "data")
	for _, name := range []string{"data/keys/federation.jwks", "data/keys/protocol.jwks", "secret"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Store.Redis.PasswordFile = filepath.Join(dir, "secret")
	look := func() *Machine {
		return Look(context.Background(), cfg, now, net.DefaultResolver, func(netip.Addr) bool { return true })
	}
	if m := look(); len(m.Open)+len(m.Missing) > 0 || m.DataErr != "" || m.Free <= 0 || len(m.Private) != 1 {
		t.Errorf("%+v", m)
	}
	cfg.Outbound.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	if m := look(); len(m.Private) != 0 {
		t.Error("an allowed address is called private")
	}
	if err := os.Chmod(cfg.Store.Redis.PasswordFile, 0o640); err != nil {
		t.Fatal(err)
	}
	if m := look(); len(m.Open) != 1 {
		t.Errorf("a secret others can read: %+v", m)
	}
	if left, err := os.ReadDir(cfg.Data); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
