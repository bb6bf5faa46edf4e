package directory

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory/words"
)

// profile is what one text contributes; equal texts share it.
type profile struct {
	hash  uint64
	refs  int32
	title string
	terms []uint32 // word<<fieldBits | one field, ascending, distinct
	head  []uint32

	doc   int32 // the document it was counted in last
	count *textCount
}

// profile analyses the words of an offer, or finds that it already has.
func (b *textBuilder) profile(o *catalog.Offer, hash uint64) uint32 {
	if no, ok := b.profiles[hash]; ok {
		return no
	}
	p := &profile{hash: hash}
	p.title, _ = o.Title.In("de")
	words.Each(p.title, func(w words.Word) bool {
		if b.weights.Of(w.Folded) != words.Filler {
			p.head = append(p.head, b.word(w.Folded, p.title[w.From:w.To]))
		}
		return true
	})
	for _, t := range o.Title {
		b.analyse(p, t, inTitle)
	}
	for _, s := range o.Synonyms {
		b.analyse(p, s, inSynonym)
	}
	for i := range o.Sections {
		if searched(o.Sections[i].Kind) {
			for _, t := range o.Sections[i].Text {
				b.analyse(p, plain(t, maxSearched), inText)
			}
		}
	}
	slices.Sort(p.terms)
	p.terms = slices.Clip(slices.Compact(p.terms))
	no := uint32(len(b.all))
	if n := len(b.unused); n > 0 {
		no, b.unused = b.unused[n-1], b.unused[:n-1]
		b.all[no] = p
	} else {
		b.all = append(b.all, p)
	}
	b.profiles[hash] = no
	return no
}

// maxSearched is how much of one section is searched, in bytes.
const maxSearched = 4000

// searched leaves out what holds the same legal phrases everywhere.
func searched(kind catalog.SectionKind) bool {
	return kind != catalog.Rechtsgrundlage && kind != catalog.Rechtsbehelf
}

// textHash is equal for offers with equal searched texts.
func textHash(seed maphash.Seed, o *catalog.Offer) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	text := func(t catalog.Text) {
		if len(t) == 1 {
			for lang, s := range t {
				write(&h, lang)
				write(&h, s)
			}
			return
		}
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			write(&h, lang)
			write(&h, t[lang])
		}
	}
	text(o.Title)
	for _, s := range o.Synonyms {
		write(&h, s)
	}
	for i := range o.Sections {
		if searched(o.Sections[i].Kind) {
			write(&h, "\x00")
			text(o.Sections[i].Text)
		}
	}
	return h.Sum64()
}

func write(h *maphash.Hash, s string) {
	h.WriteString(s)
	h.WriteByte(0)
}

func (b *textBuilder) analyse(p *profile, text string, field uint32) {
	words.Each(text, func(w words.Word) bool {
		if b.weights.Of(w.Folded) != words.Filler {
			p.terms = append(p.terms, b.word(w.Folded, text[w.From:w.To])<<fieldBits|field)
		}
		return true
	})
}

// word returns the number of a word's stem and keeps the best way to write
// it: the shortest, then the first in the alphabet, whatever came first.
func (b *textBuilder) word(folded, written string) uint32 {
	no, ok := b.stems[folded]
	if !ok {
		stem := words.Stem(folded)
		if no, ok = b.stemNo[stem]; !ok {
			no = uint32(len(b.stemNo))
			b.stemNo[stem] = no
			b.fresh = append(b.fresh, stem)
			b.surface = append(b.surface, written)
		}
		b.stems[folded] = no
	}
	if was := b.surface[no]; was != written && better(written, was) {
		if b.shared {
			b.surface, b.shared = slices.Clone(b.surface), false
		}
		b.surface[no] = written
	}
	return no
}

func better(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) < 0
}
