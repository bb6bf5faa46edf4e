package office

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/links"
	"rathausnetz/portal/report"
)

// linkRow is one link as the page shows it.
type linkRow struct {
	links.Row
	Badge, Name, Where, Edit string
	Visits                   int
}

type linksPage struct {
	Rows    []linkRow
	Choices []choice
	Total   int
	Shown   int
}

const linksShown = 300

func linkBadge(s links.State) string {
	switch s {
	case links.Broken:
		return "danger"
	case links.Check, links.Missing:
		return "warning"
	case links.OK:
		return "success"
	}
	return "info"
}

// links lists the addresses in the own records with their state.
func (o *Office) links(q *admin.Request) (*admin.Answer, error) {
	rows, err := o.c.Links.Rows(q.Context())
	if err != nil {
		return nil, err
	}
	sums, err := o.c.Visits.Sums(q.Context(), countedDays)
	if err != nil {
		return nil, err
	}
	c := o.c.Catalogue()
	wanted := links.State(q.URL.Query().Get("zustand"))
	count := map[links.State]int{}
	p := linksPage{}
	for _, r := range rows {
		count[r.State]++
		if wanted != "" && r.State != wanted {
			continue
		}
		l := linkRow{Row: r, Badge: linkBadge(r.State), Name: r.State.German(), Where: sectionName(catalog.SectionKind(r.Field))}
		if of := find(c, r.Record); of != nil && !r.Unit {
			l.Edit, l.Visits = o.recordURL(of.ID), counted(sums, of.Leika, of.ID)
		}
		p.Rows = append(p.Rows, l)
	}
	order := []links.State{links.Broken, links.Missing, links.Check, links.Unchecked, links.OK}
	slices.SortStableFunc(p.Rows, func(a, b linkRow) int {
		return cmp.Or(slices.Index(order, a.State)-slices.Index(order, b.State), b.Visits-a.Visits)
	})
	p.Choices = []choice{{URL: linksPath, Text: fmt.Sprintf("Alle (%d)", len(rows)), Current: wanted == ""}}
	for _, s := range order {
		if count[s] > 0 {
			p.Choices = append(p.Choices, choice{URL: linksPath + "?zustand=" + string(s), Text: fmt.Sprintf("%s (%d)", s.German(), count[s]), Current: wanted == s})
		}
	}
	p.Total, p.Shown = len(p.Rows), min(len(p.Rows), linksShown)
	p.Rows = p.Rows[:p.Shown]
	return q.View("links", "Links", p), nil
}

// remark is a citizen's remark as the page shows it.
type remark struct {
	report.Entry
	Title, URL, From string
	Done             bool
}

type remarksPage struct {
	Open, Done []remark
	Reference  string // whose answer could not be taken
	Text       string
	Problem    string
}

const remarksShown = 100

func (o *Office) remarksPage(q *admin.Request) (remarksPage, error) {
	list, err := o.c.Reports.List(q.Context())
	if err != nil {
		return remarksPage{}, err
	}
	names := map[string]string{}
	for _, m := range o.c.Members() {
		names[string(m.ID)] = m.Name
	}
	c := o.c.Catalogue()
	var p remarksPage
	for _, e := range slices.Backward(list) {
		r := remark{Entry: e, Title: "Portal allgemein", From: names[string(e.From)], Done: e.State == report.Done}
		if r.From == "" {
			r.From = e.From.Host()
		}
		if of := find(c, e.Offer); of != nil {
			r.Title, _ = of.Title.In("de")
			r.URL = o.recordURL(of.ID)
		}
		switch {
		case !r.Done:
			p.Open = append(p.Open, r)
		case len(p.Done) < remarksShown:
			p.Done = append(p.Done, r)
		}
	}
	return p, nil
}

// remarks lists what citizens found wrong.
func (o *Office) remarks(q *admin.Request) (*admin.Answer, error) {
	p, err := o.remarksPage(q)
	return q.View("hinweise", "Hinweise von Bürgerinnen und Bürgern", p), err
}

