package mirror

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

var sampleWords = strings.Fields(`Antrag Behörde Gemeinde Bescheid Genehmigung Unterlagen Nachweis Gebühr Frist Termin Formular Unterschrift Wohnung Haus
Grundstück Straße Fahrzeug Anhänger Hund Gewerbe Verein Schule Friedhof Wasser Abwasser Baum Wald Garten Weg Ausweis Urkunde Register Auszug Kopie
Vollmacht Geburt Umzug Steuer Beitrag Zuschuss Einkommen Miete Pflege Beruf Ausbildung Prüfung Sprache Kurs schriftlich persönlich rechtzeitig gültig
zuständig jährlich einmalig innerhalb spätestens beantragen vorlegen ausfüllen prüfen ablehnen verlängern anzeigen zahlen erstatten Auflage Hinweis
Auskunft Beratung Telefon Zimmer Eingang Vormittag Nachmittag Woche Monat Jahr`)

const sampleArea = "034590012012"

// sampleCatalogue has n offers of about 1.3 KB each.
func sampleCatalogue(member federation.EntityID, serial uint64, n int, area string) *catalog.Catalogue {
	c := &catalog.Catalogue{Member: member, Serial: serial}
	c.Units = []catalog.Unit{{ID: catalog.NewID("T", "U1"), Name: catalog.Text{"de": "Bürgeramt"}}}
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		id := catalog.NewID("T", fmt.Sprintf("L%05d", i))
		o := catalog.Offer{
			ID: id, Leika: leika.MustParse("99108008060000"), Title: catalog.Text{"de": fmt.Sprintf("Leistung %d %s", i, sampleWords[r.IntN(len(sampleWords))])},
			Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: catalog.NewID("T", fmt.Sprintf("Z%05d", i)), Area: region.MustArea(area), Role: catalog.Zustaendig, Unit: c.Units[0].ID}},
			Geaendert:        time.Date(2026, 1, 1, 0, 0, i%3600, 0, time.UTC),
		}
		for _, kind := range []catalog.SectionKind{catalog.Kurztext, catalog.Volltext, catalog.Unterlagen, catalog.Kosten} {
			words := make([]string, 34)
			for j := range words {
				words[j] = sampleWords[r.IntN(len(sampleWords))]
			}
			o.Sections = append(o.Sections, catalog.Section{Kind: kind, Text: catalog.Text{"de": "<p>" + strings.Join(words, " ") + "</p>"}})
		}
		c.Offers = append(c.Offers, o)
	}
	return c
}
