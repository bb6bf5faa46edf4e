package directory

import (
	"math/bits"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// claim is a Zustaendigkeit that needs a look before it counts: it has an
// exception, an end, or only a delegation makes it valid.
type claim struct {
	offer   int32 // index into the member's catalogue
	zust    int32 // index into the offer's Zustaendigkeiten
	outside bool  // outside the granted scope: valid only where delegated
	valid   catalog.Validity
	except  []region.Area
}

// plain reports whether c counts without a look.
func (c *claim) plain() bool { return !c.outside && c.valid.IsZero() && len(c.except) == 0 }

// segment is what one member claims in exactly one area: a set of key
// numbers and, for the key of rank r, the offer. One allocation holds the
// set (a bitmap with counts, or sorted numbers where that is smaller) and
// the offers packed to as few bits as they need.
type segment struct {
	data   []uint64
	slot   int32  // the member
	offers uint32 // number of offers of the member
	words  uint32 // bitmap: words of bits; sorted: number of keys
	order  uint32 // index into data where the offers begin
	width  uint8  // bits for each offer
	sorted bool
	kind   federation.Kind
	seat   region.Area
	extra  [][]claim // for offers written as offers+i
}

// rankSpan is how many words of a bitmap share one count: fewer counts, and
// the words in between lie in the same cache line.
const rankSpan = 4

// newSegment builds a segment; keys are ascending and distinct, offers[i] is
// what keys[i] leads to, at most limit.
func newSegment(keys []uint32, offers []uint32, limit uint32) segment {
	width := uint8(bits.Len32(limit))
	packed := (len(keys)*int(width) + 63) / 64
	last := keys[len(keys)-1]
	words := int(last/64) + 1
	bitmap := words + (words+rankSpan*4-1)/(rankSpan*4)
	list := (len(keys) + 3) / 4
	s := segment{width: width, words: uint32(words), order: uint32(bitmap)}
	if list < bitmap && last < 1<<16 {
		s.sorted, s.words, s.order = true, uint32(len(keys)), uint32(list)
	}
	s.data = make([]uint64, int(s.order)+packed)
	if s.sorted {
		for i, k := range keys {
			s.data[i/4] |= uint64(k) << (i % 4 * 16)
		}
	} else {
		s.fillBitmap(keys, words)
	}
	for i, o := range offers {
		at := i * int(width)
		word, shift := int(s.order)+at/64, at%64
		s.data[word] |= uint64(o) << shift
		if shift+int(width) > 64 {
			s.data[word+1] |= uint64(o) >> (64 - shift)
		}
	}
	return s
}

func (s *segment) fillBitmap(keys []uint32, words int) {
	for _, k := range keys {
		s.data[k/64] |= 1 << (k % 64)
	}
	count := 0
	for w := range words {
		if b := w / rankSpan; w%rankSpan == 0 {
			s.data[words+b/4] |= uint64(count) << (b % 4 * 16)
		}
		count += bits.OnesCount64(s.data[w])
	}
}

// find returns what key leads to: an offer, or offers+i for extra[i].
func (s *segment) find(key uint32) (uint32, bool) {
	if s.sorted {
		lo, hi := uint32(0), s.words
		for lo < hi {
			mid := (lo + hi) / 2
			if uint32(s.data[mid/4]>>(mid%4*16))&0xffff < key {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if lo == s.words || uint32(s.data[lo/4]>>(lo%4*16))&0xffff != key {
			return 0, false
		}
		return s.at(lo), true
	}
	w := key / 64
	if w >= s.words {
		return 0, false
	}
	word, bit := s.data[w], uint64(1)<<(key%64)
	if word&bit == 0 {
		return 0, false
	}
	b := w / rankSpan
	rank := uint32(s.data[s.words+b/4]>>(b%4*16))&0xffff + uint32(bits.OnesCount64(word&(bit-1)))
	for _, before := range s.data[b*rankSpan : w] {
		rank += uint32(bits.OnesCount64(before))
	}
	return s.at(rank), true
}

func (s *segment) at(rank uint32) uint32 {
	at := rank * uint32(s.width)
	word, shift := s.order+at/64, at%64
	v := s.data[word] >> shift
	if shift+uint32(s.width) > 64 {
		v |= s.data[word+1] << (64 - shift)
	}
	return uint32(v & (1<<s.width - 1))
}

// unite sets the bits of all key numbers in set.
func (s *segment) unite(set []uint64) {
	if !s.sorted {
		for w, word := range s.data[:s.words] {
			set[w] |= word
		}
		return
	}
	for i := range s.words {
		key := s.data[i/4] >> (i % 4 * 16) & 0xffff
		set[key/64] |= 1 << (key % 64)
	}
}

// each calls f for every key number in ascending order with what it leads to.
func (s *segment) each(f func(key, to uint32)) {
	if s.sorted {
		for i := range s.words {
			f(uint32(s.data[i/4]>>(i%4*16))&0xffff, s.at(i))
		}
		return
	}
	rank := uint32(0)
	for w := range s.words {
		for word := s.data[w]; word != 0; word &= word - 1 {
			f(w*64+uint32(bits.TrailingZeros64(word)), s.at(rank))
			rank++
		}
	}
}

// bytes returns the memory of the segment, for the benchmark.
func (s *segment) bytes() int { return 8*len(s.data) + 80 + 24*len(s.extra) }
