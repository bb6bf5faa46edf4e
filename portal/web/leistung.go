package web

import (
	"net/http"
	"net/url"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/portal/web/locale"
)

// Leistung is the page "/leistung/{leika}/{ort}" and "/leistung/{leika}": one
// Leistung for one place, AGS or ARS.
func (w *Web) Leistung(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	key, err := leika.Parse(r.PathValue("leika"))
	if err != nil {
		w.NotFound(rw, r)
		return
	}
	v := w.view(r, "leistung")
	v.Nav = "leistungen"
	if asked := r.PathValue("ort"); asked != "" {
		v.Place = w.find(asked)
	} else {
		v.Place = w.choose(r)
	}
	title := w.cfg.Directory.Title(key)
	if title == "" {
		if v.Place.Problem != noProblem || !w.knownPlace(v.Place) {
			w.NotFound(rw, r)
			return
		}
		title = v.t("detail.untitled", key)
	}
	v.Title = title
	v.crumbs(link{URL: v.Link("/leistungen"), Text: v.t("nav.services")}, link{Text: title})
	switch v.Place.Problem {
	case severalPlaces:
		w.askPlace(rw, r, v, v.Place.Asked)
		return
	case badPLZ, unknownPlace:
		v.NoIndex = true
		state := v.outside()
		if by, ok := w.of(v.Place.Beside); ok {
			state = v.besideAnswer(by, key)
		}
		v.Page = statePage{Heading: title, Alerts: []alert{*state}, Change: v.otherPlace()}
		v.tmpl = "zustand"
		w.write(rw, r, http.StatusNotFound, v)
		return
	}
	req := directory.Request{Leika: key, Place: v.Place.Area, Outdated: v.Place.Old}
	ans := w.cfg.Directory.Resolve(req)
	w.answer(rw, r, v, &ans, title)
}

func (w *Web) knownPlace(p place) bool {
	_, ok := w.cfg.Register.Place(p.Area)
	return ok
}

// Angebot is the page "/angebot/{member}/{offer}": one offer of one member,
// with or without LeiKa key.
func (w *Web) Angebot(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "leistung")
	v.Nav = "leistungen"
	p, ref, ok := w.offer(r)
	if !ok {
		w.NotFound(rw, r)
		return
	}
	v.Place = w.choose(r)
	if v.Place.Problem == severalPlaces {
		w.askPlace(rw, r, v, v.Place.Asked)
		return
	}
	title, lang := p.Offer.Title.In(v.Lang)
	v.Title = title
	v.crumbs(link{URL: v.Link("/leistungen"), Text: v.t("nav.services")}, link{Text: title, Lang: v.In(lang)})
	ans := w.cfg.Directory.Resolve(directory.Request{Offer: ref, Place: v.Place.Area, Outdated: v.Place.Old})
	if ans.Found() {
		for i := range ans.Providers {
			if ans.Providers[i].Member.ID == ref.Member && ans.Providers[i].Offer.ID == ref.ID {
				p = ans.Providers[i]
			}
		}
	} else if v.Place.Problem == noProblem && v.Place.Chosen && !v.Place.Wide {
		p.Neighbour = true // it exists, but is not meant for the chosen place
	}
	v.Page = v.detail(&p, &ans, title)
	w.write(rw, r, http.StatusOK, v)
}

// offer reads the path values "member" and "offer".
func (w *Web) offer(r *http.Request) (directory.Provider, directory.OfferRef, bool) {
	a, ok := w.member(r.PathValue("member"))
	if !ok {
		return directory.Provider{}, directory.OfferRef{}, false
	}
	ref := directory.OfferRef{Member: a.Member.ID, ID: catalog.ID(r.PathValue("offer"))}
	p, ok := w.cfg.Directory.Offer(ref)
	return p, ref, ok && p.Offer != nil
}

// statePage tells only a state, with ways on.
type statePage struct {
	Heading string
	Lead    string
	Alerts  []alert
	Choices []choice
	Change  *link
}

// choice is one of several authorities.
type choice struct {
	hit
	Reason string
	Apply  *link
}

func (w *Web) answer(rw http.ResponseWriter, r *http.Request, v *view, ans *directory.Answer, title string) {
	switch {
	case ans.Outside && !ans.Found() && !w.cfg.Area.Covers(v.Place.Area): // inside, nobody was heard of yet
		v.tmpl, v.NoIndex = "zustand", true
		v.Page = statePage{Heading: title, Alerts: []alert{*v.outside()}, Change: v.otherPlace()}
	case len(ans.Providers) > 1 && (ans.Reason == directory.Conflict || v.Place.Wide):
		v.tmpl = "zustand"
		v.Page = v.several(ans, title)
	case ans.Found():
		v.Page = v.detail(ans.First(), ans, title)
	case v.Place.Wide && ans.Reason == directory.None:
		v.tmpl = "zustand"
		v.Page = v.byPlace(ans, title)
	default:
		v.tmpl, v.NoIndex = "zustand", true
		v.Page = statePage{Heading: title, Alerts: []alert{v.nobody(ans, title)}, Change: v.otherPlace()}
	}
	w.write(rw, r, http.StatusOK, v)
}

