package words

import (
	"cmp"
	"slices"
	"strings"
)

// Vocabulary is a growing set of words, each with a number from 0 in the
// order of adding. A value is immutable: With returns a new one that shares
// what was there.
type Vocabulary struct {
	layers []*layer // number ranges that follow each other, the large ones first
	size   uint32
}

// layer is a range of words with its own indexes.
type layer struct {
	first  uint32
	words  []string
	byName map[string]uint32   // offset from first
	sorted []uint32            // offsets by word
	grams  map[uint32][]uint32 // trigram → ascending offsets
}

// Len returns the number of words.
func (v *Vocabulary) Len() uint32 { return v.size }

// With returns a vocabulary that also has words, which must be distinct and
// new. They get the numbers from v.Len() on. Small layers are merged so that
// there are never more than a dozen.
func (v *Vocabulary) With(words []string) *Vocabulary {
	if len(words) == 0 {
		return v
	}
	layers := slices.Clone(v.layers)
	first, all := v.size, words
	for n := len(layers); n > 0 && len(layers[n-1].words) <= 2*len(all); n = len(layers) {
		top := layers[n-1]
		layers = layers[:n-1]
		first, all = top.first, slices.Concat(top.words, all)
	}
	return &Vocabulary{append(layers, newLayer(first, all)), v.size + uint32(len(words))}
}

func newLayer(first uint32, words []string) *layer {
	l := &layer{
		first: first, words: words, byName: make(map[string]uint32, len(words)),
		sorted: make([]uint32, len(words)), grams: map[uint32][]uint32{},
	}
	for i, w := range words {
		l.byName[w] = uint32(i)
		l.sorted[i] = uint32(i)
		eachGram(w, func(g uint32) {
			if list := l.grams[g]; len(list) == 0 || list[len(list)-1] != uint32(i) {
				l.grams[g] = append(list, uint32(i))
			}
		})
	}
	slices.SortFunc(l.sorted, func(a, b uint32) int { return cmp.Compare(words[a], words[b]) })
	return l
}

// eachGram calls f with each trigram of w and its two edges.
func eachGram(w string, f func(uint32)) {
	const edge = 1
	g := uint32(edge)
	for i := range len(w) {
		g = g<<8&0xffffff | uint32(w[i])
		if i > 0 {
			f(g)
		}
	}
	f(g<<8&0xffffff | edge)
}

// ID returns the number of a word.
func (v *Vocabulary) ID(word string) (uint32, bool) {
	for _, l := range v.layers {
		if i, ok := l.byName[word]; ok {
			return l.first + i, true
		}
	}
	return 0, false
}

// Word returns the word with this number, which must be below Len.
func (v *Vocabulary) Word(id uint32) string {
	for _, l := range v.layers {
		if id < l.first+uint32(len(l.words)) {
			return l.words[id-l.first]
		}
	}
	return ""
}

// Prefixed calls f for every word that begins with prefix, in the order of
// the alphabet within a layer, until f returns false.
func (v *Vocabulary) Prefixed(prefix string, f func(id uint32, word string) bool) {
	for _, l := range v.layers {
		i, _ := slices.BinarySearchFunc(l.sorted, prefix, func(o uint32, p string) int { return cmp.Compare(l.words[o], p) })
		for ; i < len(l.sorted) && strings.HasPrefix(l.words[l.sorted[i]], prefix); i++ {
			if !f(l.first+l.sorted[i], l.words[l.sorted[i]]) {
				return
			}
		}
	}
}

// Containing calls f for every word that has part, of at least three bytes,
// somewhere, until f returns false.
func (v *Vocabulary) Containing(part string, f func(id uint32, word string) bool) {
	for _, l := range v.layers {
		var rare []uint32
		found := true
		for i := 0; i+3 <= len(part); i++ {
			list := l.grams[uint32(part[i])<<16|uint32(part[i+1])<<8|uint32(part[i+2])]
			if len(list) == 0 {
				found = false
				break
			}
			if rare == nil || len(list) < len(rare) {
				rare = list
			}
		}
		for _, o := range rare {
			if found && strings.Contains(l.words[o], part) && !f(l.first+o, l.words[o]) {
				return
			}
		}
	}
}

// Near is a word that resembles another.
type Near struct {
	ID       uint32
	Word     string
	Distance int
	Prefix   bool // only the beginning of Word resembles
}

// Similar returns the words within limit typing errors of word, the nearest
// first, then by word, and after them longer words whose beginning is within
// one. Words that share no part at all are not found.
func (v *Vocabulary) Similar(word string, limit int) []Near {
	var out []Near
	for _, l := range v.layers {
		out = l.similar(out, word, limit)
	}
	slices.SortFunc(out, func(a, b Near) int {
		if a.Prefix != b.Prefix {
			if a.Prefix {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Word, b.Word))
	})
	return out
}

func (l *layer) similar(out []Near, word string, limit int) []Near {
	counts := make([]uint8, len(l.words))
	total := 0
	var touched []uint32
	eachGram(word, func(g uint32) {
		total++
		for _, o := range l.grams[g] {
			if counts[o] == 0 {
				touched = append(touched, o)
			}
			counts[o]++
		}
	})
	need := uint8(max(1, total-3*limit)) // one error touches three trigrams
	for _, o := range touched {
		if counts[o] < need {
			continue
		}
		if d := Distance(word, l.words[o], limit); d <= limit {
			out = append(out, Near{l.first + o, l.words[o], d, false})
		} else if d := prefixDistance(word, l.words[o]); d <= 1 {
			out = append(out, Near{l.first + o, l.words[o], d, true})
		}
	}
	return out
}

// prefixDistance is the distance of word to the beginning of a longer one,
// for the first element of a compound; 2 if it is more than one error.
func prefixDistance(word, longer string) int {
	if len(word) < 6 || len(longer) < len(word)+3 {
		return 2
	}
	best := 2
	for n := len(word) - 1; n <= len(word)+1; n++ {
		best = min(best, Distance(word, longer[:n], 1))
	}
	return best
}
