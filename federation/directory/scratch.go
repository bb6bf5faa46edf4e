package directory

import (
	"rathausnetz/federation/directory/words"
)

// part is one stem that is looked for, with what each document has of it.
type part struct {
	stem   string
	met    []grade  // by document
	docs   []uint64 // bits of documents
	idf    float32
	exact  bool // the vocabulary has it
	any    bool
	typo   string // written form of what was found instead
	titled bool   // some title has it itself
	shared bool   // met and docs belong to a memory: do not change them
}

// alternative is a reading of some words of the query: if all parts are met,
// the words of covers are met with weight.
type alternative struct {
	covers uint16 // bits of tokens
	parts  []int
	weight float32
	shown  string // for "Gesucht wurde auch"
}

type token struct {
	written string
	folded  string
	weight  words.Weight
	part    int     // index into parts, -1 for a filler
	named   []int32 // slots of members with this word in their name
}

// search is one query against one index. Its large parts are reused.
type scratch struct {
	tokens       []token
	stems        []string
	parts        []part
	alternatives []alternative
	candidates   []uint64 // bits of documents
	scored       []scored
	spare        [][]grade
	spareBits    [][]uint64
	weights      [grades]float32
	table        []lebenslage
	table32      []uint32

	list    []candidate
	kept    []int32 // into list
	counts  counts
	ordered []ranked
}

// scored is a document with how well it fits.
type scored struct {
	doc   int32
	rank  Matched
	score float32 // 0 … 1
}

func (s *scratch) reset() {
	for i := range s.parts {
		if s.parts[i].shared {
			continue
		}
		s.spare = append(s.spare, s.parts[i].met)
		s.spareBits = append(s.spareBits, s.parts[i].docs)
	}
	s.tokens, s.stems, s.parts = s.tokens[:0], s.stems[:0], s.parts[:0]
	s.alternatives, s.scored = s.alternatives[:0], s.scored[:0]
	s.list, s.kept, s.ordered = s.list[:0], s.kept[:0], s.ordered[:0]
	clear(s.candidates)
}

func (d *Directory) newScratch() *scratch {
	if s, ok := d.scratch.Get().(*scratch); ok {
		return s
	}
	return &scratch{weights: gradeWeights(), table: lebenslagen()}
}

func (d *Directory) done(s *scratch) {
	s.reset()
	d.scratch.Put(s)
}
