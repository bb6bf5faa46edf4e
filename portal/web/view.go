package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/locale"
)

// view is what every page needs; Page is the data of the one page.
type view struct {
	w    *Web
	look *look
	r    *http.Request
	tmpl string

	Lang      string
	Title     string
	Summary   string // meta description
	Nav       string // which entry of the main menu is current
	Crumbs    []link
	Place     place
	Person    *person
	Foreign   bool     // some texts are not in Lang
	NoIndex   bool     // not for search engines
	Canonical string   // absolute address of the record's owner
	Bare      bool     // embedded: without header and footer
	Targets   []string // further origins for form-action
	Private   bool     // never kept, by nobody
	Script    bool     // the page has the search form, whose script suggests while typing
	Passkey   bool     // the page has a form that a passkey fills in, which takes a script
	Stay      bool     // the page has a form behind a login: it asks in time "Sind Sie noch da?"
	Frame     bool     // shown inside a page of this portal
	Page      any
}

// link is an address with its text; an empty URL is the current page.
type link struct{ URL, Text, Lang string }

// person is the signed-in citizen in the header.
type person struct {
	Name   string
	Ending string // said when the session ends within minutes
	Person
}

// alert is a box that tells a state [UX.md §6]. Kind is info, warning, danger
// or success.
type alert struct {
	Kind, Title string
	Text        []string
	Links       []link
	Status      bool // announced to screen readers: role="status"
}

const endingSoon = 5 * time.Minute

func (w *Web) view(r *http.Request, tmpl string) *view {
	v := w.nobody(r, tmpl)
	if w.cfg.Sessions != nil {
		if p, ok := w.cfg.Sessions.Person(r); ok {
			left := p.Until.Sub(w.cfg.Now())
			v.Person = &person{Name: p.Name, Person: p}
			if !p.Until.IsZero() && left < endingSoon {
				v.Person.Ending = v.n("session.text", max(1, int(left/time.Minute)))
			}
			if v.Person.Name == "" {
				v.Person.Name = v.t("account.someone")
			}
		}
	}
	return v
}

// nobody is a view that does not look who is signed in.
func (w *Web) nobody(r *http.Request, tmpl string) *view {
	v := &view{w: w, look: w.look.Load(), r: r, tmpl: tmpl, Lang: locale.German}
	if l := r.URL.Query().Get("lang"); w.texts.Known(l) {
		v.Lang = l
	}
	v.Place = w.home()
	return v
}

func (v *view) t(key string, args ...any) string { return v.w.texts.In(v.Lang, key, args...) }

func (v *view) n(key string, n int, args ...any) string {
	return v.w.texts.Count(v.Lang, key, n, args...)
}

func (v *view) date(t time.Time) string   { return locale.Date(v.Lang, t.In(v.w.zone)) }
func (v *view) moment(t time.Time) string { return locale.Moment(v.Lang, t.In(v.w.zone)) }

// ago writes when something happened: the time alone if it was today.
func (v *view) ago(t time.Time) string {
	now, t := v.w.cfg.Now().In(v.w.zone), t.In(v.w.zone)
	if now.Format(time.DateOnly) == t.Format(time.DateOnly) {
		return v.t("since.clock", locale.Clock(v.Lang, t))
	}
	return v.t("since.date", locale.Date(v.Lang, t))
}

// Brand, Demo, Verbund and the like are read by the layout.
func (v *view) Brand() *brand.Brand { return &v.look.brand }

// Demo reports whether this is a demonstration network.
func (v *view) Demo() bool { return v.w.cfg.Demo }

// Verbund is the name of the network.
func (v *view) Verbund() string { return v.w.cfg.Verbund }

// Size is the sentence about the network in the footer.
func (v *view) Size() string {
	members, _, leistungen := v.w.cfg.Directory.Size()
	return v.t("foot.network", v.where(v.w.placeOf(v.w.cfg.Area)), v.n("foot.portals", members), v.n("foot.services", leistungen))
}

// Asset returns the address of a design file.
func (v *view) Asset(name string) string {
	if p := v.w.preview; p != nil {
		return p.base + name
	}
	return v.w.files.URL(name)
}

// Mark returns the address of a branding file: marke.css, wappen, titelbild.
func (v *view) Mark(name string) string {
	u := v.look.marks.url(name)
	if p := v.w.preview; p != nil && u != "" {
		return p.base + name
	}
	return u
}

// Link returns path with the language and the chosen place of this page.
func (v *view) Link(path string) string {
	return v.with(path, v.Place)
}

func (v *view) with(path string, p place) string {
	q := url.Values{}
	if p.Chosen && p.Key != "" && !strings.Contains(path, "ort=") {
		q.Set("ort", p.Key)
	}
	return v.query(path, q)
}

// Plain returns path with the language only.
func (v *view) Plain(path string) string { return v.query(path, url.Values{}) }

func (v *view) query(path string, q url.Values) string {
	if v.Lang != locale.German {
		q.Set("lang", v.Lang)
	}
	if len(q) == 0 {
		return path
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + q.Encode()
}

// Switch returns this page in another language.
func (v *view) Switch(lang string) string {
	if v.r.Method != http.MethodGet && v.r.Method != http.MethodHead {
		return v.query("/", url.Values{})
	}
	q := v.r.URL.Query()
	q.Del("lang")
	if lang != locale.German {
		q.Set("lang", lang)
	}
	u := url.URL{Path: v.r.URL.Path, RawPath: v.r.URL.RawPath, RawQuery: q.Encode()}
	return u.String()
}

// Other is the language that the language link offers.
func (v *view) Other() string {
	if v.Lang == locale.German {
		return locale.English
	}
	return locale.German
}

// Login returns the address that signs in and comes back to this page.
func (v *view) Login() string {
	back := "/"
	if v.r.Method == http.MethodGet && v.Targets == nil {
		back = v.r.URL.RequestURI()
	}
	return "/anmelden?zurueck=" + url.QueryEscape(back)
}

// In returns lang if it is not the page's language, for lang="…", and notes
// that the page holds foreign text.
func (v *view) In(lang string) string {
	if lang == "" || lang == v.Lang {
		return ""
	}
	v.Foreign = true
	return lang
}

func (v *view) crumbs(links ...link) {
	v.Crumbs = append([]link{{URL: v.Link("/"), Text: v.t("nav.start")}}, links...)
}

// portal is how a badge calls a member's portal.
func (v *view) portal(m federation.Member) string {
	name := m.ShortName
	if name == "" {
		name = m.Name
	}
	return v.t("badge.portal", name)
}
