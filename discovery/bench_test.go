package discovery

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"
)

// figures are what one size of network took.
type figures struct {
	join, median, worst, dead time.Duration
	cpu, bytes                float64 // per node and second when idle
}

func (f figures) String() string {
	return fmt.Sprintf("all joined %s | announcement heard by all: median %s, worst %s | dead node labelled by all %s | idle per node %.2f ms CPU/s, %.0f B/s",
		f.join.Round(time.Millisecond), f.median.Round(time.Millisecond), f.worst.Round(time.Millisecond), f.dead.Round(time.Millisecond),
		f.cpu, f.bytes)
}

// measure runs n nodes in this process.
func measure(t testing.TB, profile Profile, count, trials int, idle time.Duration) figures {
	n := newNet(t)
	n.profile = profile
	var f figures
	start := time.Now()
	var nodes []*testNode
	for i := range count {
		nodes = append(nodes, n.add(i))
		if i%8 == 7 { // staggered: what starts at once converges late
			awaitFor(t, "joined", 2*time.Minute, func() bool { return nodes[i].Stats().Alive > 0 })
		}
	}
	awaitFor(t, "all see each other", 2*time.Minute, all(nodes, func(x *testNode) bool { return x.sees(count - 1) }))
	f.join = time.Since(start)
	var took []time.Duration
	for i := range trials {
		from := nodes[(i*7)%count]
		a := announcement(from.id, uint64(i+1))
		from.Announce(a)
		took = append(took, awaitFor(t, "heard by all", time.Minute, all(nodes, func(x *testNode) bool { return x == from || x.has(a) })))
	}
	f.median, f.worst = middle(took)
	f.cpu, f.bytes = idleCost(nodes, idle)
	victim := nodes[count-1]
	n.isolate(1, victim)
	f.dead = awaitFor(t, "labelled by all", 3*time.Minute, all(nodes[:count-1], func(x *testNode) bool { return !x.Reachable(victim.id) }))
	return f
}

func middle(took []time.Duration) (median, worst time.Duration) {
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1]
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// idleCost waits until the push/pulls after the joining are over.
func idleCost(nodes []*testNode, span time.Duration) (cpu, bytes float64) {
	settled := time.NewTimer(nodes[0].net.profile.RejoinInterval * (settleRounds + 1) * 6 / 5)
	<-settled.C
	sum := func() (b uint64) {
		for _, x := range nodes {
			b += x.Stats().Bytes
		}
		return b
	}
	b, c := sum(), cpuTime()
	timer := time.NewTimer(span)
	<-timer.C
	per := float64(len(nodes)) * span.Seconds()
	return float64((cpuTime() - c).Microseconds()) / 1000 / per, float64(sum()-b) / per
}

// plainDelegate is the least memberlist needs to spread metadata.
type plainDelegate struct{ meta func() []byte }

func (p plainDelegate) NodeMeta(int) []byte           { return p.meta() }
func (plainDelegate) NotifyMsg([]byte)                {}
func (plainDelegate) GetBroadcasts(int, int) [][]byte { return nil }
func (plainDelegate) LocalState(bool) []byte          { return nil }
func (plainDelegate) MergeRemoteState([]byte, bool)   {}

type plainEvents struct{ seen func(*memberlist.Node) }

func (e plainEvents) NotifyJoin(n *memberlist.Node)   { e.seen(n) }
func (plainEvents) NotifyLeave(*memberlist.Node)      {}
func (e plainEvents) NotifyUpdate(n *memberlist.Node) { e.seen(n) }

