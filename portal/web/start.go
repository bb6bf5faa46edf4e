package web

import (
	"net/http"
	"slices"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web/locale"
)

var bund = region.Area{} // every area

// searchForm is the form of two fields.
type searchForm struct {
	Q, Ort     string
	QID, OrtID string
	Problem    string // at the field for the place
	Lang       string // hidden field, "" for German
	Action     string
	Suggest    bool // with a script that suggests while typing
}

func (v *view) search(q string, p place) *searchForm {
	f := &searchForm{Q: q, Ort: p.Input, QID: "q", OrtID: "ort", Action: "/suche", Suggest: !v.Bare}
	v.Script = f.Suggest
	if v.Lang != v.w.texts.Default() {
		f.Lang = v.Lang
	}
	if p.Problem == badPLZ {
		f.Problem = v.t("place.plz")
	}
	return f
}

// tile is one Lebenslage on the start page.
type tile struct {
	Name, URL, Count string
	Examples         []link // text and language only
}

type startPage struct {
	Heading, Intro string
	Lang           string // of both, "" if it is the page's
	Search         *searchForm
	Tiles          []tile
	Often          []hit
	OftenHeading   string
}

// Start is the page "/".
func (w *Web) Start(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "start")
	v.Place = w.choose(r)
	v.Nav = "start"
	v.Title = v.t("nav.start")
	b := v.Brand()
	v.Summary = b.Intro
	page := startPage{Heading: b.Greeting, Intro: b.Intro, Search: v.search("", v.Place), Tiles: v.tiles(v.Place)}
	if page.Heading == "" {
		page.Heading = v.t("start.heading", b.Name)
	} else {
		page.Lang = v.In(locale.German)
	}
	page.Often, page.OftenHeading = v.often(v.Place), v.t("start.often", v.where(v.Place))
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// tiles returns the Lebenslagen in the order of the brand.
func (v *view) tiles(p place) []tile {
	all := v.w.cfg.Directory.Lebenslagen(p.Area, v.Lang)
	german := map[string]string{} // examples that are not in the page's language
	if v.Lang != locale.German {
		for _, l := range v.w.cfg.Directory.Lebenslagen(p.Area, locale.German) {
			for _, e := range l.Examples {
				german[e] = v.In(locale.German)
			}
		}
	}
	order := v.look.brand.Lebenslagen
	slices.SortStableFunc(all, func(a, b directory.Lebenslage) int {
		return rank(order, a.Slug) - rank(order, b.Slug)
	})
	tiles := make([]tile, 0, len(all))
	for _, l := range all {
		if l.Count == 0 {
			continue
		}
		t := tile{Name: l.Name}
		for _, e := range l.Examples {
			t.Examples = append(t.Examples, link{Text: e, Lang: german[e]})
		}
		t.URL = v.with("/lebenslage/"+l.Slug, p)
		t.Count = v.n("start.count", l.Count)
		tiles = append(tiles, t)
	}
	return tiles
}

func rank(order []string, slug string) int {
	if i := slices.Index(order, slug); i >= 0 {
		return i
	}
	return len(order)
}

// oftenWords are things that most households need now and then. They are only
// words to search for: what the place does not offer is not shown.
var oftenWords = [...]string{
	"Hund anmelden", "Personalausweis", "Geburtsurkunde", "Bauplan", "Auto abmelden", "Fahrzeug abmelden", "Sperrmüll", "Brennholz",
	"Wohnsitz", "Führungszeugnis", "Wohngeld", "Gewerbe anmelden",
}

const oftenTiles = 6

// often returns some services that many need, as offered for the place.
func (v *view) often(p place) []hit {
	var out []hit
	seen := map[directory.OfferRef]bool{}
	add := func(q directory.Query) {
		if len(out) == oftenTiles {
			return
		}
		q.Place, q.Own, q.Lang, q.Limit = p.Area, v.w.cfg.Self, v.Lang, 1
		res := v.w.cfg.Directory.Search(q)
		if len(res.Hits) == 0 || res.Corrected != "" || seen[res.Hits[0].Ref] || res.Hits[0].Matched == directory.MatchedText || res.Hits[0].Matched == directory.MatchedPart {
			return
		}
		seen[res.Hits[0].Ref] = true
		out = append(out, v.hit(&res.Hits[0], p, true))
	}
	for _, word := range oftenWords {
		add(directory.Query{Text: word, Literal: true})
	}
	for _, l := range v.w.cfg.Directory.Lebenslagen(p.Area, v.Lang) {
		add(directory.Query{Lebenslage: l.Slug})
	}
	return out
}
