package web

import (
	"net/http"
	"slices"
	"strings"

	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

type movePage struct {
	Heading, Lead string
	Lang          string
	From, To      moveField
	Note          string
	Sides         []moveSide
}

type moveField struct {
	Value, Problem string
}

// moveSide is what is to do at one of the two places.
type moveSide struct {
	ID, Heading, Note string
	Tasks             []hit
	Missing           string // topics for which nothing is known here
	Alert             *alert
	Source            string // who says so and when, for a place of another Landkreis
	Portal            *link  // of that Landkreis
}

// A moveTopic is looked for by words and counts only if the title says both
// what it is about and what is done with it: the search finds more.
type moveTopic struct {
	key      string
	old, new []moveSearch
}

type moveSearch struct {
	text         string
	about, doing []string // beginnings of words, one of each must be in the title
}

func moveTopics() []moveTopic {
	home, car, dog := []string{"wohn", "melde"}, []string{"auto", "fahrzeug", "kraftfahrzeug"}, []string{"hund"}
	bin, trade, nursery := []string{"tonne", "müll", "abfall"}, []string{"gewerbe"}, []string{"kita", "kindertages", "kindergarten", "kinderbetreuung"}
	in, out, change := []string{"anmeld"}, []string{"abmeld"}, []string{"ummeld", "umschreib"}
	return []moveTopic{
		{"wohnsitz", []moveSearch{{"Wohnsitz abmelden", home, out}}, []moveSearch{{"Wohnsitz anmelden", home, in}, {"Wohnsitz ummelden", home, change}}},
		{"auto", nil, []moveSearch{{"Auto ummelden", car, change}, {"Fahrzeug umschreiben", car, change}}},
		{"hund", []moveSearch{{"Hund abmelden", dog, out}}, []moveSearch{{"Hund anmelden", dog, in}}},
		{"kita", []moveSearch{{"Kita abmelden", nursery, out}}, []moveSearch{{"Kita-Platz", nursery, []string{"platz", "anmeld"}}, {"Kita anmelden", nursery, in}, {"Kinderbetreuung", nursery, in}}},
		{"abfall", []moveSearch{{"Tonne abmelden", bin, out}, {"Abfall abmelden", bin, out}}, []moveSearch{{"Tonne anmelden", bin, in}, {"Abfall anmelden", bin, in}, {"Tonne", bin, []string{"bestell", "ummeld"}}}},
		{"gewerbe", []moveSearch{{"Gewerbe abmelden", trade, out}}, []moveSearch{{"Gewerbe ummelden", trade, change}, {"Gewerbe anmelden", trade, in}}},
	}
}

// Umzug is the page "/umzug?von=&nach=": what is to do at the old and at the
// new place, and who is responsible there.
func (w *Web) Umzug(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "umzug")
	v.Nav, v.Title = "lebenslagen", v.t("move.title")
	v.crumbs(link{URL: v.Link("/lebenslagen"), Text: v.t("nav.situations")}, link{URL: v.Link("/lebenslage/umzug"), Text: v.t("move.crumb")}, link{Text: v.t("move.plan")})
	page := movePage{Heading: v.Title, Lead: v.t("move.lead")}
	if v.Lang != locale.German {
		page.Lang = v.Lang
	}
	q := r.URL.Query()
	asked := q.Has("von") || q.Has("nach")
	from, okFrom := v.moveField(&page.From, q.Get("von"), asked)
	to, okTo := v.moveField(&page.To, q.Get("nach"), asked)
	if !asked {
		page.To.Value = w.choose(r).Input
	}
	if okFrom && okTo {
		if from.Area == to.Area {
			page.Note = v.t("move.same")
		} else {
			page.Sides = append(page.Sides, v.anySide("alt", "move.old", from, func(t *moveTopic) []moveSearch { return t.old }))
		}
		side := v.anySide("neu", "move.new", to, func(t *moveTopic) []moveSearch { return t.new })
		side.Note = v.t("move.week")
		page.Sides = append(page.Sides, side)
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// moveField reads one of the two places; ok is false if it cannot be used.
func (v *view) moveField(f *moveField, value string, asked bool) (p place, ok bool) {
	f.Value = strings.TrimSpace(value)
	if !asked {
		return place{}, false
	}
	if f.Value == "" {
		f.Problem = v.t("move.need")
		return place{}, false
	}
	p = v.w.findMove(f.Value)
	switch p.Problem {
	case noProblem:
		return p, true
	case badPLZ:
		f.Problem = v.t("place.plz")
	case severalPlaces:
		names := make([]string, 0, len(p.Several))
		for _, s := range p.Several {
			names = append(names, s.Name)
		}
		f.Problem = v.t("move.several", strings.Join(names, ", "))
	default:
		f.Problem = v.t("place.outside.title") + "."
	}
	return p, false
}

// anySide is what is to do at a place, here or in another Landkreis.
func (v *view) anySide(id, heading string, p place, searches func(*moveTopic) []moveSearch) moveSide {
	if by, ok := v.w.of(p.Area); ok {
		return v.besideSide(id, heading, p, by, searches)
	}
	return v.moveSide(id, heading, p, searches)
}

func (v *view) moveSide(id, heading string, p place, searches func(*moveTopic) []moveSearch) moveSide {
	side := moveSide{ID: id, Heading: v.t(heading, p.Name)}
	var missing []string
	for _, t := range moveTopics() {
		if len(searches(&t)) == 0 {
			continue
		}
		if h := v.firstHit(searches(&t), p); h != nil {
			side.Tasks = append(side.Tasks, *h)
		} else {
			missing = append(missing, v.t("move.topic."+t.key))
		}
	}
	if len(missing) > 0 {
		side.Missing = v.t("move.missing", strings.Join(missing, ", "))
	}
	return side
}

// firstHit returns the best hit of the first search that finds what it is
// about at the place, nil if none does.
func (v *view) firstHit(searches []moveSearch, p place) *hit {
	for _, m := range searches {
		res := v.w.cfg.Directory.Search(directory.Query{Text: m.text, Place: p.Area, Own: v.w.cfg.Self, Literal: true, Limit: 5})
		for i := range res.Hits {
			title := strings.ToLower(res.Hits[i].Title)
			if containsAny(title, m.about) && containsAny(title, m.doing) && !res.Hits[i].Provider.Neighbour {
				h := v.hit(&res.Hits[i], p, true)
				return &h
			}
		}
	}
	return nil
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}
