package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// params reads a query once and keeps the first fault.
type params struct {
	values url.Values
	fault  *Problem
}

// parameters reads the query; known names everything that may be in it.
func parameters(r *http.Request, known ...string) *params {
	p := &params{}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.fault = problem(http.StatusBadRequest, "query", "Ungültige Anfrage", "Der Teil nach dem Fragezeichen ist nicht lesbar.")
	}
	p.values = values
	for name, list := range values {
		if !contains(known, name) {
			p.fail(badParameter(clip(name), "ist unbekannt. Erlaubt sind: %s.", strings.Join(known, ", ")))
		}
		for _, v := range list {
			if !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
				p.fail(badParameter(clip(name), "enthält ein Steuerzeichen oder ist kein UTF-8."))
			}
		}
	}
	return p
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// clip keeps foreign text in an error short.
func clip(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// fail keeps the fault that sorts first, so that one query always gets the
// same answer whatever the order of a map.
func (p *params) fail(fault *Problem) {
	if p.fault == nil || fault.Detail < p.fault.Detail {
		p.fault = fault
	}
}

// err returns the fault as an error, nil if there is none.
func (p *params) err() error {
	if p.fault == nil {
		return nil
	}
	return p.fault
}

// one returns the only value of a parameter, "" if it is absent.
func (p *params) one(name string) string {
	list := p.values[name]
	if len(list) > 1 {
		p.fail(badParameter(name, "darf nur einmal vorkommen."))
	}
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func (p *params) number(name string, least, most, absent int) int {
	s := p.one(name)
	if s == "" {
		return absent
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		p.fail(badParameter(name, "muss eine Zahl von %d bis %d sein.", least, most))
		return absent
	}
	return n
}

func (p *params) yes(name string) bool {
	switch p.one(name) {
	case "", "0", "false":
		return false
	case "1", "true":
		return true
	}
	p.fail(badParameter(name, "muss 0 oder 1 sein."))
	return false
}

func (p *params) date(name string) time.Time {
	s := p.one(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		p.fail(badParameter(name, "muss ein Datum wie 2027-01-01 sein."))
	}
	return t
}

func (p *params) leika(name string) leika.ID {
	s := p.one(name)
	if s == "" {
		return 0
	}
	id, err := leika.Parse(s)
	if err != nil || !strings.HasPrefix(id.String(), "99") {
		p.fail(badParameter(name, "muss ein LeiKa-Schlüssel sein: 14 Ziffern, die ersten sind 99."))
		return 0
	}
	return id
}

func (p *params) lang() string {
	switch s := p.one("lang"); {
	case s == "":
		return "de"
	case len(s) == 2 && s[0] >= 'a' && s[0] <= 'z' && s[1] >= 'a' && s[1] <= 'z':
		return s
	}
	p.fail(badParameter("lang", "muss aus zwei kleinen Buchstaben bestehen."))
	return "de"
}

// digits reports whether s has one of the lengths and only digits.
func digits(s string, lengths ...int) bool {
	fits := false
	for _, n := range lengths {
		fits = fits || len(s) == n
	}
	return fits && strings.Trim(s, "0123456789") == ""
}

// located is a place as it was understood.
type located struct {
	area     region.Area
	outdated region.Area
	name     string
}

// place understands a parameter that may be an ARS, AGS, PLZ or name. Several
// places are a question back, never a guess [DESIGN §4.1].
func (a *API) place(p *params, name string) located {
	s := p.one(name)
	if s == "" || p.fault != nil {
		return located{}
	}
	l := a.register.Lookup(s, a.now())
	if len(l.Candidates) == 1 && !l.Approximate {
		at := located{area: a.only(l.Candidates[0].Area), name: l.Candidates[0].FullName}
		for _, old := range l.Succession {
			at.outdated = old.Old.Area
		}
		return at
	}
	if len(l.Candidates) == 0 {
		p.fail(problem(http.StatusNotFound, "unknown-place", "Ort unbekannt", "%s: „%s“ steht nicht im Verzeichnis der Gemeinden.", name, clip(s)))
		return located{}
	}
	several := problem(http.StatusUnprocessableEntity, "several-places", "Mehrere Orte", "%s: „%s“ kann mehrere Orte meinen. Nennen Sie den ARS eines davon.", name, clip(s))
	for _, c := range l.Candidates[:min(len(l.Candidates), 50)] {
		several.Candidates = append(several.Candidates, placeCandidate{c.Area.String(), c.AGS.String(), c.FullName})
	}
	p.fail(several)
	return located{}
}
