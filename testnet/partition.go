package testnet

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"rathausnetz/federation"
)

// Partition pulls the cable between members and everybody else: gossip and
// HTTP go on only among those on the same side. Heal puts it back.
func (nw *Network) Partition(members ...*Member) {
	for _, m := range members {
		m.side.Store(1)
	}
	nw.recount()
	nw.say(Event{What: Cut, Detail: names(members)})
}

// Heal ends a partition.
func (nw *Network) Heal() {
	for _, m := range nw.Members() {
		m.side.Store(0)
	}
	nw.recount()
	nw.say(Event{What: Healed})
}

func names(members []*Member) string {
	var out []string
	for _, m := range members {
		out = append(out, m.Name)
	}
	return strings.Join(out, " ")
}

// recount notes how many nodes anything is wrong with, so that a network
// without faults need not look for them with every packet.
func (nw *Network) recount() {
	n := int32(0)
	for _, m := range nw.Members() {
		if m.cut.Load() || m.side.Load() != 0 {
			n++
		}
	}
	nw.faults.Store(n)
}

// separated reports whether the cable between two nodes is pulled.
func (m *Member) separated(o *Member) bool { return m != o && m.side.Load() != o.side.Load() }

// blocked cuts gossip between a node that is cut off and everybody else, and
// across a partition.
func (m *Member) blocked(to netip.AddrPort) bool {
	if m.net.faults.Load() == 0 {
		return false
	}
	o := m.net.whoIs(func(x *Member) bool { return x.gossip == to })
	if o == nil {
		return m.cut.Load()
	}
	return o != m && (m.cut.Load() || o.cut.Load() || m.separated(o))
}

// blockedHTTP cuts requests across a partition.
func (m *Member) blockedHTTP(host string) bool {
	if m.net.faults.Load() == 0 {
		return false
	}
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	o := m.net.whoIs(func(x *Member) bool { return x.port == n })
	return err == nil && o != nil && m.separated(o)
}

// whoIs returns the first node that is meant, nil if none is.
func (nw *Network) whoIs(meant func(*Member) bool) *Member {
	nw.mu.RLock()
	defer nw.mu.RUnlock()
	for _, m := range nw.members {
		if meant(m) {
			return m
		}
	}
	return nil
}

// byEntity returns the node of an entity, nil if there is none.
func (nw *Network) byEntity(id federation.EntityID) *Member {
	return nw.whoIs(func(m *Member) bool { return m.Entity == id })
}
