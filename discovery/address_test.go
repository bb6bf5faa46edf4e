package discovery

import (
	"net/netip"
	"testing"
)

func TestBestAddress(t *testing.T) {
	for _, c := range []struct {
		name  string
		addrs []string
		want  string
	}{
		{"public before private", []string{"127.0.0.1", "10.1.2.3", "203.0.113.7", "2001:db8::7"}, "203.0.113.7"},
		{"private if nothing else", []string{"127.0.0.1", "::1", "fe80::1", "10.1.2.3"}, "10.1.2.3"},
		{"the first of equals", []string{"198.51.100.1", "198.51.100.2"}, "198.51.100.1"},
		{"IPv6 alone, public before unique local", []string{"fd00::1", "2001:db8::7"}, "2001:db8::7"},
		{"nothing that others reach", []string{"127.0.0.1", "::1", "fe80::1", "169.254.3.4"}, ""},
	} {
		var addrs []netip.Addr
		for _, a := range c.addrs {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		got, ok := bestAddress(addrs)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %v, %v; want %q", c.name, got, ok, c.want)
		}
	}
}
