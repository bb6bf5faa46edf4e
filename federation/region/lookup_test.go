package region

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var noDate time.Time

func areasOf(places []Place) (out []string) {
	for _, p := range places {
		out = append(out, p.Area.String())
	}
	return out
}

func TestLookup(t *testing.T) {
	r := Demo()
	for _, tt := range []struct {
		in   string
		as   Understood
		want string // areas, separated by blanks
	}{
		// keys
		{"03", AsARS, "03"},
		{"034", AsARS, "034"},
		{"03459", AsARS, "03459"},
		{"034595402", AsARS, "034595402"},
		{"034590012012", AsARS, "034590012012"},
		{"03459012", AsAGS, "034590012012"},
		{" 03459012 ", AsAGS, "034590012012"},
		{"03 459 012", AsAGS, "034590012012"},
		{"03459 5402 001", AsARS, "034595402001"},
		{"034590000000", AsARS, "03459"},     // Kreis, filled up
		{"034595402000", AsARS, "034595402"}, // Samtgemeinde, filled up
		{"030000000000", AsARS, "03"},
		{"3459012", AsAGS, "034590012012"},     // zero lost
		{"34590012012", AsARS, "034590012012"}, // zero lost
		{"03459402", AsAGS, "034595402"},       // Samtgemeinde without its 5
		// PLZ
		{"49577", AsPLZ, "034595402002 034595402016 034595402023"},
		{"49586", AsPLZ, "034595404026 034595404027"},
		{"49626", AsPLZ, "034595403009 034595403011"},
		{"49143", AsPLZ, "034590012012"},
		{"49324", AsPLZ, "034590024024"},
		{"49328", AsPLZ, "034590024024"}, // not the seat
		{"49143 Bissendorf", AsName, "034590012012"},
		{"49577 Ankum", AsName, "034595402002"},
		{"49577 Entenhausen", AsPLZ, "034595402002 034595402016 034595402023"}, // name unknown
		{"11111 Ankum", AsName, "034595402002"},                                // PLZ unknown
		{"49577 Melle", AsPLZ, "034590024024 034595402002 034595402016 034595402023"},
		// names
		{"Glandorf", AsName, "034590034034"},
		{"GLANDORF", AsName, "034590034034"},
		{"glandorf ", AsName, "034590034034"},
		{"Bad Essen", AsName, "034590003003"},
		{"bad  essen", AsName, "034590003003"},
		{"Badessen", AsName, "034590003003"},
		{"Bad-Essen", AsName, "034590003003"},
		{"Gemeinde Bad Essen", AsName, "034590003003"},
		{"Melle", AsName, "034590024024"},
		{"Melle, Stadt", AsName, "034590024024"},
		{"Stadt Melle", AsName, "034590024024"},
		{"Melle (Stadt)", AsName, "034590024024"},
		{"Gemeinde Melle", AsName, "034590024024"},
		{"Stadt Bissendorf", AsName, "034590012012"}, // is a Gemeinde
		{"Georgsmarienhütte", AsName, "034590019019"},
		{"Georgsmarienhuette", AsName, "034590019019"},
		{"GEORGSMARIENHÜTTE", AsName, "034590019019"},
		{"Georgsmarienhu\u0308tte", AsName, "034590019019"}, // decomposed
		{"Georgsmarien-Hütte", AsName, "034590019019"},
		{"Hagen am Teutoburger Wald", AsName, "034590020020"},
		{"Hagen a.T.W.", AsName, "034590020020"},
		{"Hagen a. T. W.", AsName, "034590020020"},
		{"Hagen aTW", AsName, "034590020020"},
		{"Hagen", AsName, "034590020020"},
		{"Dissen", AsName, "034590015015"},
		{"Dissen a.T.W.", AsName, "034590015015"},
		{"Hilter", AsName, "034590022022"},
		{"Bersenbrück", AsName, "034595402010 034595402"},
		{"Bersenbrueck", AsName, "034595402010 034595402"},
		{"Samtgemeinde Bersenbrück", AsName, "034595402"},
		{"SG Bersenbrück", AsName, "034595402"},
		{"Bersenbrück (Samtgemeinde)", AsName, "034595402"},
		{"Bersenbrück, Stadt", AsName, "034595402010"},
		{"Stadt Bersenbrück", AsName, "034595402010"},
		{"Fürstenau", AsName, "034595403017 034595403"},
		{"Neuenkirchen", AsName, "034595404027 034595404"},
		{"Artland", AsName, "034595401"},
		{"Samtgemeinde Artland", AsName, "034595401"},
		{"Osnabrück", AsName, "03459"},
		{"Landkreis Osnabrück", AsName, "03459"},
		{"LK Osnabrück", AsName, "03459"},
		{"Kreis Osnabrück", AsName, "03459"},
		{"Osnabrück (Landkreis)", AsName, "03459"},
		{"Schledehausen", AsName, "034590012012"}, // Ortsteil
		{"49143 Schledehausen", AsName, "034590012012"},
		{"Schwagstorf", AsName, "034590029029 034595403017"}, // two of the same name
		{"Kloster Oesede", AsName, "034590019019"},
		{"Niedersachsen", AsName, "03"},
		{"Land Niedersachsen", AsName, "03"},
	} {
		l := r.Lookup(tt.in, noDate)
		if got := strings.Join(areasOf(l.Candidates), " "); l.Understood != tt.as || !sameWords(got, tt.want) || l.Approximate {
			t.Errorf("Lookup(%q) = %q %q (approximate %v), want %q %q", tt.in, l.Understood, got, l.Approximate, tt.as, tt.want)
		}
		if len(strings.Fields(tt.want)) == 1 {
			if _, ok := l.One(); !ok {
				t.Errorf("Lookup(%q) is not one place", tt.in)
			}
		}
	}
}

