package directory

import (
	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Limits of a Query.
const (
	MaxQueryBytes = 400 // longer texts are cut at a rune boundary
	MaxQueryWords = 12  // further words are ignored
	DefaultLimit  = 20
	MaxLimit      = 100
)

// Query is a search. The zero value of every filter means "all".
type Query struct {
	Text string
	// Place is the citizen's Gemeinde. A wider area (a Kreis, the Bund)
	// means everything offered anywhere inside it or above it.
	Place region.Area
	// Own is the member whose portal is asked; its offers come first among
	// equals when Place is wider than a Gemeinde. May be empty.
	Own       federation.EntityID
	Lang      string // two letters, "" is "de": language of titles
	Literal   bool   // do not correct typing errors
	Online    bool   // only what can be applied for online
	Authority federation.EntityID
	Kind      federation.Kind // Ebene
	// OnlyPlace leaves out offers that are not for Place but only open to it
	// (Neighbour).
	OnlyPlace  bool
	Audience   string // 001 Bürger, 002 Unternehmen, 003 Verwaltung
	Lebenslage string // slug, see Lebenslagen
	Offset     int
	Limit      int // 0 is DefaultLimit; at most MaxLimit
}

// Result is one page of hits.
type Result struct {
	Hits  []Hit
	Total int // of all pages
	// Facets count the hits that each choice would leave, all other filters
	// as they are. No choice with 0.
	Facets Facets
	// Also are words that were searched too because the dictionary of
	// synonyms names them, as the dictionary writes them, at most 4.
	Also []string
	// Corrected is the text that was searched because a word was unknown and
	// one with a small typing error in it is known; "" if nothing was
	// corrected. Search again with Literal to insist.
	Corrected string
	// Elsewhere counts the hits of the same query anywhere in ElsewhereArea
	// (the Kreis of Place); only set when Total is 0.
	Elsewhere     int
	ElsewhereArea region.Area
	// Authorities are members whose name the query contains, at most 3.
	Authorities []federation.Member
	// Hint is one shorter word of the query that has hits ("" if none): "nehmen
	// Sie ein anderes Wort". Only set when Total is 0.
	Hint    string
	Version uint64
}

// Hit is one Leistung for the asked place with the member responsible there.
type Hit struct {
	Leika leika.ID // zero for an offer without key
	Ref   OfferRef // the responsible member's offer
	Title string   // in Lang, else as Text.In falls back
	Lang  string   // the language Title is really in
	// Teaser is the short text, plain, at most 200 bytes, in TeaserLang.
	Teaser     string
	TeaserLang string
	Provider   Provider
	Matched    Matched
	Several    bool // conflict: more than one member is responsible
	// Places counts the members offering it inside Place when Place is wider
	// than a Gemeinde; 1 otherwise.
	Places int
}

// Matched says how good a hit is; smaller is better [UX.md §5.1].
type Matched uint8

// The ranks of a hit.
const (
	MatchedTitle   Matched = iota // the title is what was typed
	MatchedSynonym                // title and synonyms hold every word
	MatchedText                   // the texts hold every word
	MatchedPart                   // some words only
	MatchedNothing                // no text was asked: browsing
)

// Facets are the filters with counts, each sorted by count then value.
type Facets struct {
	Online      int // hits that can be applied for online
	OnlyPlace   int // hits that are for Place itself
	Authorities []Facet
	Kinds       []Facet // value is federation.Kind.String()
	Audiences   []Facet
	Lebenslagen []Facet // value is the slug
}

// Facet is one choice of a filter.
type Facet struct {
	Value  string
	Label  string
	Count  int
	Active bool
}

// Suggestion is one completion while typing.
type Suggestion struct {
	Text  string   `json:"text"`
	Leika leika.ID `json:"leika,omitzero"`
	Ref   OfferRef `json:"ref,omitzero"`
	Match [2]int   `json:"match"` // bytes of Text that were typed, [from, to)
}

// Lebenslage is one tile of the start page with its count.
type Lebenslage struct {
	Slug  string
	Name  string // German
	Count int    // Leistungen at the place
	// Examples are up to three titles of the place.
	Examples []string
}

// Entry is one line of an A–Z list.
type Entry struct {
	Letter string // one capital letter; Ä is A; "#" for the rest
	Title  string
	Lang   string
	Leika  leika.ID
	Ref    OfferRef
	Member federation.Member
	Online bool

	sort string
}

// Authority is one member with what it offers.
type Authority struct {
	Member    federation.Member
	Offers    int
	Online    int
	Serial    uint64
	HasCopy   bool
	Stale     bool
	Reachable bool
	Units     []*catalog.Unit
}
