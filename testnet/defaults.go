package testnet

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
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

// listen takes the http port of node i, and names its gossip port; both are
// none of taken.
func (s Spec) listen(i int, taken map[int]bool) (ln net.Listener, gossip int, err error) {
	if s.BasePort != 0 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.BasePort+i))
		if ln, err = net.Listen("tcp", addr); err != nil {
			return nil, 0, fmt.Errorf("%w: %s is in use; stop the other program or choose another --port", ErrSpec, addr)
		}
		return ln, s.BasePort + max(100, s.Members+20) + i, nil
	}
	for range 1000 {
		port, second := randomPort(), randomPort()
		if port == second || taken[port] || taken[second] || !freeForGossip(second) {
			continue
		}
		if ln, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return ln, second, nil
		}
	}
	return nil, 0, fmt.Errorf("%w: hardly a port between %d and %d is free", ErrSpec, firstPort, lastPort)
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
