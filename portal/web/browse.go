package web

import (
	"net/http"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

type listPage struct {
	Heading, Lead string
	Tiles         []tile
	Hits          []hit
	Groups        []letterGroup
	Pages         *pager
	Empty         string
	First         int
	Umzug         *link
}

type letterGroup struct {
	Letter  string
	Anchor  string
	Entries []entry
}

type entry struct {
	URL, Title, Lang, Who string
	Online                bool
}

// Lebenslagen is the page "/lebenslagen".
func (w *Web) Lebenslagen(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "liste")
	if v.Place = w.choose(r); v.Place.Problem == severalPlaces {
		w.askPlace(rw, r, v, v.Place.Asked)
		return
	}
	v.Nav, v.Title = "lebenslagen", v.t("nav.situations")
	v.crumbs(link{Text: v.Title})
	v.Page = listPage{Heading: v.Title, Lead: v.t("situations.lead", v.where(v.Place)), Tiles: v.tiles(v.Place)}
	w.write(rw, r, http.StatusOK, v)
}

// Lebenslage is the page "/lebenslage/{slug}".
func (w *Web) Lebenslage(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "liste")
	if v.Place = w.choose(r); v.Place.Problem == severalPlaces {
		w.askPlace(rw, r, v, v.Place.Asked)
		return
	}
	slug := r.PathValue("slug")
	var this *directory.Lebenslage
	for _, l := range w.cfg.Directory.Lebenslagen(v.Place.Area, v.Lang) {
		if l.Slug == slug {
			this = &l
		}
	}
	if this == nil {
		w.NotFound(rw, r)
		return
	}
	req := w.readSearch(r)
	res := w.cfg.Directory.Search(directory.Query{Lebenslage: slug, Place: v.Place.Area, Own: w.cfg.Self, Lang: v.Lang, Offset: req.page * directory.MaxLimit, Limit: directory.MaxLimit})
	v.Nav, v.Title = "lebenslagen", this.Name
	v.crumbs(link{URL: v.Link("/lebenslagen"), Text: v.t("nav.situations")}, link{Text: v.Title})
	page := listPage{Heading: v.t("situation.heading", v.Title, v.where(v.Place)), Lead: v.n("situation.lead", res.Total), First: req.page*directory.MaxLimit + 1}
	for i := range res.Hits {
		page.Hits = append(page.Hits, v.hit(&res.Hits[i], v.Place, false))
	}
	if slug == "umzug" {
		page.Umzug = &link{URL: v.Link("/umzug"), Text: v.t("situation.move")}
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// Leistungen is the page "/leistungen": everything from A to Z.
func (w *Web) Leistungen(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "liste")
	if v.Place = w.choose(r); v.Place.Problem == severalPlaces {
		w.askPlace(rw, r, v, v.Place.Asked)
		return
	}
	v.Nav, v.Title = "leistungen", v.t("az.title", v.where(v.Place))
	v.crumbs(link{Text: v.t("nav.services")})
	page := listPage{Heading: v.Title, Lead: v.t("az.lead")}
	n := 0
	for _, e := range w.cfg.Directory.AZ(v.Place.Area, v.Lang) {
		if n++; n > 3000 {
			break
		}
		if len(page.Groups) == 0 || page.Groups[len(page.Groups)-1].Letter != e.Letter {
			page.Groups = append(page.Groups, letterGroup{Letter: e.Letter, Anchor: "az-" + strings.ToLower(strings.ReplaceAll(e.Letter, "#", "0"))})
		}
		g := &page.Groups[len(page.Groups)-1]
		g.Entries = append(g.Entries, entry{URL: v.detailURL(e.Leika, e.Ref, v.Place), Title: e.Title, Lang: v.In(e.Lang), Who: e.Member.Name, Online: e.Online})
	}
	if len(page.Groups) == 0 {
		page.Empty = v.t("az.empty")
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

type authoritiesPage struct {
	Heading, Lead string
	Items         []authorityItem
}

type authorityItem struct {
	Name, URL, Kind, Counts string
	Portal                  string
	Badges                  []badge
}

// Behoerden is the page "/behoerden".
func (w *Web) Behoerden(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "behoerden")
	v.Nav, v.Title = "behoerden", v.t("nav.authorities")
	v.crumbs(link{Text: v.Title})
	page := authoritiesPage{Heading: v.Title, Lead: v.t("authorities.lead", v.where(w.placeOf(w.cfg.Area)))}
	for _, a := range w.cfg.Directory.Authorities(bund) {
		page.Items = append(page.Items, v.authorityItem(&a))
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

func (v *view) authorityItem(a *directory.Authority) authorityItem {
	it := authorityItem{Name: a.Member.Name, URL: v.Link("/behoerden/" + memberKey(a.Member.ID)), Portal: a.Member.ID.Origin() + "/"}
	if a.Member.Kind != federation.KindUnknown {
		it.Kind = v.t("kind." + a.Member.Kind.String())
	}
	it.Counts = v.n("authority.offers", a.Offers) + ", " + v.t("authority.online", locale.Number(v.Lang, a.Online))
	if !a.HasCopy {
		it.Counts = v.t("authority.nodata")
	}
	return it
}

type authorityPage struct {
	Heading, Kind string
	Alerts        []alert
	Portal        link
	Units         []*contact
	Offers        []entry
	Counts        string
	All           link
}

const maxAuthorityOffers = 1000

// Behoerde is the page "/behoerden/{id}".
func (w *Web) Behoerde(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	a, ok := w.member(r.PathValue("id"))
	if !ok {
		w.NotFound(rw, r)
		return
	}
	v := w.view(r, "behoerde")
	if v.Place = w.choose(r); v.Place.Problem != noProblem {
		v.Place = w.home()
	}
	v.Nav, v.Title = "behoerden", a.Member.Name
	v.crumbs(link{URL: v.Link("/behoerden"), Text: v.t("nav.authorities")}, link{Text: v.Title})
	it := v.authorityItem(&a)
	page := authorityPage{Heading: v.Title, Kind: it.Kind, Counts: it.Counts, Portal: link{URL: it.Portal, Text: v.t("authority.portal", v.portal(a.Member))}}
	if !a.Reachable && a.Member.ID != w.cfg.Self {
		text := v.t("offline.nodata", locale.Of(v.Lang, a.Member.Name))
		if offers := w.cfg.Directory.Offers(a.Member.ID); len(offers) > 0 {
			if p, ok := w.cfg.Directory.Offer(directory.OfferRef{Member: a.Member.ID, ID: offers[0].ID}); ok {
				text = v.silentText(&p)
			}
		}
		page.Alerts = append(page.Alerts, alert{Kind: "warning", Title: v.n("offline.title", 1), Text: []string{text}, Status: true})
	}
	for _, u := range a.Units {
		p := directory.Provider{Member: a.Member, Unit: u}
		if c := v.contact(&p); c != nil {
			page.Units = append(page.Units, c)
		}
	}
	for i, o := range w.cfg.Directory.Offers(a.Member.ID) {
		if i == maxAuthorityOffers {
			break
		}
		title, lang := o.Title.In(v.Lang)
		ref := directory.OfferRef{Member: a.Member.ID, ID: o.ID}
		page.Offers = append(page.Offers, entry{URL: v.with(offerPath(ref), v.Place), Title: title, Lang: v.In(lang), Online: len(o.Onlinedienste) > 0})
	}
	page.All = link{URL: v.searchURL(request{authority: a.Member.ID, authKey: memberKey(a.Member.ID)}), Text: v.t("authority.search", a.Member.Name)}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}
