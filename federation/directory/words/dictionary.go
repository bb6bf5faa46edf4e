package words

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed synonyme.txt
var builtin string

// Builtin returns the dictionary that comes with the program.
func Builtin() string { return builtin }

const (
	maxLine   = 2000  // bytes
	maxLines  = 20000 // of all dictionaries together
	maxPhrase = 4     // words on one side
)

// Dictionary leads from everyday words to the words of the administration.
type Dictionary struct {
	byFirst map[string][]*Synonym // by the first stem of a left side
	lefts   *Vocabulary           // single folded words of left sides
	shown   []string              // as written, by number in lefts
	entries int
	weights Weights
}

// Synonym is one reading of an everyday phrase.
type Synonym struct {
	Phrase []string // stems that must all be in the query
	Means  []Meaning
}

// Meaning is one official word or phrase: Stems must all be found.
type Meaning struct {
	Shown string
	Stems []string
}

// NewDictionary reads dictionaries, one entry a line:
//
//	Perso, Ausweis: Personalausweis
//
// On the left everyday words or phrases, on the right what they mean, both
// separated by commas; # begins a comment line. A word of a phrase may stand
// anywhere in a query. Lines of another form are not read; their numbers
// (from 1, counted through all texts) are returned.
func NewDictionary(texts ...string) (*Dictionary, []int) {
	d := &Dictionary{byFirst: map[string][]*Synonym{}, lefts: &Vocabulary{}, weights: NewWeights()}
	var broken []int
	var lefts []string
	seen := map[string]bool{}
	n := 0
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if n++; n > maxLines {
				return d, append(broken, n)
			}
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			phrases, ok := d.add(line)
			if !ok {
				broken = append(broken, n)
			}
			for _, p := range phrases {
				if w := Fold(p); !strings.Contains(p, " ") && w != "" && !seen[w] {
					seen[w] = true
					lefts = append(lefts, w)
					d.shown = append(d.shown, p)
				}
			}
		}
	}
	d.lefts = d.lefts.With(lefts)
	return d, broken
}

func (d *Dictionary) add(line string) (phrases []string, ok bool) {
	left, right, found := strings.Cut(line, ":")
	if !found || len(line) > maxLine {
		return nil, false
	}
	var means []Meaning
	for part := range strings.SplitSeq(right, ",") {
		if m := (Meaning{strings.TrimSpace(part), d.content(part)}); len(m.Stems) > 0 && len(m.Stems) <= maxPhrase {
			means = append(means, m)
		}
	}
	for part := range strings.SplitSeq(left, ",") {
		stems := Stems(part)
		if len(stems) == 0 || len(stems) > maxPhrase || len(means) == 0 {
			return phrases, false
		}
		phrases = append(phrases, strings.TrimSpace(part))
		d.byFirst[stems[0]] = append(d.byFirst[stems[0]], &Synonym{stems, means})
		d.entries++
	}
	return phrases, true
}

// content returns the stems of what is searched: no index has fillers.
func (d *Dictionary) content(text string) []string {
	var out []string
	Each(text, func(w Word) bool {
		if d.weights.Of(w.Folded) != Filler {
			out = append(out, Stem(w.Folded))
		}
		return true
	})
	return out
}

// Stems returns the stems of the words of text.
func Stems(text string) []string {
	var out []string
	Each(text, func(w Word) bool {
		out = append(out, Stem(w.Folded))
		return true
	})
	return out
}

// Len returns the number of everyday words and phrases.
func (d *Dictionary) Len() int { return d.entries }

// Lookup calls f for every entry whose phrase the stems of a query contain,
// with the positions of its words in stems.
func (d *Dictionary) Lookup(stems []string, f func(s *Synonym, at []int)) {
	for i, first := range stems {
		if slices.Index(stems, first) != i {
			continue
		}
		for _, s := range d.byFirst[first] {
			at := []int{i}
			for _, more := range s.Phrase[1:] {
				j := slices.Index(stems, more)
				if j < 0 {
					break
				}
				at = append(at, j)
			}
			if len(at) == len(s.Phrase) {
				f(s, at)
			}
		}
	}
}

// Similar returns the everyday words within limit typing errors of a folded
// word, the nearest first; Word is as the dictionary writes it.
func (d *Dictionary) Similar(folded string, limit int) []Near {
	near := d.lefts.Similar(folded, limit)
	for i := range near {
		near[i].Word = d.shown[near[i].ID]
	}
	return near
}
