package office

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/links"
)

// row is one record in the list.
type row struct {
	Title, URL string
	Key        string
	Online     bool
	Changed    time.Time
	Visits     int
	Problems   int
}

type recordsPage struct {
	Query          string
	Rows           []row
	Total          int
	First, Last    int
	Previous, Next string
	Empty          bool
}

const recordsOnPage = 50

// records is the list of the own records with a search over titles, synonyms,
// keys and IDs.
func (o *Office) records(q *admin.Request) (*admin.Answer, error) {
	p := recordsPage{Query: strings.TrimSpace(q.URL.Query().Get("q"))}
	c := o.c.Catalogue()
	if c == nil {
		p.Empty = true
		return q.View("leistungen", "Leistungen", p), nil
	}
	sums, err := o.c.Visits.Sums(q.Context(), countedDays)
	if err != nil {
		return nil, err
	}
	all, err := o.tasks(q.Context())
	if err != nil {
		return nil, err
	}
	problems := map[string]int{}
	for _, t := range all {
		problems[t.URL]++
	}
	var rows []row
	for i := range c.Offers {
		of := &c.Offers[i]
		if !matches(of, p.Query) {
			continue
		}
		title, _ := of.Title.In("de")
		r := row{Title: title, URL: o.recordURL(of.ID), Online: len(of.Onlinedienste) > 0, Changed: of.Geaendert, Visits: counted(sums, of.Leika, of.ID)}
		if !of.Leika.IsZero() {
			r.Key = of.Leika.String()
		}
		r.Problems = problems[r.URL]
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.Visits != b.Visits {
			return b.Visits - a.Visits
		}
		return strings.Compare(a.Title, b.Title)
	})
	p.page(rows, number(q.URL.Query().Get("ab")))
	return q.View("leistungen", "Leistungen", p), nil
}

func (p *recordsPage) page(rows []row, from int) {
	p.Total = len(rows)
	from = min(max(from, 0), max(len(rows)-1, 0)) / recordsOnPage * recordsOnPage
	to := min(from+recordsOnPage, len(rows))
	p.Rows, p.First, p.Last = rows[from:to], from+1, to
	at := func(n int) string {
		return recordsPath + "?" + url.Values{"q": {p.Query}, "ab": {fmt.Sprint(n)}}.Encode()
	}
	if from > 0 {
		p.Previous = at(from - recordsOnPage)
	}
	if to < len(rows) {
		p.Next = at(to)
	}
}

func number(s string) (n int) {
	if len(s) < 9 {
		_, _ = fmt.Sscan(s, &n) // anything else is the first page
	}
	return n
}

func matches(o *catalog.Offer, query string) bool {
	if query == "" {
		return true
	}
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		found := strings.Contains(strings.ToLower(string(o.ID)), word) || strings.Contains(o.Leika.String(), word)
		for _, t := range o.Title {
			found = found || strings.Contains(strings.ToLower(t), word)
		}
		for _, s := range o.Synonyms {
			found = found || strings.Contains(strings.ToLower(s), word)
		}
		if !found {
			return false
		}
	}
	return true
}

// step is one rule with its result.
type step struct{ Rule, Badge, Verdict, Text string }

// place is one choice of "for which place".
type place struct {
	Area, Name string
	Current    bool
}

// shownAt is one portal that shows the record.
type shownAt struct{ Name, URL string }

type recordPage struct {
	ID, Title, Key string
	Changed        time.Time
	Visits         int
	Frame          string // address of "So sehen es Bürgerinnen und Bürger"
	Real           string // of the same page in the portal
	Tasks          []task
	Links          []links.Row
	Portals        []shownAt
	Places         []place
	Place          string
	Shown          bool
	Steps          []step
	Findings       []catalog.Finding
	Sheet          string
}

// record is one own record: how citizens see it, where, and why not.
func (o *Office) record(q *admin.Request) (*admin.Answer, error) {
	c := o.c.Catalogue()
	of := find(c, catalog.ID(q.URL.Query().Get("id")))
	if of == nil {
		return nil, admin.ErrNotFound
	}
	sums, err := o.c.Visits.Sums(q.Context(), countedDays)
	if err != nil {
		return nil, err
	}
	title, _ := of.Title.In("de")
	p := recordPage{ID: string(of.ID), Title: title, Changed: of.Geaendert, Visits: counted(sums, of.Leika, of.ID), Sheet: tablePath}
	if !of.Leika.IsZero() {
		p.Key = of.Leika.String()
	}
	area := o.chosen(q, of, &p)
	ref := directory.OfferRef{Member: o.c.Self, ID: of.ID}
	p.explain(o.c.Directory.Appears(ref, area, q.Now()))
	p.Real = o.publicPath(of, area)
	p.Frame = framePath + "/jetzt/hell/seite?" + url.Values{"pfad": {p.Real}}.Encode()
	if p.Shown {
		for _, m := range o.c.Members() {
			p.Portals = append(p.Portals, shownAt{Name: m.Name, URL: m.ID.URL(p.Real)})
		}
	}
	if in, err := o.c.Gates(); err == nil {
		for _, f := range catalog.Gates(c, *in) {
			if f.Record == of.ID {
				p.Findings = append(p.Findings, f)
			}
		}
	}
	all, err := o.tasks(q.Context())
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.URL == o.recordURL(of.ID) {
			t.URL = "" // this page
			p.Tasks = append(p.Tasks, t)
		}
	}
	rows, err := o.c.Links.Rows(q.Context())
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Record == of.ID && !r.Unit {
			p.Links = append(p.Links, r)
		}
	}
	return q.View("leistung", title, p).Framing(), nil
}

// maxPlaces bounds the list of places to choose from.
const maxPlaces = 200

// chosen is the place that is asked about: the one named, else the own, else
// the first of the offer.
func (o *Office) chosen(q *admin.Request, of *catalog.Offer, p *recordPage) region.Area {
	area := o.c.Home
	if area.IsBund() && len(of.Zustaendigkeiten) > 0 {
		area = of.Zustaendigkeiten[0].Area
	}
	if a, err := region.ParseArea(q.URL.Query().Get("ort")); err == nil && !a.IsBund() {
		area = a
	}
	p.Place = o.place(area)
	add := func(a region.Area) {
		if len(p.Places) < maxPlaces && !slices.ContainsFunc(p.Places, func(x place) bool { return x.Area == a.String() }) {
			p.Places = append(p.Places, place{Area: a.String(), Name: o.place(a), Current: a == area})
		}
	}
	add(area)
	if !o.c.Home.IsBund() {
		add(o.c.Home)
	}
	if o.c.Register != nil && area.Len() >= 5 {
		for _, g := range o.c.Register.Gemeinden(area.Truncate(5)) {
			add(g.Area)
		}
	}
	slices.SortFunc(p.Places, func(a, b place) int { return strings.Compare(a.Name, b.Name) })
	return area
}

func (p *recordPage) explain(a directory.Appearance) {
	p.Shown = a.Shown
	for _, s := range a.Steps {
		badge, text := verdict(s.Verdict)
		p.Steps = append(p.Steps, step{Rule: ruleName(s.Rule), Badge: badge, Verdict: text, Text: s.Text})
	}
}

// publicPath is where the portal shows an own offer.
func (o *Office) publicPath(of *catalog.Offer, area region.Area) string {
	if !of.Leika.IsZero() {
		return "/leistung/" + of.Leika.String() + "/" + area.String()
	}
	return "/angebot/" + url.PathEscape(o.c.Self.Host()) + "/" + url.PathEscape(string(of.ID))
}
