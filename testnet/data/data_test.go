package data

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.yaml.in/yaml/v3"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/xzufi"
	"rathausnetz/portal/web/brand"
)

// read imports one folder as a node would.
func read(t *testing.T, node string) *catalog.Catalogue {
	t.Helper()
	sub, err := fs.Sub(FS, node)
	if err != nil {
		t.Fatal(err)
	}
	b, err := xzufi.ReadFS(sub, node, xzufi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, report, err := xzufi.Import(nil, b, xzufi.ImportOptions{Member: federation.EntityID("https://" + node + ".example")})
	for _, f := range report.Findings {
		if f.Severity != catalog.Warn || f.Code != catalog.CodeNoKey {
			t.Errorf("%s: %v", node, f)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range report.Skipped {
		if !slices.Contains([]string{"struktur", "sprachversion"}, name) {
			t.Errorf("%s: element %s was skipped %d times", node, name, n)
		}
	}
	return c
}

// scopes are what the hub grants each node.
func scopes() map[string]federation.Scope {
	area := func(s string) []region.Area { return []region.Area{region.MustArea(s)} }
	return map[string]federation.Scope{
		"landkreis":    {Subtree: area("03459")},
		"melle":        {Subtree: area("034590024024")},
		"bad-essen":    {Subtree: area("034590003003")},
		"bissendorf":   {Subtree: area("034590012012")},
		"wallenhorst":  {Subtree: area("034590033033")},
		"bersenbrueck": {Subtree: area("034595402")},
		"abfall":       {Subtree: area("03459"), OwnOffersOnly: true},
		"konflikt":     {Subtree: area("03459")},
	}
}

func TestCatalogues(t *testing.T) {
	register, granted := region.Demo(), scopes()
	offers, english, offline, levels := 0, 0, 0, map[federation.Level]int{}
	for _, node := range append(slices.Clone(Nodes), "konflikt") {
		c := read(t, node)
		for _, f := range catalog.Gates(c, catalog.GateInput{Scope: granted[node], Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}) {
			if f.Severity != catalog.Warn {
				t.Errorf("%s: %v", node, f)
			}
		}
		for i := range c.Offers {
			o := &c.Offers[i]
			checkOffer(t, node, o, register)
			offers++
			if o.Title["en"] != "" {
				english++
			}
			if len(o.Onlinedienste) == 0 {
				offline++
			}
			for _, d := range o.Onlinedienste {
				levels[d.Level]++
			}
		}
	}
	if offers < 150 || english < 15 || offline < 30 {
		t.Errorf("%d offers, %d in English, %d not online", offers, english, offline)
	}
	for _, l := range []federation.Level{federation.LevelNone, federation.LevelNiedrig, federation.LevelSubstanziell} {
		if levels[l] < 10 {
			t.Errorf("only %d online forms need the level %s", levels[l], l)
		}
	}
}

var form = regexp.MustCompile(`^https://([a-z-]+)\.demo\.invalid/antrag/[a-z0-9-]+$`)

func checkOffer(t *testing.T, node string, o *catalog.Offer, register *region.Register) {
	t.Helper()
	if o.Section(catalog.Kurztext)["de"] == "" || o.Section(catalog.Kosten)["de"] == "" && o.Section(catalog.Volltext)["de"] == "" {
		t.Errorf("%s %s: texts are missing", node, o.Title["de"])
	}
	if len(o.Synonyms) == 0 || len(o.Audience) == 0 || o.Themenfeld == "" || o.Geaendert.IsZero() {
		t.Errorf("%s %s: synonyms, audience, Themenfeld or date are missing", node, o.Title["de"])
	}
	for _, z := range o.Zustaendigkeiten {
		for _, a := range append([]region.Area{z.Area}, z.Except...) {
			if _, ok := register.Place(a); !ok {
				t.Errorf("%s %s: area %s is not in the register", node, o.Title["de"], a)
			}
		}
		if z.Unit == "" {
			t.Errorf("%s %s: no unit", node, o.Title["de"])
		}
	}
	for _, d := range o.Onlinedienste {
		host := form.FindStringSubmatch(d.URL)
		if host == nil || host[1] != strings.Replace(node, "konflikt", "landkreis", 1) {
			t.Errorf("%s %s: form at %s", node, o.Title["de"], d.URL)
		}
	}
	if node == "abfall" && (!o.Leika.IsZero() || o.Reach != catalog.ReachNetwork) {
		t.Errorf("abfall %s: key %s, reach %q", o.Title["de"], o.Leika, o.Reach)
	}
}

// Short sentences: a rule of the pages.
func TestSentences(t *testing.T) {
	tag := regexp.MustCompile(`</(p|li)>|<[^>]*>`)
	end := regexp.MustCompile(`[.!?](\s|$)|\n`)
	for _, node := range Nodes {
		c := read(t, node)
		for i := range c.Offers {
			o := &c.Offers[i]
			for _, kind := range []catalog.SectionKind{catalog.Kurztext, catalog.Volltext, catalog.Verfahrensablauf, catalog.Kosten} {
				text := tag.ReplaceAllString(o.Section(kind)["de"], "\n")
				for _, sentence := range end.Split(text, -1) {
					if n := len(strings.Fields(sentence)); n > 15 {
						t.Errorf("%s %s: %d words: %s", node, o.Title["de"], n, sentence)
					}
				}
			}
		}
	}
}

// claim returns the offers of a node with the key, by area.
func claims(c *catalog.Catalogue, key leika.ID) (areas, except []string) {
	for i := range c.Offers {
		if c.Offers[i].Leika != key {
			continue
		}
		for _, z := range c.Offers[i].Zustaendigkeiten {
			areas = append(areas, z.Area.String())
			for _, x := range z.Except {
				except = append(except, x.String())
			}
		}
	}
	return areas, except
}

func TestDeliberateCases(t *testing.T) {
	bau, wohngeld, kfz, fisch := leika.MustParse("99012068006000"), leika.MustParse("99107023037000"), leika.MustParse("99036049069000"), leika.MustParse("99042001012000")
	for _, tt := range []struct {
		name, node   string
		key          leika.ID
		area, except string
	}{
		{"Kreis without Melle", "landkreis", bau, "03459", "034590024024"},
		{"Melle builds itself", "melle", bau, "034590024024", ""},
		{"Kreis for all", "landkreis", wohngeld, "03459", ""},
		{"Melle before the Kreis", "melle", wohngeld, "034590024024", ""},
		{"delegating", "landkreis", kfz, "03459", ""},
		{"delegated", "wallenhorst", kfz, "034590033033", ""},
		{"Samtgemeinde with one key", "bersenbrueck", fisch, "034595402", ""},
		{"Gemeinde", "bissendorf", fisch, "034590012012", ""},
		{"conflict", "konflikt", fisch, "034590012012", ""},
	} {
		areas, except := claims(read(t, tt.node), tt.key)
		if strings.Join(areas, " ") != tt.area || strings.Join(except, " ") != tt.except {
			t.Errorf("%s: %v without %v, want %s without %q", tt.name, areas, except, tt.area, tt.except)
		}
	}
}

// Apart from the folder konflikt, no two nodes claim one key for one area.
func TestNoOtherConflict(t *testing.T) {
	holder := make(map[string]string)
	for _, node := range Nodes {
		c := read(t, node)
		for i := range c.Offers {
			if c.Offers[i].Leika.IsZero() {
				continue
			}
			for _, z := range c.Offers[i].Zustaendigkeiten {
				claim := c.Offers[i].Leika.String() + " " + z.Area.String()
				if before, taken := holder[claim]; taken {
					t.Errorf("%s: claimed by %s and %s", claim, before, node)
				}
				holder[claim] = node
			}
		}
	}
}

func TestDelegations(t *testing.T) {
	b, err := FS.ReadFile("landkreis/delegationen.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Leika  leika.ID      `yaml:"leika"`
		Areas  []region.Area `yaml:"areas"`
		To     string        `yaml:"to"`
		From   string        `yaml:"from"`
		ToDate string        `yaml:"to_date"`
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil || len(list) < 2 {
		t.Fatalf("%d delegations, %v", len(list), err)
	}
	for _, e := range list {
		areas, _ := claims(read(t, e.To), e.Leika)
		for _, a := range e.Areas {
			if !slices.Contains(Nodes, e.To) || !slices.Contains(areas, a.String()) {
				t.Errorf("%s for %s is given to %s, which claims %v", e.Leika, a, e.To, areas)
			}
		}
	}
}

// Every key stands in the list of keys that have been seen in use.
func TestKeysAreReal(t *testing.T) {
	seen := seenKeys(t)
	for _, node := range append(slices.Clone(Nodes), "konflikt") {
		c := read(t, node)
		for i := range c.Offers {
			if k := c.Offers[i].Leika; !k.IsZero() && !seen[k] {
				t.Errorf("%s: %s (%s) is not in the list", node, k, c.Offers[i].Title["de"])
			}
		}
	}
}

// seenKeys reads shared/data/leika_keys.csv beside the repository. Without it
// the test is skipped, except in CI.
func seenKeys(t *testing.T) map[leika.ID]bool {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var file []byte
	for file == nil {
		if file, err = os.ReadFile(filepath.Join(dir, "shared", "data", "leika_keys.csv")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			if os.Getenv("CI") == "true" {
				t.Fatal("shared/data/leika_keys.csv is missing, and CI needs it")
			}
			t.Skip("shared/data/leika_keys.csv is not there")
		}
		dir = parent
	}
	r := csv.NewReader(bytes.NewReader(file))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[leika.ID]bool)
	for _, row := range rows[1:] {
		if row[4] == "gesehen" {
			seen[leika.MustParse(row[0])] = true
		}
	}
	return seen
}

// A portal file has the fields of a branding form and a colour that can be
// read on white; no two portals look the same.
func TestPortalFiles(t *testing.T) {
	colours := make(map[brand.Color]string)
	for _, node := range Nodes {
		b, err := FS.ReadFile(node + "/portal.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Name        string
			ShortName   string      `yaml:"short_name"`
			MainColor   brand.Color `yaml:"main_color"`
			Home        region.Area
			Network     struct{ Area region.Area }
			Greeting    string
			Intro       string
			Contact     struct{ Street, PLZ, Ort, Phone, Email string }
			Hours       []string `yaml:"opening_hours"`
			Lebenslagen []string
		}
		if err := yaml.Unmarshal(b, &p); err != nil {
			t.Fatalf("%s: %v", node, err)
		}
		if p.Name == "" || p.ShortName == "" || p.Greeting == "" || p.Intro == "" || p.Contact.Street == "" || len(p.Hours) == 0 || len(p.Lebenslagen) == 0 || p.Network.Area != region.MustArea("03459") {
			t.Errorf("%s: a field is missing: %+v", node, p)
		}
		if c := brand.Contrast(p.MainColor, brand.MustColor("#ffffff")); c < 4.5 || colours[p.MainColor] != "" {
			t.Errorf("%s: colour %s has contrast %.1f; also used by %q", node, p.MainColor, c, colours[p.MainColor])
		}
		colours[p.MainColor] = node
		wantHome := p.Home.Covers(region.MustArea("034595402001")) || p.Home.IsGemeinde()
		if node == "landkreis" || node == "abfall" {
			wantHome = p.Home.IsBund()
		}
		if !wantHome {
			t.Errorf("%s: home %s", node, p.Home)
		}
	}
}

// What is read can be written and read again without a change.
func TestRoundTrip(t *testing.T) {
	for _, node := range Nodes {
		first := read(t, node)
		files, err := xzufi.Files(first)
		if err != nil {
			t.Fatal(err)
		}
		again := make(fstest.MapFS)
		for _, f := range files {
			again[f.Name] = &fstest.MapFile{Data: f.Data}
		}
		b, err := xzufi.ReadFS(again, node, xzufi.Options{})
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := xzufi.Import(nil, b, xzufi.ImportOptions{Member: first.Member})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: the catalogue has changed on its way", node)
		}
	}
}

// Pictures are small, quiet and ask nobody for anything.
func TestPictures(t *testing.T) {
	titles := make(map[string]string)
	for _, node := range Nodes {
		for _, name := range []string{"wappen.svg", "titelbild.svg"} {
			b, err := FS.ReadFile(node + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			s := string(b)
			if len(b) > 4096 || strings.Contains(s, "<script") || strings.Contains(s, "href") || strings.Contains(s, "url(") || strings.Count(s, "http") != 1 {
				t.Errorf("%s/%s: %d bytes, or a reference", node, name, len(b))
			}
			if other, twice := titles[s]; twice {
				t.Errorf("%s/%s is the picture of %s", node, name, other)
			}
			titles[s] = node
			if name == "wappen.svg" && !strings.Contains(s, "<title>Wappenschild (Demonstration)</title>") {
				t.Errorf("%s: the shield does not say that it is invented", node)
			}
		}
	}
}

// Contacts must not reach anybody.
func TestContactsAreInvented(t *testing.T) {
	for _, node := range Nodes {
		c := read(t, node)
		for i := range c.Units {
			u := &c.Units[i]
			if !strings.Contains(u.Phone, " 00-") || !strings.HasSuffix(u.Email, ".example") || !strings.Contains(u.URL, ".example/") || u.Street == "" || u.Hours["de"] == "" {
				t.Errorf("%s %s: %q %q %q", node, u.Name["de"], u.Phone, u.Email, u.URL)
			}
		}
	}
}
