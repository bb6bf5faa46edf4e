package discovery

import (
	"net"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// delegate is what memberlist calls back. Its methods run under memberlist's
// locks: they copy, enqueue and return, and never call memberlist.
type delegate struct{ d *Discovery }

var (
	_ memberlist.Delegate      = delegate{}
	_ memberlist.EventDelegate = delegate{}
	_ memberlist.AliveDelegate = delegate{}
	_ memberlist.PingDelegate  = delegate{}
)

// NodeMeta implements memberlist.Delegate. maxMeta fits into every limit
// memberlist has: more than 512 bytes would make it panic.
func (g delegate) NodeMeta(int) []byte {
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	return g.d.meta.encode()
}

func (g delegate) NotifyMsg(b []byte) { g.d.inbox.message(b) }

func (g delegate) GetBroadcasts(overhead, limit int) [][]byte {
	return g.d.queue.GetBroadcasts(overhead, limit)
}

func (g delegate) LocalState(bool) []byte { return g.d.localState() }

func (g delegate) MergeRemoteState(b []byte, _ bool) {
	if err := splitState(b, g.d.inbox.message); err != nil {
		g.d.refuse("push/pull refused", err)
	}
}

// NotifyAlive refuses a node that is not bound to its entity [SSO.md §10 139].
func (g delegate) NotifyAlive(n *memberlist.Node) error {
	if n.Name == g.d.ownName() {
		return nil
	}
	if g.d.bindings.familiar(n.Name, addrPort(n.Addr, n.Port), n.Meta) {
		return nil
	}
	m, addr, err := readNode(n)
	if err == nil {
		if err = g.d.bindings.check(n.Name, addr, m); err != nil {
			g.d.noteStranger(stranger{n.Name, addr, m})
		}
	}
	if err != nil {
		g.d.refuse("node refused", err)
	}
	return err
}

func (g delegate) NotifyJoin(n *memberlist.Node)   { g.d.noteAlive(n) }
func (g delegate) NotifyUpdate(n *memberlist.Node) { g.d.noteAlive(n) }
func (g delegate) NotifyLeave(n *memberlist.Node)  { g.d.noteGone(n.Name) }

func (g delegate) AckPayload() []byte { return nil }

func (g delegate) NotifyPingComplete(n *memberlist.Node, rtt time.Duration, _ []byte) {
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	if p := g.d.peers[n.Name]; p != nil {
		p.rtt = rtt
	}
}

func readNode(n *memberlist.Node) (nodeMeta, netip.AddrPort, error) {
	m, err := decodeMeta(n.Meta)
	return m, addrPort(n.Addr, n.Port), err
}

func addrPort(ip net.IP, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), port)
}
