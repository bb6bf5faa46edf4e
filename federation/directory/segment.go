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
	data    []uint64
	slot    int32  // the member
	offers  uint32 // number of offers of the member
	keys    uint32 // sorted: how many
	order   uint32 // index into data where the offers begin and the set ends
	width   uint8  // bits for each offer
	perWord uint8  // sorted list: keys in a word; 0 for a bitmap
	kind    federation.Kind
	seat    region.Area
	extra   [][]claim // for offers written as offers+i
}

// A bitmap is cut into blocks of eight words, one cache line: the first 16
// bits of a block count the keys before it, the other 496 are the set.
const (
	blockWords = 8
	countBits  = 16
	blockKeys  = blockWords*64 - countBits
)

// newSegment builds a segment; keys are ascending and distinct, offers[i] is
// what keys[i] leads to, at most limit.
func newSegment(keys []uint32, offers []uint32, limit uint32) segment {
	width := uint8(bits.Len32(limit))
	packed := (len(keys)*int(width) + 63) / 64
	last := keys[len(keys)-1]
	bitmap := (int(last/blockKeys) + 1) * blockWords
	perWord := 4
	if last >= 1<<16 {
		perWord = 2
	}
	list := (len(keys) + perWord - 1) / perWord
	s := segment{width: width, order: uint32(bitmap)}
	if list < bitmap || len(keys) >= 1<<countBits { // or the counts would overflow
		s.perWord, s.keys, s.order = uint8(perWord), uint32(len(keys)), uint32(list)
	}
	s.data = make([]uint64, int(s.order)+packed)
	if s.perWord == 0 {
		s.fillBitmap(keys)
	}
	for i := range s.keys {
		s.data[i/uint32(perWord)] |= uint64(keys[i]) << (i % uint32(perWord) * (64 / uint32(perWord)))
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

func (s *segment) fillBitmap(keys []uint32) {
	for _, k := range keys {
		bit := k%blockKeys + countBits
		s.data[k/blockKeys*blockWords+bit/64] |= 1 << (bit % 64)
	}
	count := 0
	for b := 0; b < int(s.order); b += blockWords {
		before := count
		for _, word := range s.data[b : b+blockWords] {
			count += bits.OnesCount64(word)
		}
		s.data[b] |= uint64(before)
	}
}

// find returns what key leads to: an offer, or offers+i for extra[i].
func (s *segment) find(key uint32) (uint32, bool) {
	if s.perWord != 0 {
		return s.search(key)
	}
	b := key / blockKeys * blockWords
	if b >= s.order {
		return 0, false
	}
	bit := key%blockKeys + countBits
	block := s.data[b : b+blockWords]
	word, mask := block[bit/64], uint64(1)<<(bit%64)
	if word&mask == 0 {
		return 0, false
	}
	count := block[0] & (1<<countBits - 1)
	rank := uint32(count) - uint32(bits.OnesCount64(count)) // the count's own bits are counted below
	for _, before := range block[:bit/64] {
		rank += uint32(bits.OnesCount64(before))
	}
	return s.at(rank + uint32(bits.OnesCount64(word&(mask-1)))), true
}

// search is find in a sorted list.
func (s *segment) search(key uint32) (uint32, bool) {
	lo, hi := uint32(0), s.keys
	for lo < hi {
		mid := (lo + hi) / 2
		if s.key(mid) < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == s.keys || s.key(lo) != key {
		return 0, false
	}
	return s.at(lo), true
}

// key returns entry i of a sorted list.
func (s *segment) key(i uint32) uint32 {
	if s.perWord == 4 {
		return uint32(s.data[i/4]>>(i%4*16)) & 0xffff
	}
	return uint32(s.data[i/2] >> (i % 2 * 32))
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
	s.each(func(key, _ uint32) { set[key/64] |= 1 << (key % 64) })
}

// each calls f for every key number in ascending order with what it leads to.
func (s *segment) each(f func(key, to uint32)) {
	if s.perWord != 0 {
		for i := range s.keys {
			f(s.key(i), s.at(i))
		}
		return
	}
	rank := uint32(0)
	for w := range s.order {
		word := s.data[w]
		if w%blockWords == 0 {
			word &^= 1<<countBits - 1
		}
		for ; word != 0; word &= word - 1 {
			bit := w%blockWords*64 + uint32(bits.TrailingZeros64(word)) - countBits
			f(w/blockWords*blockKeys+bit, s.at(rank))
			rank++
		}
	}
}

// bytes returns the memory of the segment, for the benchmark.
func (s *segment) bytes() int { return 8*len(s.data) + 80 + 24*len(s.extra) }
