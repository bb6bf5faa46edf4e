package catalog

import (
	"bytes"
	"encoding/json"
	"testing"

	"rathausnetz/federation"
)

// forge packs c with the lines of its first non-empty bucket edited and all
// digests made to fit: what a hostile publisher can seal.
func forge(t testing.TB, c *Catalogue, edit func(lines [][]byte) [][]byte) (*Packed, Manifest) {
	t.Helper()
	p := pack(t, c)
	_, refs, err := p.Manifest.Walk(from(p, nil))
	if err != nil {
		t.Fatal(err)
	}
	dec, err := newDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	enc, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	edited := false
	for i, ref := range refs {
		raw, err := dec.DecodeAll(p.Chunks[ref.Digest], nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) == 0 || edited {
			continue
		}
		edited = true
		lines := edit(bytes.SplitAfter(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n")))
		for j := range lines {
			if !bytes.HasSuffix(lines[j], []byte("\n")) && j+1 < len(lines) {
				lines[j] = append(lines[j], '\n')
			}
		}
		if refs[i], err = p.put(enc.EncodeAll(bytes.Join(lines, nil), nil)); err != nil {
			t.Fatal(err)
		}
	}
	m := p.Manifest
	m.Groups = nil
	per := len(refs) / len(p.Manifest.Groups)
	for g := 0; g < len(refs); g += per {
		ref, err := p.put(refs[g : g+per].encode())
		if err != nil {
			t.Fatal(err)
		}
		m.Groups = append(m.Groups, ref)
	}
	return p, m
}

// evilOffer is the first offer of c that lies in the first non-empty bucket,
// with a hostile text or link.
func evilOffer(t testing.TB, c *Catalogue, html, link string) []byte {
	t.Helper()
	buckets, _ := shape(len(c.Offers) + len(c.Units) + len(c.Delegations))
	best := -1
	for i := range c.Offers {
		if best < 0 || bucketOf(kindOffer, c.Offers[i].ID, buckets) < bucketOf(kindOffer, c.Offers[best].ID, buckets) {
			best = i
		}
	}
	o := c.Offers[best]
	if html != "" {
		o.Sections = []Section{{Kind: Kurztext, Text: Text{"de": html}}}
	}
	if link != "" {
		o.Onlinedienste = []Onlinedienst{{ID: "a:b", URL: link, Level: federation.LevelNiedrig}}
	}
	b, err := json.Marshal(record{Offer: &o})
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}
