package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

type searchView struct {
	Count         int        `json:"count"`
	Offset        int        `json:"offset"`
	Total         int        `json:"totalCount"`
	Place         string     `json:"place"`
	PlaceName     string     `json:"placeName"`
	Hits          []hitView  `json:"hits"`
	Facets        facetsView `json:"facets"`
	Also          []string   `json:"also"`
	Corrected     string     `json:"corrected,omitempty"`
	Hint          string     `json:"hint,omitempty"`
	Elsewhere     int        `json:"elsewhere,omitempty"`
	ElsewhereArea string     `json:"elsewhereArea,omitempty"`
}

type facetsView struct {
	Online      int         `json:"online"`
	OnlyPlace   int         `json:"onlyPlace"`
	Authorities []facetView `json:"authorities"`
	Kinds       []facetView `json:"kinds"`
	Audiences   []facetView `json:"audiences"`
	Lebenslagen []facetView `json:"lebenslagen"`
}

// Search serves GET /api/v1/search.
func (a *API) Search() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "q", "ort", "lang", "online", "behoerde", "ebene", "nurort", "zielgruppe", "lebenslage", "genau", "offset", "limit")
		q := directory.Query{
			Text: p.one("q"), Lang: p.lang(), Online: p.yes("online"), OnlyPlace: p.yes("nurort"), Literal: p.yes("genau"),
			Authority: federation.EntityID(p.one("behoerde")), Audience: p.one("zielgruppe"), Lebenslage: p.one("lebenslage"),
			Offset: p.number("offset", 0, 1<<30, 0), Limit: p.number("limit", 1, directory.MaxLimit, directory.DefaultLimit), Own: a.self,
		}
		if len(q.Text) > directory.MaxQueryBytes {
			p.fail(badParameter("q", "darf höchstens %d Bytes lang sein.", directory.MaxQueryBytes))
		}
		if s := p.one("ebene"); s != "" {
			kind, err := federation.ParseKind(s)
			if err != nil {
				p.fail(badParameter("ebene", "muss gemeinde, samtgemeinde, landkreis, land oder unternehmen sein."))
			}
			q.Kind = kind
		}
		q.Place = a.place(p, "ort").area
		if err := p.err(); err != nil {
			return answer{}, err
		}
		return jsonAnswer(a.viewResult(q, a.directory.Search(q)))
	})
}

func (a *API) viewResult(q directory.Query, r directory.Result) searchView {
	v := searchView{
		Count: len(r.Hits), Offset: q.Offset, Total: r.Total, Place: q.Place.String(), PlaceName: a.register.Name(q.Place),
		Hits: make([]hitView, 0, len(r.Hits)), Also: r.Also, Corrected: r.Corrected, Hint: r.Hint, Elsewhere: r.Elsewhere,
		Facets: facetsView{
			r.Facets.Online, r.Facets.OnlyPlace, viewFacets(r.Facets.Authorities), viewFacets(r.Facets.Kinds),
			viewFacets(r.Facets.Audiences), viewFacets(r.Facets.Lebenslagen),
		},
	}
	if v.Also == nil {
		v.Also = []string{}
	}
	if r.Elsewhere > 0 {
		v.ElsewhereArea = r.ElsewhereArea.String()
	}
	for i := range r.Hits {
		h := &r.Hits[i]
		v.Hits = append(v.Hits, hitView{
			h.Leika.String(), h.Title, h.Lang, h.Teaser, h.TeaserLang, h.Several, h.Places, viewProvider(&h.Provider),
		})
	}
	return v
}

type suggestView struct {
	Suggestions []directory.Suggestion `json:"suggestions"`
}

// Suggest serves GET /api/v1/suggest.
func (a *API) Suggest() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "q", "ort", "lang", "limit")
		text, lang, limit := p.one("q"), p.lang(), p.number("limit", 1, 20, 8)
		if len(text) > directory.MaxQueryBytes {
			p.fail(badParameter("q", "darf höchstens %d Bytes lang sein.", directory.MaxQueryBytes))
		}
		place := a.place(p, "ort")
		if err := p.err(); err != nil {
			return answer{}, err
		}
		v := suggestView{a.directory.Suggest(text, place.area, lang, limit)}
		if v.Suggestions == nil {
			v.Suggestions = []directory.Suggestion{}
		}
		return jsonAnswer(v)
	})
}

