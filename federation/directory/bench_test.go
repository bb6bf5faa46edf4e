package directory_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/directory/directorytest"
)

// The sizes of the benchmarks: about 15,000, 500,000 and 5.5 million claims.
// The largest takes half a minute to make and runs only where
// RATHAUSNETZ_BENCH=large asks for it.
func sizes() []int {
	out := []int{36, 1130}
	if os.Getenv("RATHAUSNETZ_BENCH") == "large" {
		out = append(out, 12417)
	}
	return out
}

func fill(n *directorytest.Network) (*directory.Directory, time.Duration) {
	d := directory.New(directory.Config{Now: func() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }})
	var took time.Duration
	const batch = 2000
	for from := 0; from < n.Len(); from += batch {
		sources := n.Sources(from, min(from+batch, n.Len()))
		start := time.Now()
		d.Replace(sources...)
		took += time.Since(start)
	}
	return d, took
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkResolve(b *testing.B) {
	for _, members := range sizes() {
		n := directorytest.New(directorytest.Spec{Seed: 1, Members: members, OnDisk: true})
		before := heap()
		d, took := fill(n)
		after := heap()
		s := d.Stats()
		qs := n.Questions(1 << 16)
		b.Run(fmt.Sprintf("claims=%d", s.Claims), func(b *testing.B) {
			date := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			found := 0
			i := 0
			for b.Loop() {
				q := &qs[i&(1<<16-1)]
				i++
				if d.Lookup(q.Leika, q.Place, date).Members > 0 {
					found++
				}
			}
			b.ReportMetric(float64(s.IndexBytes)/float64(s.Claims), "index-B/claim")
			b.ReportMetric(float64(after-before)/float64(s.Claims), "heap-B/claim")
			b.ReportMetric(took.Seconds(), "build-s")
			b.ReportMetric(float64(found)/float64(i), "found")
			b.ReportMetric(median(d, qs, date), "p50-ns")
		})
		runtime.KeepAlive(d)
	}
}

// median times single calls and takes off what the clock costs.
func median(d *directory.Directory, qs []directorytest.Question, date time.Time) float64 {
	times := make([]time.Duration, 0, len(qs))
	clock := make([]time.Duration, 0, len(qs))
	for i := range qs {
		start := time.Now()
		m := d.Lookup(qs[i].Leika, qs[i].Place, date)
		times = append(times, time.Since(start))
		runtime.KeepAlive(m)
		start = time.Now()
		clock = append(clock, time.Since(start))
	}
	slices.Sort(times)
	slices.Sort(clock)
	return float64(times[len(times)/2] - clock[len(clock)/2])
}

func BenchmarkAnswer(b *testing.B) {
	n := directorytest.New(directorytest.Spec{Seed: 1, Members: 36})
	d, _ := fill(n)
	qs := n.Questions(1 << 12)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		q := &qs[i&(1<<12-1)]
		i++
		d.Resolve(directory.Request{Leika: q.Leika, Place: q.Place})
	}
}

// BenchmarkUpdate replaces one member in a full network.
func BenchmarkUpdate(b *testing.B) {
	for _, members := range sizes() {
		n := directorytest.New(directorytest.Spec{Seed: 1, Members: members, OnDisk: true, Texts: members < 5000})
		d, _ := fill(n)
		b.Run("members="+strconv.Itoa(members), func(b *testing.B) {
			i := 0
			for b.Loop() {
				s := n.Source(n.Len() - 1 - i%2)
				i++
				s.Serial++
				s.Catalogue.Offers[0].Title = map[string]string{"de": "Geänderte Leistung " + strconv.Itoa(i)}
				d.Replace(s)
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, members := range []int{36, 1130} {
		n := directorytest.New(directorytest.Spec{Seed: 1, Members: members, OnDisk: true, Texts: true})
		before := heap()
		d, took := fill(n)
		after := heap()
		queries, places := directorytest.Queries(), n.Places()
		r := rand.New(rand.NewPCG(3, 4))
		b.Run(fmt.Sprintf("claims=%d", d.Stats().Claims), func(b *testing.B) {
			b.ReportAllocs()
			var times []time.Duration
			total, empty := 0, 0
			for b.Loop() {
				for _, q := range queries {
					place := places[r.IntN(len(places))]
					start := time.Now()
					x := d.Search(directory.Query{Text: q, Place: place})
					times = append(times, time.Since(start))
					total += x.Total
					if x.Total == 0 {
						empty++
					}
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Nanoseconds())/1000, "p50-µs")
			b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds())/1000, "p99-µs")
			b.ReportMetric(float64(total)/float64(len(times)), "hits")
			b.ReportMetric(float64(empty)/float64(len(times)), "empty")
			b.ReportMetric(float64(after-before)/(1<<20), "heap-MB")
			b.ReportMetric(took.Seconds(), "build-s")
		})
		runtime.KeepAlive(d)
	}
}
