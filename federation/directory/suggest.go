package directory

import (
	"strings"
	"time"

	"rathausnetz/federation/directory/words"
	"rathausnetz/federation/region"
)

// maxSuggestions is the most Suggest returns.
const maxSuggestions = 20

// Suggest completes what was typed with titles of the place, best first, at
// most limit (0 is 8, at most 20). The last word may be unfinished.
func (d *Directory) Suggest(text string, place region.Area, lang string, limit int) []Suggestion {
	if limit <= 0 {
		limit = 8
	}
	limit = min(limit, maxSuggestions)
	ix := d.index.Load()
	s := d.newScratch()
	defer d.done(s)
	d.read(s, ix.texts, text)
	if len(s.tokens) == 0 {
		return nil
	}
	last := &s.tokens[len(s.tokens)-1]
	last.weight = words.Content // being typed: "die" may become "Dienstleistung"
	v := d.view(ix, place, "", d.day(time.Time{}))
	d.match(s, v, false, true)
	v.candidates(s)
	for i := range s.list {
		s.kept = append(s.kept, int32(i))
	}
	var out []Suggestion
	seen := map[string]bool{}
	for _, x := range v.best(s, 0, 3*limit) { // some titles may be the same
		if len(out) == limit {
			break
		}
		c := &s.list[x.at]
		m := ix.members[c.slot]
		o := m.offer(c.offer)
		if o == nil {
			continue
		}
		title, _ := o.Title.In(orGerman(lang))
		if title == "" || seen[title] {
			continue
		}
		seen[title] = true
		out = append(out, Suggestion{Text: title, Leika: o.Leika, Ref: OfferRef{m.ID, o.ID}, Match: typedIn(title, last.folded)})
	}
	return out
}

func orGerman(lang string) string {
	if lang == "" {
		return "de"
	}
	return lang
}

// typedIn returns the bytes of title that match the word being typed, both 0
// if it is not in the title.
func typedIn(title, folded string) (at [2]int) {
	words.Each(title, func(w words.Word) bool {
		i := strings.Index(w.Folded, folded)
		if i < 0 {
			return true
		}
		// Folding changes lengths only around umlauts: walk to the bytes.
		from, to := w.From, w.To
		for b := range title[w.From:w.To] {
			switch n := len(words.Fold(title[w.From : w.From+b])); {
			case n <= i:
				from = w.From + b
			case n >= i+len(folded):
				to = min(to, w.From+b)
			}
		}
		at = [2]int{from, to}
		return false
	})
	return at
}
