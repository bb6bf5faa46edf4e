package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

const (
	everywhere = "alle" // as place: the whole network
	pageSize   = directory.DefaultLimit
	maxPage    = 500
	maxRadios  = 8 // choices of one filter that are shown
	maxBanners = 5
)

type searchPage struct {
	Heading string
	Lead    string
	Search  *searchForm
	Banner  *alert // portals that do not answer
	State   *alert // no hit, place outside
	Tiles   []tile // empty search
	Filter  *filterForm
	Chips   []chip
	Hits    []hit
	First   int // number of the first hit, for <ol start>
	Pages   *pager
	Action  string
}

// chip tells how the search was understood.
type chip struct {
	Text, Strong string
	Link         *link
	Aside        string // read out after the link
}

// filterForm narrows a result; every choice says how many hits it leaves.
type filterForm struct {
	Hidden  []field
	Action  string
	Active  bool // some filter is set
	Reset   string
	Online  *option
	Place   *option
	Groups  []optionGroup
	AllText string
}

type field struct{ Name, Value string }

type option struct {
	ID, Name, Value, Label string
	Checked                bool
}

type optionGroup struct {
	Legend  string
	Options []option
}

type pager struct{ Previous, Next *link }

// request is what a search address says.
type request struct {
	q         string
	page      int
	authority federation.EntityID
	authKey   string
	kind      federation.Kind
	literal   bool
	online    bool
	only      bool
	everybody bool // in the whole network
}

func (w *Web) readSearch(r *http.Request) request {
	p := r.URL.Query()
	req := request{
		q: strings.TrimSpace(p.Get("q")), literal: p.Get("genau") == "1", online: p.Get("online") == "1",
		only: p.Get("gebiet") == "1", everybody: p.Get("ort") == everywhere, authKey: p.Get("behoerde"),
	}
	if len(req.q) > directory.MaxQueryBytes {
		req.q = strings.ToValidUTF8(req.q[:directory.MaxQueryBytes], "")
	}
	if req.authKey != "" {
		if a, ok := w.member(req.authKey); ok {
			req.authority = a.Member.ID
		}
	}
	req.kind, _ = federation.ParseKind(p.Get("ebene")) // an unknown word is no filter
	if n, err := strconv.Atoi(p.Get("seite")); err == nil && n > 1 && n <= maxPage {
		req.page = n - 1
	}
	return req
}

func (q request) filtered() bool {
	return q.online || q.only || q.authority != "" || q.kind != federation.KindUnknown
}

// Suche is the page "/suche".
func (w *Web) Suche(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "suche")
	req := w.readSearch(r)
	v.Nav = "leistungen"
	v.NoIndex = true
	if req.everybody {
		v.Place = w.placeOf(w.cfg.Area)
		v.Place.Chosen = true
	} else {
		v.Place = w.choose(r)
	}
	if v.Place.Problem == severalPlaces {
		w.askPlace(rw, r, v, v.Place.Asked)
		return
	}
	v.crumbs(link{URL: v.Link("/leistungen"), Text: v.t("nav.services")}, link{Text: v.t("search.crumb")})
	page := searchPage{Search: v.search(req.q, v.Place), Action: "/suche"}
	switch {
	case v.Place.Problem == unknownPlace:
		v.Title = v.t("search.title")
		page.State = v.outside()
	case v.Place.Problem == badPLZ:
		v.Title = v.t("search.title")
	case req.q == "" && !req.filtered():
		v.Title = v.t("search.empty.title")
		page.Lead = v.t("search.empty.text")
		page.Tiles = v.tiles(v.Place)
	default:
		v.results(&page, req)
	}
	page.Heading = v.Title
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// outside is the state for a place that does not belong to the network.
func (v *view) outside() *alert {
	if by, ok := v.w.of(v.Place.Beside); ok {
		return v.besideState(by)
	}
	return &alert{
		Kind: "info", Title: v.t("place.outside.title"), Text: []string{v.t("place.outside.text", v.where(v.w.placeOf(v.w.cfg.Area)))},
		Links: []link{{URL: "https://verwaltung.bund.de/", Text: v.t("place.outside.link")}},
	}
}