// answer says that a remark is done, with or without words for the citizen.
func (o *Office) answer(q *admin.Request) (*admin.Answer, error) {
	reference, text := q.PostFormValue("kennung"), q.PostFormValue("antwort")
	_, err := o.c.Reports.Answer(q.Context(), reference, text)
	switch {
	case errors.Is(err, report.ErrUnknown):
		return nil, admin.ErrNotFound
	case errors.Is(err, report.ErrTooLarge):
		p, err := o.remarksPage(q)
		p.Reference, p.Text, p.Problem = reference, text, "Die Antwort ist zu lang. Es sind höchstens 600 Zeichen möglich."
		return q.Again("hinweise", "Hinweise von Bürgerinnen und Bürgern", p), err
	case err != nil:
		return nil, err
	}
	q.About(strings.ToUpper(reference), "")
	return q.Redirect(remarksPath, "Der Hinweis ist erledigt."), nil
}

// imports shows where the own catalogue comes from and how the last import
// went.
func (o *Office) imports(q *admin.Request) (*admin.Answer, error) {
	in := o.c.Import()
	p := importPage{Import: in, Every: span(in.Every)}
	if in.Err != nil {
		p.Failed = strings.SplitN(in.Err.Error(), "\n", 2)[0]
	}
	for _, f := range in.Findings {
		if f.Severity != catalog.Warn {
			p.Blocking++
		}
	}
	p.Own = in.Source == ""
	return q.View("uebernahme", "Übernahme der Inhalte", p), nil
}

type importPage struct {
	Import
	Every    string
	Failed   string // for the technician, in English
	Blocking int
	Own      bool // the node keeps its catalogue itself
}

func span(d time.Duration) string {
	switch {
	case d == 0:
		return "nur auf Anforderung"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("alle %d Tage", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("alle %d Stunden", d/time.Hour)
	}
	return fmt.Sprintf("alle %d Minuten", d/time.Minute)
}

func (o *Office) importNow(q *admin.Request) (*admin.Answer, error) {
	err := o.c.ImportNow(q.Context())
	switch {
	case errors.Is(err, ErrNothing):
		return nil, &admin.Problem{Status: http.StatusConflict, Title: "Es gibt noch nichts zu übernehmen", Err: err,
			Text: "Für diesen Knoten ist keine Quelle eingetragen. Die Technik trägt sie in der Konfiguration ein (catalog.source)."}
	case err != nil:
		o.c.Log.Warn("import from the operator pages", "err", err)
		return q.Redirect(importPath, "Die Quelle konnte nicht gelesen werden. Der Bericht steht unten."), nil
	}
	return q.Redirect(importPath, "Die Quelle wurde gelesen. Der Bericht steht unten."), nil
}

// visited is one page with how often it was opened.
type visited struct {
	Title, URL string
	Visits     int
	Own        bool
}

type visitsPage struct {
	Rows  []visited
	Days  int
	Total int
}

const visitsShown = 100

// visits lists which Leistungen are read most.
func (o *Office) visits(q *admin.Request) (*admin.Answer, error) {
	sums, err := o.c.Visits.Sums(q.Context(), countedDays)
	if err != nil {
		return nil, err
	}
	p := visitsPage{Days: countedDays}
	own := map[string]*catalog.Offer{}
	if c := o.c.Catalogue(); c != nil {
		for i := range c.Offers {
			of := &c.Offers[i]
			if of.Leika.IsZero() {
				own[string(of.ID)] = of
			} else {
				own[of.Leika.String()] = of
			}
		}
	}
	for page, n := range sums {
		p.Total += n
		v := visited{Title: page, Visits: n}
		if of := own[page]; of != nil {
			v.Title, _ = of.Title.In("de")
			v.URL, v.Own = o.recordURL(of.ID), true
		} else if t := o.titleOf(page); t != "" {
			v.Title = t
		}
		p.Rows = append(p.Rows, v)
	}
	slices.SortFunc(p.Rows, func(a, b visited) int { return cmp.Or(b.Visits-a.Visits, cmp.Compare(a.Title, b.Title)) })
	p.Rows = p.Rows[:min(len(p.Rows), visitsShown)]
	return q.View("aufrufe", "Aufrufe", p), nil
}
