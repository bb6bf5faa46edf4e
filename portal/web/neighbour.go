package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web/locale"
)

// Neighbours answers for places of other Landkreise.
type Neighbours interface {
	// Of returns the hub that a place belongs to; it asks nobody.
	Of(place region.Area) (neighbour.Neighbour, bool)
	// Ask returns that hub's verified answer, an old one labelled as such.
	Ask(ctx context.Context, q neighbour.Question) (*neighbour.Answer, error)
}

// of returns the other Landkreis that a belongs to.
func (w *Web) of(a region.Area) (neighbour.Neighbour, bool) {
	if w.cfg.Neighbours == nil {
		return neighbour.Neighbour{}, false
	}
	return w.cfg.Neighbours.Of(a)
}

// beside returns which of the places lie in other Landkreise.
func (w *Web) beside(places []region.Place) []region.Place {
	var out []region.Place
	for _, p := range places {
		if _, ok := w.of(p.Area); ok {
			out = append(out, p)
		}
	}
	return out
}

// besideSide is moveSide for a place of another Landkreis: its hub says what
// there is, and each task leads to the portal that is responsible there.
func (v *view) besideSide(id, heading string, p place, by neighbour.Neighbour, searches func(*moveTopic) []moveSearch) moveSide {
	side := moveSide{ID: id, Heading: v.t(heading, p.Name)}
	of := locale.Of(v.Lang, by.Name)
	side.Portal = &link{URL: by.ID.URL("/"), Text: v.t("move.portal", of)}
	q := neighbour.Question{Place: p.Area, Lang: v.Lang}
	for _, t := range moveTopics() {
		for _, s := range searches(&t) {
			if !slices.Contains(q.Texts, s.text) {
				q.Texts = append(q.Texts, s.text)
			}
		}
	}
	a, err := v.w.cfg.Neighbours.Ask(v.r.Context(), q)
	if err != nil {
		v.w.cfg.Log.Warn("another Landkreis could not be asked", "peer", by.ID, "err", err)
		side.Alert = &alert{Kind: "warning", Title: v.t("move.silent.title", of), Text: []string{v.t("move.silent.text", p.Name)}, Status: true}
		return side
	}
	if a.Old {
		side.Alert = &alert{Kind: "warning", Title: v.t("move.age.title", v.moment(a.At)), Text: []string{v.t("move.age.text", of)}, Status: true}
	}
	side.Source = v.t("move.source", of, v.moment(a.At))
	found := map[string][]directory.Hit{}
	for i, text := range q.Texts {
		found[text] = a.Found[i]
	}
	var missing []string
	for _, t := range moveTopics() {
		list := searches(&t)
		if h := v.besideHit(list, found, p); h != nil {
			side.Tasks = append(side.Tasks, *h)
		} else if len(list) > 0 {
			missing = append(missing, v.t("move.topic."+t.key))
		}
	}
	if len(missing) > 0 {
		side.Missing = v.t("move.missing", strings.Join(missing, ", "))
	}
	return side
}

// besideHit is firstHit among what the other Landkreis has found.
func (v *view) besideHit(searches []moveSearch, found map[string][]directory.Hit, p place) *hit {
	for _, m := range searches {
		for i := range found[m.text] {
			h := &found[m.text][i]
			title := strings.ToLower(h.Provider.Offer.Title["de"])
			if !containsAny(title, m.about) || !containsAny(title, m.doing) {
				continue
			}
			to := v.besideURL(&h.Provider, p)
			if h.Provider.Member.Kind == federation.KindLandkreis {
				h.Provider.Member.ShortName = h.Provider.Member.Name // "Landkreis" alone would be the own one
			}
			return &hit{Title: h.Title, TitleLang: v.In(h.Lang), URL: to, Badges: v.badges(&h.Provider, h.Several, false)}
		}
	}
	return nil
}

// besideURL is the page of a Leistung at the portal that is responsible.
func (v *view) besideURL(p *directory.Provider, at place) string {
	if p.Offer.Leika.IsZero() {
		return p.Member.ID.URL(v.with(offerPath(directory.OfferRef{Member: p.Member.ID, ID: p.Offer.ID}), place{Chosen: true, Key: at.Key}))
	}
	return p.Member.ID.URL(v.Plain("/leistung/" + p.Offer.Leika.String() + "/" + at.Key))
}

// besideState is the state of a page for a place of another Landkreis: its
// portal goes on.
func (v *view) besideState(by neighbour.Neighbour) *alert {
	at, of := v.w.placeOf(v.Place.Beside), locale.Of(v.Lang, by.Name)
	back := v.query("/umzug", url.Values{"nach": {at.Name}})
	return &alert{Kind: "info", Title: v.t("beside.title", at.Name), Text: []string{v.t("beside.text", at.Name, of)},
		Links: []link{{URL: by.ID.URL(v.with("/", place{Chosen: true, Key: at.Key})), Text: v.t("move.portal", of)}, {URL: back, Text: v.t("beside.move")}}}
}

// besideAnswer says who is responsible for a Leistung at a place of another
// Landkreis, as its hub says.
func (v *view) besideAnswer(by neighbour.Neighbour, key leika.ID) *alert {
	state := v.besideState(by)
	at := v.w.placeOf(v.Place.Beside)
	a, err := v.w.cfg.Neighbours.Ask(v.r.Context(), neighbour.Question{Place: v.Place.Beside, Leika: key})
	if err != nil {
		v.w.cfg.Log.Warn("another Landkreis could not be asked", "peer", by.ID, "err", err)
		return state
	}
	p := a.Result.First()
	if p == nil {
		return state
	}
	of := locale.Of(v.Lang, by.Name)
	state.Text = []string{v.t("beside.who", at.Name, p.Member.Name), v.t("move.source", of, v.moment(a.At))}
	if a.Old {
		state.Kind, state.Text = "warning", append(state.Text, v.t("move.age.text", of))
	}
	state.Links[0] = link{URL: v.besideURL(p, at), Text: v.t("beside.go", p.Member.Name)}
	return state
}
