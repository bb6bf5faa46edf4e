package directory

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
	const perNode, perArea, perKey = 64, 24, 24 // with the hash tables
	s.IndexBytes = len(ix.nodes)*(perNode+perArea) + len(ix.keys.ids)*perKey
	for i := range ix.nodes {
		for k := range ix.nodes[i].segments {
			s.IndexBytes += ix.nodes[i].segments[k].bytes()
		}
	}
	return s
}
