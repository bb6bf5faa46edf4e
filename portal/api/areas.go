package api

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"rathausnetz/federation/directory/words"
	"rathausnetz/federation/region"
)

// Limits of /areas [FIT-Connect areas].
const (
	maxExpressions = 10
	maxExpression  = 100 // bytes
)

type areaList struct {
	Count  int    `json:"count"`
	Offset int    `json:"offset"`
	Total  int    `json:"totalCount"`
	Areas  []area `json:"areas"`
}

type area struct {
	ID   string `json:"id"` // the ARS: what areaId of /routes takes
	Name string `json:"name"`
	Type string `json:"type"`
}

// areaEntry is an area with what an expression may match: folded name, the
// words of it, ARS, AGS and PLZ.
type areaEntry struct {
	area
	place region.Area
	terms []string
}

// listAreas reads the register once.
func listAreas(reg *region.Register) []areaEntry {
	var out []areaEntry
	var walk func(region.Area)
	walk = func(under region.Area) {
		for _, p := range reg.Children(under) {
			out = append(out, newAreaEntry(p))
			if !p.Area.IsGemeinde() {
				walk(p.Area)
			}
		}
	}
	walk(region.Area{})
	return out
}

func newAreaEntry(p region.Place) areaEntry {
	e := areaEntry{area: area{p.Area.String(), p.FullName, areaType(p)}, place: p.Area}
	e.terms = append(e.terms, folded(p.FullName), folded(p.Name), p.Area.String())
	for w := range strings.FieldsSeq(folded(p.FullName)) {
		e.terms = append(e.terms, w)
	}
	for _, s := range []string{p.AGS.String(), p.PLZ} {
		if s != "" {
			e.terms = append(e.terms, s)
		}
	}
	slices.Sort(e.terms)
	e.terms = slices.Compact(e.terms)
	return e
}

func areaType(p region.Place) string {
	switch p.Area.Len() {
	case 2:
		return "Land"
	case 3:
		return "Regierungsbezirk"
	}
	return p.Type.String()
}

// folded writes a name with each word folded and one blank between.
func folded(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i := range parts {
		parts[i] = words.Fold(parts[i])
	}
	return strings.Join(parts, " ")
}

// Areas serves GET /routing-api/v2/areas. The Routing API declares the answer
// as application/problem+json; it is sent as application/json, which it is.
func (a *API) Areas() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "areaSearchexpression", "offset", "limit")
		expressions := p.values["areaSearchexpression"]
		if len(expressions) < 1 || len(expressions) > maxExpressions {
			p.fail(badParameter("areaSearchexpression", "muss ein- bis zehnmal vorkommen."))
		}
		for _, x := range expressions {
			if len(x) > maxExpression || strings.Trim(x, "* ") == "" {
				p.fail(badParameter("areaSearchexpression", "muss ein Name, eine Postleitzahl oder ein Schlüssel mit höchstens %d Zeichen sein; * steht für beliebige Zeichen.", maxExpression))
			}
		}
		offset := p.number("offset", 0, 1<<30, 0)
		limit := p.number("limit", 1, maxRoutes, defaultRoutes)
		if err := p.err(); err != nil {
			return answer{}, err
		}
		l := page(a.findAreas(expressions), offset, limit)
		return jsonAnswer(areaList{l.Count, l.Offset, l.Total, l.Items})
	})
}

// findAreas returns the areas that match every expression.
func (a *API) findAreas(expressions []string) []area {
	all := make([]func(*areaEntry) bool, 0, len(expressions))
	for _, x := range expressions {
		all = append(all, a.expression(x))
	}
	out := []area{}
	for i := range a.areas {
		e := &a.areas[i]
		if !slices.ContainsFunc(all, func(f func(*areaEntry) bool) bool { return !f(e) }) {
			out = append(out, e.area)
		}
	}
	return out
}

// expression compiles one search term. A PLZ means every place that has it,
// not only those whose administration sits there.
func (a *API) expression(x string) func(*areaEntry) bool {
	var parts []string
	for part := range strings.SplitSeq(x, "*") {
		parts = append(parts, folded(part))
	}
	var byPLZ []region.Area
	if digits(x, 5) {
		for _, c := range a.register.Lookup(x, a.now()).Candidates {
			byPLZ = append(byPLZ, c.Area)
		}
	}
	return func(e *areaEntry) bool {
		return slices.Contains(byPLZ, e.place) || slices.ContainsFunc(e.terms, func(term string) bool { return glob(parts, term) })
	}
}

// glob reports whether s begins with the first part, ends with the last and
// has the others between, in order: no pattern takes more than one pass.
func glob(parts []string, s string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == first
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}