func (v *view) results(page *searchPage, req request) {
	res := v.w.cfg.Directory.Search(directory.Query{
		Text: req.q, Place: v.Place.Area, Own: v.w.cfg.Self, Lang: v.Lang, Literal: req.literal,
		Online: req.online, OnlyPlace: req.only, Authority: req.authority, Kind: req.kind,
		Offset: req.page * pageSize, Limit: pageSize,
	})
	where := v.where(v.Place)
	if req.q == "" {
		v.Title = v.n("search.browse", res.Total, where)
	} else {
		v.Title = v.n("search.found", res.Total, req.q, where)
	}
	if res.Total == 0 {
		page.State = v.noHit(req, &res, where)
	}
	for i := range res.Hits {
		page.Hits = append(page.Hits, v.hit(&res.Hits[i], v.Place, false))
	}
	page.First = req.page*pageSize + 1
	page.Banner = v.silent(res.Hits)
	page.Chips = v.chips(req, &res)
	if res.Total > 1 || req.filtered() {
		page.Filter = v.filter(req, &res)
	}
	page.Pages = v.pager(req, res.Total)
}

// noHit says that nothing was found and what can be done [UX.md §6].
func (v *view) noHit(req request, res *directory.Result, where string) *alert {
	a := &alert{Kind: "info", Title: v.t("search.none.title"), Status: true}
	first := v.t("search.none.text", req.q, where)
	if req.q == "" {
		first = v.t("search.none.filter", where)
	}
	hint := v.t("search.none.spelling")
	if res.Hint != "" {
		hint = v.t("search.none.hint", res.Hint)
	}
	a.Text = []string{first + " " + hint}
	if req.filtered() {
		a.Links = append(a.Links, link{URL: v.searchURL(request{q: req.q}), Text: v.t("search.none.unfiltered")})
	}
	if res.Hint != "" {
		a.Links = append(a.Links, link{URL: v.searchURL(request{q: res.Hint}), Text: v.t("search.none.try", res.Hint)})
	}
	if res.Elsewhere > 0 {
		a.Links = append(a.Links, link{URL: v.searchURL(request{q: req.q, everybody: true}), Text: v.n("search.none.elsewhere", res.Elsewhere, v.where(v.w.placeOf(res.ElsewhereArea)))})
	}
	a.Text = append(a.Text, v.t("search.none.115"))
	return a
}

// silent is the banner that names each portal which does not answer and
// still has hits on this page.
func (v *view) silent(hits []directory.Hit) *alert {
	var text []string
	seen := map[federation.EntityID]bool{v.w.cfg.Self: true}
	for i := range hits {
		p := &hits[i].Provider
		if p.Reachable || seen[p.Member.ID] {
			continue
		}
		seen[p.Member.ID] = true
		if len(text) < maxBanners {
			text = append(text, v.silentText(p))
		}
	}
	if len(text) == 0 {
		return nil
	}
	return &alert{Kind: "warning", Title: v.n("offline.title", len(text)), Text: text, Status: true}
}

func (v *view) silentText(p *directory.Provider) string {
	return v.t("offline.text", locale.Of(v.Lang, p.Member.Name), v.date(p.Fetched))
}

func (v *view) chips(req request, res *directory.Result) []chip {
	var out []chip
	if v.Place.Chosen || !v.Place.Wide {
		name := v.Place.Input
		if name == "" {
			name = v.Place.Full
		}
		out = append(out, chip{Text: v.t("chip.place"), Strong: name, Link: &link{URL: v.placeURL(req), Text: v.t("chip.change")}, Aside: v.t("chip.change.aside")})
	}
	if v.Place.Changed != nil {
		out = append(out, chip{Text: v.t("chip.successor", v.Place.Changed.Old.Name, v.Place.Name)})
	}
	if len(res.Also) > 0 {
		out = append(out, chip{Text: v.t("chip.also", strings.Join(res.Also, ", "))})
	}
	if res.Corrected != "" && res.Total > 0 && !strings.EqualFold(res.Corrected, req.q) {
		lit := req
		lit.literal, lit.page = true, 0
		out = append(out, chip{Text: v.t("chip.corrected", res.Corrected), Link: &link{URL: v.searchURL(lit), Text: v.t("chip.literal", req.q)}})
	}
	return out
}

