package discovery

import (
	"time"

	"github.com/hashicorp/memberlist"
)

// Profile is a set of timings. The zero value stands for LAN().
type Profile struct {
	GossipInterval   time.Duration // between two rounds of gossip
	GossipNodes      int           // nodes told in each round
	RetransmitMult   int           // a message is sent this often times log10(N+1)
	ProbeInterval    time.Duration // between two probes of one other node
	ProbeTimeout     time.Duration // for the direct answer to a probe
	SuspicionMult    int           // a suspect has this many probe intervals times log10(N) to speak up
	PushPullInterval time.Duration // between two complete exchanges; stretched by memberlist above 32 nodes
	DeadGossip       time.Duration // how long a dead node is still gossiped to
	StreamTimeout    time.Duration // for dialling and for one complete exchange
	RejoinInterval   time.Duration // between two attempts to reach nodes that are not alive
	LeaveTimeout     time.Duration // for saying goodbye
}

// LAN is the profile of a Landkreis: fast gossip and probes that label a dead
// node within 5 s at 100 nodes, at under 1 ms of CPU and 2 KB a second.
func LAN() Profile {
	return Profile{
		GossipInterval: 100 * time.Millisecond, GossipNodes: 4, RetransmitMult: 6,
		ProbeInterval: 500 * time.Millisecond, ProbeTimeout: 200 * time.Millisecond, SuspicionMult: 3,
		PushPullInterval: 60 * time.Second, DeadGossip: 30 * time.Second, StreamTimeout: 5 * time.Second,
		RejoinInterval: 3 * time.Second, LeaveTimeout: 2 * time.Second,
	}
}

// WAN is for more than about 300 nodes or long lines: the same fast gossip,
// but slow probes, because probing and not gossip is what costs. A dead node
// is labelled after about a minute.
func WAN() Profile {
	p := LAN()
	p.ProbeInterval, p.ProbeTimeout, p.SuspicionMult = 5*time.Second, 3*time.Second, 6
	p.DeadGossip, p.StreamTimeout = 60*time.Second, 20*time.Second
	return p
}

// Loopback is for networks inside one machine: LAN with quick repair.
func Loopback() Profile {
	p := LAN()
	p.PushPullInterval, p.DeadGossip = 10*time.Second, 5*time.Second
	p.StreamTimeout, p.RejoinInterval, p.LeaveTimeout = 2*time.Second, 500*time.Millisecond, time.Second
	return p
}

func (p Profile) apply(c *memberlist.Config) {
	c.GossipInterval, c.GossipNodes, c.RetransmitMult = p.GossipInterval, p.GossipNodes, p.RetransmitMult
	c.ProbeInterval, c.ProbeTimeout, c.SuspicionMult = p.ProbeInterval, p.ProbeTimeout, p.SuspicionMult
	c.SuspicionMaxTimeoutMult = 3
	c.PushPullInterval, c.GossipToTheDeadTime, c.TCPTimeout = p.PushPullInterval, p.DeadGossip, p.StreamTimeout
	// Announcements are random bytes: compressing costs and saves nothing.
	c.EnableCompression = false
	// A restarted node comes back under a new instance name, so an address
	// never has to be reclaimed; what has died may be replaced at once.
	c.DeadNodeReclaimTime = time.Millisecond
}
