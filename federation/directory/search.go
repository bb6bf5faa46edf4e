package directory

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/directory/words"
	"rathausnetz/federation/region"
)

// candidate is a scored document that is offered at the place.
type candidate struct {
	scored
	offering
	traits traits
	online bool
	near   int
}

// Search returns one page of hits. It never fails: a query without words and
// without filters has no hits, one with a filter only is browsed.
func (d *Directory) Search(q Query) Result {
	ix := d.index.Load()
	q.Text = strings.TrimSpace(cut(q.Text, MaxQueryBytes))
	q.Limit = min(max(q.Limit, 0), MaxLimit)
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	r := Result{Version: ix.version}
	s := d.newScratch()
	defer d.done(s)
	v := d.view(ix, q.Place, q.Own, d.day(time.Time{}))
	d.collect(s, v, &q)
	v.candidates(s)
	s.filter(&q, ix, &r.Facets)
	r.Total = len(s.kept)
	r.Also = s.also()
	if r.Total > 0 {
		r.Corrected = s.corrected(q.Text)
	}
	r.Authorities = s.authorities(ix)
	best := v.best(s, q.Offset, q.Limit)
	if len(best) > 0 {
		r.Hits = make([]Hit, 0, len(best))
	}
	for _, x := range best {
		r.Hits = append(r.Hits, v.present(&s.list[x.at], q.Lang))
	}
	if r.Total == 0 {
		d.elsewhere(&r, s, ix, &q)
	}
	return r
}

// collect fills s.scored: with what fits the words, or with everything if
// there are only filters.
func (d *Directory) collect(s *scratch, v *view, q *Query) {
	d.read(s, v.ix.texts, q.Text)
	if len(s.tokens) > 0 {
		d.match(s, v, q.Literal, false)
		s.authorityOnly(v.ix)
		return
	}
	if q.Text == "" && q.filtered() {
		s.everything(v.ix.texts)
	}
}

func (q *Query) filtered() bool {
	return q.Online || q.Authority != "" || q.Kind != federation.KindUnknown || q.Audience != "" || q.Lebenslage != ""
}

func (s *scratch) everything(t *texts) {
	for i, d := range t.docs {
		if d.offers > 0 {
			s.scored = append(s.scored, scored{doc: int32(i), rank: MatchedNothing})
		}
	}
}

// authorityOnly turns a query that consists of an authority's name into all
// it offers, where no offer has such a word.
func (s *scratch) authorityOnly(ix *index) {
	if len(s.scored) > 0 {
		return
	}
	for i := range s.tokens {
		if s.tokens[i].part >= 0 && len(s.tokens[i].named) == 0 && !generic(s.stems[i]) {
			return
		}
	}
	named := s.authorities(ix)
	if len(named) == 0 {
		return
	}
	for i, d := range ix.texts.docs {
		if d.offers > 0 {
			s.scored = append(s.scored, scored{doc: int32(i), rank: MatchedPart})
		}
	}
}

// candidates fills s.list with what is offered at the place.
func (v *view) candidates(s *scratch) {
	s.list = s.list[:0]
	if len(s.scored) > manyHits && len(v.table) == 0 {
		v.tabulate(s.cleared(len(v.ix.keys.ids)))
	}
	for _, x := range s.scored {
		o, ok := v.of(v.ix.texts.docs[x.doc])
		if !ok {
			continue
		}
		c := candidate{scored: x, offering: o, traits: v.ix.members[o.slot].traits[o.offer], online: v.online(&o), near: v.distance(&o)}
		if c.score = s.named(&c); c.score < 0 {
			continue
		}
		s.list = append(s.list, c)
	}
}

// named prefers the member whose name is in the query. If the query is
// nothing but that name, only its offers stay.
func (s *scratch) named(c *candidate) float32 {
	bonus, asked := float32(0), false
	for i := range s.tokens {
		if len(s.tokens[i].named) == 0 {
			continue
		}
		asked = true
		if slices.Contains(s.tokens[i].named, c.slot) {
			bonus = 0.2
		}
	}
	if asked && bonus == 0 && c.rank == MatchedPart && c.score == 0 {
		return -1
	}
	return min(1, c.score+bonus)
}

// ranked is a hit on its way into order.
type ranked struct {
	order uint32 // rank, step and nearness; smaller is better
	at    int32  // into list
}

// best returns the hits of one page in the order of UX.md §5.1: how well they
// fit in steps, then nearness, then how well exactly, then the title. It
// keeps only as many as the page and those before it need.
func (v *view) best(s *scratch, offset, limit int) []ranked {
	docs := v.ix.texts.docs
	compare := func(a, b ranked) int {
		if a.order != b.order {
			return cmp.Compare(a.order, b.order)
		}
		x, y := &s.list[a.at], &s.list[b.at]
		if x.score != y.score {
			return cmp.Compare(y.score, x.score)
		}
		dx, dy := docs[x.doc], docs[y.doc]
		return cmp.Or(cmp.Compare(dx.sort, dy.sort), cmp.Compare(dx.title, dy.title), cmp.Compare(dx.key, dy.key),
			cmp.Compare(v.ix.members[x.slot].ID, v.ix.members[y.slot].ID), cmp.Compare(x.offer, y.offer))
	}
	top := s.ordered[:0]
	want := min(max(offset, 0), len(s.kept)) + limit
	if want > 256 { // deep pages: sorting all is cheaper than keeping order
		for _, at := range s.kept {
			top = append(top, ranked{s.list[at].order(), at})
		}
		slices.SortFunc(top, compare)
	} else {
		for _, at := range s.kept {
			r := ranked{s.list[at].order(), at}
			if len(top) == want && compare(r, top[want-1]) >= 0 {
				continue
			}
			i, _ := slices.BinarySearchFunc(top, r, compare)
			if len(top) == want {
				top = top[:want-1]
			}
			top = slices.Insert(top, i, r)
		}
	}
	s.ordered = top
	return top[min(max(offset, 0), len(top)):min(want, len(top))]
}

