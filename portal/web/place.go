package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"rathausnetz/federation/region"
	"rathausnetz/portal/web/locale"
)

// place is the place a page is about.
type place struct {
	Area    region.Area
	Name    string // "Bissendorf", "Landkreis Osnabrück"
	Full    string // "Gemeinde Bissendorf"
	Key     string // in addresses: AGS of a Gemeinde, else the area's digits
	Input   string // in the search field
	Chosen  bool   // the citizen named it; else it is the portal's own
	Wide    bool   // wider than a Gemeinde: the answer differs inside it
	Problem problem
	Several []region.Place     // candidates, when Problem is severalPlaces
	Changed *region.Succession // the key that was asked is outdated
	Old     region.Area        // and this was the area it meant
	Asked   string             // as typed
	Reading region.Understood  // how it was read
	Beside  region.Area        // the one place of another Landkreis that may be meant, when Problem is unknownPlace
}

type problem string

const (
	noProblem     problem = ""
	badPLZ        problem = "plz"
	unknownPlace  problem = "outside"
	severalPlaces problem = "several"
)

// home is the portal's own place.
func (w *Web) home() place { return w.placeOf(w.cfg.Home) }

func (w *Web) placeOf(a region.Area) place {
	p, ok := w.cfg.Register.Place(a)
	if !ok {
		name := w.cfg.Register.Name(a)
		return place{Area: a, Name: name, Full: name, Key: a.String(), Wide: !a.IsGemeinde()}
	}
	out := place{Area: a, Name: p.Name, Full: p.FullName, Key: placeKey(p), Wide: !a.IsGemeinde()}
	switch {
	case out.Wide:
		out.Name, out.Input = p.FullName, p.FullName
		if a == w.cfg.Area {
			out.Input = "" // the whole network needs no words in the field
		}
	case p.PLZ != "" && !p.PLZSeveral:
		out.Input = p.PLZ + " " + p.Name
	default:
		out.Input = p.Name
	}
	return out
}

func placeKey(p region.Place) string {
	if p.Area.IsGemeinde() && p.AGS != (region.AGS{}) {
		return p.AGS.String()
	}
	return p.Area.String()
}

const (
	maxPlaceInput = 100
	placeCookie   = "ort"
)

// choose reads the place of a request: the parameter "ort", else the cookie
// the citizen asked for, else the portal's own place.
func (w *Web) choose(r *http.Request) place {
	asked := strings.TrimSpace(r.URL.Query().Get("ort"))
	if asked == "" {
		if c, err := r.Cookie(placeCookie); err == nil && len(c.Value) <= 12 {
			if p := w.find(c.Value); p.Problem == noProblem {
				return p
			}
		}
		return w.home()
	}
	return w.find(asked)
}

// find reads a place as typed. It never guesses: several candidates and
// unknown places are told as problems, with the portal's own place as Area.
func (w *Web) find(asked string) place { return w.findIn(asked, false) }

// findMove is find for a move: the place may also be one of another Landkreis.
func (w *Web) findMove(asked string) place { return w.findIn(asked, true) }

func (w *Web) findIn(asked string, beside bool) place {
	out := w.home()
	out.Chosen, out.Asked = true, asked
	if len(asked) > maxPlaceInput {
		asked = strings.ToValidUTF8(asked[:maxPlaceInput], "")
	}
	out.Input = asked
	if onlyDigits(asked) && !keyLength(len(asked)) {
		out.Problem = badPLZ
		return out
	}
	l := w.cfg.Register.Lookup(asked, time.Time{})
	var inside []region.Place
	for _, c := range l.Candidates {
		if w.cfg.Area.Covers(c.Area) || c.Area.Covers(w.cfg.Area) {
			inside = append(inside, c)
		}
	}
	if beside {
		inside = append(inside, w.beside(l.Candidates)...)
	}
	inside = nearest(inside, l.Understood)
	switch {
	case len(inside) == 0:
		out.Problem = unknownPlace
		if other := nearest(w.beside(l.Candidates), l.Understood); len(other) == 1 {
			out.Beside = other[0].Area
		}
	case len(inside) > 1:
		out.Problem, out.Several = severalPlaces, inside
	default:
		out = w.placeOf(inside[0].Area)
		out.Chosen, out.Asked, out.Reading = true, asked, l.Understood
		if len(l.Succession) > 0 {
			out.Changed, out.Old = &l.Succession[0], l.Succession[0].Old.Area
		}
	}
	return out
}

// nearest leaves out a Gemeindeverband that is called like one Gemeinde in it
// when the citizen typed a name: who lives there lives in the Gemeinde.
func nearest(places []region.Place, how region.Understood) []region.Place {
	if how != region.AsName && how != region.AsPLZ {
		return places
	}
	var gemeinden []region.Place
	for _, p := range places {
		if p.Area.IsGemeinde() {
			gemeinden = append(gemeinden, p)
		}
	}
	if len(gemeinden) > 0 {
		return gemeinden
	}
	return places
}

func onlyDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// keyLength reports whether n digits can be a PLZ (5), an AGS or an ARS.
func keyLength(n int) bool {
	switch n {
	case 2, 5, 8, 9, 12:
		return true
	}
	return false
}

// where writes "in Bissendorf", "im Landkreis Osnabrück".
func (v *view) where(p place) string {
	switch {
	case v.Lang != locale.German, !p.Wide:
		return "in " + p.Name
	}
	if dative := locale.To(v.Lang, p.Full); strings.HasPrefix(dative, "dem ") {
		return "im " + strings.TrimPrefix(dative, "dem ")
	} else {
		return "in " + dative
	}
}

// askPlace sends the citizen to the choice between several places and from
// there back to this page.
func (w *Web) askPlace(rw http.ResponseWriter, r *http.Request, v *view, asked string) {
	q := r.URL.Query()
	q.Del("ort")
	back := url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
	to := url.Values{"plz": {asked}, "ziel": {back.String()}}
	http.Redirect(rw, r, v.query("/ort?"+to.Encode(), url.Values{}), http.StatusSeeOther)
}
