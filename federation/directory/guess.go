package directory

import (
	"slices"
	"strings"

	"rathausnetz/federation/directory/words"
)

// synonyms adds what the dictionary says about the words of the query.
func (d *Directory) synonyms(s *scratch, t *texts, stems []string) {
	d.words.Lookup(stems, func(syn *words.Synonym, at []int) {
		if len(s.alternatives) >= maxAlternatives {
			return
		}
		var covers uint16
		for _, i := range at {
			covers |= 1 << i
		}
		weight := float32(0.88)
		if len(at) > 1 {
			weight = 0.95 // a whole phrase is hardly meant otherwise
		}
		s.mean(t, syn.Means, covers, weight)
	})
}

// maxAlternatives bounds the readings of one query.
const maxAlternatives = 32

func (s *scratch) mean(t *texts, means []words.Meaning, covers uint16, weight float32) {
	for _, m := range means {
		a := alternative{covers: covers, weight: weight, shown: m.Shown}
		for _, stem := range m.Stems {
			a.parts = append(a.parts, s.part(t, stem))
		}
		s.alternatives = append(s.alternatives, a)
		weight *= 0.97 // the first meaning is the likeliest
	}
}

// split reads an unknown compound as its elements: Hundeanmeldung is hund and
// anmeld. A weak last element (Jagdscheinantrag) may be missing. It reports
// whether it could.
func (s *scratch) split(t *texts, i int, weights words.Weights) bool {
	word := s.tokens[i].folded
	if len(word) < 8 {
		return false
	}
	left, right := "", ""
	for at := len(word) - 3; at >= 3; at-- {
		end := words.Stem(word[at:])
		weak := weights.Of(word[at:]) == words.Weak
		if !weak && !t.has(end) {
			continue
		}
		if begin, ok := t.linked(word[:at]); ok && len(begin) > len(left) {
			left, right = begin, end
			if weak {
				right = ""
			}
		}
	}
	if left == "" {
		return false
	}
	a := alternative{covers: 1 << i, weight: 0.80, parts: []int{s.part(t, left)}}
	if right != "" {
		a.parts = append(a.parts, s.part(t, right))
	}
	s.alternatives = append(s.alternatives, a)
	return true
}

// has reports whether some document has the word with this stem.
func (t *texts) has(stem string) bool {
	id, ok := t.vocabulary.ID(stem)
	return ok && len(t.postings[id]) > 0
}

// linked returns the stem of the first element of a compound, which may end
// with a linking sound.
func (t *texts) linked(begin string) (string, bool) {
	for _, link := range [...]string{"", "s", "es", "n", "en", "e", "er"} {
		word, ok := strings.CutSuffix(begin, link)
		if !ok || len(word) < 3 {
			continue
		}
		if stem := words.Stem(word); t.has(stem) {
			return stem, true
		}
	}
	return "", false
}

// shorten is the last resort for an unknown word: the known word it ends with
// (Bundeselterngeld), if few offers have that, or its longest known beginning
// (Elterngeldrechner).
func (d *Directory) shorten(s *scratch, t *texts, i int) {
	word := s.tokens[i].folded
	for at := 3; at <= len(word)-4; at++ {
		end := words.Stem(word[at:])
		if id, ok := t.vocabulary.ID(end); ok && len(end) >= 5 && len(t.postings[id]) > 0 && len(t.postings[id]) <= max(3, t.live/40) {
			s.alternatives = append(s.alternatives, alternative{covers: 1 << i, weight: 0.60, parts: []int{s.part(t, end)}})
			return
		}
		if d.means(s, t, word[at:], i, 0.60) {
			return
		}
	}
	for at := len(word) - 1; at >= max(5, (len(word)+1)/2); at-- {
		begin, ok := t.linked(word[:at])
		if !ok && at >= 6 {
			begin = word[:at]
			t.vocabulary.Prefixed(begin, func(id uint32, _ string) bool {
				ok = len(t.postings[id]) > 0
				return !ok
			})
		}
		if ok {
			s.alternatives = append(s.alternatives, alternative{covers: 1 << i, weight: 0.60, parts: []int{s.part(t, begin)}})
			return
		}
	}
}

// correct looks for a known word with a small typing error in it, in the
// offers and in the dictionary. It reports whether there is one.
func (d *Directory) correct(s *scratch, t *texts, i int) bool {
	k := &s.tokens[i]
	best, bestHits := words.Near{}, 0
	if limit := words.Typos(len(s.stems[i]) - 1); limit > 0 { // stems are shorter than words
		best, bestHits = t.nearest(s.stems[i], limit)
	}
	limit := words.Typos(len(k.folded))
	if limit == 0 {
		return false
	}
	for _, n := range d.words.Similar(k.folded, limit) {
		if n.Distance == 0 {
			return true // an everyday word, but nothing here is called what it means
		}
		if n.Prefix || (bestHits > 0 && !best.Prefix && best.Distance <= n.Distance) {
			break
		}
		if words.Plausible(k.folded, words.Fold(n.Word), n.Distance) && d.means(s, t, n.Word, i, 0.75) {
			s.parts[k.part].typo = n.Word
			return true
		}
	}
	if bestHits == 0 {
		return false
	}
	p := &s.parts[k.part]
	p.titled = p.meet(t, best.ID, byTypo)
	p.typo = t.surface[best.ID]
	s.weigh(k.part, t)
	return true
}

// nearest returns the plausible word with the fewest errors, of those the one
// of most documents.
func (t *texts) nearest(stem string, limit int) (best words.Near, hits int) {
	for _, n := range t.vocabulary.Similar(stem, limit) {
		if n.Prefix && hits > 0 && !best.Prefix {
			break
		}
		have := len(t.postings[n.ID])
		if have == 0 || len(n.Word) < 4 || !words.Plausible(stem, n.Word, n.Distance) {
			continue
		}
		if hits == 0 || n.Distance < best.Distance || (n.Distance == best.Distance && have > hits) {
			best, hits = n, have
		}
	}
	return best, hits
}

// means adds what the dictionary says about an everyday word as a reading of
// token i. It reports whether the dictionary has it and some offer what it
// means.
func (d *Directory) means(s *scratch, t *texts, everyday string, i int, weight float32) bool {
	stems := words.Stems(everyday)
	before := len(s.alternatives)
	d.words.Lookup(stems, func(syn *words.Synonym, at []int) {
		if len(at) == len(stems) {
			s.mean(t, syn.Means, 1<<i, weight)
		}
	})
	return slices.ContainsFunc(s.alternatives[before:], func(a alternative) bool { return s.any(&a) })
}

func (s *scratch) any(a *alternative) bool {
	return !slices.ContainsFunc(a.parts, func(p int) bool { return !s.parts[p].any })
}
