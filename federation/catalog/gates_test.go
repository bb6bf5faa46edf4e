package catalog

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

var (
	bissendorf = region.MustArea("034590012012")
	kreis      = region.MustArea("03459")
	bramsche   = region.MustArea("034590013013")
)

// good is a small catalogue that every gate lets through.
func good() *Catalogue {
	c := &Catalogue{
		Member: sampleMember, Serial: 1,
		Units: []Unit{{ID: "a:oe", Name: Text{"de": "Amt"}, Phone: "1", Hours: Text{"de": "<p>8 bis 12</p>"}}},
		Offers: []Offer{{
			ID: "a:1", Leika: leika.MustParse("99108001001000"), Title: Text{"de": "Parken"},
			Sections:         []Section{{Kurztext, Text{"de": `<p>Siehe <a href="https://x.example">hier</a>.</p>`}}},
			Zustaendigkeiten: []Zustaendigkeit{{ID: "a:z", Area: bissendorf, Role: Zustaendig, Unit: "a:oe"}},
			Onlinedienste:    []Onlinedienst{{ID: "a:od", URL: "https://x.example/f", Areas: []region.Area{bissendorf}}},
		}},
		Delegations: []Delegation{{ID: "a:d", Leika: leika.MustParse("99154078000000"), Areas: []region.Area{bissendorf}, To: "https://abfall.example"}},
	}
	c.Normalize()
	return c
}

func codes(list []Finding, s Severity) string {
	var out []string
	for _, f := range list {
		if f.Severity == s {
			out = append(out, f.Code)
		}
	}
	return strings.Join(out, " ")
}

func TestGates(t *testing.T) {
	in := GateInput{
		Scope:    federation.Scope{Subtree: []region.Area{kreis}},
		Register: func(id leika.ID) bool { return id.String() == "99108001001000" || id.String() == "99154078000000" },
		Now:      time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for _, tt := range []struct {
		name  string
		edit  func(c *Catalogue, in *GateInput)
		block string
		warn  string
	}{
		{"nothing wrong", func(*Catalogue, *GateInput) {}, "", ""},
		{"XX in a title", func(c *Catalogue, _ *GateInput) { c.Offers[0].Title["de"] = "Gebühr XX Euro" }, CodePlaceholder, ""},
		{"XXX with a dot", func(c *Catalogue, _ *GateInput) { c.Offers[0].Sections[0].Text["de"] = "<p>Zimmer XXX.</p>" }, CodePlaceholder, ""},
		{"Xerox is a word", func(c *Catalogue, _ *GateInput) { c.Offers[0].Title["de"] = "Xerox und XL" }, "", ""},
		{"brackets", func(c *Catalogue, _ *GateInput) { c.Offers[0].Sections[0].Text["de"] = "<p>bis […] Uhr</p>" }, CodePlaceholder, ""},
		{"TODO in a unit", func(c *Catalogue, _ *GateInput) { c.Units[0].Hours["de"] = "<p>TODO</p>" }, CodePlaceholder, ""},
		{"no authority", func(c *Catalogue, _ *GateInput) { c.Offers[0].Zustaendigkeiten = nil }, CodeAuthority, ""},
		{"only a contact", func(c *Catalogue, _ *GateInput) { c.Offers[0].Zustaendigkeiten[0].Role = Ansprechpunkt }, CodeAuthority, ""},
		{"http in a text", func(c *Catalogue, _ *GateInput) {
			c.Offers[0].Sections[0].Text["de"] = `<p><a href="http://x.example">x</a></p>`
		}, CodePlaintextLink, ""},
		{"http form", func(c *Catalogue, _ *GateInput) { c.Offers[0].Onlinedienste[0].URL = "http://x.example" }, CodePlaintextLink, ""},
		{"http loopback", func(c *Catalogue, _ *GateInput) { c.Offers[0].Onlinedienste[0].URL = "http://x.localhost:8080" }, CodePlaintextLink, ""},
		{"http loopback allowed", func(c *Catalogue, in *GateInput) {
			c.Offers[0].Onlinedienste[0].URL, in.Loopback = "http://x.localhost:8080", true
		}, "", ""},
		{"http elsewhere is never allowed", func(c *Catalogue, in *GateInput) {
			c.Offers[0].Onlinedienste[0].URL, in.Loopback = "http://localhost.evil.example", true
		}, CodePlaintextLink, ""},
		{"unknown key", func(c *Catalogue, _ *GateInput) { c.Offers[0].Leika++ }, CodeLeika, ""},
		{"unknown key, own", func(c *Catalogue, _ *GateInput) { c.Offers[0].Leika++; c.Offers[0].Own = true }, "", ""},
		{"unknown key, no register", func(c *Catalogue, in *GateInput) { c.Offers[0].Leika++; in.Register = nil }, "", ""},
		{"area outside", func(c *Catalogue, in *GateInput) { in.Scope = federation.Scope{Areas: []region.Area{bramsche}} }, CodeScopeArea + " " + CodeScopeArea + " " + CodeScopeArea, ""},
		{"delegation reaches into an exception", func(c *Catalogue, in *GateInput) {
			c.Delegations[0].Areas = []region.Area{kreis}
			in.Scope.Except = []region.Area{bramsche}
		}, CodeScopeArea, ""},
		{"key not granted", func(c *Catalogue, in *GateInput) { in.Scope.LeikaPrefixes = []string{"99154"} }, CodeScopeKey, ""},
		{"long title", func(c *Catalogue, _ *GateInput) { c.Offers[0].Title["de"] = strings.Repeat("ä", 201) }, CodeTitleLength, ""},
		{"title just fits", func(c *Catalogue, _ *GateInput) { c.Offers[0].Title["de"] = strings.Repeat("ä", 200) }, "", ""},
		{"over", func(c *Catalogue, _ *GateInput) { c.Offers[0].Valid.To = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }, "", CodeExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, in := good(), in
			tt.edit(c, &in)
			list := Gates(c, in)
			if got := codes(list, Block); got != tt.block {
				t.Errorf("blocked by %q, want %q", got, tt.block)
			}
			if got := codes(list, Warn); got != tt.warn {
				t.Errorf("warned of %q, want %q", got, tt.warn)
			}
			if Blocking(list) != (tt.block != "") {
				t.Error("Blocking contradicts the findings")
			}
			for _, f := range list {
				if f.Record == "" || f.Message == "" || f.Remedy == "" {
					t.Errorf("an incomplete finding: %+v", f)
				}
			}
		})
	}
}

