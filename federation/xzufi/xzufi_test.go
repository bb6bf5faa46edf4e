package xzufi

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

const testMember federation.EntityID = "https://landkreis.example"

// build wraps records in a message of a version's namespace.
func build(space string, body ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><xz:m xmlns:xz="` + space + `" xzufiVersion="2.2.0">` + strings.Join(body, "\n") + `</xz:m>`
}

func schreibe(body string) string { return "<xz:schreibe>" + body + "</xz:schreibe>" }

func mustRead(t testing.TB, doc string) *Batch {
	t.Helper()
	b := &Batch{}
	if err := Read(strings.NewReader(doc), "test.xml", Options{}, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func mustImport(t testing.TB, current *catalog.Catalogue, b *Batch, opt ImportOptions) (*catalog.Catalogue, *Report) {
	t.Helper()
	opt.Member = testMember
	c, rep, err := Import(current, b, opt)
	if err != nil {
		t.Fatalf("%v\n%+v", err, rep.Findings)
	}
	return c, rep
}

// golden compares v, as indented JSON, with a file; RATHAUSNETZ_GOLDEN=write
// writes it instead.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	name = filepath.Join("testdata", name)
	if os.Getenv("RATHAUSNETZ_GOLDEN") == "write" {
		if err := os.WriteFile(name, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, buf.Bytes()) {
		t.Errorf("%s differs; got\n%s", name, buf.Bytes())
	}
}

func TestExampleMessage(t *testing.T) {
	b, err := ReadPath("testdata/beispiel", Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, rep := mustImport(t, nil, b, ImportOptions{})
	golden(t, "beispiel.golden.json", c)
	if len(rep.Orphans) > 0 || len(rep.Skipped) > 0 {
		t.Errorf("orphans %v, skipped %v; the example has none", rep.Orphans, rep.Skipped)
	}
	for _, f := range rep.Findings {
		if f.Code != catalog.CodeNoKey {
			t.Errorf("unexpected finding %v", f)
		}
	}
}

// reimport reads an export and returns the catalogue and the next export.
func reimport(t testing.TB, files []File) (*catalog.Catalogue, []File) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := ReadPath(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, rep := mustImport(t, nil, b, ImportOptions{})
	if len(rep.Skipped) > 0 || len(rep.Orphans) > 0 {
		t.Fatalf("own export: skipped %v, orphans %v", rep.Skipped, rep.Orphans)
	}
	again, err := Files(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, again
}

func digest(t testing.TB, c *catalog.Catalogue) federation.Digest {
	t.Helper()
	c.Member, c.Serial = testMember, 1
	p, err := catalog.Pack(c)
	if err != nil {
		t.Fatal(err)
	}
	return p.Manifest.Digest()
}

func TestRoundTripOfExample(t *testing.T) {
	b, err := ReadPath("testdata/beispiel", Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := mustImport(t, nil, b, ImportOptions{})
	files, err := Files(c)
	if err != nil {
		t.Fatal(err)
	}
	second, again := reimport(t, files)
	if !reflect.DeepEqual(files, again) {
		t.Error("export, import, export gives other bytes")
	}
	if digest(t, c) != digest(t, second) {
		t.Errorf("another manifest digest: %+v", catalog.Compare(c, second))
	}
}

const agency = ` schemeAgencyID="A"`

func leistungXML(id, extra string) string {
	return schreibe(`<xz:leistung><xz:id` + agency + `>` + id + `</xz:id><xz:modulText><xz:leikaTextmodul><code>02</code></xz:leikaTextmodul>` +
		`<xz:inhalt>Titel ` + id + `</xz:inhalt></xz:modulText>` + extra + `</xz:leistung>`)
}

func claimXML(id, parent, leistung, area string) string {
	return schreibe(`<xz:zustaendigkeitTransferObjekt><xz:uebergeordnetesObjektID` + agency + `>` + parent + `</xz:uebergeordnetesObjektID>` +
		`<xz:zustaendigkeit><xz:id` + agency + `>` + id + `</xz:id><xz:leistungID` + agency + `>` + leistung + `</xz:leistungID>` +
		`<xz:gebietID>` + area + `</xz:gebietID><xz:rolle><code>01</code></xz:rolle></xz:zustaendigkeit></xz:zustaendigkeitTransferObjekt>`)
}

func unitXML(id string) string {
	return schreibe(`<xz:organisationseinheit><xz:id` + agency + `>` + id + `</xz:id><xz:name><xz:name>Amt</xz:name></xz:name></xz:organisationseinheit>`)
}

func formXML(id string) string {
	return schreibe(`<xz:onlinedienst><xz:id` + agency + `>` + id + `</xz:id><xz:link><xz:link>https://x.example/f</xz:link></xz:link></xz:onlinedienst>`)
}

