package catalog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

const sampleMember federation.EntityID = "https://bissendorf.example"

// sampleWords are the words of the invented sentences: running text of an
// authority that no boilerplate repeats.
var sampleWords = strings.Fields(`der die das und oder mit für von bei nach über unter zwischen gegen ohne durch werden wird wurde haben hat sein ist sind
können müssen dürfen sollen Antrag Antragsteller Behörde Gemeinde Landkreis Verwaltung Bescheid Genehmigung Erlaubnis Unterlagen Nachweis Gebühr Kosten
Frist Termin Vordruck Formular Unterschrift Person Eltern Kind Wohnung Haus Grundstück Straße Platz Fläche Fahrzeug Anhänger Hund Tier Betrieb Gewerbe
Veranstaltung Verein Feuerwehr Schule Kindergarten Friedhof Wasser Abwasser Müll Baum Wald Holz Zaun Garten Feld Weg Brücke Schild Ampel Parkplatz Ausweis
Pass Urkunde Register Auszug Kopie Original Übersetzung Beglaubigung Vollmacht Vertreter Erbe Ehe Geburt Tod Umzug Zuzug Wegzug Steuer Abgabe Beitrag
Zuschuss Förderung Beihilfe Darlehen Einkommen Vermögen Miete Rente Pflege Krankheit Behinderung Beruf Ausbildung Studium Prüfung Zeugnis Sprache Kurs
schriftlich elektronisch persönlich vollständig rechtzeitig unverzüglich gültig notwendig zuständig örtlich sachlich besonders jährlich monatlich einmalig
innerhalb außerhalb spätestens frühestens mindestens höchstens beantragen einreichen vorlegen ausfüllen unterschreiben abgeben prüfen entscheiden ablehnen
bewilligen verlängern widerrufen anzeigen anmelden abmelden ummelden zahlen überweisen erstatten erheben festsetzen Ausnahme Auflage Bedingung Hinweis
Auskunft Beratung Sprechstunde Telefon Schalter Zimmer Eingang Aufzug Bushaltestelle Öffnungszeiten Vormittag Nachmittag Woche Monat Jahr Tag Stunde`)

var sampleBoilerplate = []string{
	"Den Antrag können Sie online, schriftlich oder persönlich bei der zuständigen Stelle einreichen.",
	"Bitte bringen Sie einen gültigen Personalausweis oder Reisepass mit.",
	"Die Bearbeitung dauert in der Regel zwei bis vier Wochen.",
	"Über Ihren Antrag entscheidet die Behörde nach Prüfung aller Unterlagen.",
	"Die Höhe der Gebühr richtet sich nach der Gebührensatzung in der jeweils geltenden Fassung.",
	"Weitere Auskünfte erhalten Sie während der Öffnungszeiten im Rathaus.",
	"Gegen den Bescheid können Sie innerhalb eines Monats Klage beim Verwaltungsgericht erheben.",
	"Wenn Unterlagen fehlen, meldet sich die Behörde bei Ihnen.",
}

// sampleSentence is boilerplate in two of five cases, else new text.
func sampleSentence(r *rand.Rand) string {
	if r.IntN(5) < 2 {
		return sampleBoilerplate[r.IntN(len(sampleBoilerplate))]
	}
	words := make([]string, 8+r.IntN(8))
	for i := range words {
		words[i] = sampleWords[int(float64(len(sampleWords))*r.Float64()*r.Float64())]
	}
	s := strings.Join(words, " ") + "."
	return "Dabei " + s
}

// sampleCatalogue has n offers of about 1.3 KB each, a unit for every 25 and
// one delegation.
func sampleCatalogue(n int, seed uint64) *Catalogue {
	r := rand.New(rand.NewPCG(seed, 7))
	c := &Catalogue{Member: sampleMember, Serial: 1}
	area := region.MustArea("034590012012")
	for i := range n/25 + 1 {
		c.Units = append(c.Units, Unit{
			ID: NewID("D03459012", fmt.Sprintf("D03459012.OE.%d", i)), Name: Text{"de": fmt.Sprintf("Fachbereich %d", i)},
			Street: fmt.Sprintf("Kirchplatz %d", i), PLZ: "49143", Ort: "Bissendorf", Phone: fmt.Sprintf("05402 404-%d", i),
			Email: "info@bissendorf.example", Hours: Text{"de": "<p>Montag bis Freitag von 8 bis 12 Uhr</p>"}, Area: area,
		})
	}
	for i := range n {
		c.Offers = append(c.Offers, sampleOffer(r, i, c.Units[i/25].ID, area))
	}
	c.Delegations = []Delegation{{
		ID: NewID("D03459012", "D03459012.Z.99"), Leika: leika.MustParse("99154078000000"),
		Areas: []region.Area{area}, To: "https://abfall.example",
	}}
	c.Normalize()
	return c
}

func sampleOffer(r *rand.Rand, i int, unit ID, area region.Area) Offer {
	id := fmt.Sprintf("D03459012.LB.%d", 121345000+i*37)
	o := Offer{
		ID: NewID("D03459012", id), Leika: leika.ID(99000000000000 + uint64(r.IntN(160))*1000000000 + uint64(i)*1000000 + 1000),
		Title:    Text{"de": sampleWords[40+i%60] + " " + sampleWords[120+i%40]},
		Synonyms: []string{sampleWords[r.IntN(len(sampleWords))], sampleWords[r.IntN(len(sampleWords))]},
		Audience: []string{"001"}, Lebenslagen: []string{"1050200"}, Themenfeld: "bauen_wohnen",
		Zustaendigkeiten: []Zustaendigkeit{{ID: NewID("D03459012", "Z."+id), Area: area, Role: Zustaendig, Unit: unit}},
		Geaendert:        time.Date(2026, 1, 1+i%28, i%24, i%60, 0, 0, time.UTC),
	}
	if i%3 == 0 {
		o.Onlinedienste = []Onlinedienst{{
			ID: NewID("D03459012", "OD."+id), URL: "https://bissendorf.example/formular/" + id, Level: federation.LevelNiedrig,
			Links: []Link{{ID: NewID("D03459012", "ZO."+id), Areas: []region.Area{area}}}, Areas: []region.Area{area},
		}}
	}
	for _, kind := range []SectionKind{Kurztext, Unterlagen, Kosten, Bearbeitungsdauer, Rechtsgrundlage} {
		s := "<p>" + sampleSentence(r) + "</p>"
		if kind == Unterlagen {
			s = "<ul><li>" + sampleSentence(r) + "</li><li>" + sampleSentence(r) + "</li></ul>"
		}
		o.Sections = append(o.Sections, Section{Kind: kind, Text: Text{"de": s}})
	}
	return o
}
