package directory

import (
	"cmp"
	"maps"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// index is one state of everything. It is never changed after it is
// published; the next one shares what has not changed.
type index struct {
	version uint64
	content [16]byte // sum over members, the same in whatever order they came

	keys    *keyTable
	areas   map[region.Area]int32 // shared until an area is added
	nodes   []node                // nodes[0] is the Bund
	members []*member             // by slot; nil where a member has left
	sorted  []int32               // slots by member ID
	silent  []int32               // slots of members without copy, by member ID
	given   map[leika.ID][]delegation
	texts   *texts
	wide    *wideCache
}

// node is one area with the segments of all members that claim in it, sorted
// by member ID.
type node struct {
	area     region.Area
	parent   int32 // -1 for the Bund
	up       int32 // the nearest area around it in which somebody claims, -1
	segments []segment
	contacts []segment
}

// keyTable numbers the keys. Numbers are internal: no answer depends on them.
type keyTable struct {
	no         map[leika.ID]uint32
	ids        []leika.ID
	situations []traits // the Lebenslagen of each key
}

// with returns a table that also knows the keys of count, the frequent ones
// with the lower numbers: that keeps bitmaps short.
func (t *keyTable) with(count map[leika.ID]int) *keyTable {
	var fresh []leika.ID
	for id := range count {
		if _, ok := t.no[id]; !ok {
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return t
	}
	slices.SortFunc(fresh, func(a, b leika.ID) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	next := &keyTable{
		no: maps.Clone(t.no), ids: append(slices.Clip(t.ids), fresh...), situations: slices.Clone(t.situations),
	}
	table := lebenslagen()
	for i, id := range fresh {
		next.no[id] = uint32(len(t.ids) + i)
		next.situations = append(next.situations, situationsOfKey(table, id))
	}
	return next
}

// delegation is one that the delegating member was entitled to make.
type delegation struct {
	from, to int32 // slots; to is -1 while that member is unknown
	toID     federation.EntityID
	area     region.Area
	valid    catalog.Validity
}

func emptyIndex() *index {
	return &index{
		keys:  &keyTable{no: map[leika.ID]uint32{}},
		areas: map[region.Area]int32{{}: 0},
		nodes: []node{{parent: -1, up: -1}},
		texts: emptyTexts(),
		wide:  newWideCache(),
	}
}

// nodeOf returns the node of the narrowest known area around place.
func (ix *index) nodeOf(place region.Area) int32 {
	for {
		if n, ok := ix.areas[place]; ok {
			return n
		}
		parent, ok := place.Parent()
		if !ok {
			return 0
		}
		place = parent
	}
}

// member returns the member with this ID, nil if there is none.
func (ix *index) member(id federation.EntityID) (*member, int32) {
	i, ok := slices.BinarySearchFunc(ix.sorted, id, func(slot int32, id federation.EntityID) int {
		return cmp.Compare(ix.members[slot].ID, id)
	})
	if !ok {
		return nil, -1
	}
	return ix.members[ix.sorted[i]], ix.sorted[i]
}

// addAreas makes sure that areas and everything around them have nodes. The
// map is copied once, and only if something is missing.
func (ix *index) addAreas(areas []region.Area) {
	cloned := false
	for _, a := range areas {
		if _, ok := ix.areas[a]; ok {
			continue
		}
		if !cloned {
			ix.areas, cloned = maps.Clone(ix.areas), true
		}
		ix.addArea(a)
	}
}

func (ix *index) addArea(a region.Area) int32 {
	if n, ok := ix.areas[a]; ok {
		return n
	}
	parent, _ := a.Parent()
	up := ix.addArea(parent)
	n := int32(len(ix.nodes))
	ix.nodes = append(ix.nodes, node{area: a, parent: up})
	ix.areas[a] = n
	return n
}

// place puts the segments of m into their nodes; unplace takes them out. The
// nodes must be the index's own copy; the lists inside are replaced, never
// changed.
func (ix *index) place(m *member) {
	for i := range m.segments {
		n := &ix.nodes[ix.areas[m.segments[i].area]]
		n.segments = ix.inserted(n.segments, m.segments[i].segment)
	}
	for i := range m.contacts {
		n := &ix.nodes[ix.areas[m.contacts[i].area]]
		n.contacts = ix.inserted(n.contacts, m.contacts[i].segment)
	}
}

func (ix *index) inserted(list []segment, s segment) []segment {
	id := ix.members[s.slot].ID
	i := 0
	for i < len(list) && ix.members[list[i].slot].ID < id {
		i++
	}
	out := make([]segment, 0, len(list)+1)
	out = append(out, list[:i]...)
	out = append(out, s)
	return append(out, list[i:]...)
}

func (ix *index) unplace(m *member, slot int32) {
	without := func(list []segment) []segment {
		out := make([]segment, 0, len(list))
		for i := range list {
			if list[i].slot != slot {
				out = append(out, list[i])
			}
		}
		return out
	}
	for i := range m.segments {
		n := &ix.nodes[ix.areas[m.segments[i].area]]
		n.segments = without(n.segments)
	}
	for i := range m.contacts {
		n := &ix.nodes[ix.areas[m.contacts[i].area]]
		n.contacts = without(n.contacts)
	}
}
