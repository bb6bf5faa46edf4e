//go:build peers

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/directory/directorytest"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// service is one distinct Leistung as a peer indexes it: everybody's offer of
// it has the same words, so that an index holds it once and a table says where
// it is offered. A document for each offer makes the peers slower.
type service struct {
	leika    leika.ID
	title    string
	synonyms string
	text     string
}

// stock is what is offered where.
type stock struct {
	services []service
	offered  map[int64][]int32 // by area: which services, ascending
	offers   int
}

// finder is a peer that searches.
type finder interface {
	load(ctx context.Context, s *stock) (time.Duration, error)
	// find returns how many hits the best page has.
	find(ctx context.Context, text string, place region.Area) (int, error)
	processes() []int
	close()
}

// searchMembers is the network with about 500,000 offers.
const searchMembers = 1130

func finding(ctx context.Context, o options, w io.Writer) error {
	n := directorytest.New(directorytest.Spec{Seed: 1, Members: searchMembers, OnDisk: true, Texts: true})
	ours := &oursFinder{network: n, directory: directory.New(directory.Config{Now: today})}
	s := ours.fill()
	progress("%d offers of %d services", s.offers, len(s.services))
	names := []string{"directory", "PostgreSQL german + pg_trgm", "Bleve with an area bitmap"}
	finders := []finder{ours, &postgresFinder{dir: o.dir}, newBleve(o.dir)}
	rounds := []int{4 * o.rounds, min(3, o.rounds), o.rounds}
	loads, samples, empty := make([]time.Duration, 3), make([]sample, 3), make([]int, 3)
	for i, f := range finders {
		var err error
		defer f.close()
		if loads[i], err = f.load(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		progress("%s loaded in %.1f s", names[i], loads[i].Seconds())
	}
	runtime.GC()
	queries, places := directorytest.Queries(), n.Places()
	for round := range 4 * o.rounds {
		for i, f := range finders {
			if round >= rounds[i] {
				continue
			}
			r := rand.New(rand.NewPCG(3, uint64(round)))
			err := samples[i].take(len(queries), f.processes(), func(q int) error {
				hits, err := f.find(ctx, queries[q], places[r.IntN(len(places))])
				if hits == 0 {
					empty[i]++
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
		}
	}
	searchTable(w, s, names, loads, samples, empty)
	return nil
}

func searchTable(w io.Writer, s *stock, names []string, loads []time.Duration, samples []sample, empty []int) {
	fmt.Fprintf(w, "\n### Search\n\n%d offers of %d distinct services, at one Gemeinde. 200 queries: words, prefixes, compounds, typing errors, umlauts. The directory also counts its filters.\n", s.offers, len(s.services))
	fmt.Fprintf(w, "\n| | p50 | p99 | processor time | ratio p50 | ratio p99 | queries without a hit | load |\n|---|---|---|---|---|---|---|---|\n")
	p50, p99 := samples[0].percentile(50), samples[0].percentile(99)
	for i, name := range names {
		x := &samples[i]
		fmt.Fprintf(w, "| %s | %s µs | %s µs | %s µs | %.0f × | %.0f × | %.0f %% | %.1f s |\n", name, micro(x.percentile(50)), micro(x.percentile(99)), micro(x.perRequest()),
			ratio(x.percentile(50), p50), ratio(x.percentile(99), p99), 100*float64(empty[i])/float64(x.count), loads[i].Seconds())
	}
	postgres, bleve := ratio(samples[1].percentile(99), p99), ratio(samples[2].percentile(99), p99)
	fmt.Fprintf(w, "\n| target | |\n|---|---|\n")
	fmt.Fprintf(w, "| p99 ≤ 1 ms | %.2f ms: %s |\n", float64(p99.Microseconds())/1000, verdict(p99 <= time.Millisecond))
	fmt.Fprintf(w, "| p99 ≥ 30 × PostgreSQL | %.0f × : %s |\n", postgres, verdict(postgres >= 30))
	fmt.Fprintf(w, "| p99 ≥ 8 × Bleve | %.1f × : %s |\n", bleve, verdict(bleve >= 8))
}

type oursFinder struct {
	network   *directorytest.Network
	directory *directory.Directory
	took      time.Duration
}

// fill puts the network into the directory and returns it for the others.
func (f *oursFinder) fill() *stock {
	s := &stock{offered: map[int64][]int32{}}
	known := map[leika.ID]int32{}
	for i := range f.network.Len() {
		src := f.network.Source(i)
		for k := range src.Catalogue.Offers {
			o := &src.Catalogue.Offers[k]
			no, ok := known[o.Leika]
			if !ok {
				no = int32(len(s.services))
				known[o.Leika] = no
				s.services = append(s.services, newService(o))
			}
			area := int64(o.Zustaendigkeiten[0].Area.Code())
			s.offered[area] = append(s.offered[area], no)
			s.offers++
		}
	}
	sources := f.network.Sources(0, f.network.Len())
	start := time.Now()
	f.directory.Replace(sources...)
	f.took = time.Since(start)
	return s
}

func newService(o *catalog.Offer) service {
	s := service{leika: o.Leika, title: o.Title["de"]}
	for _, x := range o.Synonyms {
		s.synonyms += x + "\n"
	}
	for i := range o.Sections {
		s.text += o.Sections[i].Text["de"] + "\n"
	}
	return s
}

func (f *oursFinder) load(context.Context, *stock) (time.Duration, error) { return f.took, nil }

func (f *oursFinder) find(_ context.Context, text string, place region.Area) (int, error) {
	return len(f.directory.Search(directory.Query{Text: text, Place: place}).Hits), nil
}

func (f *oursFinder) processes() []int { return nil }
func (f *oursFinder) close()           {}