// several is the state "Sie können wählen".
func (v *view) several(ans *directory.Answer, title string) statePage {
	page := statePage{Heading: title, Lead: v.t("several.text", title, locale.NumberWord(v.Lang, len(ans.Providers))), Change: v.otherPlace()}
	if len(ans.Providers) == 2 {
		page.Lead = v.t("several.two", title)
	}
	for i := range ans.Providers {
		p := &ans.Providers[i]
		ref := directory.OfferRef{Member: p.Member.ID, ID: p.Offer.ID}
		c := choice{hit: hit{Title: v.authority(p), URL: v.with(offerPath(ref), v.Place), Badges: v.badges(p, false, false)[1:]}}
		page.Choices = append(page.Choices, c)
	}
	return page
}

// byPlace is the page of a Leistung that each Gemeinde of a wide area answers
// for itself: it asks for the place.
func (v *view) byPlace(ans *directory.Answer, title string) statePage {
	page := statePage{Heading: title, Lead: v.t("detail.byplace")}
	for _, p := range v.w.cfg.Register.Gemeinden(v.Place.Area) {
		m := v.w.cfg.Directory.Lookup(ans.Asked, p.Area, time.Time{})
		if m.Members == 0 {
			continue
		}
		page.Choices = append(page.Choices, choice{hit: hit{Title: p.FullName, URL: v.Plain("/leistung/" + ans.Asked.String() + "/" + placeKey(p))}})
	}
	if len(page.Choices) == 0 {
		page.Lead = ""
		page.Alerts = []alert{v.nobody(ans, title)}
		page.Change = v.otherPlace()
	}
	return page
}

// nobody tells None and Unknown apart: nobody claims it, or we cannot know.
func (v *view) nobody(ans *directory.Answer, title string) alert {
	if ans.Reason == directory.Unknown {
		a := alert{Kind: "warning", Title: v.t("unknown.title"), Status: true}
		for _, n := range ans.Notices {
			if n.Kind == directory.NoticeNoCopy && len(a.Text) < maxBanners {
				a.Text = append(a.Text, v.t("unknown.text", locale.Of(v.Lang, v.fullName(n.Member, n.Name))))
			}
		}
		if len(a.Text) == 0 {
			a.Text = []string{v.t("unknown.general")}
		}
		return a
	}
	text := v.t("nobody.text", title, v.where(v.Place))
	if phone, name := v.townHall(); phone != "" {
		text += " " + v.t("nobody.phone", locale.To(v.Lang, name), phone)
	} else {
		text += " " + v.t("nobody.115")
	}
	if v.w.cfg.ReportGap != nil && v.w.cfg.ReportGap(ans.Asked, v.Place.Area) {
		text += " " + v.t("nobody.reported")
	}
	return alert{Kind: "warning", Title: v.t("nobody.title"), Text: []string{text}, Status: true}
}

// townHall returns the telephone number of the municipality of the place.
func (v *view) townHall() (phone, name string) {
	for _, a := range v.w.cfg.Directory.Authorities(v.Place.Area) {
		if a.Member.Seat.Covers(v.Place.Area) && !a.Member.Seat.IsBund() && a.Member.Phone != "" {
			return a.Member.Phone, a.Member.Name
		}
	}
	return "", ""
}

// otherPlace is the link "Anderen Ort wählen".
func (v *view) otherPlace() *link {
	return &link{URL: v.Plain("/ort?" + url.Values{"ziel": {v.r.URL.Path}}.Encode()), Text: v.t("place.other")}
}

// reason is the sentence that says why [UX.md §5.2].
func (v *view) reason(p *directory.Provider) string {
	lang, name := v.Lang, p.Member.Name
	switch {
	case p.Neighbour:
		return v.t("reason.neighbour", locale.The(lang, name))
	case p.Reason == directory.Own && p.Offer.Leika.IsZero():
		return locale.Capital(v.t("reason.own.offer", locale.The(lang, name)))
	case p.Reason == directory.Own:
		return locale.Capital(v.t("reason.own", locale.The(lang, name)))
	case p.Reason == directory.Delegated && p.Via != "":
		return locale.Capital(v.t("reason.delegated", locale.The(lang, v.fullName(p.Via, p.ViaName)), locale.To(lang, name)))
	case p.Reason == directory.Delegated:
		return locale.Capital(v.t("reason.granted", locale.To(lang, name)))
	case p.Reason == directory.WholeArea:
		return v.t("reason.whole", v.where(v.w.placeOf(v.w.cfg.Area)))
	case v.Place.Wide:
		return locale.Capital(v.t("reason.own", locale.The(lang, name)))
	}
	return locale.Capital(v.t("reason.parent", locale.The(lang, v.Place.Full), locale.The(lang, name)))
}

// fullName returns the legal name of a member, short if it is not known.
func (v *view) fullName(id federation.EntityID, short string) string {
	if a, ok := v.w.cfg.Directory.Authority(id); ok && a.Member.Name != "" {
		return a.Member.Name
	}
	return short
}
