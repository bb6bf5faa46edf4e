package directory

import (
	"slices"

	"rathausnetz/federation/directory/words"
)

// memberName is what a member is called, and the stems of that without what
// every authority is called.
type memberName struct {
	text  string
	stems []string // sorted, each once
}

func newMemberName(text string) memberName {
	stems := slices.DeleteFunc(words.Stems(text), generic)
	slices.Sort(stems)
	return memberName{text, slices.Compact(stems)}
}

// memberNames leads from the stems of members' names to their slots. It is made
// anew only if a name changed.
func (b *textBuilder) memberNames(ix *index) map[string][]int32 {
	if b.names != nil {
		return b.names
	}
	b.names = make(map[string][]int32, 2*len(ix.members))
	for slot, m := range ix.members {
		if m == nil {
			continue
		}
		for _, stem := range b.named[int32(slot)].stems {
			b.names[stem] = append(b.names[stem], int32(slot))
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
