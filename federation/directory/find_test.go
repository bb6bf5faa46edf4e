package directory

import (
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// shop is a small network with real words: what search, filters and
// suggestions are held to.
func shop() *Directory {
	place := func(name string) region.Area { return testMember(name).Seat }
	offer := func(n string, key, title string, area region.Area, change func(*catalog.Offer)) catalog.Offer {
		o := catalog.Offer{ID: catalog.ID("S:" + n), Title: catalog.Text{"de": title},
			Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: "Z", Area: area, Role: catalog.Zustaendig}}}
		if key != "" {
			o.Leika = leika.MustParse(key)
		}
		if change != nil {
			change(&o)
		}
		return o
	}
	online := func(o *catalog.Offer) { o.Onlinedienste = []catalog.Onlinedienst{{ID: "O", URL: "https://x.example/"}} }
	source := func(name string, offers ...catalog.Offer) Source {
		m := testMember(name)
		m.Name = map[string]string{"a": "Gemeinde Bissendorf", "b": "Stadt Melle", "kreis": "Landkreis Osnabrück", "land": "Land Niedersachsen"}[name]
		return Source{Member: m, Serial: 1, Reachable: true, Catalogue: &catalog.Catalogue{Member: m.ID, Offers: offers}}
	}
	a, b, k := place("a"), place("b"), place("kreis")
	return newTestDirectory(
		source("a",
			offer("1", "99102013104000", "Hundesteuer Anmeldung", a, func(o *catalog.Offer) {
				online(o)
				o.Title["en"] = "Register a dog"
				o.Audience = []string{"001"}
				o.Sections = []catalog.Section{{Kind: catalog.Kurztext, Text: catalog.Text{"de": "<p>Wer einen Hund h&auml;lt, muss ihn anmelden.</p>"}}}
			}),
			offer("2", "99012070006001", "Baugenehmigung beantragen", a, func(o *catalog.Offer) { o.Audience = []string{"001", "002"} }),
			offer("3", "99108001001000", "Bewohnerparkausweis", a, func(o *catalog.Offer) { o.Synonyms = []string{"Anwohnerplakette"} }),
		),
		source("b",
			offer("1", "99102013104000", "Hund anmelden", b, nil),
			offer("2", "", "Brennholzverkauf", b, func(o *catalog.Offer) { online(o); o.Reach = catalog.ReachNetwork }),
			offer("3", "", "Ferienprogramm", b, nil),
		),
		source("kreis",
			offer("1", "99049001001000", "Führungszeugnis beantragen", k, online),
			offer("2", "99036020001000", "Erstzulassung eines Fahrzeugs", k, func(o *catalog.Offer) {
				o.Sections = []catalog.Section{{Kind: catalog.Volltext, Text: catalog.Text{"de": "Auch für Baugenehmigungsfreie Anhänger und Bewohnerparkausweis."}}}
			}),
			offer("3", "99012071006000", "Baugenehmigung für die Nutzungsänderung", k, nil),
		),
		source("land", offer("1", "99102013010000", "Hundesteuer Befreiung", place("land"), nil)),
	)
}

func titles(r Result) string {
	var out []string
	for _, h := range r.Hits {
		out = append(out, h.Title)
	}
	return strings.Join(out, " | ")
}

