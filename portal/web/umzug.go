package web

import (
	"net/http"
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
}

// A moveTopic is looked for by words, the first that finds something counts:
// keys differ between Länder, everyday words do not.
type moveTopic struct {
	key      string
	old, new []string
}

var moveTopics = [...]moveTopic{
	{"wohnsitz", []string{"Wohnsitz abmelden", "Wohnung abmelden"}, []string{"Wohnsitz anmelden", "Wohnsitz ummelden", "Wohnung anmelden", "Anmeldung Wohnsitz"}},
	{"auto", nil, []string{"Fahrzeug ummelden", "Fahrzeug umschreiben", "Auto ummelden", "Umschreibung Fahrzeug"}},
	{"hund", []string{"Hund abmelden", "Hundesteuer abmelden"}, []string{"Hund anmelden", "Hundesteuer anmelden"}},
	{"kita", []string{"Kita abmelden"}, []string{"Kita-Platz", "Kita anmelden", "Kinderbetreuung", "Kindertagesstätte"}},
	{"abfall", []string{"Abfall abmelden", "Mülltonne abmelden"}, []string{"Abfall anmelden", "Mülltonne anmelden", "Mülltonne", "Abfallbehälter"}},
	{"gewerbe", []string{"Gewerbe abmelden"}, []string{"Gewerbe ummelden", "Gewerbe anmelden"}},
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
			page.Sides = append(page.Sides, v.moveSide("alt", "move.old", from, func(t *moveTopic) []string { return t.old }))
		}
		side := v.moveSide("neu", "move.new", to, func(t *moveTopic) []string { return t.new })
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
	p = v.w.find(f.Value)
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

func (v *view) moveSide(id, heading string, p place, words func(*moveTopic) []string) moveSide {
	side := moveSide{ID: id, Heading: v.t(heading, p.Name)}
	var missing []string
	for i := range moveTopics {
		t := &moveTopics[i]
		if len(words(t)) == 0 {
			continue
		}
		if h := v.firstHit(words(t), p); h != nil {
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

// firstHit returns the best hit of the first words that name a Leistung of
// the place, nil if none does.
func (v *view) firstHit(words []string, p place) *hit {
	for _, text := range words {
		res := v.w.cfg.Directory.Search(directory.Query{Text: text, Place: p.Area, Own: v.w.cfg.Self, Lang: v.Lang, Literal: true, Limit: 1})
		if len(res.Hits) > 0 && res.Hits[0].Matched <= directory.MatchedSynonym && !res.Hits[0].Provider.Neighbour && !opposite(text, res.Hits[0].Title) {
			h := v.hit(&res.Hits[0], p, true)
			return &h
		}
	}
	return nil
}

// opposite reports whether title is about the other end of what was asked:
// the search knows that anmelden and abmelden belong together.
func opposite(asked, title string) bool {
	title = strings.ToLower(title)
	off := strings.Contains(title, "abmeld")
	if strings.Contains(asked, "abmelden") {
		return !off
	}
	return off && !strings.Contains(title, "anmeld") && !strings.Contains(title, "ummeld")
}
