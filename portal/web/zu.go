package web

import (
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
)

// Zu is the address "/zu/{member}/{offer}?dienst=": it leads to the online
// form of an offer, or says that the responsible portal does not answer. It
// hands on nothing but the form's own address.
func (w *Web) Zu(rw http.ResponseWriter, r *http.Request) {
	p, ref, ok := w.offer(r)
	if !ok {
		w.NotFound(rw, r)
		return
	}
	v := w.view(r, "zustand")
	v.Place = w.choose(r)
	services := p.Onlinedienste
	if ans := w.cfg.Directory.Resolve(directory.Request{Offer: ref, Place: v.Place.Area}); ans.Found() {
		p = *ans.First()
		services = p.Onlinedienste
	}
	d := pick(services, r.URL.Query().Get("dienst"))
	if d == nil {
		w.NotFound(rw, r)
		return
	}
	if !p.Reachable && p.Member.ID != w.cfg.Self {
		title, lang := p.Offer.Title.In(v.Lang)
		v.Title, v.NoIndex = v.t("down.title"), true
		v.crumbs(link{URL: v.with(offerPath(ref), v.Place), Text: title, Lang: v.In(lang)}, link{Text: v.t("down.crumb")})
		v.Page = statePage{
			Heading: title, Alerts: []alert{*v.applyDown(&p)},
			Change: &link{URL: v.r.URL.RequestURI(), Text: v.t("down.again")},
		}
		rw.Header().Set("Retry-After", "60")
		w.write(rw, r, http.StatusServiceUnavailable, v)
		return
	}
	to := d.URL
	if w.cfg.Target != nil {
		to = w.cfg.Target(p.Member, *d)
	}
	rw.Header().Set("Referrer-Policy", "no-referrer")
	rw.Header().Set("Cache-Control", "no-store")
	http.Redirect(rw, r, to, http.StatusSeeOther)
}

// pick returns the service with this ID, the only one if none was named.
func pick(services []catalog.Onlinedienst, id string) *catalog.Onlinedienst {
	for i := range services {
		if string(services[i].ID) == id || id == "" && len(services) == 1 {
			return &services[i]
		}
	}
	return nil
}

// targets lists the origins to which forms of sign-on may lead on.
func (w *Web) targets() []string {
	var out []string
	seen := map[string]bool{}
	add := func(origin string) {
		if origin != "" && !seen[origin] {
			seen[origin] = true
			out = append(out, origin)
		}
	}
	for _, a := range w.cfg.Directory.Authorities(bund) {
		add(a.Member.ID.Origin())
	}
	if w.cfg.Network != nil {
		for _, p := range w.cfg.Network.Portals() {
			add(p.Member.ID.Origin())
		}
	}
	if w.cfg.FormTargets != nil {
		for _, t := range w.cfg.FormTargets() {
			if id, err := federation.ParseEntityID(t, true); err == nil {
				add(id.Origin())
			}
		}
	}
	return out
}
