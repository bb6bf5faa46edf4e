package web

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

type embedPage struct {
	Search  *searchForm
	Heading string
	State   *alert
	Hits    []hit
	First   int
	More    *link
	Snippet string
}

const embedHits = 10

// Einbetten is the page "/einbetten": search and hits without the portal's
// frame, for the web site of a municipality. It may be shown inside other
// pages, so it has no state and shows nothing of a session. With
// "?anleitung=1" it is an ordinary page that explains how.
func (w *Web) Einbetten(rw http.ResponseWriter, r *http.Request) {
	v := w.view(r, "einbetten")
	v.Person, v.NoIndex = nil, true
	v.Bare = r.URL.Query().Get("anleitung") == ""
	v.Title = v.t("embed.title")
	page := embedPage{Heading: v.t("embed.heading"), First: 1}
	if !v.Bare {
		v.crumbs(link{Text: v.Title})
		page.Snippet = `<iframe src="` + w.cfg.Self.Origin() + `/einbetten" title="` + v.t("embed.heading") + `" width="100%" height="700"></iframe>`
		v.Page = page
		w.write(rw, r, http.StatusOK, v)
		return
	}
	req := w.readSearch(r)
	if v.Place = w.choose(r); v.Place.Problem == severalPlaces {
		page.State = v.severalHere()
	} else if v.Place.Problem == unknownPlace {
		page.State = v.outside()
	} else if req.q != "" && v.Place.Problem == noProblem {
		res := w.cfg.Directory.Search(directory.Query{Text: req.q, Place: v.Place.Area, Own: w.cfg.Self, Lang: v.Lang, Literal: req.literal, Limit: embedHits})
		for i := range res.Hits {
			page.Hits = append(page.Hits, v.hit(&res.Hits[i], v.Place, false))
		}
		if page.Heading = v.n("search.found", res.Total, req.q, v.where(v.Place)); res.Total == 0 {
			page.Heading = v.t("search.none.title")
			page.State = v.noHit(req, &res, v.where(v.Place))
			page.State.Links = nil // they would lead out of the frame
		} else {
			page.More = &link{URL: v.searchURL(request{q: req.q}), Text: v.t("embed.results")}
		}
	}
	page.Search = v.search(req.q, v.Place)
	page.Search.Action = "/einbetten"
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

func (v *view) severalHere() *alert {
	names := make([]string, 0, len(v.Place.Several))
	for _, p := range v.Place.Several {
		names = append(names, p.Name)
	}
	return &alert{Kind: "info", Title: v.n("place.several", len(names), v.Place.Asked, locale.NumberWord(v.Lang, len(names))), Text: []string{v.t("move.several", strings.Join(names, ", "))}}
}

// sitemap is the part of the sitemap protocol that is used.
type sitemap struct {
	XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []mapURL `xml:"url"`
}

type mapURL struct {
	Loc string `xml:"loc"`
}

const maxSitemap = 20000 // the protocol allows 50,000

// Sitemap is "/sitemap.xml": the pages of the portal and its own place.
func (w *Web) Sitemap(rw http.ResponseWriter, r *http.Request) {
	base := string(w.cfg.Self)
	var m sitemap
	for _, p := range []string{"/", "/leistungen", "/lebenslagen", "/behoerden", "/umzug", "/hilfe"} {
		m.URLs = append(m.URLs, mapURL{base + p})
	}
	home := w.home()
	for i, e := range w.cfg.Directory.AZ(home.Area, locale.German) {
		if i == maxSitemap {
			break
		}
		path := offerPath(e.Ref)
		if !e.Leika.IsZero() {
			path = "/leistung/" + e.Leika.String() + "/" + url.PathEscape(home.Key)
		}
		m.URLs = append(m.URLs, mapURL{base + path})
	}
	out, err := xml.Marshal(m)
	if err != nil {
		w.ServerError(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "application/xml; charset=utf-8")
	rw.Header().Set("Cache-Control", "public, max-age=3600")
	w.send(rw, r, http.StatusOK, append([]byte(xml.Header), out...))
}

// Robots is "/robots.txt". A demonstration keeps search engines out: its
// offers are made up.
func (w *Web) Robots(rw http.ResponseWriter, r *http.Request) {
	text := "User-agent: *\nDisallow: /zu/\nDisallow: /anmelden\nDisallow: /abmelden\nDisallow: /suche\nDisallow: /ort\nDisallow: /op/\nSitemap: " + string(w.cfg.Self) + "/sitemap.xml\n"
	if w.cfg.Demo {
		text = "User-agent: *\nDisallow: /\n"
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.send(rw, r, http.StatusOK, []byte(text))
}