// measurePlain is memberlist with its LAN defaults and a metadata update of
// the same size as an announcement.
func measurePlain(t testing.TB, count, trials int) (median, worst time.Duration) {
	type state struct {
		list *memberlist.Memberlist
		seen chan byte
	}
	meta := make([]byte, 200)
	current := make(chan byte, 1)
	current <- 0
	value := func() []byte {
		v := <-current
		current <- v
		return append(meta[:len(meta)-1:len(meta)-1], v)
	}
	var nodes []state
	for i := range count {
		s := state{seen: make(chan byte, 64)}
		c := memberlist.DefaultLANConfig()
		c.Name, c.BindAddr, c.BindPort, c.AdvertisePort = fmt.Sprintf("n%d", i), "127.0.0.1", 0, 0
		c.Logger = newLogger(testLogQuiet())
		if i == 0 {
			c.Delegate = plainDelegate{value}
		}
		c.Events = plainEvents{func(n *memberlist.Node) {
			if n.Name == "n0" && len(n.Meta) > 0 {
				select {
				case s.seen <- n.Meta[len(n.Meta)-1]:
				default:
				}
			}
		}}
		list, err := memberlist.Create(c)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = list.Shutdown() }()
		s.list = list
		nodes = append(nodes, s)
		if i > 0 {
			first := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), nodes[0].list.LocalNode().Port)
			if _, err := list.Join([]string{first.String()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	awaitFor(t, "plain nodes joined", time.Minute, func() bool {
		for _, s := range nodes {
			if s.list.NumMembers() != count {
				return false
			}
		}
		return true
	})
	var took []time.Duration
	for i := range trials {
		<-current
		current <- byte(i + 1)
		start := time.Now()
		_ = nodes[0].list.UpdateNode(time.Millisecond)
		for _, s := range nodes[1:] {
			for v := range s.seen {
				if v == byte(i+1) {
					break
				}
			}
		}
		took = append(took, time.Since(start))
	}
	return middle(took)
}

// measureSerf is serf with its LAN defaults and a user event of the same size
// as an announcement.
func measureSerf(t testing.TB, count, trials int) (median, worst time.Duration) {
	var nodes []*serf.Serf
	var events []chan serf.Event
	for i := range count {
		c := serf.DefaultConfig()
		c.NodeName = fmt.Sprintf("n%d", i)
		c.MemberlistConfig = memberlist.DefaultLANConfig()
		c.MemberlistConfig.BindAddr, c.MemberlistConfig.BindPort, c.MemberlistConfig.AdvertisePort = "127.0.0.1", 0, 0
		c.Logger, c.MemberlistConfig.Logger = newLogger(testLogQuiet()), newLogger(testLogQuiet())
		ch := make(chan serf.Event, 4096)
		c.EventCh = ch
		s, err := serf.Create(c)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Shutdown() }()
		nodes, events = append(nodes, s), append(events, ch)
		if i > 0 {
			m := nodes[0].LocalMember()
			if _, err := s.Join([]string{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), m.Port).String()}, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	awaitFor(t, "serf nodes joined", 2*time.Minute, func() bool {
		for _, s := range nodes {
			if s.NumNodes() != count {
				return false
			}
		}
		return true
	})
	payload := make([]byte, 200)
	var took []time.Duration
	for i := range trials {
		name := fmt.Sprintf("e%d", i)
		start := time.Now()
		if err := nodes[0].UserEvent(name, payload, false); err != nil {
			t.Fatal(err)
		}
		late := make(chan struct{}) // user events are sometimes lost
		timer := time.AfterFunc(userEventLimit, func() { close(late) })
		for _, ch := range events {
			awaitEvent(ch, name, late)
		}
		timer.Stop()
		took = append(took, time.Since(start))
	}
	return middle(took)
}

// userEventLimit is how long a user event is waited for before it counts as
// lost, with this time.
const userEventLimit = 20 * time.Second

func awaitEvent(ch <-chan serf.Event, name string, late <-chan struct{}) {
	for {
		select {
		case e := <-ch:
			if u, ok := e.(serf.UserEvent); ok && u.Name == name {
				return
			}
		case <-late:
			return
		}
	}
}

// sizes are the networks that are measured; the largest only where
// RATHAUSNETZ_BENCH=large, because it needs minutes.
func sizes() []int {
	if os.Getenv("RATHAUSNETZ_BENCH") == "large" {
		return []int{30, 100, 300}
	}
	return []int{30, 100}
}

// profileFor is LAN, and slow probes for what is too large for it in one process.
func profileFor(count int) Profile {
	if count > 150 {
		return WAN()
	}
	return LAN()
}

func BenchmarkConvergence(b *testing.B) {
	for _, count := range sizes() {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for range b.N {
				f := measure(b, profileFor(count), count, 20, 10*time.Second)
				b.ReportMetric(f.median.Seconds()*1000, "ms-median")
				b.ReportMetric(f.worst.Seconds()*1000, "ms-worst")
				b.ReportMetric(f.dead.Seconds()*1000, "ms-dead")
				b.ReportMetric(f.bytes, "B/s/node")
				b.ReportMetric(f.cpu, "ms-cpu/s/node")
				b.ReportMetric(0, "ns/op")
				b.Log(f)
			}
		})
	}
}

// BenchmarkPlainMemberlist and BenchmarkSerf are what they alone need for the
// same, with their LAN defaults.
func BenchmarkPlainMemberlist(b *testing.B) { benchmarkOther(b, measurePlain) }

func BenchmarkSerf(b *testing.B) { benchmarkOther(b, measureSerf) }

func benchmarkOther(b *testing.B, measure func(testing.TB, int, int) (median, worst time.Duration)) {
	for _, count := range sizes() {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for range b.N {
				median, worst := measure(b, count, 10)
				b.ReportMetric(median.Seconds()*1000, "ms-median")
				b.ReportMetric(worst.Seconds()*1000, "ms-worst")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// TestSoak300 needs some minutes and most of two cores: it runs only where
// RATHAUSNETZ_SOAK is set. 300 nodes in one process need slow probes.
func TestSoak300(t *testing.T) {
	if os.Getenv("RATHAUSNETZ_SOAK") == "" {
		t.Skip("set RATHAUSNETZ_SOAK to run 300 nodes")
	}
	f := measure(t, WAN(), 300, 20, 10*time.Second)
	t.Log(f)
	if f.median > 1600*time.Millisecond {
		t.Errorf("median %s", f.median)
	}
}

// TestSoakCut is a cut of two minutes with the LAN profile: memberlist has
// long given up when the cable is back.
func TestSoakCut(t *testing.T) {
	if os.Getenv("RATHAUSNETZ_SOAK") == "" {
		t.Skip("set RATHAUSNETZ_SOAK to cut a network for two minutes")
	}
	n := newNet(t)
	n.profile = LAN()
	nodes := n.grow(12)
	n.isolate(1, nodes[8:]...)
	cut := time.NewTimer(2 * time.Minute)
	awaitFor(t, "the cut is seen", time.Minute, func() bool {
		return all(nodes[:8], func(x *testNode) bool { return x.sees(7) })() && all(nodes[8:], func(x *testNode) bool { return x.sees(3) })()
	})
	a, b := announcement(nodes[0].id, 1), announcement(nodes[11].id, 1)
	nodes[0].Announce(a)
	nodes[11].Announce(b)
	<-cut.C
	n.isolate(0, nodes[8:]...)
	took := awaitFor(t, "healed", 10*time.Second, all(nodes, func(x *testNode) bool {
		return x.sees(11) && (x == nodes[0] || x.has(a)) && (x == nodes[11] || x.has(b))
	}))
	t.Logf("healed in %s", took)
}