func TestSearch(t *testing.T) {
	d := shop()
	const hundAB = "Hundesteuer Anmeldung | Hundesteuer Befreiung"
	for _, c := range []struct {
		name string
		q    Query
		want string
	}{
		{"word", Query{Text: "Führungszeugnis"}, "Führungszeugnis beantragen"},
		{"umlaut as ue", Query{Text: "fuehrungszeugnis"}, "Führungszeugnis beantragen"},
		{"umlaut as u", Query{Text: "FUHRUNGSZEUGNIS"}, "Führungszeugnis beantragen"},
		{"decomposed umlaut", Query{Text: "Fu\u0308hrungszeugnis"}, "Führungszeugnis beantragen"},
		{"inflected", Query{Text: "Führungszeugnisse"}, "Führungszeugnis beantragen"},
		{"part of a compound", Query{Text: "Steuer"}, hundAB},
		{"Hund anmelden", Query{Text: "Hund anmelden"}, hundAB},
		{"one hit per Leistung and place", Query{Text: "hundesteuer anmeldung"}, hundAB},
		{"compound of the query", Query{Text: "Hundeanmeldung"}, "Hundesteuer Anmeldung"},
		{"compound nobody has written down", Query{Text: "Fahrzeugerstzulassung"}, "Erstzulassung eines Fahrzeugs"},
		{"end of a compound", Query{Text: "Zeugnis"}, "Führungszeugnis beantragen"},
		{"catalogue synonym", Query{Text: "Anwohnerplakette"}, "Bewohnerparkausweis"},
		{"title before text", Query{Text: "Bewohnerparkausweis"}, "Bewohnerparkausweis | Erstzulassung eines Fahrzeugs"},
		{"typo", Query{Text: "Fürungszeugnis"}, "Führungszeugnis beantragen"},
		{"swapped letters", Query{Text: "Brenhnolz"}, "Brennholzverkauf"},
		{"typo, literal", Query{Text: "Fürungszeugnis", Literal: true}, ""},
		{"dictionary", Query{Text: "Auto anmelden"}, "Erstzulassung eines Fahrzeugs"},
		{"nearer first among equals", Query{Text: "Baugenehmigung", Limit: 2}, "Baugenehmigung beantragen | Baugenehmigung für die Nutzungsänderung"},
		{"other language", Query{Text: "dog", Lang: "en", Limit: 1}, "Register a dog"},
		{"missing language falls back", Query{Text: "Brennholz", Lang: "en"}, "Brennholzverkauf"},
		{"neighbour's own offer without reach", Query{Text: "Ferienprogramm"}, ""},
		{"only fillers", Query{Text: "ich möchte"}, ""},
		{"nothing typed", Query{}, ""},
		{"only signs", Query{Text: "?!… %"}, ""},
		{"unknown word", Query{Text: "Quantencomputer"}, ""},
		{"filter alone browses", Query{Online: true}, "Hundesteuer Anmeldung | Führungszeugnis beantragen | Brennholzverkauf"},
		{"online", Query{Text: "Hund", Online: true}, "Hundesteuer Anmeldung"},
		{"authority", Query{Text: "Hund", Authority: id("land")}, "Hundesteuer Befreiung"},
		{"level", Query{Text: "Baugenehmigung", Kind: federation.KindLandkreis}, "Baugenehmigung für die Nutzungsänderung | Erstzulassung eines Fahrzeugs"},
		{"audience keeps offers for everybody", Query{Text: "Hund", Audience: "002"}, "Hundesteuer Befreiung"},
		{"Lebenslage", Query{Lebenslage: "auto-und-verkehr"}, "Bewohnerparkausweis | Erstzulassung eines Fahrzeugs"},
		{"page", Query{Text: "Hund", Offset: 1, Limit: 1}, "Hundesteuer Befreiung"},
		{"past the end", Query{Text: "Hund", Offset: 100}, ""},
		{"negative", Query{Text: "Hund", Offset: -5, Limit: -1}, hundAB},
		{"authority's name alone", Query{Text: "Niedersachsen"}, "Hundesteuer Befreiung"},
		{"with an authority's name", Query{Text: "Hund Bissendorf", Limit: 1}, "Hundesteuer Anmeldung"},
		{"10 KB", Query{Text: strings.Repeat("Führungszeugnis ", 700)}, "Führungszeugnis beantragen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Place = region.MustArea(gemA)
			if r := d.Search(c.q); titles(r) != c.want {
				t.Errorf("hits %q, want %q (corrected %q, also %v)", titles(r), c.want, r.Corrected, r.Also)
			}
		})
	}
}

func TestResultSaysHow(t *testing.T) {
	d := shop()
	at := region.MustArea(gemA)
	if r := d.Search(Query{Text: "Fürungszeugnis", Place: at}); r.Corrected != "Führungszeugnis" {
		t.Errorf("Corrected = %q", r.Corrected)
	}
	if r := d.Search(Query{Text: "Auto anmelden", Place: at}); len(r.Also) == 0 || r.Also[0] != "Erstzulassung Fahrzeug" {
		t.Errorf("Also = %v", r.Also)
	}
	r := d.Search(Query{Text: "Ferienprogramm", Place: at})
	if r.Total != 0 || r.Elsewhere != 1 || r.ElsewhereArea != region.MustArea(kreis) {
		t.Errorf("elsewhere %d in %s", r.Elsewhere, r.ElsewhereArea)
	}
	if r := d.Search(Query{Text: "Hundefriseurausbildung", Place: at, Literal: true}); r.Total == 0 && r.Hint == "" {
		t.Error("no hint for a word that begins like a known one")
	}
	r = d.Search(Query{Text: "Steuer", Place: at})
	if r.Hits[0].Matched != MatchedSynonym || r.Hits[0].Teaser != "Wer einen Hund hält, muss ihn anmelden." {
		t.Errorf("%d, teaser %q", r.Hits[0].Matched, r.Hits[0].Teaser)
	}
	if r := d.Search(Query{Text: "Hundesteuer Anmeldung", Place: at}); r.Hits[0].Matched != MatchedTitle {
		t.Errorf("the title itself is matched as %d", r.Hits[0].Matched)
	}
	if r := d.Search(Query{Text: "Stadt Melle", Place: at}); len(r.Authorities) != 1 || r.Authorities[0].ID != id("b") {
		t.Errorf("Authorities = %+v", r.Authorities)
	}
}

