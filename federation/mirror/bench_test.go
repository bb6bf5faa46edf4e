package mirror

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

// change publishes the n offers of the round before with one more text changed.
func (p *peer) change(n, round int) {
	p.net.t.Helper()
	serial, previous := p.Own()
	c := sampleCatalogue(p.id, serial+1, n, sampleArea)
	for r := range round + 1 { // what was changed before stays so
		c.Offers[(r*37)%n].Sections[0].Text = catalog.Text{"de": fmt.Sprintf("<p>Geändert zum %d. Mal: %s</p>", r, strings.Join(sampleWords[:20], " "))}
	}
	sealed, chunks := p.seal(c, func(m *catalog.Manifest) { m.Previous = previous })
	if err := p.Publish(p.net.t.Context(), sealed, chunks); err != nil {
		p.net.t.Fatal(err)
	}
}

// PERF.md and DESIGN §3: one changed offer of 500 costs a receiver at most
// 6 KB, one of 5,000 at most 12 KB, HTTP headers included. A chunk holds a few
// offers, sometimes more: the worst is judged.
func TestOneChangedOfferIsCheap(t *testing.T) {
	// The same for 5,000 offers is in BenchmarkDelta: too slow under the race
	// detector. federation/catalog tests the sizes of both.
	for count, most := range map[int]int64{500: 6 << 10} {
		n := newNet(t)
		owner, reader := n.member("owner").open(), n.member("reader").open()
		owner.change(count, 0)
		before := n.wire.Load()
		if err := reader.pull(t.Context(), owner.id, nil); err != nil {
			t.Fatal(err)
		}
		full := n.wire.Load() - before
		var costs []int64
		for round := 1; round <= 12; round++ {
			owner.change(count, round)
			before = n.wire.Load()
			if err := reader.pull(t.Context(), owner.id, nil); err != nil {
				t.Fatal(err)
			}
			costs = append(costs, n.wire.Load()-before)
		}
		slices.Sort(costs)
		median, worst := costs[len(costs)/2], costs[len(costs)-1]
		t.Logf("%d offers: %d bytes in full, for one changed offer %d (median), %d (worst)", count, full, median, worst)
		if worst > most {
			t.Errorf("%d offers: one changed offer costs %d bytes, at most %d are allowed", count, worst, most)
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDelta is one pull of one changed offer; ms-cpu counts owner and
// reader together, since both are in this process.
func BenchmarkDelta(b *testing.B) {
	for _, count := range []int{500, 5000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			n := newNet(b)
			owner, reader := n.member("owner").open(), n.member("reader").open()
			owner.change(count, 0)
			if err := reader.pull(b.Context(), owner.id, nil); err != nil {
				b.Fatal(err)
			}
			var cpu time.Duration
			var wire int64
			for round := 1; b.Loop(); round++ {
				b.StopTimer()
				owner.change(count, round)
				c, w := cpuTime(), n.wire.Load()
				b.StartTimer()
				if err := reader.pull(b.Context(), owner.id, nil); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				cpu += cpuTime() - c
				wire += n.wire.Load() - w
				b.StartTimer()
			}
			b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "ms-cpu/op")
			b.ReportMetric(float64(wire)/float64(b.N), "wire-B/op")
		})
	}
}

// BenchmarkFull is the first pull of one member by a new node.
func BenchmarkFull(b *testing.B) {
	for _, count := range []int{500, 5000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			n := newNet(b)
			owner := n.member("owner").open()
			owner.change(count, 0)
			readers := 0
			w := n.wire.Load()
			for b.Loop() {
				b.StopTimer()
				reader := n.member(fmt.Sprintf("reader%d", readers)).open()
				readers++
				b.StartTimer()
				if err := reader.pull(b.Context(), owner.id, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n.wire.Load()-w)/float64(readers), "wire-B/op")
		})
	}
}

// BenchmarkNewNode is a node that joins a network of 300 members with 500
// offers each: until all 150,000 are verified and shown.
func BenchmarkNewNode(b *testing.B) {
	const members, each = 300, 500
	n := newNet(b)
	packed, err := catalog.Pack(sampleCatalogue("https://x.example", 1, each, sampleArea))
	if err != nil {
		b.Fatal(err)
	}
	groups, chunks, err := packed.Manifest.Walk(func(d federation.Digest) ([]byte, error) { return packed.Chunks[d], nil })
	if err != nil {
		b.Fatal(err)
	}
	var bundle []byte
	seen := map[federation.Digest]bool{}
	for _, ref := range append(groups[:len(groups):len(groups)], chunks...) {
		if !seen[ref.Digest] {
			seen[ref.Digest] = true
			bundle = append(bundle, packed.Chunks[ref.Digest]...)
		}
	}
	sealed := map[string]string{} // by host, filled before the first request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("bundle") {
			_, _ = w.Write(bundle)
			return
		}
		_, _ = w.Write([]byte(sealed[r.Host]))
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	for i := range members {
		key, err := trust.KeyFromSeed(fmt.Append(nil, i))
		if err != nil {
			b.Fatal(err)
		}
		host := fmt.Sprintf("m%03d.localhost:%s", i, port)
		m := packed.Manifest
		m.Issuer, m.IssuedAt, m.Expires = federation.EntityID("http://"+host), n.Now().Unix(), n.Now().Add(time.Hour).Unix()
		if sealed[host], err = trust.Sign(key, catalog.ManifestType, m); err != nil {
			b.Fatal(err)
		}
		n.grant(m.Issuer, key.Public(), sampleArea)
	}
	joined := 0
	for b.Loop() {
		reader := n.member(fmt.Sprintf("reader%d", joined))
		n.revoke(reader.id, errRevoked) // it publishes nothing
		joined++
		cpu := cpuTime()
		var shown atomic.Int64
		reader.run(func(c *Config) {
			c.OnChange = func(c Copy) { shown.Add(int64(len(c.Catalogue.Offers))) }
		})
		await(b, "complete", func() bool { return shown.Load() == members*each })
		b.StopTimer()
		b.ReportMetric((cpuTime() - cpu).Seconds(), "s-cpu")
		reader.stop()
		start, cpu := time.Now(), cpuTime()
		reader.open()
		b.ReportMetric(time.Since(start).Seconds(), "s-restart")
		b.ReportMetric((cpuTime() - cpu).Seconds(), "s-cpu-restart")
		reader.mirror.Store(nil)
		b.StartTimer()
	}
}