// Resolve serves GET /api/v1/resolve.
func (a *API) Resolve() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "leika", "member", "offer", "ort", "datum", "explain")
		q := directory.Request{
			Leika: p.leika("leika"), Date: p.date("datum"),
			Offer: directory.OfferRef{Member: federation.EntityID(p.one("member")), ID: catalog.ID(p.one("offer"))},
		}
		explain := p.yes("explain")
		if q.Leika.IsZero() == q.Offer.IsZero() || (q.Offer.Member == "") != (q.Offer.ID == "") {
			p.fail(badParameter("leika, member, offer", "entweder leika oder member und offer müssen angegeben sein."))
		}
		if p.one("ort") == "" {
			p.fail(badParameter("ort", "fehlt: ARS, AGS, PLZ oder Name eines Ortes."))
		}
		at := a.place(p, "ort")
		if err := p.err(); err != nil {
			return answer{}, err
		}
		q.Place, q.Outdated = at.area, at.outdated
		if x, ok, err := a.elsewhere(r, q, explain); ok || err != nil {
			return x, err
		}
		if explain {
			e := a.directory.Explain(q)
			return jsonAnswer(a.viewAnswer(&e.Answer, e.Steps))
		}
		x := a.directory.Resolve(q)
		return jsonAnswer(a.viewAnswer(&x, nil))
	})
}

type offerView struct {
	Provider providerView  `json:"provider"`
	Record   catalog.Offer `json:"record"` // as its owner published it
}

type offerItem struct {
	Offer string       `json:"offer"`
	Leika string       `json:"leika,omitempty"`
	Title catalog.Text `json:"title"`
}

// Offers serves GET /api/v1/offers: one offer (member and id) or the list of
// a member's offers (member alone).
func (a *API) Offers() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "member", "id", "offset", "limit")
		ref := directory.OfferRef{Member: federation.EntityID(p.one("member")), ID: catalog.ID(p.one("id"))}
		offset, limit := p.number("offset", 0, 1<<30, 0), p.number("limit", 1, 500, 100)
		if ref.Member == "" {
			p.fail(badParameter("member", "fehlt: die Kennung eines Mitglieds, wie /api/v1/members sie nennt."))
		}
		if err := p.err(); err != nil {
			return answer{}, err
		}
		if _, ok := a.directory.Authority(ref.Member); !ok {
			return answer{}, problem(http.StatusNotFound, "unknown-member", "Mitglied unbekannt", "Dieses Mitglied gibt es im Verbund nicht.")
		}
		if ref.ID == "" {
			items := []offerItem{}
			for _, o := range a.directory.Offers(ref.Member) {
				items = append(items, offerItem{string(o.ID), o.Leika.String(), o.Title})
			}
			return jsonAnswer(page(items, offset, limit))
		}
		x, ok := a.directory.Offer(ref)
		if !ok {
			return answer{}, problem(http.StatusNotFound, "unknown-offer", "Angebot unbekannt", "Dieses Mitglied hat kein Angebot mit dieser Kennung.")
		}
		return jsonAnswer(offerView{viewProvider(&x), *x.Offer})
	})
}

type authorityView struct {
	memberView
	Offers    int    `json:"offers"`
	Online    int    `json:"online"`
	Serial    uint64 `json:"serial"`
	HasCopy   bool   `json:"hasCopy"`
	Stale     bool   `json:"stale"`
	Reachable bool   `json:"reachable"`
}

// Members serves GET /api/v1/members: all, or those that serve a place.
func (a *API) Members() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "ort", "offset", "limit")
		offset, limit := p.number("offset", 0, 1<<30, 0), p.number("limit", 1, 500, 100)
		at := a.place(p, "ort")
		if err := p.err(); err != nil {
			return answer{}, err
		}
		items := []authorityView{}
		for _, x := range a.directory.Authorities(at.area) {
			items = append(items, authorityView{viewMember(&x.Member), x.Offers, x.Online, x.Serial, x.HasCopy, x.Stale, x.Reachable})
		}
		return jsonAnswer(page(items, offset, limit))
	})
}

