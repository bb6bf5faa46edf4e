package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web/locale"
)

const maxRadioPlaces = 6 // more are shown as a list with a search field [UX.md §5.5]

type placePage struct {
	Heading string
	Lead    string
	Target  string // hidden field
	Lang    string
	Input   string
	Problem string
	Outside *alert
	Radios  []option
	List    []link
	Listed  string // heading of the list
}

// Ort is the page "/ort?plz=&ziel=": it asks which place is meant. A chosen
// place ("ort") leads on to the page named by "ziel".
func (w *Web) Ort(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	v := w.view(r, "ort")
	v.Place = w.home()
	v.NoIndex = true
	target := localPath(q.Get("ziel"))
	page := placePage{Target: target, Input: strings.TrimSpace(q.Get("plz"))}
	if v.Lang != locale.German {
		page.Lang = v.Lang
	}
	asked := strings.TrimSpace(q.Get("ort"))
	if asked == "" {
		asked = page.Input
	}
	v.Title = v.t("place.title")
	var found place
	if asked != "" {
		found = w.find(asked)
		page.Input = found.Input
	}
	switch {
	case asked == "":
		v.placeList(&page, target)
	case found.Problem == badPLZ:
		page.Problem = v.t("place.plz")
	case found.Problem == unknownPlace:
		v.Place.Beside = found.Beside
		page.Outside = v.outside()
	case found.Problem == severalPlaces:
		n := len(found.Several)
		v.Title = v.n("place.several", n, asked, locale.NumberWord(v.Lang, n))
		page.Lead = v.t("place.where")
		for i, p := range found.Several {
			if n > maxRadioPlaces {
				page.List = append(page.List, link{URL: v.goTo(target, placeKey(p)), Text: p.FullName})
				continue
			}
			page.Radios = append(page.Radios, option{ID: "o" + string(rune('a'+i)), Name: "ort", Value: placeKey(p), Label: p.FullName, Checked: false})
		}
		page.Listed = page.Lead
	default:
		if q.Get("merken") == "1" {
			http.SetCookie(rw, &http.Cookie{Name: placeCookie, Value: found.Key, Path: "/", MaxAge: 180 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: w.secure()})
		}
		http.Redirect(rw, r, v.goTo(target, found.Key), http.StatusSeeOther)
		return
	}
	page.Heading = v.Title
	v.crumbs(link{Text: v.t("place.crumb")})
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

func (w *Web) secure() bool { return strings.HasPrefix(string(w.cfg.Self), "https://") }

// placeList offers every Gemeinde of the network when nothing was asked.
func (v *view) placeList(page *placePage, target string) {
	page.Listed = v.t("place.all", v.where(v.w.placeOf(v.w.cfg.Area)))
	places := v.w.cfg.Register.Gemeinden(v.w.cfg.Area)
	slices.SortFunc(places, func(a, b region.Place) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range places {
		page.List = append(page.List, link{URL: v.goTo(target, placeKey(p)), Text: p.Name})
	}
	if len(page.List) > 400 { // a Land: the field is the better way
		page.List = nil
	}
}

// localPath accepts a path of this portal and nothing else; "/" otherwise.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n") {
		return "/"
	}
	return s
}

// goTo writes path for another place: in the path of a Leistung, else as the
// parameter "ort".
func (v *view) goTo(path, key string) string {
	u, err := url.Parse(path)
	if err != nil {
		return "/"
	}
	q := u.Query()
	if parts := strings.Split(u.Path, "/"); len(parts) >= 3 && parts[1] == "leistung" {
		if _, err := leika.Parse(parts[2]); err == nil {
			u.Path = "/leistung/" + parts[2] + "/" + key
			q.Del("ort")
			u.RawQuery = q.Encode()
			return v.Plain(u.String())
		}
	}
	q.Set("ort", key)
	q.Del("lang")
	u.RawQuery = q.Encode()
	return v.Plain(u.String())
}
