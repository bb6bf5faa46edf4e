package testnet

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"

	"rathausnetz/discovery"
	"rathausnetz/federation/region"
)

// builtinPlaces is how many members the built-in Kreis has room for.
const builtinPlaces = 29

// fill puts the defaults into a Spec.
func (s *Spec) fill() error {
	if s.Register == nil && s.Members > builtinPlaces && (s.Kreis.IsBund() || s.Kreis == region.MustArea("03459")) && !s.Anchors && !s.Neighbour {
		s.Synthetic = true
	}
	if s.Synthetic {
		if err := s.synthesise(); err != nil {
			return err
		}
	}
	if s.Kreis.IsBund() {
		s.Kreis = region.MustArea("03459")
	}
	switch {
	case s.Register != nil:
	case s.Neighbour:
		s.Register = region.DemoBeside(region.BesideEdition())
	case s.Anchors:
		s.Register = region.DemoBeside(secondKreis())
	default:
		s.Register = region.Demo()
	}
	if s.Profile == (discovery.Profile{}) {
		s.Profile = discovery.Loopback()
		if s.Members > crowdAbove {
			s.Profile = crowdProfile(s.Members)
		}
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// listen takes the http port of node i, none of taken, and names where its
// gossip listens. With free ports that is an address of its own out of block:
// nobody else can take it before the node, which binds it only when it is
// approved.
func (s Spec) listen(i int, block netip.Prefix, taken map[int]bool) (ln net.Listener, gossip netip.AddrPort, err error) {
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if s.BasePort != 0 {
		addr := netip.AddrPortFrom(local, uint16(s.BasePort+i)).String()
		if ln, err = net.Listen("tcp", addr); err != nil {
			return nil, gossip, fmt.Errorf("%w: %s is in use; stop the other program or choose another --port", ErrSpec, addr)
		}
		return ln, netip.AddrPortFrom(local, uint16(s.BasePort+max(100, s.Members+20)+i)), nil
	}
	for range 1000 {
		port := randomPort()
		if taken[port] {
			continue
		}
		if ln, err = net.Listen("tcp", netip.AddrPortFrom(local, uint16(port)).String()); err == nil {
			break
		}
	}
	if err != nil {
		return nil, gossip, fmt.Errorf("%w: hardly a port between %d and %d is free: %w", ErrSpec, firstPort, lastPort, err)
	}
	if block.IsValid() {
		a := block.Addr().As4()
		a[2] += byte((i + 1) / 250)
		a[3] = byte(1 + (i+1)%250)
		return ln, netip.AddrPortFrom(netip.AddrFrom4(a), gossipPort), nil
	}
	for range 1000 {
		if port := randomPort(); !taken[port] && freeForGossip(port) {
			return ln, netip.AddrPortFrom(local, uint16(port)), nil
		}
	}
	return nil, gossip, errors.Join(fmt.Errorf("%w: hardly a port between %d and %d is free", ErrSpec, firstPort, lastPort), ln.Close())
}

// gossipPort is that of nodes with an address of their own.
const gossipPort = 7946

// ownBlock is a block of loopback addresses for the gossip of one network,
// where the system has more of them than one.
func ownBlock() netip.Prefix {
	block := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, byte(32 + rand.IntN(200)), byte(rand.IntN(62) * 4), 0}), 22)
	pc, err := net.ListenPacket("udp", netip.AddrPortFrom(block.Addr().Next(), 0).String())
	if err != nil {
		return netip.Prefix{}
	}
	if pc.Close() != nil {
		return netip.Prefix{}
	}
	return block
}

// The ports that are chosen from lie below those that the system gives to
// outgoing connections: one found free there stays free until the node takes
// it, and while it is stopped.
const firstPort, lastPort = 20000, 32000

func randomPort() int { return firstPort + rand.IntN(lastPort-firstPort) }

// freeForGossip reports whether a port is free for UDP and TCP.
func freeForGossip(port int) bool {
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	pc, err := net.ListenPacket("udp", addr)
	ln.Close()
	if err == nil {
		pc.Close()
	}
	return err == nil
}

// poolPort names the port of node i among hubs.
func (s Spec) poolPort(i int, taken map[int]bool) (int, error) {
	if s.BasePort != 0 {
		return s.BasePort + max(200, 2*(s.Members+20)) + i, nil
	}
	for range 1000 {
		if port := randomPort(); !taken[port] && freeForGossip(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("%w: hardly a port between %d and %d is free", ErrSpec, firstPort, lastPort)
}
