package api

import (
	"bytes"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/xzufi"
)

// collect fetches an export as a collector does: the index, then each file in
// it, and reads it.
func collect(t *testing.T, a *API, folder string) *catalog.Catalogue {
	t.Helper()
	files := fstest.MapFS{}
	index := body(t, get(a, http.MethodGet, folder+"index.txt"))
	files["index.txt"] = &fstest.MapFile{Data: index}
	for name := range strings.FieldsSeq(string(index)) {
		r := get(a, http.MethodGet, folder+name)
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/xml; charset=utf-8" {
			t.Fatalf("%s: %d %s", name, r.StatusCode, r.Header.Get("Content-Type"))
		}
		files[name] = &fstest.MapFile{Data: body(t, r)}
	}
	if len(files) != 5 {
		t.Fatalf("the index names %d files: %s", len(files)-1, index)
	}
	b, err := xzufi.ReadFS(files, "export", xzufi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, report, err := xzufi.Import(nil, b, xzufi.ImportOptions{Member: a.self})
	if err != nil {
		t.Fatalf("%v %+v", err, report)
	}
	return c
}

// TestExportReadsBack: who reads the combined stock has every record of every
// member, and nothing else.
func TestExportReadsBack(t *testing.T) {
	var d *directory.Directory
	a := testAPI(t, func(c *Config) { d = c.Directory })
	want := xzufi.Combine(a.self, d.Catalogues())
	got := collect(t, a, PathVerbund)
	got.Serial = 0
	if diff := catalog.Compare(want, got); !diff.IsZero() || !reflect.DeepEqual(got.Offers, want.Offers) || !reflect.DeepEqual(got.Units, want.Units) {
		t.Errorf("what is read back differs: %+v", diff)
	}
	offers, titles := 0, []string{}
	for _, c := range d.Catalogues() {
		offers += len(c.Offers)
	}
	for i := range want.Offers {
		titles = append(titles, want.Offers[i].Title["de"])
	}
	if len(want.Offers) != offers || offers != 7 || !slices.Contains(titles, "Brennholzverkauf") {
		t.Errorf("%d offers of %d: %v", len(want.Offers), offers, titles)
	}
	if len(want.Units) != 1 { // the same unit of everybody, once
		t.Errorf("%d units", len(want.Units))
	}
	own := collect(t, a, PathXZuFi)
	if len(own.Offers) != 2 || own.Offers[0].ID != "T:hund" {
		t.Errorf("the own stock has %d offers", len(own.Offers))
	}
}

// TestCombineKeepsApart: two members that have given one ID to different
// records keep both, in whatever order they come.
func TestCombineKeepsApart(t *testing.T) {
	var d *directory.Directory
	testAPI(t, func(c *Config) { d = c.Directory })
	list := d.Catalogues()
	want := xzufi.Combine("https://x.example", list)
	before := list[0].Clone()
	slices.Reverse(list)
	got := xzufi.Combine("https://x.example", list)
	if !reflect.DeepEqual(got, want) {
		t.Error("the order of the catalogues changes the result")
	}
	if !reflect.DeepEqual(before, list[len(list)-1].Clone()) {
		t.Error("a catalogue was changed")
	}
	ids := map[catalog.ID]int{}
	for i := range want.Offers {
		o := &want.Offers[i]
		ids[o.ID]++
		for _, z := range o.Zustaendigkeiten {
			ids["claim "+z.ID]++
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s stands there %d times", id, n)
		}
	}
	if ids["T:hund"] != 1 || ids[catalog.NewID("melle.example", "T:hund")] != 1 {
		t.Errorf("the two records T:hund: %v", ids)
	}
}

// TestExportFollows: the files stay the same bytes until a catalogue changes,
// whatever else the index learns.
func TestExportFollows(t *testing.T) {
	var d *directory.Directory
	a := testAPI(t, func(c *Config) { d = c.Directory })
	target := PathVerbund + "leistungen.xml"
	first := get(a, http.MethodGet, target)
	d.SetReachable("https://melle.example", false)
	if again := get(a, http.MethodGet, target, "If-None-Match", first.Header.Get("Etag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("unreachable: %d", again.StatusCode)
	}
	d.Remove("https://melle.example")
	after := get(a, http.MethodGet, target, "If-None-Match", first.Header.Get("Etag"))
	if b := body(t, after); after.StatusCode != http.StatusOK || bytes.Contains(b, []byte("Brennholz")) {
		t.Errorf("a removed member is still exported: %d", after.StatusCode)
	}
}

// TestExportRefuses: never an empty index, and never one that would not fit.
func TestExportRefuses(t *testing.T) {
	doc := openDocument(t)
	empty := testAPI(t, func(c *Config) {
		c.Directory = directory.New(directory.Config{Now: testNow})
		c.Directory.Replace(directory.Source{Member: federation.Member{ID: c.Self}})
	})
	small := testAPI(t, func(c *Config) { c.MostExport = 1 })
	for path := range small.exchangeHandlers() {
		r := get(empty, http.MethodGet, path)
		doc.check(t, path, r)
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%s without a catalogue: %d", path, r.StatusCode)
		}
		r = get(small, http.MethodGet, path)
		doc.check(t, path, r)
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s with too many offers: %d", path, r.StatusCode)
		}
	}
}
