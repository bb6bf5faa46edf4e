package web

import (
	"html"
	"html/template"
	"net/url"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
)

// badge is one Marke [UX.md §4]. Kind: who, plain, success, info or warning.
type badge struct{ Kind, Text, Strong string }

// badges returns the marks of a hit in their fixed order: Zuständig, Portal,
// Online, Anmeldung, Datum, Nachbar.
func (v *view) badges(p *directory.Provider, several, short bool) []badge {
	out := []badge{{Kind: "who", Text: v.t("badge.who"), Strong: p.Member.Name}}
	if several {
		out[0].Strong = v.t("badge.several")
	}
	if !short {
		out = append(out, badge{Kind: "plain", Text: v.portal(p.Member)})
	}
	if p.Online() {
		out = append(out, badge{Kind: "success", Text: v.t("badge.online")})
		if !short {
			out = append(out, badge{Kind: "plain", Text: v.t("badge.level." + levelKey(lowest(p.Onlinedienste)))})
		}
	} else {
		out = append(out, badge{Kind: "info", Text: v.t("badge.offline")})
	}
	if p.Stale && !p.Fetched.IsZero() {
		out = append(out, badge{Kind: "warning", Text: v.t("badge.date", v.date(p.Fetched))})
	}
	if p.Neighbour {
		out = append(out, badge{Kind: "plain", Text: v.t("badge.neighbour")})
	}
	return out
}

// marks writes the marks of one hit as HTML. It is not a template because it
// is most of what a result page is made of, and a template would take longer
// over it than over all the rest.
func marks(badges []badge) template.HTML {
	if len(badges) == 0 {
		return ""
	}
	b := make([]byte, 0, 160*len(badges))
	b = append(b, `<ul class="pv-tags">`...)
	for _, m := range badges {
		switch m.Kind {
		case "who":
			b = append(b, `<li class="pv-tag pv-tag--who"><span>`...)
			b = append(append(b, html.EscapeString(m.Text)...), ` <strong>`...)
			b = append(append(b, html.EscapeString(m.Strong)...), `</strong></span></li>`...)
		case "plain":
			b = append(b, `<li class="pv-tag"><span>`...)
			b = append(append(b, html.EscapeString(m.Text)...), `</span></li>`...)
		default:
			b = append(append(append(b, `<li class="kern-badge `...), badgeClasses[m.Kind]...), ` kern-badge--small">`...)
			b = append(append(b, icons[m.Kind]...), `<span class="kern-label">`...)
			b = append(append(b, html.EscapeString(m.Text)...), `</span></li>`...)
		}
	}
	return template.HTML(append(b, `</ul>`...)) // every text in it is escaped above
}

// authority names one of several offices: the member and its unit.
func (v *view) authority(p *directory.Provider) string {
	name := p.Member.Name
	if p.Unit == nil {
		return name
	}
	unit, _ := p.Unit.Name.In(v.Lang)
	if unit == "" || strings.Contains(unit, name) || strings.Contains(name, unit) {
		return name
	}
	return name + ", " + unit
}

// lowest returns the least level that any of the services asks for.
func lowest(services []catalog.Onlinedienst) federation.Level {
	l := federation.LevelHoch
	for i := range services {
		l = min(l, services[i].Level)
	}
	return l
}

// levelKey maps a level to the four wordings of the Anmelde-Marke.
func levelKey(l federation.Level) string {
	switch {
	case l == federation.LevelNone:
		return "none"
	case l <= federation.LevelNiedrig:
		return "account"
	case l == federation.LevelSubstanziell:
		return "substantial"
	}
	return "high"
}

// memberKey is how addresses name a member: host and path of its entity ID.
func memberKey(id federation.EntityID) string {
	key := id.Host()
	if rest := strings.TrimPrefix(string(id), id.Origin()); rest != "" {
		key += strings.ReplaceAll(rest, "/", "~")
	}
	return key
}

// member finds the member that memberKey names.
func (w *Web) member(key string) (directory.Authority, bool) {
	for _, a := range w.cfg.Directory.Authorities(bund) {
		if memberKey(a.Member.ID) == key {
			return a, true
		}
	}
	return directory.Authority{}, false
}

// detailURL is the stable address of a Leistung for a place, or of an offer.
func (v *view) detailURL(key leika.ID, ref directory.OfferRef, p place) string {
	if key.IsZero() {
		return v.with(offerPath(ref), p)
	}
	if p.Key == "" {
		return v.Plain("/leistung/" + key.String())
	}
	return v.Plain("/leistung/" + key.String() + "/" + p.Key)
}

func offerPath(ref directory.OfferRef) string {
	return "/angebot/" + url.PathEscape(memberKey(ref.Member)) + "/" + url.PathEscape(string(ref.ID))
}

// hit is one line of a result list or one tile.
type hit struct {
	Title, TitleLang, URL string
	Teaser, TeaserLang    string
	Badges                []badge
}

func (v *view) hit(h *directory.Hit, p place, short bool) hit {
	title := v.In(h.Lang)
	teaser := ""
	if h.Teaser != "" && !short {
		teaser = v.In(h.TeaserLang)
	}
	to := v.detailURL(h.Leika, h.Ref, p)
	if p.Wide && h.Places <= 1 {
		// Only one member offers it in the wide area: its own page can say more.
		to = v.with(offerPath(h.Ref), p)
	}
	return hit{
		Title: h.Title, TitleLang: title, URL: to,
		Teaser: h.Teaser, TeaserLang: teaser,
		Badges: v.badges(&h.Provider, h.Several, short),
	}
}