func TestValidate(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		edit func(c *Catalogue)
		want string
	}{
		{"nothing wrong", func(*Catalogue) {}, ""},
		{"no id", func(c *Catalogue) { c.Offers[0].ID = "" }, CodeID},
		{"id without value", func(c *Catalogue) { c.Offers[0].ID = "a:" }, CodeID},
		{"id twice", func(c *Catalogue) {
			c.Units = append(c.Units, c.Units[0])
		}, CodeDuplicate},
		{"no title", func(c *Catalogue) { c.Offers[0].Title = nil }, CodeTitle},
		{"script in a text", func(c *Catalogue) { c.Offers[0].Sections[0].Text["de"] = "<script>" }, CodeHTML},
		{"control character in a title", func(c *Catalogue) { c.Offers[0].Title["de"] = "a\x00" }, CodeText},
		{"direction override in a title", func(c *Catalogue) { c.Offers[0].Title["de"] = "a\u202eb" }, CodeText},
		{"long text", func(c *Catalogue) { c.Offers[0].Sections[0].Text["de"] = strings.Repeat("a", MaxText+1) }, CodeText},
		{"very long title", func(c *Catalogue) { c.Offers[0].Title["de"] = strings.Repeat("a", maxPlain+1) }, CodeText},
		{"language", func(c *Catalogue) { c.Offers[0].Title["deu"] = "x" }, CodeLanguage},
		{"section twice", func(c *Catalogue) {
			c.Offers[0].Sections = append(c.Offers[0].Sections, c.Offers[0].Sections[0])
		}, CodeSection},
		{"unknown section", func(c *Catalogue) { c.Offers[0].Sections[0].Kind = "x" }, CodeSection},
		{"javascript form", func(c *Catalogue) { c.Offers[0].Onlinedienste[0].URL = "javascript:x" }, CodeURL},
		{"form with a password", func(c *Catalogue) { c.Offers[0].Onlinedienste[0].URL = "https://u:p@x.example" }, CodeURL},
		{"relative form", func(c *Catalogue) { c.Offers[0].Onlinedienste[0].URL = "/x" }, CodeURL},
		{"role", func(c *Catalogue) { c.Offers[0].Zustaendigkeiten[0].Role = "04" }, CodeRole},
		{"exception outside", func(c *Catalogue) { c.Offers[0].Zustaendigkeiten[0].Except = []region.Area{bramsche} }, CodeArea},
		{"code", func(c *Catalogue) { c.Offers[0].SDG = []string{"12"} }, CodeCode},
		{"themenfeld", func(c *Catalogue) { c.Offers[0].Themenfeld = "sport" }, CodeCode},
		{"reach", func(c *Catalogue) { c.Offers[0].Reach = "world" }, CodeCode},
		{"ends before it begins", func(c *Catalogue) { c.Offers[0].Valid = Validity{day, day} }, CodeValidity},
		{"begins at noon", func(c *Catalogue) { c.Offers[0].Valid.From = day.Add(12 * time.Hour) }, CodeValidity},
		{"level", func(c *Catalogue) { c.Offers[0].Onlinedienste[0].Level = 9 }, CodeLevel},
		{"delegated to nobody", func(c *Catalogue) { c.Delegations[0].To = "melle" }, CodeMember},
		{"delegated nowhere", func(c *Catalogue) { c.Delegations[0].Areas = nil }, CodeArea},
		{"delegated without key", func(c *Catalogue) { c.Delegations[0].Leika = 0 }, CodeLeika},
		{"two addresses", func(c *Catalogue) { c.Units[0].Email = "a@b, c@d" }, CodeText},
		{"claim of two offers", func(c *Catalogue) {
			o := c.Offers[0]
			o.ID = "a:2"
			o.Onlinedienste = nil
			c.Offers = append(c.Offers, o)
		}, CodeDuplicate},
		{"form with two contents", func(c *Catalogue) {
			o := c.Offers[0]
			o.ID, o.Zustaendigkeiten = "a:2", nil
			o.Onlinedienste = []Onlinedienst{{ID: "a:od", URL: "https://other.example"}}
			c.Offers = append(c.Offers, o)
		}, CodeDuplicate},
		{"endless list", func(c *Catalogue) {
			for i := range MaxList + 1 {
				c.Offers[0].Synonyms = append(c.Offers[0].Synonyms, fmt.Sprint(i))
			}
		}, CodeLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.edit(c)
			list := Validate(c)
			got, _, _ := strings.Cut(codes(list, Invalid), " ")
			if got != tt.want {
				t.Errorf("first invalid %q, want %q (%v)", got, tt.want, list)
			}
			if _, err := Pack(c); (err != nil) != (tt.want != "") {
				t.Errorf("Pack: %v", err)
			}
		})
	}
}

