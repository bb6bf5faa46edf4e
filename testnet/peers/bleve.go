//go:build peers

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/de" // the German analyser names itself
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"

	"rathausnetz/federation/region"
)

// bleveFinder indexes each distinct service once and keeps out what the place
// does not have with a bitmap: the fastest way to use Bleve for this.
type bleveFinder struct {
	path    string
	index   bleve.Index
	number  []int32            // by Bleve's document number: the service
	offered map[int64][]uint64 // by area: bits of services
}

func newBleve(dir string) *bleveFinder { return &bleveFinder{path: filepath.Join(dir, "bleve")} }

func (b *bleveFinder) load(ctx context.Context, s *stock) (time.Duration, error) {
	start := time.Now()
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = "de"
	m.StoreDynamic, m.DocValuesDynamic = false, false
	m.DefaultMapping = mapping.NewDocumentMapping()
	var err error
	if b.index, err = bleve.New(b.path, m); err != nil {
		return 0, err
	}
	batch := b.index.NewBatch()
	for i := range s.services {
		x := &s.services[i]
		doc := map[string]string{"title": x.title, "synonyms": x.synonyms, "text": x.text}
		if err := batch.Index(strconv.Itoa(i), doc); err != nil {
			return 0, err
		}
	}
	if err := b.index.Batch(batch); err != nil { // one batch: one segment
		return 0, err
	}
	words := len(s.services)/64 + 1
	b.offered = map[int64][]uint64{}
	for area, list := range s.offered {
		bits := make([]uint64, words)
		for _, no := range list {
			bits[no/64] |= 1 << (no % 64)
		}
		b.offered[area] = bits
	}
	took := time.Since(start)
	return took, b.numberDocuments(ctx, len(s.services))
}

var errDocuments = errors.New("Bleve has lost documents")

// numberDocuments notes which of Bleve's documents is which service.
func (b *bleveFinder) numberDocuments(_ context.Context, services int) error {
	advanced, err := b.index.Advanced()
	if err != nil {
		return err
	}
	reader, err := advanced.Reader()
	if err != nil {
		return err
	}
	defer reader.Close()
	all, err := reader.DocIDReaderAll()
	if err != nil {
		return err
	}
	defer all.Close()
	b.number = make([]int32, services)
	seen := 0
	for {
		id, err := all.Next()
		if err != nil {
			return err
		}
		if id == nil {
			break
		}
		name, err := reader.ExternalID(id)
		if err != nil {
			return err
		}
		no, err := strconv.Atoi(name)
		if err != nil {
			return err
		}
		at := binary.BigEndian.Uint64(id)
		if at >= uint64(services) {
			return errDocuments
		}
		b.number[at] = int32(no)
		seen++
	}
	if seen != services {
		return errDocuments
	}
	return nil
}

func (b *bleveFinder) find(ctx context.Context, text string, place region.Area) (int, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return 0, nil
	}
	last := words[len(words)-1]
	title := bleve.NewMatchQuery(text)
	title.SetField("title")
	title.SetBoost(3)
	alike := bleve.NewMatchQuery(text)
	alike.SetField("title")
	alike.SetFuzziness(1)
	begins := bleve.NewPrefixQuery(strings.ToLower(last))
	begins.SetField("title")
	synonyms := bleve.NewMatchQuery(text)
	synonyms.SetField("synonyms")
	synonyms.SetBoost(2)
	anywhere := bleve.NewMatchQuery(text)
	anywhere.SetField("text")
	r := bleve.NewSearchRequestOptions(&placed{b.here(place), b.number, bleve.NewDisjunctionQuery(title, alike, begins, synonyms, anywhere)}, 20, 0, false)
	res, err := b.index.SearchInContext(ctx, r)
	if err != nil {
		return 0, err
	}
	return len(res.Hits), nil
}

// here is what is offered at the place or around it.
func (b *bleveFinder) here(place region.Area) []uint64 {
	out := make([]uint64, len(b.number)/64+1)
	for _, l := range levels(place) {
		for i, word := range b.offered[l] {
			out[i] |= word
		}
	}
	return out
}

// placed is a query among what the bitmap has.
type placed struct {
	bits   []uint64
	number []int32
	query  query.Query
}

func (p *placed) Searcher(ctx context.Context, i index.IndexReader, m mapping.IndexMapping, options search.SearcherOptions) (search.Searcher, error) {
	s, err := p.query.Searcher(ctx, i, m, options)
	if err != nil {
		return nil, err
	}
	return searcher.NewFilteringSearcher(ctx, s, func(_ *search.SearchContext, d *search.DocumentMatch) bool {
		no := p.number[binary.BigEndian.Uint64(d.IndexInternalID)]
		return p.bits[no/64]>>(no%64)&1 != 0
	}), nil
}

func (b *bleveFinder) processes() []int { return nil }

func (b *bleveFinder) close() {
	if b.index != nil {
		_ = b.index.Close()
	}
}