type coverageView struct {
	Date   string          `json:"date"`
	Places []coveragePlace `json:"places"`
	Rows   []coverageRow   `json:"rows"`
}

type coveragePlace struct {
	ARS  string `json:"ars"`
	Name string `json:"name"`
}

type coverageRow struct {
	Leika string   `json:"leika"`
	Title string   `json:"title"`
	Signs []string `json:"signs"` // one for each place
}

// maxCells bounds one coverage matrix.
const maxCells = 200_000

// Coverage serves GET /api/v1/coverage: Leistung × Gemeinde of an area.
func (a *API) Coverage() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "ort", "leika", "datum", "format")
		date := p.date("datum")
		var keys []leika.ID
		if p.one("leika") != "" {
			keys = []leika.ID{p.leika("leika")}
		}
		format := p.one("format")
		if format != "" && format != "json" && format != "csv" {
			p.fail(badParameter("format", "muss json oder csv sein."))
		}
		if p.one("ort") == "" {
			p.fail(badParameter("ort", "fehlt: ein Kreis, eine Samtgemeinde oder eine Gemeinde."))
		}
		at := a.place(p, "ort")
		if err := p.err(); err != nil {
			return answer{}, err
		}
		var places []region.Area
		for _, g := range a.register.Gemeinden(at.area) {
			places = append(places, g.Area)
		}
		if keys == nil {
			keys = a.directory.Keys()
		}
		if len(keys)*len(places) > maxCells {
			return answer{}, problem(http.StatusUnprocessableEntity, "too-large", "Zu große Auswahl", "Wählen Sie ein kleineres Gebiet oder einen LeiKa-Schlüssel.")
		}
		m := a.directory.Coverage(keys, places, date)
		if format == "csv" {
			return answer{contentType: "text/csv; charset=utf-8", body: a.coverageCSV(&m)}, nil
		}
		if date.IsZero() {
			date = a.now()
		}
		return jsonAnswer(a.viewMatrix(&m, date))
	})
}

func (a *API) viewMatrix(m *directory.Matrix, date time.Time) coverageView {
	v := coverageView{Date: date.Format(time.DateOnly), Places: []coveragePlace{}, Rows: []coverageRow{}}
	for _, p := range m.Places {
		v.Places = append(v.Places, coveragePlace{p.String(), a.register.Name(p)})
	}
	for i, key := range m.Keys {
		row := coverageRow{Leika: key.String(), Title: m.Titles[i], Signs: []string{}}
		for _, c := range m.Cells[i] {
			row.Signs = append(row.Signs, string(c.Sign))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// coverageCSV writes the matrix for a spreadsheet: semicolons, and a quote
// before what a spreadsheet would take for a formula.
func (a *API) coverageCSV(m *directory.Matrix) []byte {
	var b strings.Builder
	b.WriteString("LeiKa-Schlüssel;Leistung")
	for _, p := range m.Places {
		fmt.Fprintf(&b, ";%s", field(a.register.Name(p)))
	}
	b.WriteString("\r\n")
	for i, key := range m.Keys {
		fmt.Fprintf(&b, "%s;%s", key, field(m.Titles[i]))
		for _, c := range m.Cells[i] {
			fmt.Fprintf(&b, ";%s", signWord(c.Sign))
		}
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}

func field(s string) string {
	if s != "" && slices.Contains([]byte("=+-@\t\r"), s[0]) {
		s = "'" + s
	}
	if strings.ContainsAny(s, ";\"\r\n") {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func signWord(s directory.Sign) string {
	switch s {
	case directory.SignOnline:
		return "online"
	case directory.SignDescribed:
		return "nur Information"
	case directory.SignParent:
		return "übergeordnet"
	case directory.SignConflict:
		return "mehrere"
	case directory.SignNobody:
		return "niemand"
	}
	return "unbekannt"
}
