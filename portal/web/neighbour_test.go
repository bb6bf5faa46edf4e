package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
)

const (
	vechta = federation.EntityID("https://vechta.example")
	damme  = federation.EntityID("https://damme.example")
)

// beside is the Landkreis Vechta: it answers for Damme, has answered yesterday
// for Lohne, and does not answer for any other place.
type beside struct{}

func (beside) Of(a region.Area) (neighbour.Neighbour, bool) {
	n := neighbour.Neighbour{ID: vechta, Name: "Landkreis Vechta", ShortName: "Vechta"}
	return n, region.MustArea("03460").Covers(a)
}

func (b beside) Ask(_ context.Context, q neighbour.Question) (*neighbour.Answer, error) {
	by, ok := b.Of(q.Place)
	if name := q.Place.String(); !ok || name != "034600002002" && name != "034600006006" {
		return nil, neighbour.ErrSilent
	}
	town := member(damme, "Stadt Damme", "Damme", federation.KindGemeinde, q.Place, "")
	hub := member(vechta, "Landkreis Vechta", "Landkreis", federation.KindLandkreis, region.MustArea("03460"), "")
	provider := func(m federation.Member, o catalog.Offer) directory.Provider {
		return directory.Provider{Reason: directory.Own, Member: m, Offer: &o, Onlinedienste: o.Onlinedienste, Reachable: true, Fetched: now}
	}
	home := provider(town, offer(damme, 1, keyStelle, "Wohnsitz anmelden", "", q.Place, federation.LevelBasis, true))
	a := &neighbour.Answer{By: by, Question: q, At: time.Date(2026, 11, 21, 7, 30, 0, 0, time.UTC), Result: directory.Answer{Reason: directory.Own, Providers: []directory.Provider{home}}}
	for _, text := range q.Texts {
		var hits []directory.Hit
		switch text {
		case "Wohnsitz anmelden":
			hits = []directory.Hit{{Leika: keyStelle, Title: "Wohnsitz anmelden", Lang: "de", Provider: home}}
		case "Tonne anmelden": // without key, at the hub; and one that is about something else
			bin := provider(hub, offer(vechta, 2, 0, "Tonne anmelden", "", q.Place, federation.LevelNone, false))
			cask := provider(hub, offer(vechta, 3, 0, "Fass anmelden", "", q.Place, federation.LevelNone, false))
			hits = []directory.Hit{{Title: "Fass anmelden", Lang: "de", Provider: cask}, {Title: "Tonne anmelden", Lang: "de", Provider: bin}}
		}
		a.Found = append(a.Found, hits)
	}
	if q.Place.String() == "034600006006" {
		a.Age()
	}
	return a, nil
}

func (f *fixture) withBeside() *fixture {
	f.cfg.Register, f.cfg.Neighbours = region.DemoBeside(region.BesideEdition()), beside{}
	return f
}

// TestBeside: pages about places of another Landkreis.
func TestBeside(t *testing.T) {
	for _, c := range []struct {
		name, path string
		status     int
		want, not  []string
		links      []string
	}{
		{name: "move", path: "/umzug?von=Bissendorf&nach=49401", status: 200,
			want: []string{"Am alten Ort: Bissendorf", "Am neuen Ort: Damme", "Zuständig: Stadt Damme", "Serviceportal Landkreis Vechta",
				"Diese Auskunft kommt vom Portal des Landkreises Vechta. Angaben vom 21. November 2026, 08:30 Uhr.", "Dazu ist hier noch nichts eingetragen: Auto, Hund, Kita-Platz, Gewerbe."},
			not:   []string{"antwortet gerade nicht", "Fass"},
			links: []string{string(damme) + "/leistung/" + keyStelle.String() + "/03460002", string(vechta) + "/angebot/vechta.example/T:vec-2?ort=03460002", string(vechta) + "/"}},
		{name: "old", path: "/umzug?von=Bissendorf&nach=Lohne", status: 200,
			want: []string{"Diese Angaben sind vom 21. November 2026, 08:30 Uhr", "Das Portal des Landkreises Vechta antwortet gerade nicht. Sie sehen, was wir zuletzt von dort wussten.", "Zuständig: Stadt Damme"}},
		{name: "silent", path: "/umzug?von=Holdorf&nach=Bissendorf", status: 200,
			want: []string{"Am alten Ort: Holdorf", "Das Portal des Landkreises Vechta antwortet gerade nicht", "Wir können jetzt nicht sagen, was in Holdorf zu tun ist.", "Am neuen Ort: Bissendorf"},
			not:  []string{"Angaben vom 21"}},
		{name: "two names", path: "/umzug?von=Neuenkirchen&nach=Bissendorf", status: 200, want: []string{"Neuenkirchen"}},
		{name: "English", path: "/umzug?von=Bissendorf&nach=Damme&lang=en", status: 200,
			want:  []string{"At the new place: Damme", "This information comes from the portal of Landkreis Vechta. As of 21 November 2026, 08:30."},
			links: []string{string(damme) + "/leistung/" + keyStelle.String() + "/03460002?lang=en"}},
		{name: "Leistung", path: "/leistung/" + keyHund.String() + "/03460002", status: 404,
			want:  []string{"Damme gehört zu einem anderen Landkreis", "Zuständig für Damme: Stadt Damme.", "Angaben vom 21. November 2026", "Weiter zum Portal: Stadt Damme", "Umzug planen"},
			links: []string{string(damme) + "/leistung/" + keyStelle.String() + "/03460002", "/umzug?nach=Damme"}},
		{name: "Leistung, silent", path: "/leistung/" + keyHund.String() + "/03460005", status: 404, want: []string{"Holdorf gehört zu einem anderen Landkreis", "Für Holdorf hilft Ihnen das Portal des Landkreises Vechta weiter."}},
		{name: "search", path: "/suche?q=Hund&ort=Damme", status: 200, want: []string{"Damme gehört zu einem anderen Landkreis"}, links: []string{string(vechta) + "/?ort=03460002"}},
		{name: "place", path: "/ort?plz=49401", status: 200, want: []string{"Damme gehört zu einem anderen Landkreis"}},
		{name: "nobody's", path: "/suche?q=Hund&ort=Berlin", status: 200, want: []string{"Dieser Ort gehört nicht zum Verbund"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture().withBeside()
			status, text, rec := visit(t, routes(f.web(t)), c.path)
			if status != c.status {
				t.Errorf("status %d", status)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in %s", want, text)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("%q is there", not)
				}
			}
			for _, l := range c.links {
				if !strings.Contains(rec.Body.String(), `href="`+strings.ReplaceAll(l, "&", "&amp;")+`"`) {
					t.Errorf("no link to %s", l)
				}
			}
		})
	}
}