func TestFacets(t *testing.T) {
	d := shop()
	f := d.Search(Query{Text: "Hund", Place: region.MustArea(gemA), Online: true}).Facets
	if f.Online != 1 || f.OnlyPlace != 1 || len(f.Authorities) != 1 || f.Authorities[0].Count != 1 || f.Authorities[0].Value != string(id("a")) {
		t.Errorf("%+v", f)
	}
	f = d.Search(Query{Text: "Hund", Place: region.MustArea(gemA), Kind: federation.KindLand}).Facets
	if len(f.Kinds) != 2 || f.Kinds[0].Value != "gemeinde" || !f.Kinds[1].Active || f.Kinds[0].Label != "Gemeinde" {
		t.Errorf("the other levels are not offered: %+v", f.Kinds)
	}
	for _, list := range [][]Facet{f.Authorities, f.Kinds, f.Audiences, f.Lebenslagen} {
		for _, x := range list {
			if x.Count == 0 {
				t.Errorf("a choice with 0: %+v", x)
			}
		}
	}
	f = d.Search(Query{Text: "Brennholz", Place: region.MustArea(gemA)}).Facets
	if f.OnlyPlace != 0 || f.Online != 1 {
		t.Errorf("a neighbour's offer counts as the place's: %+v", f)
	}
}

func TestWidePlaces(t *testing.T) {
	d := shop()
	r := d.Search(Query{Text: "Hund", Place: region.MustArea(kreis)})
	if r.Total != 2 || r.Hits[0].Places != 2 || r.Hits[0].Provider.Member.ID != id("a") {
		t.Errorf("%s, %+v", titles(r), r.Hits[0].Places)
	}
	if r := d.Search(Query{Text: "Hund anmelden", Place: region.MustArea(kreis), Own: id("b")}); r.Hits[0].Provider.Member.ID != id("b") {
		t.Errorf("the portal's own member does not come first: %s", titles(r))
	}
	if r := d.Search(Query{Text: "Ferienprogramm", Place: region.Area{}}); r.Total != 1 || r.Hits[0].Provider.Neighbour {
		t.Errorf("everywhere: %s", titles(r))
	}
}

func TestSuggest(t *testing.T) {
	d := shop()
	at := region.MustArea(gemA)
	for _, c := range []struct{ text, want, typed string }{
		{"Füh", "Führungszeugnis beantragen", "Füh"},
		{"fuehr", "Führungszeugnis beantragen", "Führ"},
		{"hunde", "Hundesteuer Anmeldung", "Hunde"},
		{"park", "Bewohnerparkausweis", "park"},
		{"erstz", "Erstzulassung eines Fahrzeugs", "Erstz"},
	} {
		s := d.Suggest(c.text, at, "de", 3)
		if len(s) == 0 || s[0].Text != c.want || s[0].Text[s[0].Match[0]:s[0].Match[1]] != c.typed {
			t.Errorf("%q: %+v", c.text, s)
		}
	}
	if s := d.Suggest("", at, "de", 3); s != nil {
		t.Errorf("nothing typed: %+v", s)
	}
	if s := d.Suggest("e", at, "de", 1000); len(s) > 20 {
		t.Errorf("%d suggestions", len(s))
	}
}

func TestLebenslagenAndAZ(t *testing.T) {
	d := shop()
	at := region.MustArea(gemA)
	l := d.Lebenslagen(at, "de")
	if len(l) != 8 || l[0].Slug != "umzug" || l[3].Name != "Auto und Verkehr" || l[3].Count != 2 || len(l[3].Examples) != 2 {
		t.Errorf("%+v", l)
	}
	for _, x := range l {
		if r := d.Search(Query{Lebenslage: x.Slug, Place: at}); r.Total != x.Count {
			t.Errorf("%s: %d counted, %d found", x.Slug, x.Count, r.Total)
		}
	}
	var got []string
	for _, e := range d.AZ(at, "de") {
		got = append(got, e.Letter+" "+e.Title)
	}
	want := "B Baugenehmigung beantragen, B Baugenehmigung für die Nutzungsänderung, B Bewohnerparkausweis, E Erstzulassung eines Fahrzeugs, F Führungszeugnis beantragen, H Hundesteuer Anmeldung, H Hundesteuer Befreiung"
	if strings.Join(got, ", ") != want {
		t.Errorf("AZ = %s", strings.Join(got, ", "))
	}
}

// FuzzSearch: no text makes a search fail, and every hit is for the place.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"Hund anmelden", "fürungszeugnis", "", "\x00\xff", strings.Repeat("a", 500), "ẞ ﬁ ⅷ ㍿", "ae oe ue", "(((((", "Bund Land Kreis", "a b c d e f g h i j k l m n o p"} {
		f.Add(s)
	}
	d := shop()
	at := region.MustArea(gemA)
	f.Fuzz(func(t *testing.T, text string) {
		r := d.Search(Query{Text: text, Place: at})
		if len(r.Hits) > DefaultLimit || r.Total < len(r.Hits) {
			t.Fatalf("%d of %d hits", len(r.Hits), r.Total)
		}
		for _, h := range r.Hits {
			if !h.Provider.Neighbour && !h.Provider.Zustaendigkeit.Area.Covers(at) {
				t.Fatalf("%q is for %s", h.Title, h.Provider.Zustaendigkeit.Area)
			}
		}
		d.Suggest(text, at, "de", 5)
	})
}
