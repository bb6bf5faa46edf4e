package xzufi

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// maker makes catalogues in which everything a catalogue can hold occurs.
type maker struct{ r *rand.Rand }

func (m maker) coin() bool { return m.r.IntN(2) == 0 }

func pick[T any](m maker, list ...T) T { return list[m.r.IntN(len(list))] }

func (m maker) id(kind string, i int) catalog.ID {
	return catalog.NewID(pick(m, "L100042", "urn:de:fitko", "", "A%B"), fmt.Sprintf("%s:%d & <x>", kind, i))
}

func (m maker) plain() catalog.Text {
	t := catalog.Text{"de": pick(m, "Hund anmelden", `Straße "Am Ort" & mehr`, "1 < 2 > 0 'so'", "Ⅷ – Größe … ñ 𝄞") + fmt.Sprint(m.r.IntN(99))}
	if m.coin() {
		t["en"] = "Something else"
	}
	return t
}

func (m maker) html() catalog.Text {
	t := catalog.Text{"de": pick(m, "<p>a</p>", "<p>a\n\tb &amp; c</p><ul><li>x<br>y</li></ul>", `<a href="https://x.example/?a=1&amp;b=2">&#34;x&#34; &#39;y&#39; &lt;</a>`)}
	if m.coin() {
		t["pl"] = "<h2>tak</h2>"
	}
	return t
}

func (m maker) time() time.Time {
	if m.coin() {
		return time.Time{}
	}
	return time.Date(2020+m.r.IntN(8), 1, 1+m.r.IntN(300), m.r.IntN(24), m.r.IntN(60), m.r.IntN(60), 0, time.UTC)
}

func (m maker) valid() catalog.Validity {
	var v catalog.Validity
	if m.coin() {
		v.From = time.Date(2020, 1, 1+m.r.IntN(300), 0, 0, 0, 0, time.UTC)
	}
	if m.coin() {
		v.To = time.Date(2030, 1, 1+m.r.IntN(300), 0, 0, 0, 0, time.UTC)
	}
	return v
}

func (m maker) areas() []region.Area {
	list := []region.Area{
		region.MustArea("03454"), region.MustArea("034590012012"), region.MustArea("034595402"), region.MustArea("05"), {},
	}
	m.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+m.r.IntN(3)]
}

func (m maker) catalogue() *catalog.Catalogue {
	c := &catalog.Catalogue{Member: testMember, Serial: 1}
	for i := range 1 + m.r.IntN(3) {
		c.Units = append(c.Units, catalog.Unit{
			ID: m.id("OE", i), Name: m.plain(), Street: pick(m, "", "Weg 1"), PLZ: pick(m, "", "49000"), Ort: pick(m, "", "Ort"),
			Phone: pick(m, "", "+49 1"), Email: pick(m, "", "a@b.example"), URL: pick(m, "", "https://x.example/?a&b"), Hours: m.html(),
			Area: pick(m, region.Area{}, region.MustArea("03459")), Geaendert: m.time(),
		})
	}
	forms := []catalog.Onlinedienst{}
	for i := range 3 {
		forms = append(forms, catalog.Onlinedienst{
			ID: m.id("OD", i), Title: pick(m, nil, m.plain()), URL: fmt.Sprintf("https://x.example/%d?a=1&b=2", i),
			Level: federation.Level(m.r.IntN(5)), Payment: m.coin(), Valid: m.valid(),
		})
	}
	for i := range 1 + m.r.IntN(5) {
		c.Offers = append(c.Offers, m.offer(i, c.Units, forms))
	}
	if m.coin() {
		c.Delegations = []catalog.Delegation{{ID: m.id("D", 1), Leika: 99154078000000, Areas: m.areas(), To: "https://abfall.example", Valid: m.valid()}}
	}
	c.Normalize()
	return c
}

func (m maker) offer(i int, units []catalog.Unit, forms []catalog.Onlinedienst) catalog.Offer {
	o := catalog.Offer{
		ID: m.id("LB", i), Leika: pick(m, leika.ID(0), 99108001001000, 3000000000001), Own: m.coin(), Title: m.plain(), Valid: m.valid(), Geaendert: m.time(),
		Synonyms: pick(m, nil, []string{"B & C", "A"}), Audience: pick(m, nil, []string{"001", "002"}), Lebenslagen: pick(m, nil, []string{"1010000"}),
		Themenfeld: pick(m, "", "umwelt"), SDG: pick(m, nil, []string{"0000000", "1050100"}), Reach: pick(m, catalog.ReachArea, catalog.ReachNetwork),
	}
	for _, k := range []catalog.SectionKind{
		catalog.Rechtsbehelf, catalog.Kosten, catalog.Kurztext, catalog.Volltext, catalog.Unterlagen, catalog.Voraussetzungen, catalog.Fristen, catalog.Bearbeitungsdauer,
		catalog.Verfahrensablauf, catalog.Rechtsgrundlage, catalog.Formulare, catalog.Hinweise, catalog.Weiterfuehrendes,
	} {
		if m.coin() {
			o.Sections = append(o.Sections, catalog.Section{Kind: k, Text: m.html()})
		}
	}
	for j := range m.r.IntN(3) {
		id, unit, role, valid := m.id("Z", i*100+j), units[m.r.IntN(len(units))].ID, pick(m, catalog.Zustaendig, catalog.Beides, catalog.Ansprechpunkt), m.valid()
		for _, a := range m.areas() {
			z := catalog.Zustaendigkeit{ID: id, Area: a, Role: role, Unit: unit, Valid: valid}
			if x := region.MustArea("034590012012"); a != x && a.Covers(x) {
				z.Except = []region.Area{x}
			}
			o.Zustaendigkeiten = append(o.Zustaendigkeiten, z)
		}
	}
	for j, f := range forms {
		if m.coin() {
			continue
		}
		for k := range 1 + m.r.IntN(2) {
			l := catalog.Link{ID: m.id("ZO", i*100+j*10+k), Areas: pick(m, nil, m.areas())}
			addForm(&o, f, l)
		}
	}
	return o
}

// TestRoundTripOfEverything: whatever a catalogue holds comes back from
// XZuFi as it was, with the same digest and the same bytes.
func TestRoundTripOfEverything(t *testing.T) {
	for seed := range uint64(60) {
		c := maker{rand.New(rand.NewPCG(seed, 1))}.catalogue()
		files, err := Files(c)
		if err != nil {
			t.Fatal(err)
		}
		second, again := reimport(t, files)
		second.Serial = 1
		if !reflect.DeepEqual(c, second) {
			t.Fatalf("seed %d: another catalogue: %+v", seed, catalog.Compare(c, second))
		}
		if digest(t, c) != digest(t, second) || !slices.EqualFunc(files, again, func(a, b File) bool { return reflect.DeepEqual(a, b) }) {
			t.Fatalf("seed %d: another digest or other bytes", seed)
		}
		apart, rep := mustImport(t, nil, BatchOf(c, "katalog"), ImportOptions{})
		apart.Serial = 1
		if !reflect.DeepEqual(c, apart) || len(rep.Orphans) > 0 {
			t.Fatalf("seed %d: taken apart and put together it differs: %+v", seed, catalog.Compare(c, apart))
		}
	}
}