func TestWithinScope(t *testing.T) {
	m := federation.Member{ID: sampleMember, MarkID: "jti-1", Scope: federation.Scope{Subtree: []region.Area{kreis}, Except: []region.Area{bramsche}}}
	c := good()
	c.Offers[0].Zustaendigkeiten = []Zustaendigkeit{
		{ID: "a:z", Area: kreis, Role: Zustaendig}, {ID: "a:y", Area: region.MustArea("03454"), Role: Zustaendig}, {ID: "a:x", Area: bramsche, Role: Zustaendig},
	}
	c.Offers[0].Onlinedienste[0].Areas = []region.Area{bissendorf, bramsche}
	c.Delegations[0].Areas = []region.Area{kreis, bissendorf}
	before, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out, list := WithinScope(c, m)
	if after, err := json.Marshal(c); err != nil || string(after) != string(before) {
		t.Error("the catalogue itself was changed")
	}
	z := out.Offers[0].Zustaendigkeiten
	if len(z) != 1 || z[0].Area != kreis || !reflect.DeepEqual(z[0].Except, []region.Area{bramsche}) {
		t.Errorf("claims %+v", z)
	}
	if got := out.Offers[0].Onlinedienste[0].Areas; !reflect.DeepEqual(got, []region.Area{bissendorf}) {
		t.Errorf("form areas %v", got)
	}
	if got := out.Delegations[0].Areas; !reflect.DeepEqual(got, []region.Area{bissendorf}) {
		t.Errorf("delegated areas %v", got)
	}
	if len(list) != 4 {
		t.Errorf("%d findings, want 4: %v", len(list), list)
	}
	for _, f := range list {
		if f.Member != m.ID || f.Mark != "jti-1" || f.Code != CodeScopeArea || f.Record == "" {
			t.Errorf("finding %+v", f)
		}
	}
}

