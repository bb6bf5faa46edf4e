package discovery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// TestSoakRestart200: 200 nodes (40 without RATHAUSNETZ_SOAK) are stopped and
// started again at the same addresses at once, knowing two of them as seeds.
// They find each other without help, and an announcement reaches all.
func TestSoakRestart200(t *testing.T) {
	count := 40
	if os.Getenv("RATHAUSNETZ_SOAK") != "" {
		count = 200
	}
	n := newNet(t)
	n.profile = WAN()
	n.profile.RejoinInterval, n.profile.LeaveTimeout = time.Second, time.Second
	net := 64 + rand.IntN(128) // loopback addresses of this test's own
	begin := func() []*testNode {
		n.mu.Lock()
		n.nodes = nil
		n.mu.Unlock()
		var nodes []*testNode
		for i := range count {
			n.admit(entity(i), true)
			cfg, node := n.config(entity(i), "a")
			cfg.Bind = fmt.Sprintf("127.%d.%d.%d:7946", net, i/250, 1+i%250)
			nodes = append(nodes, n.start(cfg, node))
		}
		return nodes
	}
	together := func(nodes []*testNode) time.Duration {
		return awaitFor(t, "all see each other", 4*time.Minute, all(nodes, func(x *testNode) bool { return x.sees(count - 1) }))
	}
	together(begin())
	n.stop()
	nodes := begin()
	t.Logf("%d nodes see each other %s after all were restarted at once", count, together(nodes).Round(time.Millisecond))
	a := announcement(nodes[3].id, 9)
	nodes[3].Announce(a)
	awaitFor(t, "an announcement reaches all", time.Minute, all(nodes, func(x *testNode) bool { return x == nodes[3] || x.has(a) }))
}
