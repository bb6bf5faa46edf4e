package directory

import (
	"cmp"
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
	areas   numbers   // by region.Area.Code; shared until an area is added
	nodes   []node    // nodes[0] is the Bund
	heads   []head    // by node: what Lookup reads
	members []*member // by slot; nil where a member has left
	sorted  []int32   // slots by member ID
	silent  []int32   // slots of members without copy, by member ID
	given   map[leika.ID][]delegation
	texts   *texts
	wide    *wideCache
}

// node is one area with the segments of all members that claim in it, sorted
// by member ID.
type node struct {
	area     region.Area
	parent   int32 // -1 for the Bund
	segments []segment
	contacts []segment
}

// head is one node as Lookup reads it, in one cache line: the first of its
// segments and the way up.
type head struct {
	set
	seat   region.Area
	slot   int32
	offers uint32
	up     int32 // the nearest area around it in which somebody claims, -1
	more   bool  // the node has more than one segment
	kind   federation.Kind
}

// keyTable numbers the keys. Numbers are internal: no answer depends on them.
type keyTable struct {
	numbers    numbers
	ids        []leika.ID
	broader    []int32  // by number: the next broader key that somebody offers, -1
	situations []traits // the Lebenslagen of each key
}

// with returns a table that also knows the keys of count, the frequent ones
// with the lower numbers: that keeps bitmaps short.
func (t *keyTable) with(count map[leika.ID]int) *keyTable {
	var fresh []leika.ID
	for id := range count {
		if _, ok := t.no(id); !ok {
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
		numbers: t.numbers.clone(len(fresh)), ids: append(slices.Clip(t.ids), fresh...), situations: slices.Clone(t.situations),
	}
	table := lebenslagen()
	for i, id := range fresh {
		next.numbers.put(uint64(id), int32(len(t.ids)+i))
		next.situations = append(next.situations, situationsOfKey(table, id))
	}
	next.broader = make([]int32, len(next.ids))
	for i, id := range next.ids {
		next.broader[i] = next.wider(id)
	}
	return next
}

// no returns the number of a key that somebody offers.
func (t *keyTable) no(key leika.ID) (uint32, bool) {
	no, ok := t.numbers.get(uint64(key))
	return uint32(no), ok
}

// wider returns the number of the next broader key that somebody offers, -1
// if there is none.
func (t *keyTable) wider(key leika.ID) int32 {
	for {
		broader, ok := key.Broader()
		if !ok {
			return -1
		}
		if no, ok := t.numbers.get(uint64(broader)); ok {
			return no
		}
		key = broader
	}
}

// delegation is one that the delegating member was entitled to make.
type delegation struct {
	from, to int32 // slots; to is -1 while that member is unknown
	toID     federation.EntityID
	area     region.Area
	valid    catalog.Validity
}

func emptyIndex() *index {
	var none numbers
	areas := none.clone(1)
	areas.put(region.Area{}.Code(), 0)
	return &index{
		keys:  &keyTable{},
		areas: areas,
		nodes: []node{{parent: -1}},
		heads: []head{{up: -1}},
		texts: emptyTexts(),
		wide:  newWideCache(),
	}
}

// nodeOf returns the node of the narrowest known area around place.
func (ix *index) nodeOf(place region.Area) int32 {
	for {
		if n, ok := ix.areas.get(place.Code()); ok {
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
// table is copied once, and only if something is missing.
func (ix *index) addAreas(areas []region.Area) {
	missing := areas[:0:0]
	for _, a := range areas {
		if _, ok := ix.areas.get(a.Code()); !ok {
			missing = append(missing, a)
		}
	}
	if len(missing) == 0 {
		return
	}
	const levels = 5 // an area brings at most those around it
	ix.areas = ix.areas.clone(len(missing) * levels)
	for _, a := range missing {
		ix.addArea(a)
	}
}

func (ix *index) addArea(a region.Area) int32 {
	if n, ok := ix.areas.get(a.Code()); ok {
		return n
	}
	parent, _ := a.Parent()
	up := ix.addArea(parent)
	n := int32(len(ix.nodes))
	ix.nodes = append(ix.nodes, node{area: a, parent: up})
	ix.areas.put(a.Code(), n)
	return n
}

// node returns the node of an area that has one.
func (ix *index) node(a region.Area) *node {
	n, _ := ix.areas.get(a.Code())
	return &ix.nodes[n]
}

// place puts the segments of m into their nodes; unplace takes them out. The
// nodes must be the index's own copy; the lists inside are replaced, never
// changed.
func (ix *index) place(m *member) {
	for i := range m.segments {
		n := ix.node(m.segments[i].area)
		n.segments = ix.inserted(n.segments, m.segments[i].segment)
	}
	for i := range m.contacts {
		n := ix.node(m.contacts[i].area)
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
		n := ix.node(m.segments[i].area)
		n.segments = without(n.segments)
	}
	for i := range m.contacts {
		n := ix.node(m.contacts[i].area)
		n.contacts = without(n.contacts)
	}
}
