package directory_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/directory/directorytest"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
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

type question struct {
	key   leika.ID
	place region.Area
}

// questions are Zipf distributed over keys and places.
func questions(n *directorytest.Network, count int) []question {
	r := rand.New(rand.NewPCG(1, 2))
	keys, places := n.Keys(), n.Places()
	zipf := func(size int) int { return int(math.Pow(float64(size), r.Float64())) - 1 }
	perm := r.Perm(len(places))
	out := make([]question, count)
	for i := range out {
		out[i] = question{keys[zipf(len(keys))], places[perm[zipf(len(places))]]}
	}
	return out
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
		qs := questions(n, 1<<16)
		b.Run(fmt.Sprintf("claims=%d", s.Claims), func(b *testing.B) {
			date := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			found := 0
			i := 0
			for b.Loop() {
				q := &qs[i&(1<<16-1)]
				i++
				if d.Lookup(q.key, q.place, date).Members > 0 {
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
func median(d *directory.Directory, qs []question, date time.Time) float64 {
	times := make([]time.Duration, 0, len(qs))
	clock := make([]time.Duration, 0, len(qs))
	for i := range qs {
		start := time.Now()
		m := d.Lookup(qs[i].key, qs[i].place, date)
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
	qs := questions(n, 1<<12)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		q := &qs[i&(1<<12-1)]
		i++
		d.Resolve(directory.Request{Leika: q.key, Place: q.place})
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

// searchQueries are 200 queries as people mix them: words, prefixes,
// compounds, typos, umlauts.
func searchQueries() []string {
	base := []string{
		"Personalausweis beantragen", "hundesteuer", "Hund anmelden", "gewerbe", "Baugenehmigung", "fuehrerschein", "Geburtsurkunde bestellen", "wohngeld", "Elterngeld", "parkkarte",
		"Wasseranmeldung", "Abfallgebühr", "abfallgebuehr", "strassennutzung", "Straßennutzung ändern", "marktplatz", "gaststättenerlaubnis", "Spielgenehmigung", "waffenschein", "Tieranzeige",
		"perso", "Knöllchen", "umziehen", "heiraten", "Auto abmelden", "fürsorge", "Pflegegeld", "pflegegelt", "Heizungskontrolle", "heizungskontrole",
		"jag", "fisch", "steu", "anm", "Befristete Erlaubnis", "Zuschuss für Musik", "Sprachprüfung", "sprachpruefung", "Rentenberatung", "was kostet ein Reiseausweis",
	}
	out := make([]string, 0, 200)
	for i := range 200 {
		q := base[i%len(base)]
		switch i / len(base) {
		case 1:
			q = q[:max(3, len(q)-3)]
		case 2:
			q += " verlängern"
		case 3:
			r := []rune(q)
			if len(r) > 6 {
				r[3], r[4] = r[4], r[3]
			}
			q = string(r)
		case 4:
			q = "ich möchte " + q
		}
		out = append(out, q)
	}
	return out
}

func BenchmarkSearch(b *testing.B) {
	for _, members := range []int{36, 1130} {
		n := directorytest.New(directorytest.Spec{Seed: 1, Members: members, OnDisk: true, Texts: true})
		before := heap()
		d, took := fill(n)
		after := heap()
		queries, places := searchQueries(), n.Places()
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
