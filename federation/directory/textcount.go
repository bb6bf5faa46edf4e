package directory

// count adds an offer with this text to a document (by 1) or takes it out
// (by -1).
func (b *textBuilder) count(doc int32, p *profile, by int32) {
	d := b.docs[doc]
	d.offers += by
	if !d.queued {
		d.queued = true
		b.changed = append(b.changed, doc)
	}
	c := p.count
	if c == nil || p.doc != doc { // nearly always a text is of one document only
		c = d.count(p)
		p.doc, p.count = doc, c
	}
	if c.title.n += int(by); c.title.n == 0 {
		delete(d.titles, p.title)
	}
	was := c.n
	if c.n += by; c.n == 0 {
		delete(d.texts, p)
		p.count = nil
	}
	if was == 0 || c.n == 0 {
		b.countTerms(doc, p, by)
	}
	if d.offers == 0 && d.key.IsZero() {
		b.free = append(b.free, doc)
	}
}

// count returns the count of a text, a new one if the document has none.
func (d *docState) count(p *profile) *textCount {
	c := d.texts[p]
	if c == nil {
		t := d.titles[p.title]
		if t == nil {
			t = &titleCount{head: p.head}
			d.titles[p.title] = t
		}
		c = &textCount{title: t}
		d.texts[p] = c
	}
	return c
}

func (b *textBuilder) countTerms(doc int32, p *profile, by int32) {
	d := b.docs[doc]
	for _, t := range p.terms {
		was := d.counts[t]
		if was+by == 0 {
			delete(d.counts, t)
		} else {
			d.counts[t] = was + by
		}
		if was == 0 || was+by == 0 {
			b.dirty = append(b.dirty, uint64(t>>fieldBits)<<32|uint64(doc))
		}
	}
}