func (c *candidate) order() uint32 {
	return uint32(c.rank)<<16 | uint32(10-c.step())<<8 | uint32(c.near)
}

// step is the score in tenths: hits of one step fit equally well.
func (c *candidate) step() int { return int(c.score * 10) }

func (v *view) present(c *candidate, lang string) Hit {
	if lang == "" {
		lang = "de"
	}
	doc := v.ix.texts.docs[c.doc]
	p := v.provider(&c.offering)
	h := Hit{
		Leika: doc.key, Ref: OfferRef{p.Member.ID, p.Offer.ID}, Provider: p,
		Matched: c.rank, Several: c.several, Places: c.places,
	}
	if h.Title, h.Lang = p.Offer.Title.In(lang); h.Title == "" {
		h.Title, h.Lang = doc.title, "de"
	}
	text, in := p.Offer.Section("kurztext").In(lang)
	if text == "" {
		text, in = p.Offer.Section("volltext").In(lang)
	}
	h.Teaser, h.TeaserLang = teaser(text, 200), in
	return h
}

// corrected returns the query with the words that were corrected.
func (s *scratch) corrected(text string) string {
	changed := false
	out := make([]string, 0, len(s.tokens))
	for i := range s.tokens {
		k := &s.tokens[i]
		w := k.written
		if k.part >= 0 && s.parts[k.part].typo != "" {
			w, changed = s.parts[k.part].typo, true
		}
		out = append(out, w)
	}
	if !changed {
		return ""
	}
	return strings.Join(out, " ")
}

// maxAlso keeps "Gesucht wurde auch" to one line.
const maxAlso = 4

// also lists the words of the dictionary that have found something.
func (s *scratch) also() []string {
	var out []string
	slices.SortStableFunc(s.alternatives, func(a, b alternative) int { return cmp.Compare(b.weight, a.weight) })
	for i := range s.alternatives {
		a := &s.alternatives[i]
		if a.shown == "" || len(out) == maxAlso || slices.Contains(out, a.shown) || s.typed(a) {
			continue
		}
		if slices.ContainsFunc(s.kept, func(at int32) bool {
			doc := s.list[at].doc
			return !slices.ContainsFunc(a.parts, func(p int) bool { return s.parts[p].met[doc] == 0 })
		}) {
			out = append(out, a.shown)
		}
	}
	return out
}

// typed reports whether all of a reading was in the query already.
func (s *scratch) typed(a *alternative) bool {
	return !slices.ContainsFunc(a.parts, func(p int) bool { return !slices.Contains(s.stems, s.parts[p].stem) })
}

// authorities returns the members named in the query: those with the most
// words of it first, then by ID.
func (s *scratch) authorities(ix *index) []federation.Member {
	count := map[int32]int{}
	for i := range s.tokens {
		for _, slot := range s.tokens[i].named {
			if int(slot) < len(ix.members) && ix.members[slot] != nil {
				count[slot]++
			}
		}
	}
	slots := make([]int32, 0, len(count))
	for slot := range count {
		slots = append(slots, slot)
	}
	slices.SortFunc(slots, func(a, b int32) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(ix.members[a].ID, ix.members[b].ID))
	})
	var out []federation.Member
	for _, slot := range slots[:min(3, len(slots))] {
		out = append(out, ix.members[slot].Member)
	}
	return out
}

// elsewhere says what else could help where nothing was found.
func (d *Directory) elsewhere(r *Result, s *scratch, ix *index, q *Query) {
	wide := q.Place.Truncate(5)
	if q.Place.Len() <= 5 {
		wide = region.Area{}
	}
	if wide != q.Place {
		v := d.view(ix, wide, "", d.day(time.Time{}))
		everywhere := *q
		everywhere.OnlyPlace = false
		var ignored Facets
		if len(s.tokens) > 0 {
			s.score(v)
		}
		v.candidates(s)
		s.filter(&everywhere, ix, &ignored)
		r.Elsewhere, r.ElsewhereArea = len(s.kept), wide
	}
	if len(s.tokens) < 2 && (len(s.tokens) == 0 || len(s.tokens[0].written) < 6) {
		return
	}
	r.Hint = d.hint(s, ix, q)
}

// hint returns a single word of the query, or a word inside one, that has
// hits at the place.
func (d *Directory) hint(s *scratch, ix *index, q *Query) string {
	v := d.view(ix, q.Place, "", d.day(time.Time{}))
	try := func(word string) bool {
		t := d.newScratch()
		defer d.done(t)
		d.read(t, ix.texts, word)
		d.match(t, v, true, false)
		v.candidates(t)
		return len(t.list) > 0
	}
	for i := range s.tokens {
		k := &s.tokens[i]
		if k.part >= 0 && len(s.tokens) > 1 && try(k.written) {
			return k.written
		}
		for at := len(k.folded) - 3; at >= 4; at-- {
			if id, ok := ix.texts.vocabulary.ID(words.Stem(k.folded[:at])); ok && len(ix.texts.postings[id]) > 0 {
				if w := ix.texts.surface[id]; try(w) {
					return w
				}
			}
		}
	}
	return ""
}