// TestBothVersions: the names 2.3 has given to things mean the same.
func TestBothVersions(t *testing.T) {
	for name, doc := range map[string]string{
		"2.2": build(space220, leistungXML("1", `<xz:referenzLeiKa listURI="urn:de:fim:leika:leistung"><code>99108001001000</code></xz:referenzLeiKa>
			<xz:informationsbereichSDG><code>1050100</code></xz:informationsbereichSDG>
			<xz:versionsinformation><xz:geaendertDatumZeit>2026-01-02T03:04:05Z</xz:geaendertDatumZeit></xz:versionsinformation>`)),
		"2.3.1": build(space231, leistungXML("1", `<xz:referenzLeistungsschluessel schemeID="urn:de:fim:leika:leistung">99108001001000</xz:referenzLeistungsschluessel>
			<xz:informationsbereicheSDG><xz:informationsbereichBuerger><code>1050100</code></xz:informationsbereichBuerger></xz:informationsbereicheSDG>
			<xz:versionsinformationen><xz:geaendertDatumZeit>2026-01-02T03:04:05Z</xz:geaendertDatumZeit></xz:versionsinformationen>`)),
	} {
		t.Run(name, func(t *testing.T) {
			c, rep := mustImport(t, nil, mustRead(t, doc), ImportOptions{})
			o := c.Offers[0]
			if o.Leika.String() != "99108001001000" || !reflect.DeepEqual(o.SDG, []string{"1050100"}) || o.Geaendert.Format("150405") != "030405" {
				t.Errorf("read %+v", o)
			}
			if len(rep.Skipped) > 0 {
				t.Errorf("skipped %v", rep.Skipped)
			}
		})
	}
}

func TestClaimsInAnyOrder(t *testing.T) {
	parts := []string{claimXML("z", "oe", "1", "03459"), claimXML("y", "od", "1", "034590012012"), leistungXML("1", ""), formXML("od"), unitXML("oe")}
	forward, _ := mustImport(t, nil, mustRead(t, build(space220, parts...)), ImportOptions{})
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	backward, _ := mustImport(t, nil, mustRead(t, build(space220, parts...)), ImportOptions{})
	if !reflect.DeepEqual(forward, backward) {
		t.Error("the order of records changes the catalogue")
	}
	o := forward.Offers[0]
	if len(o.Zustaendigkeiten) != 1 || len(o.Onlinedienste) != 1 || len(o.Onlinedienste[0].Areas) != 1 {
		t.Errorf("claims were not attached: %+v", o)
	}
}

func TestUpdateAndDelete(t *testing.T) {
	current, _ := mustImport(t, nil, mustRead(t, build(space220, leistungXML("1", ""), leistungXML("2", ""), unitXML("oe"), formXML("od"),
		claimXML("z1", "oe", "1", "03459"), claimXML("z2", "oe", "2", "03459"), claimXML("f1", "od", "1", "03459"), claimXML("f2", "od", "2", "03459"))), ImportOptions{})
	before := digest(t, current)
	next, rep := mustImport(t, current, mustRead(t, build(space220,
		leistungXML("1", `<xz:leistungsadressat><code>001</code></xz:leistungsadressat>`),
		`<xz:loesche klasse="Zustaendigkeit"><xz:id`+agency+`>f2</xz:id></xz:loesche>`,
		`<xz:loesche klasse="Leistung"><xz:id`+agency+`>77</xz:id></xz:loesche>`)), ImportOptions{Update: true})
	one, two := next.Offers[0], next.Offers[1]
	if len(one.Audience) != 1 || len(one.Zustaendigkeiten) != 1 || len(one.Onlinedienste) != 1 {
		t.Errorf("the updated offer lost something: %+v", one)
	}
	if len(two.Zustaendigkeiten) != 1 || len(two.Onlinedienste) != 0 {
		t.Errorf("the link f2 is still there: %+v", two)
	}
	if !hasCode(rep, catalog.CodeDeleteUnknown) {
		t.Error("the loesche of something unknown is not reported")
	}
	if digest(t, current) != before {
		t.Error("the current catalogue was changed")
	}
}

func hasCode(rep *Report, code string) bool {
	for _, f := range rep.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

func TestMassDeleteAsks(t *testing.T) {
	var parts []string
	for _, id := range []string{"1", "2", "3", "4"} {
		parts = append(parts, leistungXML(id, ""))
	}
	current, _ := mustImport(t, nil, mustRead(t, build(space220, parts...)), ImportOptions{})
	less := mustRead(t, build(space220, parts[:3]...))
	if c, _, err := Import(current, less, ImportOptions{}); !errors.Is(err, ErrMassDelete) || c != nil {
		t.Fatalf("a quarter of the stock went without asking: %v", err)
	}
	if c, rep := mustImport(t, current, less, ImportOptions{AllowMassDelete: true}); len(c.Offers) != 3 || rep.Deleted != 1 {
		t.Errorf("allowed: %d offers, %d deleted", len(c.Offers), rep.Deleted)
	}
	if _, _, err := Import(current, &Batch{}, ImportOptions{Update: true}); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty batch: %v", err)
	}
}

