package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
)

const (
	bissendorf = "034590012012"
	melle      = "034590024024"
	landkreis  = "03459"
	hund       = "99102013104000"
	auto       = "99036020001000"
	muell      = "99154078000000"
)

func testNow() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

func testMember(name, seat string, kind federation.Kind) federation.Member {
	m := federation.Member{
		ID: federation.EntityID("https://" + name + ".example"), Name: "Verwaltung " + name, ShortName: name,
		Kind: kind, Seat: region.MustArea(seat),
	}
	m.Scope.Subtree = []region.Area{m.Seat}
	if kind == federation.KindUnternehmen {
		m.Seat = region.Area{}
	}
	return m
}

func testOffer(id, key, title, area string) catalog.Offer {
	o := catalog.Offer{
		ID: catalog.ID("T:" + id), Title: catalog.Text{"de": title}, Geaendert: testNow().Add(-48 * time.Hour),
		Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: catalog.ID("Z:" + id), Area: region.MustArea(area), Role: catalog.Zustaendig, Unit: "U:1"}},
		Sections: []catalog.Section{
			{Kind: catalog.Kurztext, Text: catalog.Text{"de": "<p>Kurz &amp; gut</p>"}},
			{Kind: catalog.Unterlagen, Text: catalog.Text{"de": "<p>Ausweis</p>"}},
		},
		Onlinedienste: []catalog.Onlinedienst{{ID: catalog.ID("O:" + id), URL: "https://dienst.example/" + id, Level: federation.LevelSubstanziell, Payment: true, Links: []catalog.Link{{ID: catalog.ID("L:" + id)}}}},
	}
	if key != "" {
		o.Leika = leika.MustParse(key)
	}
	return o
}

func testSource(m federation.Member, offers ...catalog.Offer) directory.Source {
	return directory.Source{
		Member: m, Serial: 3, Fetched: testNow(), Reachable: true,
		Catalogue: &catalog.Catalogue{Member: m.ID, Serial: 3, Offers: offers, Units: []catalog.Unit{{
			ID: "U:1", Name: catalog.Text{"de": "Amt"}, Street: "Markt 1", PLZ: "49000", Ort: "Ort", Phone: "05000 1", Email: "amt@ort.example",
		}}},
	}
}

func testDirectory() *directory.Directory {
	d := directory.New(directory.Config{Register: region.Demo(), Now: testNow})
	brennholz := testOffer("brennholz", "", "Brennholzverkauf", melle)
	brennholz.Reach = catalog.ReachNetwork
	umzug := testOffer("umzug", "99115005104000", "Wohnsitz anmelden", bissendorf)
	umzug.Zustaendigkeiten[0].Valid.From = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	d.Replace(
		testSource(testMember("bissendorf", bissendorf, federation.KindGemeinde), testOffer("hund", hund, "Hundesteuer Anmeldung", bissendorf), umzug),
		testSource(testMember("melle", melle, federation.KindGemeinde), testOffer("hund", hund, "Hundesteuer Anmeldung", melle), brennholz),
		testSource(testMember("landkreis", landkreis, federation.KindLandkreis), testOffer("auto", auto, "Erstzulassung eines Fahrzeugs", landkreis), testOffer("muell", muell, "Abfallentsorgung", landkreis)),
		testSource(testMember("awigo", landkreis, federation.KindUnternehmen), testOffer("muell", muell, "Abfallentsorgung", landkreis)),
		directory.Source{Member: testMember("wallenhorst", "034590033033", federation.KindGemeinde)},
	)
	return d
}

