package directory

import (
	"rathausnetz/federation/directory/words"
)

// met is how one word of the query was met in one document.
type met struct {
	weight  float32 // 0 … 1, 0 for not at all
	grade   grade
	meaning bool // through the dictionary or a split
}

// rate says how well a document fits. The share of the query that was met,
// by how much each word says, counts three quarters; how much of the title
// that is, one.
func (s *scratch) rate(t *texts, doc int32) (scored, bool) {
	var found [MaxQueryWords]met
	for i := range s.tokens {
		if k := &s.tokens[i]; k.part >= 0 {
			if g := s.parts[k.part].met[doc]; g > 0 {
				found[i] = met{weight: s.weights[g], grade: g}
			}
		}
	}
	for i := range s.alternatives {
		s.read(&s.alternatives[i], doc, &found)
	}
	x := scored{doc: doc}
	var ok bool
	if x.rank, ok = s.rank(&found); !ok {
		return x, false
	}
	title := s.titleShare(t, doc)
	if x.rank == MatchedTitle && title < 0.4 {
		x.rank = MatchedSynonym // the title says much more than what was typed
	}
	x.score = 0.75*s.share(&found) + 0.25*title
	return x, x.score > minScore
}

// minScore keeps out what has next to nothing of the query.
const minScore = 0.12

// read applies one reading of some words.
func (s *scratch) read(a *alternative, doc int32, found *[MaxQueryWords]met) {
	worst := grade(0)
	sum := float32(0)
	for _, p := range a.parts {
		g := s.parts[p].met[doc]
		if g == 0 {
			return
		}
		if worst == 0 || g/ways < worst/ways {
			worst = g
		}
		sum += s.weights[g]
	}
	m := met{weight: a.weight * sum / float32(len(a.parts)), grade: worst, meaning: true}
	for i := range s.tokens {
		if a.covers>>i&1 != 0 && m.weight > found[i].weight {
			found[i] = m
		}
	}
}

// rank is the order of UX.md §5.1. A weak word (beantragen) that is missing
// does not make a hit partial; a word from an authority's name does not
// either.
func (s *scratch) rank(found *[MaxQueryWords]met) (Matched, bool) {
	rank := MatchedTitle
	some := false
	worse := func(m Matched) { rank = max(rank, m) }
	for i := range s.tokens {
		k := &s.tokens[i]
		f := &found[i]
		switch {
		case k.part < 0:
		case f.weight == 0 && (k.weight == words.Weak || len(k.named) > 0):
			worse(MatchedSynonym)
		case f.weight == 0:
			worse(MatchedPart)
		case f.grade < ways:
			some = true
			worse(MatchedText)
		case f.meaning || f.grade < gradeTitle+byTypo:
			some = true
			worse(MatchedSynonym)
		default:
			some = true
		}
	}
	return rank, some
}

// share is how much of the query was met.
func (s *scratch) share(found *[MaxQueryWords]met) float32 {
	var all, got float32
	for i := range s.tokens {
		k := &s.tokens[i]
		if k.part < 0 {
			continue
		}
		idf := s.parts[k.part].idf
		switch k.weight {
		case words.Weak:
			idf *= 0.4
		case words.Action:
			idf *= 0.6
		}
		if found[i].weight == 0 && len(k.named) > 0 {
			continue
		}
		all += idf
		got += idf * found[i].weight
	}
	if all == 0 {
		return 0
	}
	return got / all
}

// titleShare is how much of the title the query has asked for: of two titles
// with the word, the one that says nothing else is meant.
func (s *scratch) titleShare(t *texts, doc int32) float32 {
	if t.lengths[doc] == 0 {
		return 0
	}
	var got float32
	for p := range s.parts {
		if g := s.parts[p].met[doc]; g > gradeTitle {
			got += s.weights[g]
		}
	}
	return min(1, got/t.lengths[doc])
}

// length is the number of words in a title, those of many documents for less.
func (t *texts) length(d *document) float32 {
	if len(d.head) == 0 {
		return 0
	}
	sum := float32(0)
	for _, id := range d.head {
		if n := len(t.postings[id]); n > 20 && n*8 > t.live { // beantragen
			sum += 0.3
		} else {
			sum++
		}
	}
	return max(sum, 1)
}
