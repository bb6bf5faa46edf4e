package trust

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"rathausnetz/federation"
)

// Guard keeps outgoing connections away from special-use addresses [RFC 6890].
// The check is made in the dialer on the address that is about to be
// connected to: after name resolution, so that neither a redirect nor a name
// that changes its mind between check and use leads inside.
type Guard struct {
	// AllowLoopback lets loopback names (and only those) reach this machine;
	// names under .localhost mean 127.0.0.1 [RFC 6761 §6.3].
	AllowLoopback bool
	// Allow exempts networks, for authorities inside an administration's own
	// network.
	Allow []netip.Prefix
	// AllowNow is asked for more of them at each connection; nil: there are none.
	AllowNow func() []netip.Prefix
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
}

// GuardTransport is Guard.Transport with one setting.
func GuardTransport(t *http.Transport, allowLoopback bool) *http.Transport {
	return Guard{AllowLoopback: allowLoopback}.Transport(t)
}

// Transport makes t dial through the guard and returns it; nil means a fresh
// transport with limits and without proxy.
func (g Guard) Transport(t *http.Transport) *http.Transport {
	if t == nil {
		t = &http.Transport{
			MaxIdleConns:           256,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  15 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		}
	}
	t.DialContext = g.DialContext
	t.DialTLSContext = nil
	return t
}

// DialContext connects to address (host:port) if the guard allows it; errors
// wrap ErrAddress.
func (g Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrAddress, clip(address))
	}
	loopback := g.AllowLoopback && federation.IsLoopbackHost(host)
	if loopback && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	d := net.Dialer{
		Timeout:   5 * time.Second,
		KeepAlive: 30 * time.Second,
		Resolver:  g.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			return g.check(host, address, loopback)
		},
	}
	return d.DialContext(ctx, network, address)
}

// check judges one resolved address.
func (g Guard) check(host, address string, loopback bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrAddress, clip(address))
	}
	ip := ap.Addr().WithZone("").Unmap()
	if loopback && ip.IsLoopback() {
		return nil
	}
	allow := g.Allow
	if g.AllowNow != nil {
		allow = slices.Concat(allow, g.AllowNow())
	}
	for _, p := range allow {
		if p.Contains(ip) {
			return nil
		}
	}
	if specialUse(ip) {
		return fmt.Errorf("%w: %s is %s, a special-use address", ErrAddress, clip(host), ip)
	}
	return nil
}

// SpecialUse reports whether no node calls an address unless it is allowed to.
func SpecialUse(ip netip.Addr) bool { return specialUse(ip.WithZone("").Unmap()) }

// specialUse reports whether ip is not an ordinary public address: the
// registries of RFC 6890 and RFC 8190, multicast, and transition mechanisms
// that carry an IPv4 address inside.
func specialUse(ip netip.Addr) bool {
	if !ip.IsValid() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return true
	}
	b := ip.As16()
	if ip.Is4() {
		return specialUse4(ip.As4())
	}
	switch {
	case b[0] == 0x00 && b[1] == 0x64 && b[2] == 0xff && b[3] == 0x9b: // 64:ff9b::/32, NAT64
		return true
	case b[0] == 0x01 && b[1] == 0x00: // 100::/16, discard
		return true
	case b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02: // 2001::/23, protocol assignments
		return true
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8: // documentation
		return true
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		return true
	case b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10: // documentation
		return true
	case b[0] == 0x5f && b[1] == 0x00: // segment routing
		return true
	case b[0]&0xfe == 0xfc || b[0] == 0xfe: // unique local, link local, site local
		return true
	case b[0] == 0: // ::/8, IPv4-compatible and reserved
		return true
	}
	return false
}

func specialUse4(b [4]byte) bool {
	switch {
	case b[0] == 0, b[0] == 127, b[0] >= 224: // this network, loopback, multicast and reserved
		return true
	case b[0] == 100 && b[1]&0xc0 == 64: // shared address space
		return true
	case b[0] == 192 && b[1] == 0 && (b[2] == 0 || b[2] == 2): // assignments, documentation
		return true
	case b[0] == 192 && b[1] == 88 && b[2] == 99: // 6to4 relay
		return true
	case b[0] == 198 && (b[1] == 18 || b[1] == 19): // benchmarking
		return true
	case b[0] == 198 && b[1] == 51 && b[2] == 100, b[0] == 203 && b[1] == 0 && b[2] == 113: // documentation
		return true
	}
	return false
}
