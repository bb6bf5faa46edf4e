package directorytest

import (
	"math"
	"math/rand/v2"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Question asks who is responsible.
type Question struct {
	Leika leika.ID
	Place region.Area
}

// Questions returns count questions about Gemeinden of the network, Zipf
// distributed over keys and places, the same ones for the same network.
func (n *Network) Questions(count int) []Question {
	r := rand.New(rand.NewPCG(1, 2))
	keys, places := n.Keys(), n.Places()
	zipf := func(size int) int { return int(math.Pow(float64(size), r.Float64())) - 1 }
	perm := r.Perm(len(places))
	out := make([]Question, count)
	for i := range out {
		out[i] = Question{keys[zipf(len(keys))], places[perm[zipf(len(places))]]}
	}
	return out
}

// Queries returns 200 queries as people mix them: words, prefixes, compounds,
// typos, umlauts.
func Queries() []string {
	base := []string{
		"Personalausweis beantragen", "hundesteuer", "Hund anmelden", "gewerbe", "Baugenehmigung", "fuehrerschein", "Geburtsurkunde bestellen", "wohngeld", "Elterngeld", "parkkarte",
		"Wasseranmeldung", "Abfallgebühr", "abfallgebuehr", "strassennutzung", "Straßennutzung ändern", "marktplatz", "gaststättenerlaubnis", "Spielgenehmigung", "waffenschein", "Tieranzeige",
		"perso", "Knöllchen", "umziehen", "heiraten", "Auto abmelden", "fürsorge", "Pflegegeld", "pflegegelt", "Heizungskontrolle", "heizungskontrole",
		"jag", "fisch", "steu", "anm", "Befristete Erlaubnis", "Zuschuss für Musik", "Sprachprüfung", "sprachpruefung", "Rentenberatung", "was kostet ein Reiseausweis",
	}
	out := make([]string, 0, 200)
	for i := range 200 {
		q := base[i%len(base)]
		switch i / len(base) {
		case 1:
			r := []rune(q)
			q = string(r[:max(3, len(r)-3)])
		case 2:
			q += " verlängern"
		case 3:
			r := []rune(q)
			if len(r) > 6 {
				r[3], r[4] = r[4], r[3]
			}
			q = string(r)
		case 4:
			q = "ich möchte " + q
		}
		out = append(out, q)
	}
	return out
}
