package trust_test

import (
	"compress/gzip"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/trust"
)

func TestH111_OversizeBombAndSlowDrip(t *testing.T) {
	t.Run("600 KiB", func(t *testing.T) {
		n := newNetwork(t)
		n.raw(n.melle, func() string { return strings.Repeat("a", 600<<10) })
		n.refused(t, n.melle, trust.ErrLimit)
	})
	t.Run("gzip bomb", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() {
			n.melle.Serve = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Content-Type", "application/entity-statement+jwt")
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				block := make([]byte, 1<<20)
				for range 200 {
					if _, err := z.Write(block); err != nil {
						break
					}
				}
				_ = z.Close()
				return true
			}
		})
		n.refused(t, n.melle, trust.ErrLimit)
	})
	t.Run("slow drip", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() {
			n.melle.Serve = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Content-Type", "application/entity-statement+jwt")
				flush := http.NewResponseController(w)
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-r.Context().Done():
						return true
					case <-tick.C:
						if _, err := w.Write([]byte("a")); err != nil || flush.Flush() != nil {
							return true
						}
					}
				}
			}
		})
		r, err := trust.NewResolver(trust.ResolverConfig{
			HTTP: n.Client(), Anchors: []trust.Anchor{n.land.Anchor()}, AllowLoopback: true,
			Limits: trust.Limits{Timeout: 300 * time.Millisecond},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := r.Resolve(t.Context(), n.melle.ID); !errors.Is(err, trust.ErrFetch) {
			t.Error(err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
	t.Run("other content type and status", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() {
			n.melle.Serve = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Content-Type", "text/html")
				return true
			}
		})
		n.refused(t, n.melle, trust.ErrFetch)
	})
}

func TestH112_SSRF(t *testing.T) {
	t.Run("redirect is not followed", func(t *testing.T) {
		n := newNetwork(t)
		asked := 0
		inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		defer inside.Close()
		n.Change(func() {
			n.melle.Serve = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, inside.URL+"/", http.StatusFound)
				return true
			}
		})
		n.refused(t, n.melle, trust.ErrFetch)
		if asked != 0 {
			t.Error("the redirect was followed")
		}
	})
	t.Run("addresses", func(t *testing.T) {
		// Names are resolved before the dialer's check; a literal address goes
		// through the same check, so the check itself sees what a name that was
		// rebound between look-up and dial would give it.
		for _, host := range []string{
			"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
			"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
			"::1", "::", "fd00::1", "fc00::1", "fe80::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
			"64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1",
		} {
			_, err := trust.Guard{}.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "9"))
			if !errors.Is(err, trust.ErrAddress) {
				t.Errorf("%s: %v", host, err)
			}
		}
	})
	t.Run("loopback names only", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		for host, want := range map[string]bool{"melle.localhost": true, "localhost": true, "127.0.0.1": true} {
			c, err := trust.Guard{AllowLoopback: true}.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
			if (err == nil) != want {
				t.Errorf("%s with loopback: %v", host, err)
			}
			if err == nil {
				c.Close()
			}
			if _, err := (trust.Guard{}).DialContext(t.Context(), "tcp", net.JoinHostPort(host, port)); err == nil {
				t.Errorf("%s without loopback: connected", host)
			}
		}
		if _, err := (trust.Guard{AllowLoopback: true}).DialContext(t.Context(), "tcp", "10.0.0.1:9"); !errors.Is(err, trust.ErrAddress) {
			t.Errorf("private address with loopback: %v", err)
		}
	})
	t.Run("a name that resolves to loopback", func(t *testing.T) {
		// The resolver of the machine is replaced by one that answers 127.0.0.1
		// to everything: what rebinding does.
		name := startDNS(t, netip.MustParseAddr("127.0.0.1"))
		g := trust.Guard{AllowLoopback: true, Resolver: name}
		if _, err := g.DialContext(t.Context(), "tcp", "harmlos.example:9"); !errors.Is(err, trust.ErrAddress) {
			t.Errorf("%v", err)
		}
	})
	t.Run("resolver refuses plain http outside loopback", func(t *testing.T) {
		n := newNetwork(t)
		for _, id := range []string{"http://melle.example", "https://melle.example/../x", "ftp://melle.localhost", "https://user@melle.example"} {
			if _, err := n.Resolver(n.land).Resolve(t.Context(), federationID(id)); !errors.Is(err, trust.ErrAddress) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if n.AllRequests() != 0 {
			t.Error("something was asked")
		}
	})
	t.Run("exempted network", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		g := trust.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := g.DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}
