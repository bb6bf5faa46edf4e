package words

import (
	_ "embed"
	"strings"
)

//go:embed fuellwoerter.txt
var fillers string

// Weight says how much a word of a query means.
type Weight uint8

// The weights.
const (
	Content Weight = iota // decides
	Weak                  // helps, may be missing: antrag, beantragen, neu
	Action                // what is done, not to what: abmelden, verlängern, verloren
	Filler                // ich, möchte, der: ignored
)

// Weights tells how much words mean. The zero value knows none: all Content.
type Weights struct{ of map[string]Weight }

// NewWeights reads the built-in list.
func NewWeights() Weights {
	w := Weights{of: map[string]Weight{}}
	weight := Filler
	for line := range strings.Lines(fillers) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "[schwach]":
			weight = Weak
		case line == "[handlung]":
			weight = Action
		case line == "[leer]":
			weight = Filler
		default:
			for word := range strings.FieldsSeq(line) {
				w.of[Fold(word)] = weight
			}
		}
	}
	return w
}

// Of returns the weight of a folded word.
func (w Weights) Of(folded string) Weight { return w.of[folded] }
