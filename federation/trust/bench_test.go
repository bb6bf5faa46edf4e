package trust_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// reportCPU measures the time of this process on the processor: on a busy
// machine the elapsed time says little.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	from := used()
	return func() { b.ReportMetric(float64((used()-from).Microseconds())/float64(b.N), "cpu-us/op") }
}

func benchNetwork(b *testing.B, members int) (*trusttest.Federation, *trust.Resolver, []*trusttest.Entity) {
	b.Helper()
	f := trusttest.New(nil)
	b.Cleanup(f.Close)
	hub := f.AddAnchor("kreis", federation.Scope{Subtree: []region.Area{region.MustArea("03459")}})
	out := make([]*trusttest.Entity, members)
	for i := range out {
		out[i] = f.AddMember(fmt.Sprintf("g%d", i), hub, fmt.Sprintf("03459%04d%03d", i%1000, i%1000))
	}
	r := f.Resolver(hub)
	if _, err := r.Resolve(b.Context(), hub.ID); err != nil {
		b.Fatal(err)
	}
	return f, r, out
}

// BenchmarkMemberFromNothing fetches configuration and statement over HTTP,
// verifies both and the mark, applies the policy. It includes the server,
// which signs all three anew each time.
func BenchmarkMemberFromNothing(b *testing.B) {
	_, r, members := benchNetwork(b, 1)
	defer reportCPU(b)()
	for b.Loop() {
		c, err := r.Fresh(b.Context(), members[0].ID)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Member(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemberFromCache is what each request of a citizen pays.
func BenchmarkMemberFromCache(b *testing.B) {
	_, r, members := benchNetwork(b, 1)
	defer reportCPU(b)()
	for b.Loop() {
		c, err := r.Resolve(b.Context(), members[0].ID)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := c.Membership(); !ok {
			b.Fatal("no mark")
		}
	}
}

// BenchmarkVerify400 verifies the kept chains of 400 members again, as after a
// restart; one operation is the whole network.
func BenchmarkVerify400(b *testing.B) {
	_, r, members := benchNetwork(b, 400)
	var chains [][]string
	for _, m := range members {
		c, err := r.Resolve(b.Context(), m.ID)
		if err != nil {
			b.Fatal(err)
		}
		chains = append(chains, c.Compacts())
	}
	defer reportCPU(b)()
	for b.Loop() {
		for _, compacts := range chains {
			if _, err := r.VerifyChain(b.Context(), compacts); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	k := trusttest.Key("a")
	s := sign(b, k, typ, map[string]any{"sub": "x", "iss": "https://a.example", "exp": 1})
	defer reportCPU(b)()
	for b.Loop() {
		if _, err := trust.Open(s, typ, k.Public()); err != nil {
			b.Fatal(err)
		}
	}
}