func TestSpezialisierung(t *testing.T) {
	c, _ := mustImport(t, nil, mustRead(t, build(space220,
		leistungXML("1", `<xz:referenzLeiKa><code>99108001001000</code></xz:referenzLeiKa>
			<xz:modulText><xz:leikaTextmodul><code>05</code></xz:leikaTextmodul><xz:inhalt>allgemein</xz:inhalt></xz:modulText>`),
		schreibe(`<xz:spezialisierung><xz:id`+agency+`>s</xz:id><xz:leistungID`+agency+`>1</xz:leistungID><xz:gueltigkeitGebietID>034590012012</xz:gueltigkeitGebietID>
			<xz:modulKosten><xz:beschreibung>frei</xz:beschreibung></xz:modulKosten></xz:spezialisierung>`),
		unitXML("oe"), claimXML("z", "oe", "1", "03459"))), ImportOptions{})
	if len(c.Offers) != 2 {
		t.Fatalf("%d offers", len(c.Offers))
	}
	base, s := c.Offers[0], c.Offers[1]
	if s.Leika != base.Leika || s.Title["de"] != "Titel 1" || s.Section(catalog.Kurztext)["de"] != "allgemein" || s.Section(catalog.Kosten)["de"] != "frei" {
		t.Errorf("the Spezialisierung inherited %+v", s)
	}
	if base.Section(catalog.Kosten) != nil {
		t.Error("the base was changed")
	}
	if len(s.Zustaendigkeiten) != 1 || s.Zustaendigkeiten[0].Area.String() != "034590012012" || len(base.Zustaendigkeiten) != 1 {
		t.Errorf("claims: base %+v, special %+v", base.Zustaendigkeiten, s.Zustaendigkeiten)
	}
}

func TestTextsAreReduced(t *testing.T) {
	b := mustRead(t, build(space220, leistungXML("1", `<xz:modulText><xz:leikaTextmodul><code>06</code></xz:leikaTextmodul>
		<xz:inhalt languageCode="de-DE"><![CDATA[<p onclick="x()">Hallo<script>alert(1)</script> <a href="javascript:x">da</a> <a href="https://x.example/?a=1&b=2" target=_blank>dort</a><div><b>fett]]></xz:inhalt>
		<xz:inhalt languageCode="tlh-Piqd">nuqneH</xz:inhalt>
		<xz:weiterfuehrenderLink><xz:uri>https://y.example</xz:uri><xz:titel>mehr</xz:titel></xz:weiterfuehrenderLink></xz:modulText>
		<xz:modulText><xz:leikaTextmodul><code>03</code></xz:leikaTextmodul><xz:inhalt>Ein &lt;b&gt;anderer&lt;/b&gt;   Titel &amp;amp; mehr</xz:inhalt></xz:modulText>`)))
	o := b.Records[0].Offer
	want := `<p>Hallo da <a href="https://x.example/?a=1&amp;b=2">dort</a></p><p><b>fett</b></p><ul><li><a href="https://y.example">mehr</a></li></ul>`
	if got := o.Section(catalog.Volltext)["de"]; got != want {
		t.Errorf("text\n%s\nwant\n%s", got, want)
	}
	if o.Title["de"] != "Ein anderer Titel & mehr" || !reflect.DeepEqual(o.Synonyms, []string{"Titel 1"}) {
		t.Errorf("title %q, synonyms %q", o.Title, o.Synonyms)
	}
	if !hasCode(&b.Report, catalog.CodeLanguage) {
		t.Error("the language with three letters is not reported")
	}
}

func TestLevels(t *testing.T) {
	doc := build(space220, schreibe(`<xz:onlinedienst><xz:id>1</xz:id><xz:vertrauensniveau listURI="urn:xoev-de:fim:codeliste:vertrauensniveau"><code>30</code></xz:vertrauensniveau></xz:onlinedienst>`))
	b := mustRead(t, doc)
	if b.Records[0].Form.Level != federation.LevelNone || !hasCode(&b.Report, catalog.CodeLevel) {
		t.Error("an unmapped code was given a meaning")
	}
	mapped := &Batch{}
	if err := Read(strings.NewReader(doc), "f", Options{Levels: map[string]federation.Level{"30": federation.LevelSubstanziell}}, mapped); err != nil {
		t.Fatal(err)
	}
	if mapped.Records[0].Form.Level != federation.LevelSubstanziell || len(mapped.Report.Findings) > 0 {
		t.Errorf("the mapping was not used: %v, %v", mapped.Records[0].Form.Level, mapped.Report.Findings)
	}
}

func TestUnknownElementsAreCounted(t *testing.T) {
	b := mustRead(t, build(space220, leistungXML("1", `<xz:herausgeber><xz:a/><xz:b/></xz:herausgeber><xz:herausgeber/><neu xmlns="urn:neu">x</neu>`), `<xz:anhang/>`))
	want := map[string]int{"herausgeber": 2, "neu": 1, "anhang": 1}
	if !reflect.DeepEqual(b.Report.Skipped, want) {
		t.Errorf("skipped %v, want %v", b.Report.Skipped, want)
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
