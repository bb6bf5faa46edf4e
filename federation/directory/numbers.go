package directory

import (
	"math/bits"
	"slices"
)

// numbers maps 64-bit keys to small numbers with open addressing: of a look-up
// in a large network most is waiting for memory, and this waits once. The zero
// value is empty; readers share one that nobody changes any more.
type numbers struct {
	slots []numbered // a power of two, at most two thirds full
	count int
	shift uint8
}

type numbered struct {
	key uint64
	no  int32 // plus one; zero is a free slot
}

// get returns the number of key.
func (t *numbers) get(key uint64) (int32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(t.slots) - 1)
	for i := t.home(key); ; i = (i + 1) & mask {
		s := &t.slots[i&mask]
		if s.no == 0 {
			return 0, false
		}
		if s.key == key {
			return s.no - 1, true
		}
	}
}

// home spreads keys that differ in few digits over all slots.
func (t *numbers) home(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> t.shift }

// clone returns a copy that put may change, with room for extra keys.
func (t *numbers) clone(extra int) numbers {
	want := (t.count + extra) * 3 / 2
	if want < len(t.slots) {
		return numbers{slots: slices.Clone(t.slots), count: t.count, shift: t.shift}
	}
	width := bits.Len(uint(max(want, 15)))
	next := numbers{slots: make([]numbered, 1<<width), shift: uint8(64 - width)}
	for _, s := range t.slots {
		if s.no != 0 {
			next.put(s.key, s.no-1)
		}
	}
	return next
}

// put adds a key that is not there yet; clone has made room for it.
func (t *numbers) put(key uint64, no int32) {
	mask := uint64(len(t.slots) - 1)
	i := t.home(key)
	for t.slots[i].no != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = numbered{key, no + 1}
	t.count++
}
