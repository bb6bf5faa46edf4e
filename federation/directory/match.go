package directory

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"rathausnetz/federation/directory/words"
)

// A grade is where and how a word was met: the field times grades plus the
// way. Higher weight is better; 0 is not at all.
type grade uint8

// The ways a word is met, the worst first.
const (
	byPart    grade = 1 + iota // inside a longer word
	byPrefix                   // at its beginning
	byElement                  // as an element of a compound
	byTypo                     // but for a typing error
	byWord                     // itself
	ways
)

const (
	gradeText    = 0 * ways
	gradeSynonym = 1 * ways
	gradeTitle   = 2 * ways
	grades       = 3 * ways
)

// gradeWeights is how much each grade counts, at most 1.
func gradeWeights() (w [grades]float32) {
	way := [ways]float32{0, 0.40, 0.60, 0.75, 0.85, 1}
	for i := range ways {
		w[gradeText+i] = 0.45 * way[i]
		w[gradeSynonym+i] = 0.92 * way[i]
		w[gradeTitle+i] = way[i]
	}
	return w
}

// read cuts the text of a query into tokens.
func (d *Directory) read(s *scratch, t *texts, text string) {
	text = cut(text, MaxQueryBytes)
	words.Each(text, func(w words.Word) bool {
		stem := words.Stem(w.Folded)
		s.stems = append(s.stems, stem)
		s.tokens = append(s.tokens, token{
			written: text[w.From:w.To], folded: w.Folded, part: -1,
			weight: d.weights.Of(w.Folded), named: t.names[stem],
		})
		return len(s.tokens) < MaxQueryWords
	})
	meaning := false
	for i := range s.tokens {
		meaning = meaning || s.tokens[i].weight != words.Filler
	}
	if !meaning { // nothing but fillers: take them at their word
		for i := range s.tokens {
			s.tokens[i].weight = words.Content
		}
	}
}

// match finds for every document how well it fits the tokens that were read.
// last says that the last word may be unfinished.
func (d *Directory) match(s *scratch, v *view, literal, last bool) {
	t := v.ix.texts
	if n := len(t.docs)/64 + 1; len(s.candidates) < n {
		s.candidates = make([]uint64, n)
	}
	for i := range s.tokens {
		k := &s.tokens[i]
		if k.weight == words.Filler {
			continue
		}
		k.part = s.part(t, s.stems[i])
	}
	d.synonyms(s, t, s.stems)
	for i := range s.tokens {
		k := &s.tokens[i]
		if k.part < 0 || s.parts[k.part].any || s.covered(i) {
			continue
		}
		unfinished := last && i == len(s.tokens)-1
		if s.split(t, i, d.weights) || unfinished || len(k.named) > 0 {
			continue
		}
		if literal || !d.correct(s, t, i) {
			d.shorten(s, t, i)
		}
	}
	s.borrow()
	s.score(v)
}

// borrow gives words that no offer has the weight of what they mean: an
// unknown word is rare, but that says nothing about it.
func (s *scratch) borrow() {
	for i := range s.tokens {
		k := &s.tokens[i]
		if k.part < 0 || s.parts[k.part].any {
			continue
		}
		idf := float32(0)
		for j := range s.alternatives {
			a := &s.alternatives[j]
			if a.covers>>i&1 == 0 || !s.any(a) {
				continue
			}
			for _, p := range a.parts {
				idf = max(idf, s.parts[p].idf)
			}
		}
		if idf > 0 {
			s.parts[k.part].idf = idf
		}
	}
}

func (s *scratch) covered(i int) bool {
	return slices.ContainsFunc(s.alternatives, func(a alternative) bool { return a.covers>>i&1 != 0 && s.any(&a) })
}

// part looks for a stem: itself, as prefix and inside other words.
func (s *scratch) part(t *texts, stem string) int {
	for i := range s.parts {
		if s.parts[i].stem == stem {
			return i
		}
	}
	if p, ok := t.memory.get(stem); ok {
		s.parts = append(s.parts, p)
		return len(s.parts) - 1
	}
	p := part{stem: stem, met: s.row(len(t.docs)), docs: s.bits(len(t.docs))}
	if id, ok := t.vocabulary.ID(stem); ok && len(t.postings[id]) > 0 {
		p.exact = true
		p.titled = p.meet(t, id, byWord)
	}
	if len(stem) >= 3 {
		budget := maxExpansions
		t.vocabulary.Prefixed(stem, func(id uint32, word string) bool {
			if word != stem && len(t.postings[id]) > 0 {
				p.meet(t, id, t.prefixWay(word, stem))
				budget--
			}
			return budget > 0
		})
	}
	if len(stem) >= 4 {
		budget := maxExpansions
		t.vocabulary.Containing(stem, func(id uint32, word string) bool {
			if !strings.HasPrefix(word, stem) && len(t.postings[id]) > 0 {
				p.meet(t, id, t.insideWay(word, stem))
				budget--
			}
			return budget > 0
		})
	}
	s.parts = append(s.parts, p)
	s.weigh(len(s.parts)-1, t)
	if last := &s.parts[len(s.parts)-1]; last.any {
		t.memory.put(last)
	}
	return len(s.parts) - 1
}

