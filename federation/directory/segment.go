package directory

import (
	"math/bits"
	"unsafe"

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

// segment is what one member claims in exactly one area.
type segment struct {
	set
	slot   int32  // the member
	offers uint32 // number of offers of the member
	kind   federation.Kind
	seat   region.Area
	extra  [][]claim // for offers written as offers+i
}

// set is a set of key numbers and, for the key of rank r, the offer. One
// allocation holds a bitmap of the frequent keys, which have the low numbers,
// a sorted list of the others, and the offers packed to as few bits as they
// need.
type set struct {
	data   []uint64
	dense  uint32 // how many keys the bitmap has
	tail   uint32 // how many keys the list has
	blocks uint16 // of the bitmap
	shift  uint8  // of the list: 1<<shift keys in a word
	width  uint8  // bits for each offer
}

// A bitmap is cut into blocks of eight words, one cache line: the first 16
// bits of a block count the keys before it, the other 496 are the set.
const (
	blockWords = 8
	countBits  = 16
	blockKeys  = blockWords*64 - countBits
	// worthBlock is how many keys a block must have to be better than a list:
	// that takes two bytes for each key, and more steps to find one.
	worthBlock = 20
)

// newSet builds a set; keys are ascending and distinct, offers[i] is what
// keys[i] leads to, at most limit.
func newSet(keys []uint32, offers []uint32, limit uint32) set {
	s := set{width: uint8(bits.Len32(limit)), shift: 2}
	if keys[len(keys)-1] >= 1<<16 {
		s.shift = 1
	}
	s.blocks, s.dense = worthwhile(keys)
	s.tail = uint32(len(keys)) - s.dense
	packed := (len(keys)*int(s.width) + 63) / 64
	s.data = make([]uint64, int(s.order())+packed)
	s.fillBitmap(keys[:s.dense])
	for i, k := range keys[s.dense:] {
		word, at := s.place(uint32(i))
		s.data[word] |= uint64(k) << at
	}
	for i, o := range offers {
		at := i * int(s.width)
		word, shift := int(s.order())+at/64, at%64
		s.data[word] |= uint64(o) << shift
		if shift+int(s.width) > 64 {
			s.data[word+1] |= uint64(o) >> (64 - shift)
		}
	}
	return s
}

// worthwhile returns how many blocks of a bitmap pay for keys, and how many
// keys are in them. The count of a block cannot hold more than 16 bits.
func worthwhile(keys []uint32) (blocks uint16, dense uint32) {
	gain, best := 0, 0
	for from := 0; from < min(len(keys), 1<<countBits); {
		b := keys[from] / blockKeys
		if b >= 1<<16-1 {
			break
		}
		to := from
		for to < len(keys) && keys[to]/blockKeys == b {
			to++
		}
		gain = to - int(b+1)*worthBlock
		if gain > best {
			best, blocks, dense = gain, uint16(b+1), uint32(to)
		}
		from = to
	}
	return blocks, dense
}

// order is where the offers begin and the keys end.
func (s *set) order() uint32 {
	return uint32(s.blocks)*blockWords + (s.tail+1<<s.shift-1)>>s.shift
}

// place is where key i of the list is: word and lowest bit.
func (s *set) place(i uint32) (word, at uint32) {
	within := i & (1<<s.shift - 1)
	return uint32(s.blocks)*blockWords + i>>s.shift, within << (6 - s.shift)
}

func (s *set) fillBitmap(keys []uint32) {
	for _, k := range keys {
		bit := k%blockKeys + countBits
		s.data[k/blockKeys*blockWords+bit/64] |= 1 << (bit % 64)
	}
	count := 0
	for b := 0; b < int(s.blocks)*blockWords; b += blockWords {
		before := count
		for _, word := range s.data[b : b+blockWords] {
			count += bits.OnesCount64(word)
		}
		s.data[b] |= uint64(before)
	}
}

// find returns what key leads to: an offer, or offers+i for extra[i].
func (s *set) find(key uint32) (uint32, bool) {
	b := key / blockKeys
	if b >= uint32(s.blocks) {
		return s.search(key)
	}
	bit := key%blockKeys + countBits
	block := s.data[b*blockWords:][:blockWords:blockWords]
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

// search is find in the list.
func (s *set) search(key uint32) (uint32, bool) {
	lo, hi := uint32(0), s.tail
	for lo < hi {
		mid := (lo + hi) / 2
		if s.key(mid) < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == s.tail || s.key(lo) != key {
		return 0, false
	}
	return s.at(s.dense + lo), true
}

// key returns entry i of the list.
func (s *set) key(i uint32) uint32 {
	word, at := s.place(i)
	return uint32(s.data[word]>>at) & (1<<(64>>s.shift) - 1)
}

func (s *set) at(rank uint32) uint32 {
	at := rank * uint32(s.width)
	word, shift := s.order()+at/64, at%64
	v := s.data[word] >> shift
	if shift+uint32(s.width) > 64 {
		v |= s.data[word+1] << (64 - shift)
	}
	return uint32(v & (1<<s.width - 1))
}

// unite adds the key numbers of the set to those in to, which has a bit for
// each key that there is.
func (s *set) unite(to []uint64) {
	for w := range uint32(s.blocks) * blockWords {
		word := s.data[w]
		at := w/blockWords*blockKeys + w%blockWords*64 // bit 0 of word is key at-countBits
		if w%blockWords == 0 {
			word &^= 1<<countBits - 1
			word, at = word>>countBits, at+countBits
		}
		if word == 0 {
			continue
		}
		at -= countBits
		to[at/64] |= word << (at % 64)
		if high := word >> (64 - at%64); at%64 != 0 && high != 0 {
			to[at/64+1] |= high
		}
	}
	for i := range s.tail {
		key := s.key(i)
		to[key/64] |= 1 << (key % 64)
	}
}

// each calls f for every key number in ascending order with what it leads to.
func (s *set) each(f func(key, to uint32)) {
	s.eachKey(func(key, rank uint32) { f(key, s.at(rank)) })
}

// eachKey calls f for every key number in ascending order with its rank.
func (s *set) eachKey(f func(key, rank uint32)) {
	rank := uint32(0)
	for w := range uint32(s.blocks) * blockWords {
		word := s.data[w]
		if w%blockWords == 0 {
			word &^= 1<<countBits - 1
		}
		for ; word != 0; word &= word - 1 {
			bit := w%blockWords*64 + uint32(bits.TrailingZeros64(word)) - countBits
			f(w/blockWords*blockKeys+bit, rank)
			rank++
		}
	}
	for i := range s.tail {
		f(s.key(i), rank+i)
	}
}

// bytes returns the memory of the segment, for the benchmark.
func (s *segment) bytes() int { return int(unsafe.Sizeof(*s)) + 8*len(s.data) + 24*len(s.extra) }
