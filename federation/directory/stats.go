package directory

import "unsafe"

// Stats are the sizes of the index.
type Stats struct {
	Members    int
	Offers     int
	Claims     int
	Keys       int
	Areas      int
	Words      int
	IndexBytes int // what Lookup reads: areas, segments and keys, without texts
}

// Stats measures the index.
func (d *Directory) Stats() Stats {
	ix := d.index.Load()
	s := Stats{Keys: len(ix.keys.ids), Areas: len(ix.nodes), Words: int(ix.texts.vocabulary.Len())}
	for _, slot := range ix.sorted {
		m := ix.members[slot]
		s.Members++
		s.Offers += m.offers
		s.Claims += m.claims
	}
	var n node
	var h head
	var slot numbered
	s.IndexBytes = len(ix.nodes)*int(unsafe.Sizeof(n)+unsafe.Sizeof(h)) + len(ix.keys.ids)*16 +
		(len(ix.areas.slots)+len(ix.keys.numbers.slots))*int(unsafe.Sizeof(slot))
	for i := range ix.nodes {
		for k := range ix.nodes[i].segments {
			s.IndexBytes += ix.nodes[i].segments[k].bytes()
		}
	}
	return s
}
