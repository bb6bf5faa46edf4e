package directory

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSegment: a set of key numbers answers like a map, dense or sparse,
// across the borders of blocks.
func TestSegment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]uint32{3, 495, 496, 497, 2000, 70000}).Draw(t, "most")
		keys := rapid.SliceOfNDistinct(rapid.Uint32Range(0, most), 1, 600, rapid.ID[uint32]).Draw(t, "keys")
		if rapid.Bool().Draw(t, "dense") {
			keys = keys[:1]
			for k := range most/2 + 1 {
				if k != keys[0] && len(keys) < 3000 {
					keys = append(keys, k)
				}
			}
		}
		slices.Sort(keys)
		limit := uint32(len(keys) * rapid.IntRange(1, 9).Draw(t, "factor"))
		offers := make([]uint32, len(keys))
		want := map[uint32]uint32{}
		for i, k := range keys {
			offers[i] = uint32(i*7919) % (limit + 1)
			want[k] = offers[i]
		}
		s := newSet(keys, offers, limit)
		probes := slices.Clone(keys)
		for k := range min(most+600, 4000) {
			probes = append(probes, k)
		}
		for _, k := range append(probes, most, most+1, 1<<20) {
			to, ok := s.find(k)
			if w, has := want[k]; ok != has || to != w {
				t.Fatalf("find(%d) = %d, %v, want %d, %v (%d blocks, %d in the list)", k, to, ok, w, has, s.blocks, s.tail)
			}
		}
		var each []uint32
		s.each(func(key, to uint32) {
			if want[key] != to {
				t.Fatalf("each says %d leads to %d, want %d", key, to, want[key])
			}
			each = append(each, key)
		})
		if !slices.Equal(each, keys) {
			t.Fatalf("each found %v, want %v", each, keys)
		}
		set := make([]uint64, most/64+1)
		s.unite(set)
		for k := range most + 1 {
			if _, has := want[k]; has != (set[k/64]>>(k%64)&1 != 0) {
				t.Fatalf("unite is wrong about %d", k)
			}
		}
	})
}
