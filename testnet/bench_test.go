package testnet

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"rathausnetz/portal"
)

// BenchmarkServedByAll takes the figures of whole networks: from the order to
// publish one changed offer until the last node serves it, and what else
// Figures names. 100 and 300 nodes need RATHAUSNETZ_BENCH=large and minutes.
func BenchmarkServedByAll(b *testing.B) {
	sizes := []int{29}
	if os.Getenv("RATHAUSNETZ_BENCH") == "large" {
		sizes = []int{29, 99, 299}
	}
	for _, members := range sizes {
		b.Run(fmt.Sprint(members+1), func(b *testing.B) {
			defer debug.SetGCPercent(debug.SetGCPercent(300))
			for range b.N {
				nw, ctx := benchNetwork(b, members)
				f, err := nw.Measure(ctx)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(f.Median.Seconds()*1000, "ms-median")
				b.ReportMetric(f.Worst.Seconds()*1000, "ms-worst")
				b.ReportMetric(f.Dead.Seconds()*1000, "ms-dead")
				b.ReportMetric(f.Up.Seconds(), "s-up")
				b.ReportMetric(f.CPUPerPull.Seconds()*1000, "ms-cpu/copy")
				b.ReportMetric(100*f.IdleCPU, "%core-idle/node")
				b.ReportMetric(f.IdleBytes, "B/s-idle/node")
				b.ReportMetric(float64(f.Resident>>20), "MB")
				b.ReportMetric(0, "ns/op")
				if err := nw.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchNetwork(b *testing.B, members int) (*Network, context.Context) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute+time.Duration(members)*10*time.Second)
	b.Cleanup(cancel)
	nw, err := Start(ctx, Spec{Members: members, Synthetic: true, Offers: crowdOffers(100)})
	if err != nil {
		b.Fatal(err)
	}
	return nw, ctx
}

// BenchmarkHealed cuts a third of 30 nodes off for two minutes, has both sides
// publish, and takes the time from the cable being back until all agree. It
// needs RATHAUSNETZ_BENCH=large.
func BenchmarkHealed(b *testing.B) {
	if os.Getenv("RATHAUSNETZ_BENCH") != "large" {
		b.Skip("set RATHAUSNETZ_BENCH=large for a cut of two minutes")
	}
	for range b.N {
		nw, ctx := benchNetwork(b, 29)
		members := nw.Members()
		nw.Partition(members[20:]...)
		for _, m := range []*Member{members[1], members[20]} {
			if err := m.retitle(); err != nil {
				b.Fatal(err)
			}
			if _, err := m.Node().Publish(ctx, portal.PublishRequest{}); err != nil {
				b.Fatal(err)
			}
		}
		cut := time.NewTimer(2 * time.Minute)
		<-cut.C
		nw.Heal()
		begin := time.Now()
		if err := nw.AwaitConverged(ctx); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s-healed")
		b.ReportMetric(0, "ns/op")
		if err := nw.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