func (v *view) placeURL(req request) string {
	return v.Plain("/ort?" + url.Values{"ziel": {v.searchURL(req)}}.Encode())
}

// searchURL writes the address of a search with the place of this page.
func (v *view) searchURL(req request) string {
	q := url.Values{}
	set := func(name, value string, on bool) {
		if on {
			q.Set(name, value)
		}
	}
	set("q", req.q, req.q != "")
	set("online", "1", req.online)
	set("gebiet", "1", req.only)
	set("behoerde", req.authKey, req.authority != "")
	set("ebene", req.kind.String(), req.kind != federation.KindUnknown)
	set("genau", "1", req.literal)
	set("seite", strconv.Itoa(req.page+1), req.page > 0)
	set("ort", everywhere, req.everybody)
	if v.Place.Chosen && !req.everybody && v.Place.Problem == noProblem {
		q.Set("ort", v.Place.Key)
	}
	return v.query("/suche", q)
}

func (v *view) filter(req request, res *directory.Result) *filterForm {
	f := &filterForm{Action: "/suche", Active: req.filtered(), Reset: v.searchURL(request{q: req.q, everybody: req.everybody})}
	f.Hidden = []field{{"q", req.q}}
	if v.Place.Chosen {
		f.Hidden = append(f.Hidden, field{"ort", v.Place.Key})
	}
	if v.Lang != locale.German {
		f.Hidden = append(f.Hidden, field{"lang", v.Lang})
	}
	if n := res.Facets.Online; n > 0 || req.online {
		f.Online = &option{ID: "f-online", Name: "online", Value: "1", Label: v.counted(v.t("filter.online"), n), Checked: req.online}
	}
	if n := res.Facets.OnlyPlace; !v.Place.Wide && (n > 0 && n < res.Total || req.only) {
		f.Place = &option{ID: "f-gebiet", Name: "gebiet", Value: "1", Label: v.counted(v.t("filter.only", v.Place.Name), n), Checked: req.only}
	}
	f.group(v, "behoerde", v.t("filter.authority"), res.Facets.Authorities, req.authority == "", func(x directory.Facet) (string, string) {
		id, label := federation.EntityID(x.Value), x.Label
		if a, ok := v.w.cfg.Directory.Authority(id); ok {
			label = a.Member.Name
		}
		return memberKey(id), label
	})
	f.group(v, "ebene", v.t("filter.level"), res.Facets.Kinds, req.kind == federation.KindUnknown, func(x directory.Facet) (string, string) {
		return x.Value, v.t("kind." + x.Value)
	})
	if f.Online == nil && f.Place == nil && len(f.Groups) == 0 {
		return nil
	}
	return f
}

// group adds a choice of one; a single choice that is not set is no choice.
func (f *filterForm) group(v *view, name, legend string, facets []directory.Facet, none bool, text func(directory.Facet) (value, label string)) {
	if len(facets) == 0 || len(facets) == 1 && none {
		return
	}
	g := optionGroup{Legend: legend, Options: []option{{ID: "f-" + name, Name: name, Label: v.t("filter.all"), Checked: none}}}
	for i, x := range facets[:min(len(facets), maxRadios)] {
		value, label := text(x)
		g.Options = append(g.Options, option{ID: "f-" + name + strconv.Itoa(i), Name: name, Value: value, Label: v.counted(label, x.Count), Checked: x.Active})
	}
	f.Groups = append(f.Groups, g)
}

func (v *view) counted(label string, n int) string {
	return label + " (" + locale.Number(v.Lang, n) + ")"
}

func (v *view) pager(req request, total int) *pager {
	var p pager
	if req.page > 0 {
		prev := req
		prev.page--
		p.Previous = &link{URL: v.searchURL(prev), Text: v.t("pager.previous")}
	}
	if rest := total - (req.page+1)*pageSize; rest > 0 && req.page+1 < maxPage {
		next := req
		next.page++
		p.Next = &link{URL: v.searchURL(next), Text: v.n("pager.next", min(rest, pageSize))}
	}
	if p.Previous == nil && p.Next == nil {
		return nil
	}
	return &p
}