// maxExpansions bounds the words one word of a query may stand for.
const maxExpansions = 200

// row returns a cleared row of n grades.
func (s *scratch) row(n int) []grade {
	if k := len(s.spare); k > 0 && cap(s.spare[k-1]) >= n {
		row := s.spare[k-1][:n]
		s.spare = s.spare[:k-1]
		clear(row)
		return row
	}
	return make([]grade, n, n+n/4+64)
}

// bits returns cleared bits for n documents.
func (s *scratch) bits(n int) []uint64 {
	words := n/64 + 1
	if k := len(s.spareBits); k > 0 && cap(s.spareBits[k-1]) >= words {
		b := s.spareBits[k-1][:words]
		s.spareBits = s.spareBits[:k-1]
		clear(b)
		return b
	}
	return make([]uint64, words, words+words/4+8)
}

// weigh counts the documents that have the part: rare words say more.
func (s *scratch) weigh(i int, t *texts) {
	p := &s.parts[i]
	n := 0
	for _, word := range p.docs {
		n += bits.OnesCount64(word)
	}
	p.any = n > 0
	p.idf = float32(math.Log1p(float64(t.live+1) / float64(n+1)))
}

// meet notes in every document that has word id how it was met. It reports
// whether a title has it.
func (p *part) meet(t *texts, id uint32, way grade) (titled bool) {
	for _, x := range t.postings[id] {
		g := gradeText + way
		switch {
		case x&inTitle != 0:
			g = gradeTitle + way
			titled = true
		case x&inSynonym != 0:
			g = gradeSynonym + way
		}
		doc := x >> fieldBits
		p.docs[doc/64] |= 1 << (doc % 64)
		if g > p.met[doc] {
			p.met[doc] = g
		}
	}
	return titled
}

// prefixWay tells hund|e|steu, a compound, from a mere beginning.
func (t *texts) prefixWay(word, stem string) grade {
	if t.element(word[len(stem):], true) {
		return byElement
	}
	return byPrefix
}

func (t *texts) insideWay(word, stem string) grade {
	at := strings.Index(word, stem)
	before, after := word[:at], word[at+len(stem):]
	if t.element(before, false) && (after == "" || t.element(after, true)) {
		return byElement
	}
	return byPart
}

// element reports whether rest is a word of the vocabulary, or an ending,
// with or without a linking sound: before it (after another word) or after.
func (t *texts) element(rest string, linkFirst bool) bool {
	if len(rest) < 3 {
		return linkFirst // an ending
	}
	for _, link := range [...]string{"", "s", "es", "n", "en", "e", "er"} {
		word, ok := strings.CutSuffix(rest, link)
		if linkFirst {
			word, ok = strings.CutPrefix(rest, link)
		}
		if !ok || len(word) < 3 {
			continue
		}
		if t.has(word) { // what a stem loses looks like a linking sound
			return true
		}
	}
	return false
}

// manyHits is where a table of all claims begins to pay.
const manyHits = 100

func (s *scratch) cleared(n int) []uint32 {
	if len(s.table32) < n {
		s.table32 = make([]uint32, n+n/4)
	}
	table := s.table32[:n]
	clear(table)
	return table
}

// decides reports whether a reading is about a word that decides.
func (s *scratch) decides(a *alternative) bool {
	for i := range s.tokens {
		if a.covers>>i&1 != 0 && s.tokens[i].weight == words.Content {
			return true
		}
	}
	return false
}

// score fills scored with every document of the place that fits well enough.
func (s *scratch) score(v *view) {
	t := v.ix.texts
	s.scored = s.scored[:0]
	if len(s.tokens) == 0 {
		return
	}
	clear(s.candidates)
	content := false
	for i := range s.tokens {
		content = content || s.tokens[i].weight == words.Content
	}
	mark := func(p int) {
		for w, word := range s.parts[p].docs {
			s.candidates[w] |= word
		}
	}
	for i := range s.tokens {
		if k := &s.tokens[i]; k.part >= 0 && (!content || k.weight == words.Content) {
			mark(k.part)
		}
	}
	for i := range s.alternatives {
		if a := &s.alternatives[i]; len(a.parts) > 0 && (!content || s.decides(a)) {
			mark(a.parts[0])
		}
	}
	for w, word := range s.candidates {
		for ; word != 0; word &= word - 1 {
			doc := int32(w*64 + bits.TrailingZeros64(word))
			if !v.possible(t.numbers[doc]) {
				continue
			}
			if x, ok := s.rate(t, doc); ok {
				s.scored = append(s.scored, x)
			}
		}
	}
}
