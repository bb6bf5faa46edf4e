package sheet

import (
	"errors"
	"os"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

func TestReadYAML(t *testing.T) {
	f, err := os.Open("testdata/bauhof.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := ReadYAML(f, "bauhof.yaml", "https://bissendorf.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range catalog.Validate(c) {
		if f.Severity != catalog.Warn {
			t.Errorf("finding %v", f)
		}
	}
	if g := catalog.Gates(c, catalog.GateInput{Scope: federation.Scope{Subtree: []region.Area{region.MustArea("03459")}}}); catalog.Blocking(g) {
		t.Errorf("gates %v", g)
	}
	if len(c.Offers) != 2 || len(c.Units) != 1 || len(c.Delegations) != 1 {
		t.Fatalf("%d offers, %d units, %d delegations", len(c.Offers), len(c.Units), len(c.Delegations))
	}
	o := c.Offers[0]
	if o.ID != "D03459012:brennholz" || o.Reach != catalog.ReachNetwork || o.Section(catalog.Kosten)["de"] != "<p>Ein Raummeter Buche kostet 80 Euro.</p><p>Fichte kostet 50 Euro.</p>" {
		t.Errorf("offer %+v", o)
	}
	p := c.Offers[1]
	if p.Leika.String() != "99108001001000" || p.Onlinedienste[0].Level != federation.LevelNiedrig || p.Title["en"] == "" || len(p.Zustaendigkeiten[0].Except) != 1 {
		t.Errorf("offer %+v", p)
	}
}

func TestReadYAMLRefuses(t *testing.T) {
	for _, tt := range []struct{ name, doc, says string }{
		{"not yaml", "a: [", "line 1"},
		{"unknown key", "leistungen:\n  - kennung: a\n    preis: 3\n", "line 3"},
		{"key twice", "stelle: a\nstelle: b\n", "line 2"},
		{"anchors", "stelle: &a x\neinheiten: []\n", ":1:"},
		{"laughs", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", ":1:"},
		{"area as a number", "einheiten:\n  - kennung: a\n    gebiet: 03459\n", "line 3"},
		{"area too short", "einheiten:\n  - kennung: a\n    gebiet: \"0345\"\n", "line 3"},
		{"key with letters", "leistungen:\n  - kennung: a\n    leika: 991080010O1000\n", "line 3"},
		{"level", "leistungen:\n  - kennung: a\n    online: [{niveau: sehr hoch}]\n", "line 3"},
		{"section", "leistungen:\n  - kennung: a\n    texte: {preis: x}\n", `"a"`},
		{"role", "leistungen:\n  - kennung: a\n    zustaendig: [{rolle: chef, gebiete: [\"03459\"]}]\n", "chef"},
		{"claim without area", "leistungen:\n  - kennung: a\n    zustaendig: [{einheit: x}]\n", "gebiete"},
		{"date", "leistungen:\n  - kennung: a\n    gueltig_ab: gestern\n", "gestern"},
		{"second document", "stelle: a\n---\nstelle: b\n", "second"},
		{"delegated to nobody", "uebertragungen:\n  - kennung: a\n    an: abfall\n", "abfall"},
		{"deep", strings.Repeat("[", 200) + strings.Repeat("]", 200), ":1:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ReadYAML(strings.NewReader(tt.doc), "k.yaml", "https://x.example")
			if !errors.Is(err, ErrYAML) || c != nil || !strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "k.yaml") {
				t.Errorf("ReadYAML = %v, want something with %q", err, tt.says)
			}
		})
	}
	if _, err := ReadYAML(&zeros{left: maxYAML + 2}, "k.yaml", "https://x.example"); !errors.Is(err, ErrLimit) {
		t.Errorf("a huge file: %v", err)
	}
}

// FuzzYAML: no file makes ReadYAML panic.
func FuzzYAML(f *testing.F) {
	b, err := os.ReadFile("testdata/bauhof.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b))
	f.Add("leistungen: [{kennung: a, titel: {de: x}, zustaendig: [{gebiete: [\"03\"]}]}]")
	f.Fuzz(func(t *testing.T, doc string) {
		c, err := ReadYAML(strings.NewReader(doc), "fuzz", "https://x.example")
		if (err == nil) == (c == nil) {
			t.Fatalf("%v and %v", c, err)
		}
	})
}
