package directory

import (
	"bufio"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// sharedData finds a file of the shared test data beside the repository. It
// skips the test where the folder is absent, except in CI.
func sharedData(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	path := filepath.Join(filepath.Dir(dir), "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s must be there in CI: %v", name, err)
		}
		t.Skipf("shared test data absent: %v", err)
	}
	return path
}

// leikaCorpus is a Landkreis that offers every key of the shared list under
// its published name, and nothing more: no synonyms, no texts.
func leikaCorpus(t testing.TB) *Directory {
	t.Helper()
	f, err := os.Open(sharedData(t, "leika_keys.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = ';'
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := testMember("kreis")
	c := &catalog.Catalogue{Member: m.ID, Serial: 1}
	for _, row := range rows[1:] {
		c.Offers = append(c.Offers, catalog.Offer{
			ID: catalog.ID("K:" + row[0]), Leika: leika.MustParse(row[0]),
			Title:            catalog.Text{"de": strings.Trim(row[1], "()")},
			Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: "Z", Area: m.Seat, Role: catalog.Zustaendig}},
		})
	}
	d := New(Config{Now: func() time.Time { return day(neueste) }})
	d.Replace(Source{Member: m, Catalogue: c, Serial: 1, Reachable: true})
	return d
}

type pair struct {
	query string
	keys  []leika.ID
}

func queryPairs(t testing.TB) []pair {
	t.Helper()
	f, err := os.Open("testdata/queries.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []pair
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		q, keys, ok := strings.Cut(s.Text(), "\t")
		if !ok {
			t.Fatalf("line without tab: %q", s.Text())
		}
		p := pair{query: q}
		for k := range strings.SplitSeq(keys, ",") {
			p.keys = append(p.keys, leika.MustParse(k))
		}
		out = append(out, p)
	}
	return out
}

// TestQuality holds the search to everyday queries: 90 % in the first three
// hits, 97 % in the first ten.
func TestQuality(t *testing.T) {
	d := leikaCorpus(t)
	pairs := queryPairs(t)
	if len(pairs) < 150 {
		t.Fatalf("only %d pairs", len(pairs))
	}
	three, ten := 0, 0
	for _, p := range pairs {
		r := d.Search(Query{Text: p.query, Place: region.MustArea(gemA), Limit: 10})
		at := -1
		for i, h := range r.Hits {
			for _, k := range p.keys {
				if h.Leika == k && at < 0 {
					at = i
				}
			}
		}
		switch {
		case at >= 0 && at < 3:
			three++
			ten++
			continue
		case at >= 0:
			ten++
		}
		t.Logf("%q: at %d of %d, corrected %q, first %s", p.query, at, r.Total, r.Corrected, firstTitles(r, 4))
	}
	n := len(pairs)
	t.Logf("%d pairs: %.1f %% in the first three, %.1f %% in the first ten", n, 100*float64(three)/float64(n), 100*float64(ten)/float64(n))
	if three*100 < n*90 || ten*100 < n*97 {
		t.Errorf("%d and %d of %d pairs are not enough", three, ten, n)
	}
}

func firstTitles(r Result, n int) string {
	var out []string
	for _, h := range r.Hits[:min(n, len(r.Hits))] {
		out = append(out, h.Title)
	}
	return strings.Join(out, " | ")
}