func testAPI(t testing.TB, change func(*Config)) *API {
	t.Helper()
	cfg := Config{
		Self: "https://bissendorf.example", Directory: testDirectory(), Register: region.Demo(), Now: testNow,
		Seal: func(typ string, claims any) (string, error) {
			b, err := json.Marshal(claims)
			return typ + "." + string(b), err
		},
	}
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func get(a *API, method, target string, header ...string) *http.Response {
	path, _, _ := strings.Cut(target, "?")
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.Handlers()[path].ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// document is the OpenAPI document with its schemas compiled.
type document struct {
	tree     map[string]any
	compiler *jsonschema.Compiler
}

func openDocument(t testing.TB) *document {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal(openAPI, &tree); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return &document{doc.(map[string]any), c}
}

// pointer escapes a part of a JSON pointer.
func pointer(s string) string {
	return strings.NewReplacer("%", "%25", "~", "~0", "/", "~1").Replace(s)
}

// response returns the documented response of a status, following one $ref.
func (d *document) response(path string, status int) (map[string]any, string) {
	at := fmt.Sprintf("/paths/%s/get/responses/%d", pointer(path), status)
	op := d.tree["paths"].(map[string]any)[path].(map[string]any)["get"].(map[string]any)
	r, ok := op["responses"].(map[string]any)[fmt.Sprint(status)].(map[string]any)
	if !ok {
		return nil, at
	}
	if ref, ok := r["$ref"].(string); ok {
		name := ref[strings.LastIndex(ref, "/")+1:]
		return d.tree["components"].(map[string]any)["responses"].(map[string]any)[name].(map[string]any), strings.TrimPrefix(ref, "#")
	}
	return r, at
}

// check holds a response to what the document says about it.
func (d *document) check(t *testing.T, path string, r *http.Response) []byte {
	t.Helper()
	b := body(t, r)
	doc, at := d.response(path, r.StatusCode)
	if doc == nil {
		t.Fatalf("%s: status %d is not documented", path, r.StatusCode)
	}
	content, _ := doc["content"].(map[string]any)
	if content == nil {
		if len(b) > 0 {
			t.Errorf("%s: status %d has a body and should not", path, r.StatusCode)
		}
		return b
	}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if _, ok := content[media]; !ok {
		t.Fatalf("%s: status %d has media type %q", path, r.StatusCode, media)
	}
	if !strings.HasSuffix(media, "json") {
		return b
	}
	schema, err := d.compiler.Compile("openapi.json#" + at + "/content/" + pointer(media) + "/schema")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatalf("%s: %v in %s", path, err, b)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", path, err, b)
	}
	return b
}

func TestAnswers(t *testing.T) {
	doc := openDocument(t)
	long := url.QueryEscape(strings.Repeat("x", 401))
	for _, c := range []struct {
		target string
		status int
		want   []string // in the body
	}{
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf, 200, []string{`"count":1`, `"origin":"Rathausnetz"`, `"reason":"own"`, AdvertType, `schluessel:rs:` + bissendorf, `leistung:` + hund, `"Verwaltung bissendorf"`}},
		{PathRoutes + "?leikaKey=" + hund + "&ags=03459012", 200, []string{`"count":1`, `"reason":"own"`}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=034590012", 200, []string{`"count":1`, `"reason":"own"`}},
		{PathRoutes + "?leikaKey=" + auto + "&areaId=" + bissendorf, 200, []string{`"reason":"parent"`, `"matchedArea":"03459"`}},
		{PathRoutes + "?leikaKey=" + muell + "&ags=03459", 200, []string{`"count":2`, `"reason":"conflict"`}},
		{PathRoutes + "?leikaKey=" + muell + "&ags=03459&limit=1&offset=1", 200, []string{`"count":1`, `"offset":1`, `"totalCount":2`}},
		{PathRoutes + "?leikaKey=" + muell + "&ags=03459&offset=99", 200, []string{`"count":0`, `"totalCount":2`, `"routes":[]`}},
		{PathRoutes + "?leikaKey=" + auto + "&ars=053150000000", 200, []string{`"count":0`, `"routes":[]`}},
		{PathRoutes + "?leikaKey=" + auto + "&ags=05315000", 200, []string{`"count":0`}},
		{PathRoutes + "?leikaKey=99089016008000&ars=" + bissendorf, 200, []string{`"count":0`, `"totalCount":0`}},
		{PathRoutes + "?leikaKey=" + hund, 400, []string{"genau einer der drei"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf + "&ags=03459012", 400, []string{"genau einer der drei"}},
		{PathRoutes + "?ars=" + bissendorf, 400, []string{"leikaKey"}},
		{PathRoutes + "?leikaKey=123&ars=" + bissendorf, 400, []string{"leikaKey"}},
		{PathRoutes + "?leikaKey=11102013104000&ars=" + bissendorf, 400, []string{"die ersten sind 99"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=0345900120", 400, []string{"ars"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=03459001201x", 400, []string{"ars"}},
		{PathRoutes + "?leikaKey=" + hund + "&ags=034590012012", 400, []string{"ags"}},
		{PathRoutes + "?leikaKey=" + hund + "&areaId=x", 400, []string{"areaId"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf + "&limit=0", 400, []string{"limit"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf + "&limit=501", 400, []string{"limit"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf + "&offset=-1", 400, []string{"offset"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf + "&ars=" + melle, 400, []string{"nur einmal"}},
		{PathRoutes + "?leikaKey=" + hund + "&ars=" + bissendorf + "&foo=1", 400, []string{"unbekannt"}},
		{PathRoutes + "?leikaKey=%zz", 400, []string{"nicht lesbar"}},
		{PathRoutes + "?leikaKey=" + strings.Repeat("9", 5000), 414, nil},

		{PathAreas + "?areaSearchexpression=Bissendorf", 200, []string{`"count":1`, `"id":"` + bissendorf + `"`, `"Gemeinde"`}},
		{PathAreas + "?areaSearchexpression=B*", 200, []string{`"Gemeinde Bissendorf"`, `Bramsche`}},
		{PathAreas + "?areaSearchexpression=B*&areaSearchexpression=*dorf", 200, []string{`"count":1`}},
		{PathAreas + "?areaSearchexpression=49143", 200, []string{bissendorf}},
		{PathAreas + "?areaSearchexpression=03459012", 200, []string{bissendorf}},
		{PathAreas + "?areaSearchexpression=Atlantis", 200, []string{`"count":0`, `"areas":[]`}},
		{PathAreas + "?areaSearchexpression=(a%2B)%2B%24", 200, []string{`"count":0`}},
		{PathAreas + "?areaSearchexpression=*", 400, nil},
		{PathAreas, 400, []string{"ein- bis zehnmal"}},
		{PathAreas + "?" + strings.Repeat("areaSearchexpression=a&", 11), 400, []string{"ein- bis zehnmal"}},
		{PathAreas + "?areaSearchexpression=" + strings.Repeat("a*", 60), 400, nil},
		{PathInfo, 200, []string{`"major":2`}},

		{PathSearch + "?q=hund+anmelden&ort=Bissendorf", 200, []string{`Hundesteuer Anmeldung`, `"reason":"own"`, `"teaser":"Kurz & gut"`}},
		{PathSearch + "?q=brennholz&ort=" + bissendorf, 200, []string{`"neighbour":true`}},
		{PathSearch + "?q=brennholz&ort=" + bissendorf + "&nurort=1", 200, []string{`"totalCount":0`}},
		{PathSearch + "?q=hundesteur&ort=" + bissendorf, 200, []string{`"corrected":"`}},
		{PathSearch + "?q=hund&ort=" + bissendorf + "&ebene=landkreis", 200, []string{`"totalCount":0`}},
		{PathSearch + "?q=hund", 200, []string{`"places":2`}},
		{PathSearch + "?q=hund&offset=1000", 200, []string{`"hits":[]`}},
		{PathSearch + "?q=" + long, 400, []string{"q: darf"}},
		{PathSearch + "?q=a%00b", 400, []string{"Steuerzeichen"}},
		{PathSearch + "?q=%ff", 400, []string{"UTF-8"}},
		{PathSearch + "?q=hund&ebene=dorf", 400, []string{"ebene"}},
		{PathSearch + "?q=hund&online=ja", 400, []string{"online"}},
		{PathSearch + "?q=hund&lang=deutsch", 400, []string{"lang"}},
		{PathSearch + "?q=hund&ort=Atlantis", 404, []string{"Atlantis"}},
		{PathSearch + "?q=hund&ort=49586", 422, []string{`"candidates":[`}},
		{PathSearch + "?q=" + strings.Repeat("hund+", 2100), 414, nil},
		{PathSuggest + "?q=hund&ort=" + bissendorf, 200, []string{`"text":"Hundesteuer Anmeldung"`, `"match":[0,4]`}},
		{PathSuggest + "?q=&ort=" + bissendorf, 200, []string{`"suggestions":[]`}},
		{PathSuggest + "?q=hund&limit=21", 400, nil},
		{PathSuggest + "?q=hund&ort=Atlantis", 404, nil},
		{PathSuggest + "?q=hund&ort=49586", 422, nil},
		{PathSuggest + "?q=" + strings.Repeat("h", 5000), 414, nil},

		{PathResolve + "?leika=" + hund + "&ort=Bissendorf", 200, []string{`"reason":"own"`, `"notices":[]`}},
		{PathResolve + "?leika=" + auto + "&ort=" + bissendorf + "&explain=1", 200, []string{`"steps":[{"rule":"place"`}},
		{PathResolve + "?leika=99115005104000&ort=" + bissendorf, 200, []string{`"reason":"none"`, `"upcoming":{"date":"2027-01-01"`}},
		{PathResolve + "?leika=99115005104000&ort=" + bissendorf + "&datum=2027-02-01", 200, []string{`"reason":"own"`}},
		{PathResolve + "?leika=" + hund + "&ort=Wallenhorst", 200, []string{`"reason":"unknown"`, `"no-copy"`}},
		{PathResolve + "?member=https://melle.example&offer=T:brennholz&ort=" + bissendorf, 200, []string{`"reason":"whole-area"`, `"neighbour":true`}},
		{PathResolve + "?leika=" + hund, 400, []string{"ort"}},
		{PathResolve + "?ort=" + bissendorf, 400, []string{"entweder leika oder"}},
		{PathResolve + "?leika=" + hund + "&member=x&offer=y&ort=" + bissendorf, 400, nil},
		{PathResolve + "?member=https://melle.example&ort=" + bissendorf, 400, nil},
		{PathResolve + "?leika=" + hund + "&ort=" + bissendorf + "&datum=gestern", 400, []string{"datum"}},
		{PathResolve + "?leika=" + hund + "&ort=Atlantis", 404, nil},
		{PathResolve + "?leika=" + hund + "&ort=49586", 422, nil},
		{PathResolve + "?leika=" + strings.Repeat("9", 5000), 414, nil},

		{PathOffers + "?member=https://melle.example", 200, []string{`"totalCount":2`}},
		{PathOffers + "?member=https://melle.example&limit=1", 200, []string{`"count":1`}},
		{PathOffers + "?member=https://melle.example&id=T:hund", 200, []string{`"record":{"id":"T:hund"`}},
		{PathOffers + "?member=https://melle.example&id=T:nix", 404, []string{"kein Angebot"}},
		{PathOffers + "?member=https://nix.example", 404, []string{"gibt es im Verbund nicht"}},
		{PathOffers, 400, []string{"member"}},
		{PathOffers + "?member=" + strings.Repeat("x", 5000), 414, nil},
		{PathMembers, 200, []string{`"totalCount":5`, `"hasCopy":false`}},
		{PathMembers + "?ort=" + bissendorf, 200, []string{`"totalCount":3`}},
		{PathMembers + "?limit=0", 400, nil},
		{PathMembers + "?ort=Atlantis", 404, nil},
		{PathMembers + "?ort=49586", 422, nil},
		{PathMembers + "?ort=" + strings.Repeat("x", 5000), 414, nil},
		{PathCoverage + "?ort=" + landkreis, 200, []string{`"signs":[`, `"online"`, `"conflict"`, `"nobody"`, `"unknown"`, `"parent"`}},
		{PathCoverage + "?ort=" + bissendorf + "&leika=" + hund, 200, []string{`"signs":["online"]`}},
		{PathCoverage + "?ort=" + bissendorf + "&format=csv", 200, []string{"LeiKa-Schlüssel;Leistung;Gemeinde Bissendorf\r\n"}},
		{PathCoverage, 400, []string{"ort"}},
		{PathCoverage + "?ort=" + landkreis + "&format=xml", 400, nil},
		{PathCoverage + "?ort=Atlantis", 404, nil},
		{PathCoverage + "?ort=49586", 422, nil},
		{PathCoverage + "?ort=" + strings.Repeat("x", 5000), 414, nil},
		{PathAreas + "?areaSearchexpression=" + strings.Repeat("x", 5000), 414, nil},
		{PathInfo + "?x=" + strings.Repeat("x", 5000), 414, nil},
		{PathConflicts, 200, []string{`"totalCount":1`, `"leika":"` + muell + `"`, `"name":"Landkreis Osnabrück"`, `https://awigo.example`, `https://landkreis.example`}},
		{PathConflicts + "?offset=99", 200, []string{`"totalCount":1`, `"items":[]`}},
		{PathConflicts + "?datum=gestern", 400, []string{"datum"}},
		{PathConflicts + "?x=" + strings.Repeat("x", 5000), 414, nil},
		{PathOpenAPI + "?x=" + strings.Repeat("x", 5000), 414, nil},
		{PathOpenAPI, 200, []string{"openapi: 3.1.0"}},
	} {
		name := c.target
		t.Run(name[:min(len(name), 120)], func(t *testing.T) {
			a := testAPI(t, nil)
			path, _, _ := strings.Cut(c.target, "?")
			r := get(a, http.MethodGet, c.target)
			if r.StatusCode != c.status {
				t.Fatalf("status %d, want %d: %s", r.StatusCode, c.status, body(t, r))
			}
			b := string(doc.check(t, path, r))
			for _, w := range c.want {
				if !strings.Contains(strings.ReplaceAll(b, `\"`, `"`), w) {
					t.Errorf("no %q in %s", w, b)
				}
			}
			again := get(a, http.MethodGet, c.target)
			if string(body(t, again)) != b {
				t.Error("the second answer differs from the first")
			}
		})
	}
}

// TestEveryStatus produces the documented answers that every path shares, and
// finds documented ones that nothing produces.
func TestEveryStatus(t *testing.T) {
	doc := openDocument(t)
	for path := range testAPI(t, nil).Handlers() {
		a := testAPI(t, func(c *Config) { c.PerMinute = 3 })
		target := path + map[string]string{
			PathRoutes: "?leikaKey=" + hund + "&ars=" + bissendorf, PathAreas: "?areaSearchexpression=Melle",
			PathOffers: "?member=https://melle.example", PathCoverage: "?ort=" + bissendorf,
			PathResolve: "?leika=" + hund + "&ort=" + bissendorf,
		}[path]
		first := get(a, http.MethodGet, target)
		doc.check(t, path, first)
		if first.StatusCode != 200 || first.Header.Get("RateLimit-Limit") != "3" || first.Header.Get("RateLimit-Remaining") != "2" || first.Header.Get("RateLimit-Reset") != "60" {
			t.Errorf("%s: %d, headers %v", target, first.StatusCode, first.Header)
		}
		same := get(a, http.MethodGet, target, "If-None-Match", `"x", W/`+first.Header.Get("Etag"))
		doc.check(t, path, same)
		if same.StatusCode != http.StatusNotModified {
			t.Errorf("%s: %d with a current tag", path, same.StatusCode)
		}
		head := get(a, http.MethodHead, target)
		if head.StatusCode != 200 || len(body(t, head)) != 0 || head.ContentLength == 0 {
			t.Errorf("%s: HEAD is not GET without a body", path)
		}
		many := get(a, http.MethodGet, target)
		doc.check(t, path, many)
		if many.StatusCode != http.StatusTooManyRequests || many.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d after too many requests", path, many.StatusCode)
		}
		post := get(a, http.MethodPost, target)
		doc.check(t, path, post)
		if post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d for POST", path, post.StatusCode)
		}
	}
	for path := range doc.tree["paths"].(map[string]any) {
		if testAPI(t, nil).Handlers()[path] == nil {
			t.Errorf("%s is documented and not served", path)
		}
	}
}

// TestRateLimitIsPerClient: one loud client does not disturb another.
func TestRateLimitIsPerClient(t *testing.T) {
	a := testAPI(t, func(c *Config) { c.PerMinute = 10 })
	h := a.Info()
	ask := func(from string) int {
		r := httptest.NewRequest(http.MethodGet, PathInfo, nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	refused := 0
	for range 1000 {
		if ask("192.0.2.1:1234") == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 990 {
		t.Errorf("%d of 1000 refused, want 990", refused)
	}
	if got := ask("192.0.2.2:1234"); got != http.StatusOK {
		t.Errorf("another client gets %d", got)
	}
	if got := ask("[2001:db8::1]:1"); got != http.StatusOK {
		t.Errorf("an IPv6 client gets %d", got)
	}
}

// TestAnswersFollowTheIndex: no cached answer outlives the state it shows.
func TestAnswersFollowTheIndex(t *testing.T) {
	var d *directory.Directory
	a := testAPI(t, func(c *Config) { d = c.Directory })
	target := PathResolve + "?leika=" + hund + "&ort=" + bissendorf
	before := get(a, http.MethodGet, target)
	d.Remove("https://bissendorf.example")
	after := get(a, http.MethodGet, target, "If-None-Match", before.Header.Get("Etag"))
	if after.StatusCode != http.StatusOK || !strings.Contains(string(body(t, after)), `"reason":"none"`) {
		t.Errorf("a removed member is still shown: %d", after.StatusCode)
	}
}

// beside is a Landkreis that becomes known while the network runs.
type beside struct {
	known   bool
	version uint64
}

func (b *beside) Of(region.Area) (neighbour.Neighbour, bool) {
	return neighbour.Neighbour{ID: "https://vechta.example", Name: "Landkreis Vechta"}, b.known
}

func (b *beside) Version() uint64 { return b.version }

func (b *beside) Ask(context.Context, neighbour.Question) (*neighbour.Answer, error) {
	return nil, neighbour.ErrSilent
}

// TestAnswersFollowTheNeighbours: that nobody is known for a place does not
// outlive the moment when somebody is.
func TestAnswersFollowTheNeighbours(t *testing.T) {
	b := &beside{}
	a := testAPI(t, func(c *Config) { c.Neighbours = b })
	target := PathResolve + "?leika=" + hund + "&ort=" + bissendorf
	before := get(a, http.MethodGet, target)
	b.known, b.version = true, 1
	after := get(a, http.MethodGet, target, "If-None-Match", before.Header.Get("Etag"))
	if got := string(body(t, after)); after.StatusCode != http.StatusOK || !strings.Contains(got, "neighbour-silent") {
		t.Errorf("after a neighbour became known: %d %s", after.StatusCode, got)
	}
}

func TestDestinationIDIsStable(t *testing.T) {
	x := destinationID("https://a.example", "T:1")
	if x != destinationID("https://a.example", "T:1") || x == destinationID("https://a.example", "T:2") || x[14] != '5' {
		t.Errorf("destinationID = %s", x)
	}
}

func TestSealFails(t *testing.T) {
	a := testAPI(t, func(c *Config) {
		c.Seal = func(string, any) (string, error) { return "", errors.New("no key") }
	})
	r := get(a, http.MethodGet, PathRoutes+"?leikaKey="+hund+"&ars="+bissendorf)
	if b := string(body(t, r)); r.StatusCode != http.StatusInternalServerError || strings.Contains(b, "no key") {
		t.Errorf("%d %s", r.StatusCode, b)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := New(Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("New = %v", err)
	}
}

// FuzzQuery: no query makes a handler fail with 500, whatever it is.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"q=hund", "leikaKey=" + hund + "&ars=" + bissendorf, "areaSearchexpression=a*b", "ort=49143&leika=" + hund, "%", "q=%00", "member=x&id=y", ";", "ort=%F0%9F%90%95"} {
		f.Add(s)
	}
	a := testAPI(f, func(c *Config) { c.PerMinute = -1 })
	handlers := a.Handlers()
	f.Fuzz(func(t *testing.T, query string) {
		for path, h := range handlers {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
			if strings.Contains(w.Header().Get("Content-Type"), "json") && !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s?%s: broken JSON", path, query)
			}
		}
	})
}
