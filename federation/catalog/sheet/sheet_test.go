package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

var now = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)

func sample() *catalog.Catalogue {
	area := region.MustArea("034590012012")
	c := &catalog.Catalogue{Member: "https://bissendorf.example", Serial: 3, Offers: []catalog.Offer{
		{
			ID: "a:1", Title: catalog.Text{"de": "Hund anmelden", "en": "Register a dog"}, Synonyms: []string{"Hundesteuer", "Hundemarke"},
			Sections:         []catalog.Section{{Kind: catalog.Kurztext, Text: catalog.Text{"de": "<p>Für alle &amp; jeden</p>"}}, {Kind: catalog.Kosten, Text: catalog.Text{"de": "<p>60 Euro; im Jahr</p>"}}},
			Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: "a:z1", Area: area, Role: catalog.Zustaendig}}, Themenfeld: "steuern_zoll",
		},
		{ID: "a:2", Title: catalog.Text{"de": "=Summe \"alt\"\u00a0neu"}, Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: "a:z2", Area: area, Role: catalog.Zustaendig}}},
	}}
	c.Normalize()
	return c
}

// edit downloads the table, hands its cells to change and returns it as a
// spreadsheet would save it.
func edit(t testing.TB, c *catalog.Catalogue, change func(rows [][]string, at func(name string) int)) string {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(&buf, c); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(buf.String(), bom)))
	r.Comma = separator
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	change(rows, func(name string) int {
		for i, n := range rows[0] {
			if n == name {
				return i
			}
		}
		t.Fatalf("no column %q", name)
		return -1
	})
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Comma = separator
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func mustPlan(t testing.TB, doc string, c *catalog.Catalogue) *Plan {
	t.Helper()
	p, err := Read(strings.NewReader(doc), "t.csv", c, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUntouchedTableChangesNothing(t *testing.T) {
	c := sample()
	before, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{
		"as downloaded": func() string {
			var buf bytes.Buffer
			if err := Write(&buf, c); err != nil {
				t.Fatal(err)
			}
			return buf.String()
		}(),
		"as saved by a spreadsheet": edit(t, c, func([][]string, func(string) int) {}),
	} {
		t.Run(name, func(t *testing.T) {
			p := mustPlan(t, doc, c)
			if len(p.Changes) > 0 || len(p.Findings) > 0 || p.Next == nil || !catalog.Compare(c, p.Next).IsZero() {
				t.Errorf("plan %+v", p)
			}
		})
	}
	if after, err := json.Marshal(c); err != nil || !bytes.Equal(before, after) {
		t.Error("the current catalogue was changed")
	}
}

func TestFormulasAreDefused(t *testing.T) {
	var buf bytes.Buffer
	if err := Write(&buf, sample()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(buf.String(), ";=") || strings.Contains(buf.String(), "\"=Summe") || !strings.HasPrefix(buf.String(), bom) {
		t.Errorf("a cell begins like a formula, or the mark is missing:\n%s", buf.String())
	}
}

func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		column, value string
		want          func(o *catalog.Offer) any
		is            any
	}{
		{"Titel", "  Hund   <b>abmelden</b> ", func(o *catalog.Offer) any { return o.Title }, catalog.Text{"de": "Hund abmelden", "en": "Register a dog"}},
		{"Kurztext", "Erste Zeile\nzweite\n\nAbsatz & Ende", func(o *catalog.Offer) any { return o.Section(catalog.Kurztext)["de"] }, "<p>Erste Zeile<br>zweite</p><p>Absatz &amp; Ende</p>"},
		{"Kosten", "<p>frei</p><script>x</script>", func(o *catalog.Offer) any { return o.Section(catalog.Kosten)["de"] }, "<p>frei</p>"},
		{"Kosten", emptyWord, func(o *catalog.Offer) any { return o.Section(catalog.Kosten) == nil }, true},
		{"Fristen", "2 Wochen", func(o *catalog.Offer) any { return o.Section(catalog.Fristen)["de"] }, "<p>2 Wochen</p>"},
		{"Synonyme", "B | A|A", func(o *catalog.Offer) any { return o.Synonyms }, []string{"A", "B"}},
		{"Themenfeld", "umwelt", func(o *catalog.Offer) any { return o.Themenfeld }, "umwelt"},
		{"Zielgruppe", "001|002", func(o *catalog.Offer) any { return o.Audience }, []string{"001", "002"}},
		{"Reichweite", "netz", func(o *catalog.Offer) any { return o.Reach }, catalog.ReachNetwork},
		{"Gültig bis", "31.12.2026", func(o *catalog.Offer) any { return o.Valid.To }, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(tt.column+" "+tt.value, func(t *testing.T) {
			c := sample()
			p := mustPlan(t, edit(t, c, func(rows [][]string, at func(string) int) { rows[1][at(newPrefix+tt.column)] = tt.value }), c)
			if p.Next == nil || len(p.Changes) != 1 || p.Changes[0].Line != 2 || p.Changes[0].Field != tt.column {
				t.Fatalf("plan %+v", p)
			}
			if got := tt.want(&p.Next.Offers[0]); !reflect.DeepEqual(got, tt.is) {
				t.Errorf("got %#v, want %#v", got, tt.is)
			}
			if !p.Next.Offers[0].Geaendert.Equal(now.Truncate(time.Second)) || !p.Next.Offers[1].Geaendert.IsZero() {
				t.Error("the time of change is wrong")
			}
			if d := catalog.Compare(sample(), c); !d.IsZero() {
				t.Errorf("the current catalogue was changed: %+v", d)
			}
		})
	}
}

func TestRowsAreRefused(t *testing.T) {
	c := sample()
	for _, tt := range []struct {
		name string
		edit func(rows [][]string, at func(string) int)
		line int
		code string
	}{
		{"unknown id", func(r [][]string, at func(string) int) { r[2][0] = "a:9" }, 3, catalog.CodeID},
		{"id twice", func(r [][]string, at func(string) int) { r[2][0] = "a:1" }, 3, catalog.CodeDuplicate},
		{"changed meanwhile", func(r [][]string, at func(string) int) {
			r[1][at("Titel")], r[1][at("Neu Titel")] = "Alter Titel", "Neuer Titel"
		}, 2, catalog.CodeText},
		{"themenfeld", func(r [][]string, at func(string) int) { r[1][at("Neu Themenfeld")] = "sport" }, 2, catalog.CodeCode},
		{"reach", func(r [][]string, at func(string) int) { r[1][at("Neu Reichweite")] = "welt" }, 2, catalog.CodeCode},
		{"date", func(r [][]string, at func(string) int) { r[2][at("Neu Gültig ab")] = "31.02.2026" }, 3, catalog.CodeCode},
		{"title emptied", func(r [][]string, at func(string) int) {
			r[1][at("Neu Titel")] = emptyWord
			r[2][at("Neu Titel")] = emptyWord
		}, 3, catalog.CodeTitle},
		{"audience", func(r [][]string, at func(string) int) { r[1][at("Neu Zielgruppe")] = "alle" }, 2, catalog.CodeCode},
		{"not utf-8", func(r [][]string, at func(string) int) { r[1][at("Neu Titel")] = "M\xfcll" }, 2, catalog.CodeText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPlan(t, edit(t, c, tt.edit), c)
			if p.Next != nil || len(p.Findings) != 1 || p.Findings[0].Code != tt.code || p.Findings[0].Line != tt.line || p.Findings[0].File != "t.csv" {
				t.Errorf("findings %+v", p.Findings)
			}
		})
	}
}

func TestTablesAreRefused(t *testing.T) {
	for name, doc := range map[string]string{
		"empty": "", "commas": "Kennung,Titel\na:1,x\n", "no id column": "Titel;Neu Titel\n", "unknown column": "Kennung;Preis\n",
		"column twice": "Kennung;Neu Titel;Neu Titel\n", "quote inside": "Kennung;Neu Titel\na:1;a\"b\n", "quote never closed": "Kennung\n\"a:1\n",
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Read(strings.NewReader(doc), "t.csv", sample(), now); !errors.Is(err, ErrTable) || p != nil {
				t.Errorf("Read = %v, %v", p, err)
			}
		})
	}
	huge := io.MultiReader(strings.NewReader("Kennung\n\""), &zeros{left: maxTable + 10})
	if _, err := Read(huge, "t.csv", sample(), now); !errors.Is(err, ErrLimit) {
		t.Errorf("a huge cell: %v", err)
	}
}

type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left <= 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	z.left -= int64(len(p))
	return len(p), nil
}

// FuzzTable: no table makes Read panic, and what it leads to is valid.
func FuzzTable(f *testing.F) {
	c := sample()
	f.Add(edit(f, c, func([][]string, func(string) int) {}))
	f.Add(bom + "Kennung;Neu Titel;Neu Kosten\r\na:1;Neu;\"a\nb\"\r\n")
	f.Add("Kennung;Neu Gültig bis;Neu Reichweite;Neu Synonyme\na:1;31.01.2026;netz;a|b\n")
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := Read(strings.NewReader(doc), "fuzz", c, now)
		if err != nil || p.Next == nil {
			return
		}
		if _, err := catalog.Pack(p.Next); err != nil {
			t.Fatalf("accepted, but cannot be packed: %v", err)
		}
		if d := catalog.Compare(sample(), c); !d.IsZero() {
			t.Fatalf("the current catalogue was changed: %+v", d)
		}
	})
}