func sameWords(x, y string) bool {
	a, b := strings.Fields(x), strings.Fields(y)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func TestLookupApproximate(t *testing.T) {
	r := Demo()
	for in, want := range map[string]string{
		"Bisendorf": "034590012012", "Bersenbruck": "034595402010 034595402", "Georgsmarienhutte": "034590019019",
		"Wahlenhorst": "", "Wallenhorrst": "034590033033", "Essen": "034590003003", "Stadt Mele": "034590024024",
		"Quackenbrück": "034595401030", "Glanndorf": "034590034034", "Bramshe": "",
	} {
		l := r.Lookup(in, noDate)
		if got := strings.Join(areasOf(l.Candidates), " "); !sameWords(got, want) || l.Approximate != (want != "") {
			t.Errorf("Lookup(%q) = %q, approximate %v; want %q", in, got, l.Approximate, want)
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	r := Demo()
	for name, in := range map[string]string{
		"empty": "", "blanks": "   ", "one digit": "0", "four digits": "0345", "other Kreis": "03454", "other Land": "05",
		"AGS elsewhere": "05315000", "ARS elsewhere": "053150000000", "Verband elsewhere": "033535406", "PLZ elsewhere": "50667",
		"name elsewhere": "Köln", "13 digits": "0345900120120", "40 digits": strings.Repeat("1", 40),
		"full-width AGS": "０３４５９０１２", "Arabic-Indic": "٠٣٤٥٩", "control": "Melle\x00", "emoji": "Melle🙂", "only dots": "...",
		"not UTF-8": "Mell\xff", "a kind alone": "Stadt", "long": strings.Repeat("Melle ", 1000), "Cyrillic": "Меllе", "sign": "-03459012",
		"filled-up Gemeinde": "034590012000",
	} {
		if l := r.Lookup(in, noDate); l.Known() {
			t.Errorf("%s: Lookup(%q) = %v", name, in, areasOf(l.Candidates))
		}
	}
}

func TestLookupFlags(t *testing.T) {
	r := Demo()
	if l := r.Lookup("49577", noDate); !l.Incomplete {
		t.Error("a PLZ known from seats only counts as complete")
	}
	for _, in := range []string{"3459012", "034590000000", "03459402"} {
		if l := r.Lookup(in, noDate); !l.Repaired {
			t.Errorf("%s was not marked as repaired", in)
		}
	}
	if l := r.Lookup("03459012", noDate); l.Repaired || l.Incomplete || l.Approximate || l.Succession != nil {
		t.Errorf("an exact key: %+v", l)
	}
}

// A caller that changes an answer must not change the register.
func TestLookupShares(t *testing.T) {
	r := Demo()
	l := r.Lookup("49577", noDate)
	l.Candidates[0] = Place{}
	l.Candidates = append(l.Candidates[:1], Place{Name: "x"})
	if got := areasOf(r.Lookup("49577", noDate).Candidates); got[0] != "034595402002" || len(got) != 3 {
		t.Errorf("the register has changed: %v", got)
	}
}

func TestLookupKreisAndPLZ(t *testing.T) {
	e := &Edition{Date: time.Date(2025, 8, 31, 0, 0, 0, 0, time.UTC), Covers: []Area{MustArea("14")}}
	for _, p := range []Place{
		{Area: MustArea("14522"), AGS: MustAGS("14522"), Official: "Mittelsachsen", Type: Landkreis},
		{Area: MustArea("120540000000"), AGS: MustAGS("12054000"), Official: "Potsdam, Stadt", Type: KreisfreieStadt, PLZ: "14522"},
	} {
		p.setNames()
		e.Places = append(e.Places, p)
	}
	l := NewRegister(e).Lookup("14522", noDate)
	if got := areasOf(l.Candidates); l.Understood != AsPLZ || !slices.Equal(got, []string{"120540000000", "14522"}) {
		t.Errorf("%q %v", l.Understood, got)
	}
}

func TestNamesWithSpecials(t *testing.T) {
	e := &Edition{Covers: []Area{MustArea("14")}}
	for i, name := range []string{"Bautzen / Budyšin, Stadt", "Großräschen/Rań, Stadt", "St. Wendel, Kreisstadt", "Oldenburg (Oldb), Stadt",
		"Rothenburg ob der Tauber, GKSt", "Stadt Wehlen, Stadt", "Haßfurt, St", "Kirchberg i.Wald", "Straße", "Hude (Oldenburg)", "Hüde", "Markt Schwaben, M", "Höhn"} {
		p := Place{Area: makeArea(14625_0000_000+uint64(i), 12), Official: name, Type: Stadt}
		p.AGS, _ = p.Area.AGS()
		p.setNames()
		e.Places = append(e.Places, p)
	}
	r := NewRegister(e)
	for in, want := range map[string]string{
		"Bautzen": "Bautzen / Budyšin, Stadt", "Budysin": "", "Bautzen/Budyšin": "Bautzen / Budyšin, Stadt", "Bautzen Budysin": "Bautzen / Budyšin, Stadt",
		"Grossraeschen": "Großräschen/Rań, Stadt", "GROẞRÄSCHEN": "Großräschen/Rań, Stadt",
		"Sankt Wendel": "St. Wendel, Kreisstadt", "St Wendel": "St. Wendel, Kreisstadt", "Oldenburg": "Oldenburg (Oldb), Stadt",
		"Oldenburg in Oldb": "", "Rothenburg o.d. Tauber": "Rothenburg ob der Tauber, GKSt", "Rothenburg": "Rothenburg ob der Tauber, GKSt",
		"Wehlen": "", "Stadt Wehlen": "Stadt Wehlen, Stadt", "Hassfurt": "Haßfurt, St", "Haßfurt": "Haßfurt, St",
		"Kirchberg im Wald": "Kirchberg i.Wald", "Kirchberg": "Kirchberg i.Wald", "Strasse": "Straße",
		"Hude": "Hude (Oldenburg)", "Hüde": "Hüde", "Markt Schwaben": "Markt Schwaben, M", "Hoehn": "Höhn",
	} {
		l := r.Lookup(in, noDate)
		got := ""
		if p, ok := l.One(); ok {
			got = p.Official
		}
		if got != want {
			t.Errorf("Lookup(%q) = %q (%d candidates), want %q", in, got, len(l.Candidates), want)
		}
	}
}

func TestAddPLZ(t *testing.T) {
	r := Demo()
	unknown, err := r.AddPLZ(strings.NewReader("\ufeffplz;ags\r\n# seat and hamlets\r\n49577;03459002\r\n\r\n49577,03459010\n49999\t03459012\n50667;05315000\n"))
	if err != nil || unknown != 1 {
		t.Fatalf("%d, %v", unknown, err)
	}
	l := r.Lookup("49577", noDate)
	if got, want := areasOf(l.Candidates), []string{"034595402002", "034595402010", "034595402016", "034595402023"}; !slices.Equal(got, want) || l.Incomplete {
		t.Errorf("%v (incomplete %v), want %v", got, l.Incomplete, want)
	}
	if p, ok := r.Lookup("49999", noDate).One(); !ok || p.Name != "Bissendorf" {
		t.Errorf("%v, %v", p, ok)
	}
}

func TestAddOrtsteile(t *testing.T) {
	r := NewRegister(DemoEdition())
	if r.Lookup("Schledehausen", noDate).Known() {
		t.Fatal("an Ortsteil is known before the table is loaded")
	}
	unknown, err := r.AddOrtsteile(strings.NewReader("ortsteil;ags\r\nSchledehausen;03459012\nMelle;03459012\nDeutz;05315000\n"))
	if err != nil || unknown != 1 {
		t.Fatalf("%d, %v", unknown, err)
	}
	l := r.Lookup("schledehausen", noDate)
	if p, ok := l.One(); !ok || p.Name != "Bissendorf" || !l.Ortsteil || l.Approximate {
		t.Errorf("%+v", l)
	}
	if l := r.Lookup("Melle", noDate); len(l.Candidates) != 1 || l.Candidates[0].Name != "Melle" || l.Ortsteil {
		t.Errorf("an Ortsteil hides the Gemeinde: %+v", l)
	}
	for _, bad := range []string{"Schledehausen\n", "Schledehausen;3459012\n", "a;03459012\nＡ;03459012\n"} {
		if _, err := r.AddOrtsteile(strings.NewReader(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestAddPLZRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ file, says string }{
		"one field":        {"plz;ags\n49577\n", "line 2"},
		"four digits":      {"plz;ags\n4957;03459002\n", "line 2"},
		"ARS":              {"49577;034595402002\n", "line 1"},
		"Kreis":            {"49577;03459\n", "line 1"},
		"full-width":       {"plz;ags\n４9577;03459002\n", "line 2"},
		"line without end": {"49577;03459002\n" + strings.Repeat("x", 9000), "line 2"},
	} {
		r := Demo()
		if _, err := r.AddPLZ(strings.NewReader("49999;03459012\n" + tt.file)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := r.AddPLZ(strings.NewReader(tt.file)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, tt.says)
		}
		if r.Lookup("49999", noDate).Known() {
			t.Errorf("%s: half of a refused table was taken", name)
		}
	}
}

func TestRegister(t *testing.T) {
	r := Demo()
	if r.Len() != 41 || len(r.Gemeinden(MustArea("03459"))) != 34 || len(r.Gemeinden(MustArea("034595402"))) != 7 || len(r.Gemeinden(Area{})) != 34 {
		t.Errorf("%d places, %d Gemeinden, %d in the Samtgemeinde", r.Len(), len(r.Gemeinden(MustArea("03459"))), len(r.Gemeinden(MustArea("034595402"))))
	}
	if got := r.Children(MustArea("03459")); len(got) != 17+4 || got[0].Name != "Bad Essen" || got[20].FullName != "Samtgemeinde Neuenkirchen" {
		t.Errorf("children of the Kreis: %v", areasOf(got))
	}
	if got := areasOf(r.Children(Area{})); !slices.Equal(got, []string{"03"}) {
		t.Errorf("children of the Bund: %v", got)
	}
	if got := r.Children(MustArea("034590012012")); got != nil {
		t.Errorf("children of a Gemeinde: %v", got)
	}
	if got := areasOf(r.Parents(MustArea("034595402001"))); !slices.Equal(got, []string{"034595402", "03459", "034", "03"}) {
		t.Errorf("parents in a Samtgemeinde: %v", got)
	}
	if got := areasOf(r.Parents(MustArea("034590012012"))); !slices.Equal(got, []string{"03459", "034", "03"}) {
		t.Errorf("parents without a Samtgemeinde: %v", got)
	}
	for area, want := range map[string]string{
		"034590024024": "Stadt Melle", "034590012012": "Gemeinde Bissendorf", "034595402": "Samtgemeinde Bersenbrück", "03459": "Landkreis Osnabrück",
		"03": "Land Niedersachsen", "": "Bund", "05": "05", "034590012": "034590012",
	} {
		if got := r.Name(MustArea(area)); got != want {
			t.Errorf("name of %q: %q, want %q", area, got, want)
		}
	}
	if a, ok := r.ARS(MustAGS("03459001")); !ok || a != MustArea("034595402001") {
		t.Errorf("ARS of Alfhausen: %v, %v", a, ok)
	}
	if s := r.Sources(); len(s) != 1 || s[0] != "Quelle: Statistisches Bundesamt (Destatis), GV100AD, Gebietsstand 31.08.2025, eigene Aufbereitung" {
		t.Errorf("sources %q", s)
	}
	if _, ok := r.Place(MustArea("034590012")); ok {
		t.Error("a verbandsfreie Gemeinde is shown as association")
	}
}

func TestEmptyRegister(t *testing.T) {
	r := NewRegister()
	if r.Len() != 0 || r.Lookup("03459012", noDate).Known() || r.Lookup("Melle", noDate).Known() || r.Children(Area{}) != nil || r.Find("*e*", 5) != nil {
		t.Error("an empty register knows something")
	}
}

func TestFind(t *testing.T) {
	r := Demo()
	for _, tt := range []struct {
		pattern string
		limit   int
		want    string
	}{
		{"Bad*", 10, "034590005005 034590003003 034590004004 034595401007 034590006006"}, // with Badbergen
		{"bad e*", 10, "034590003003"},
		{"*brück", 10, "03459 034595402010 034595402 034595401030"},
		{"Bersenbrück", 10, "034595402010 034595402"},
		{"*horst*", 10, "034590033033"},
		{"B*dorf", 10, "034590012012"},
		{"B*e", 2, "034595403009 034590013013"},
		{"*", 10, ""}, {"", 10, ""}, {"x*", 10, ""}, {"Bad*", 0, ""}, {"Ba\x00*", 5, ""},
	} {
		if got := areasOf(r.Find(tt.pattern, tt.limit)); !sameWords(strings.Join(got, " "), tt.want) {
			t.Errorf("Find(%q, %d) = %v, want %s", tt.pattern, tt.limit, got, tt.want)
		}
	}
	if got := areasOf(r.Find("Bad*", 2)); len(got) != 2 || got[0] != "034590005005" {
		t.Errorf("the shortest names first: %v", got)
	}
}

// The built-in table is the part of the official file that it says it is.
func TestDemoAgainstOfficialFile(t *testing.T) {
	official, demo := germany(t, file2025), Demo()
	kreis := MustArea("03459")
	for i := range official.inside(kreis) {
		want := official.places[i]
		got, ok := demo.Place(want.Area)
		if !ok || got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", want.Area, got, want)
		}
	}
	if n := len(demo.Gemeinden(kreis)); n != 34 {
		t.Errorf("%d Gemeinden", n)
	}
}

func FuzzLookup(f *testing.F) {
	for _, s := range []string{"03459012", "034595402", "49577", "49577 Ankum", "Bersenbrück", "Stadt Melle", "Hagen a.T.W.", "３", "Mell\xff", "st", "a t w", "03 459 012",
		strings.Repeat("ß", 59), "Bad*", "\u0308u\u0308", strings.Repeat("atw ", 30), strings.Repeat("a ", 60)} {
		f.Add(s)
	}
	r := Demo()
	f.Fuzz(func(t *testing.T, s string) {
		l := r.Lookup(s, noDate)
		if l.Known() != (l.Understood != NotUnderstood) && len(l.Candidates) > 0 {
			t.Fatalf("Lookup(%q): understood %q with %d candidates", s, l.Understood, len(l.Candidates))
		}
		for _, p := range l.Candidates {
			if _, ok := r.Place(p.Area); !ok {
				t.Fatalf("Lookup(%q): candidate %v is not in the register", s, p)
			}
		}
		if found := r.Find(s, 3); len(found) > 3 {
			t.Fatalf("Find(%q) gave %d", s, len(found))
		}
	})
}

func FuzzAddPLZ(f *testing.F) {
	for _, s := range []string{"plz;ags\n49577;03459002\n", "\ufeff49577,03459010", "# x\n\n49999\t03459012\r\n", "49577;03459", ";;", "49577"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := Demo()
		before := r.Lookup("49577", noDate)
		if _, err := r.AddPLZ(strings.NewReader(s)); err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			if after := r.Lookup("49577", noDate); len(after.Candidates) != len(before.Candidates) || !after.Incomplete {
				t.Fatal("a refused table has changed the register")
			}
		}
		if _, err := r.AddOrtsteile(strings.NewReader(s)); err != nil && !errors.Is(err, ErrFormat) {
			t.Fatal(err)
		}
	})
}
