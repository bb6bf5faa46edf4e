package directory_test

import (
	"testing"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/directory/directorytest"
	"rathausnetz/federation/region"
)

// TestManyHits holds queries with more hits than are looked up one by one to
// the answers of Lookup, among claims with exceptions, dates and conflicts.
func TestManyHits(t *testing.T) {
	n := directorytest.New(directorytest.Spec{Seed: 5, Members: 29})
	var sources []directory.Source
	for i := range n.Len() {
		s := n.Source(i)
		for k := range s.Catalogue.Offers {
			o := &s.Catalogue.Offers[k]
			z := o.Zustaendigkeiten[0]
			switch (k + i) % 11 {
			case 0:
				z.Except = []region.Area{n.Places()[k%len(n.Places())]}
			case 1:
				z.Valid.To = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			case 2: // two claims of one member
				o.Zustaendigkeiten = []catalog.Zustaendigkeit{z, {ID: "Z:2", Area: z.Area, Role: catalog.Beides}}
				continue
			}
			o.Zustaendigkeiten = []catalog.Zustaendigkeit{z}
		}
		sources = append(sources, s)
	}
	// A second authority in the first Gemeinde, for conflicts.
	twin := n.Source(1)
	twin.Member.ID, twin.Catalogue.Member = "https://twin.example", "https://twin.example"
	sources = append(sources, twin)
	date := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	d := directory.New(directory.Config{Now: func() time.Time { return date }})
	d.Replace(sources...)
	conflicts := 0
	for _, place := range n.Places()[:4] {
		offset, seen := 0, 0
		for {
			r := d.Search(directory.Query{Audience: "001", Place: place, Offset: offset, Limit: directory.MaxLimit})
			for i := range r.Hits {
				h := &r.Hits[i]
				m := d.Lookup(h.Leika, place, date)
				if m.Matched != h.Leika || m.Ref() != h.Ref || (m.Reason == directory.Conflict) != h.Several {
					t.Fatalf("%s at %s: hit %+v, lookup %+v", h.Leika, place, h.Ref, m)
				}
				if h.Several {
					conflicts++
				}
			}
			seen += len(r.Hits)
			if offset += directory.MaxLimit; offset >= r.Total {
				if seen != r.Total || seen < 150 {
					t.Errorf("%d of %d hits seen", seen, r.Total)
				}
				break
			}
		}
	}
	if conflicts == 0 {
		t.Error("no conflict was among the hits")
	}
}
