package discovery

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"

	"rathausnetz/federation"
)

// bindAttempts is how often a free port is tried: the kernel's choice for TCP
// may be taken for UDP.
const bindAttempts = 10

// listen opens UDP and TCP on one port; the transport runs from then on until
// its Shutdown.
func listen(ctx context.Context, bind string, block func(netip.AddrPort) bool, logger *log.Logger) (*transport, error) {
	want, err := resolve(ctx, bind)
	if err != nil {
		return nil, fmt.Errorf("gossip bind address %q: %w", bind, err)
	}
	attempts := 1
	if want.Port() == 0 {
		attempts = bindAttempts
	}
	for range attempts {
		var t *transport
		if t, err = newTransport(want, block, logger); err == nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("gossip bind address %q: %w", bind, err)
}

// resolve turns host:port into one address; an empty host means all
// interfaces, a loopback name 127.0.0.1.
func resolve(ctx context.Context, hostport string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(hostport)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)), nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a.Unmap(), uint16(port)), nil
	}
	if federation.IsLoopbackHost(host) {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(addrs[0].Unmap(), uint16(port)), nil
}

// advertised says which address the others are told.
func advertised(ctx context.Context, advertise string, bound netip.AddrPort) (netip.AddrPort, error) {
	if advertise != "" {
		a, err := resolve(ctx, advertise)
		switch {
		case err != nil:
			return a, fmt.Errorf("gossip advertise address %q: %w", advertise, err)
		case a.Addr().IsUnspecified():
			return a, fmt.Errorf("%w: gossip advertise address %q names no host", ErrConfig, advertise)
		case a.Port() == 0:
			return netip.AddrPortFrom(a.Addr(), bound.Port()), nil
		}
		return a, nil
	}
	if !bound.Addr().IsUnspecified() {
		return bound, nil
	}
	addr, err := ownAddress(ctx)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(addr, bound.Port()), nil
}

// ownAddress is the address by which this machine would call the others: that
// of the default route, else the best of the interfaces. memberlist's own rule
// knows private addresses only, and a portal usually has a public one.
func ownAddress(ctx context.Context) (netip.Addr, error) {
	var d net.Dialer
	// Connecting UDP sends nothing; the kernel just picks the route.
	if c, err := d.DialContext(ctx, "udp", "192.0.2.1:9"); err == nil {
		defer c.Close()
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
			if addr := a.AddrPort().Addr().Unmap(); addr.IsGlobalUnicast() {
				return addr, nil
			}
		}
	}
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: no address to advertise; set the advertise address: %w", ErrConfig, err)
	}
	var addrs []netip.Addr
	for _, n := range nets {
		if p, err := netip.ParsePrefix(n.String()); err == nil {
			addrs = append(addrs, p.Addr().Unmap())
		}
	}
	best, ok := bestAddress(addrs)
	if !ok {
		return best, fmt.Errorf("%w: no address to advertise; set the advertise address: this machine has only loopback and link-local addresses", ErrConfig)
	}
	return best, nil
}

// bestAddress prefers IPv4 to IPv6 and public to private; the first of equals.
func bestAddress(addrs []netip.Addr) (best netip.Addr, ok bool) {
	rank := func(a netip.Addr) int {
		switch {
		case !a.IsGlobalUnicast():
			return 0
		case a.Is4() && !a.IsPrivate():
			return 4
		case a.Is4():
			return 3
		case !a.IsPrivate():
			return 2
		}
		return 1
	}
	for _, a := range addrs {
		if r := rank(a); r > 0 && (!ok || r > rank(best)) {
			best, ok = a, true
		}
	}
	return best, ok
}