func TestWithinScopeDrops(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edit  func(*Catalogue, *federation.Member)
		left  int
		found string
	}{
		{"somebody else's catalogue", func(c *Catalogue, m *federation.Member) { m.ID = "https://other.example" }, 0, CodeMember},
		{"an offer without any granted claim", func(c *Catalogue, m *federation.Member) { m.Scope.Subtree = []region.Area{bramsche} }, 0, CodeScopeArea},
		{"an offer with a foreign key", func(c *Catalogue, m *federation.Member) { m.Scope.LeikaPrefixes = []string{"99154"} }, 0, CodeScopeKey},
		{"nothing of an offer that claims nothing", func(c *Catalogue, m *federation.Member) {
			c.Offers[0].Zustaendigkeiten, c.Offers[0].Leika = nil, 0
		}, 1, ""},
		{"everything without a grant", func(c *Catalogue, m *federation.Member) { m.Scope = federation.Scope{} }, 0, CodeScopeArea},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, m := good(), federation.Member{ID: sampleMember, Scope: federation.Scope{Subtree: []region.Area{kreis}}}
			tt.edit(c, &m)
			out, list := WithinScope(c, m)
			got, _, _ := strings.Cut(codes(list, Warn), " ")
			if len(out.Offers) != tt.left || got != tt.found {
				t.Errorf("%d offers left, findings %v", len(out.Offers), list)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	old, new := sampleCatalogue(20, 1), sampleCatalogue(20, 1)
	if d := Compare(old, new); !d.IsZero() {
		t.Fatalf("equal catalogues differ: %+v", d)
	}
	new.Offers[3].Title = Text{"de": "Anders"}
	new.Offers[3].Reach = ReachNetwork
	removed := new.Offers[7].ID
	new.Offers = append(new.Offers[:7:7], new.Offers[8:]...)
	new.Units = append(new.Units, Unit{ID: "Z:neu", Name: Text{"de": "Neu"}})
	d := Compare(old, new)
	want := Diff{
		Offers: Changes{Removed: []ID{removed}, Changed: []Change{{old.Offers[3].ID, []string{"reach", "title"}}}},
		Units:  Changes{Added: []ID{"Z:neu"}},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("Compare = %+v, want %+v", d, want)
	}
	if d := Compare(nil, old); len(d.Offers.Added) != 20 || len(Compare(old, nil).Offers.Removed) != 20 {
		t.Error("nil is not an empty catalogue")
	}
}

func TestMassDelete(t *testing.T) {
	old := sampleCatalogue(100, 1)
	for _, tt := range []struct {
		left int
		want bool
	}{{100, false}, {80, false}, {79, true}, {0, true}} {
		next := &Catalogue{Offers: old.Offers[:tt.left], Units: old.Units}
		if removed, stock, got := MassDelete(old, next); got != tt.want || removed != 100-tt.left || stock != 105 {
			t.Errorf("%d left: %d of %d, %v", tt.left, removed, stock, got)
		}
	}
	if _, _, exceeded := MassDelete(old, &Catalogue{Offers: old.Offers, Units: old.Units[:2]}); !exceeded {
		t.Error("most units went without asking")
	}
	if _, _, exceeded := MassDelete(nil, nil); exceeded {
		t.Error("nothing went and it asks")
	}
}

func TestNewID(t *testing.T) {
	for _, tt := range []struct{ agency, value string }{{"L1", "L1.LB.1"}, {"urn:de:fitko", "a:b"}, {"", "x"}, {"a%3Ab", "c"}} {
		if a, v := NewID(tt.agency, tt.value).Split(); a != tt.agency || v != tt.value {
			t.Errorf("NewID(%q, %q) splits into %q, %q", tt.agency, tt.value, a, v)
		}
	}
}
