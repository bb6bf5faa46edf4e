package directory

import (
	"slices"

	"rathausnetz/federation/directory/words"
)

// memberNames leads from the stems of members' names to their slots, without
// what every authority is called. It is made anew only if a name changed.
func (b *textBuilder) memberNames(ix *index) map[string][]int32 {
	if b.names != nil {
		return b.names
	}
	b.names = map[string][]int32{}
	for slot, m := range ix.members {
		if m == nil {
			continue
		}
		stems := words.Stems(m.Name + " " + m.ShortName)
		slices.Sort(stems)
		for _, stem := range slices.Compact(stems) {
			if !generic(stem) {
				b.names[stem] = append(b.names[stem], int32(slot))
			}
		}
	}
	return b.names
}

// generic reports whether a stem is in many names of authorities.
func generic(stem string) bool {
	switch stem {
	case "stadt", "gemeind", "samtgemeind", "landkreis", "kreis", "land", "region", "flecken", "bad", "verwaltung", "rathaus", "der", "und", "gmbh", "verband":
		return true
	}
	return false
}
