package office

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/links"
	"rathausnetz/portal/report"
	"rathausnetz/portal/web/locale"
)

// task is one thing to do. Kind is a word of kinds.
type task struct {
	Kind     string
	Title    string
	URL      string // of the record, "" if there is none
	Sentence string
	Remedy   string
	Visits   int
}

// kind is a sort of tasks, with its mark.
type kind struct{ Word, Name, Badge string }

// kinds in the order in which tasks with equal visits are listed.
func kinds() []kind {
	return []kind{
		{"sperre", "Veröffentlichung gesperrt", "danger"}, {"defekt", "Link defekt", "danger"}, {"gesperrt", "Link gesperrt", "danger"}, {"luecke", "Lücke", "warning"},
		{"platzhalter", "Platzhalter", "warning"}, {"hinweis", "Hinweis", "info"}, {"vorlage", "Vorlage geändert", "info"}, {"alt", "Älter als 12 Monate", "info"},
	}
}

// Badge is the mark of the task's kind.
func (t task) Badge() string { return t.kind().Badge }

// Name is what the kind is called.
func (t task) Name() string { return t.kind().Name }

func (t task) kind() kind {
	for _, k := range kinds() {
		if k.Word == t.Kind {
			return k
		}
	}
	return kind{}
}

func (o *Office) recordURL(id catalog.ID) string {
	return recordPath + "?" + url.Values{"id": {string(id)}}.Encode()
}

// tasks collects the work to do, what is read most first [UX.md §8].
func (o *Office) tasks(ctx context.Context) ([]task, error) {
	sums, err := o.c.Visits.Sums(ctx, countedDays)
	if err != nil {
		return nil, err
	}
	w := &worker{o: o, sums: sums, now: o.c.Now(), own: o.c.Catalogue()}
	w.offers()
	w.gates()
	w.gaps()
	rows, err := o.c.Links.Rows(ctx)
	if err != nil {
		return nil, err
	}
	w.links(rows)
	remarks, err := o.c.Reports.List(ctx)
	if err != nil {
		return nil, err
	}
	w.remarks(remarks)
	order := map[string]int{}
	for i, k := range kinds() {
		order[k.Word] = i
	}
	slices.SortStableFunc(w.out, func(a, b task) int {
		return cmp.Or(b.Visits-a.Visits, order[a.Kind]-order[b.Kind], strings.Compare(a.Title, b.Title))
	})
	return w.out, nil
}

type worker struct {
	o     *Office
	sums  map[string]int
	now   time.Time
	own   *catalog.Catalogue
	out   []task
	lacks map[catalog.ID]bool // offers with a placeholder, so that nothing is said twice
}

func (w *worker) add(o *catalog.Offer, kind, sentence, remedy string) {
	title, _ := o.Title.In("de")
	w.out = append(w.out, task{Kind: kind, Title: title, URL: w.o.recordURL(o.ID), Sentence: sentence, Remedy: remedy, Visits: counted(w.sums, o.Leika, o.ID)})
}

func (w *worker) offers() {
	if w.own == nil {
		return
	}
	newer := w.o.templates()
	w.lacks = map[catalog.ID]bool{}
	for i := range w.own.Offers {
		o := &w.own.Offers[i]
		if p, field := placeholder(o); p != "" {
			w.lacks[o.ID] = true
			w.add(o, "platzhalter", fmt.Sprintf("Im Text steht „%s“ (%s).", p, field), "Ersetzen Sie die Stelle durch den endgültigen Text.")
		}
		if w.o.c.Blocked.Offer(o) != o {
			w.add(o, "gesperrt", "Der Verbund hat die Adresse eines Links gesperrt. Der Link wird nicht gezeigt.", "Nehmen Sie eine andere Adresse oder fragen Sie den Landkreis.")
		}
		if t, ok := newer[o.Leika]; ok && !o.Leika.IsZero() && t.changed.After(o.Geaendert) {
			w.add(o, "vorlage", locale.Capital(locale.The(locale.German, t.by))+" hat den Text zu dieser Leistung nach Ihrem Stand geändert.", "Vergleichen Sie die Texte und übernehmen Sie, was für Sie gilt.")
		}
		if old := w.now.AddDate(-1, 0, 0); o.Geaendert.Before(old) {
			sentence := "Der Eintrag nennt kein Datum der letzten Änderung."
			if !o.Geaendert.IsZero() {
				sentence = "Zuletzt geändert am " + german(o.Geaendert) + "."
			}
			w.add(o, "alt", sentence, "Prüfen Sie, ob alle Angaben noch stimmen.")
		}
	}
}

// template is the text of a hub that others take theirs from.
type template struct {
	by      string
	changed time.Time
}

// templates are the newest texts of the hub for each key.
func (o *Office) templates() map[leika.ID]template {
	hub := o.c.Hub()
	if hub == "" || hub == o.c.Self {
		return nil
	}
	name := string(hub)
	for _, m := range o.c.Members() {
		if m.ID == hub {
			name = m.Name
		}
	}
	out := map[leika.ID]template{}
	for _, of := range o.c.Directory.Offers(hub) {
		if t := out[of.Leika]; of.Geaendert.After(t.changed) {
			out[of.Leika] = template{name, of.Geaendert}
		}
	}
	return out
}

// gates names what would stop the next publication.
func (w *worker) gates() {
	in, err := w.o.c.Gates()
	if err != nil || w.own == nil {
		return
	}
	for _, f := range catalog.Gates(w.own, *in) {
		o := find(w.own, f.Record)
		if f.Severity == catalog.Warn || o == nil || f.Code == catalog.CodePlaceholder && w.lacks[o.ID] {
			continue
		}
		w.add(o, "sperre", f.Message, f.Remedy)
	}
}

func (w *worker) gaps() {
	places := w.o.places()
	if len(places) == 0 {
		return
	}
	for _, g := range w.o.c.Directory.Gaps(places, w.now) {
		if len(g.Places) == 0 {
			continue
		}
		sentence := "Für diese Leistung ist hier niemand zuständig."
		if n := len(g.Places); len(places) > 1 {
			sentence = fmt.Sprintf("In %d Orten ist dafür niemand zuständig.", n)
			if n == 1 {
				sentence = "In " + w.o.place(g.Places[0]) + " ist dafür niemand zuständig."
			}
		}
		w.out = append(w.out, task{Kind: "luecke", Title: g.Title, Sentence: sentence, Visits: w.sums[g.Leika.String()],
			Remedy: "Tragen Sie die Leistung ein oder klären Sie mit dem Landkreis, wer sie anbietet."})
	}
}

func (w *worker) links(rows []links.Row) {
	for _, r := range rows {
		if r.State != links.Broken {
			continue
		}
		t := task{Kind: "defekt", Title: r.Title, Sentence: r.Sentence + " " + r.URL, Remedy: r.Remedy}
		if o := find(w.own, r.Record); o != nil {
			t.URL, t.Visits = w.o.recordURL(o.ID), counted(w.sums, o.Leika, o.ID)
		}
		w.out = append(w.out, t)
	}
}

func (w *worker) remarks(list []report.Entry) {
	for _, e := range list {
		if e.State == report.Done {
			continue
		}
		t := task{Kind: "hinweis", Title: "Hinweis vom " + german(e.Received), URL: remarksPath + "#" + e.Reference, Sentence: "Jemand hat einen Fehler gemeldet.", Remedy: "Lesen Sie den Hinweis und antworten Sie."}
		if o := find(w.own, e.Offer); o != nil {
			t.Title, _ = o.Title.In("de")
			t.Visits = counted(w.sums, o.Leika, o.ID)
		}
		w.out = append(w.out, t)
	}
}

// placeholder finds what an editor may have forgotten in a text: more than
// what stops a publication [UX.md §8].
func placeholder(o *catalog.Offer) (found, field string) {
	if p := forgotten(o.Title["de"]); p != "" {
		return p, "Bezeichnung"
	}
	for i := range o.Sections {
		for _, s := range o.Sections[i].Text {
			if p := forgotten(s); p != "" {
				return p, sectionName(o.Sections[i].Kind)
			}
		}
	}
	return "", ""
}

func forgotten(s string) string {
	if strings.Contains(s, "[") {
		return "["
	}
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.EqualFold(word, "todo") || len(word) >= 2 && strings.Trim(word, "xX") == "" {
			return word
		}
	}
	return ""
}

func sectionName(k catalog.SectionKind) string {
	names := map[catalog.SectionKind]string{
		catalog.Kurztext: "Kurztext", catalog.Volltext: "Beschreibung", catalog.Unterlagen: "Unterlagen", catalog.Voraussetzungen: "Voraussetzungen",
		catalog.Kosten: "Kosten", catalog.Fristen: "Fristen", catalog.Bearbeitungsdauer: "Bearbeitungsdauer", catalog.Verfahrensablauf: "Ablauf",
		catalog.Rechtsgrundlage: "Rechtsgrundlage", catalog.Formulare: "Formulare", catalog.Hinweise: "Hinweise", catalog.Weiterfuehrendes: "Weitere Informationen",
		catalog.Rechtsbehelf: "Rechtsbehelf",
	}
	if n := names[k]; n != "" {
		return n
	}
	switch k {
	case "onlinedienst":
		return "Onlinedienst"
	case "url":
		return "Internetseite"
	case "hours":
		return "Öffnungszeiten"
	}
	return string(k)
}

func (o *Office) place(a region.Area) string {
	if o.c.Register == nil {
		return a.String()
	}
	if p, ok := o.c.Register.Place(a); ok {
		return p.Name
	}
	return o.c.Register.Name(a)
}

type workPage struct {
	Tasks  []task
	Kinds  []choice
	Kind   string
	Total  int
	Shown  int
	Empty  bool // nothing is published
	Offers int
	All    string // where the rest is
}

// choice is one entry of a filter.
type choice struct {
	URL, Text string
	Current   bool
}

const (
	tasksAtHome = 8
	tasksShown  = 200
)

func (o *Office) home(q *admin.Request) (*admin.Answer, error) {
	all, err := o.tasks(q.Context())
	if err != nil {
		return nil, err
	}
	p := workPage{Tasks: all[:min(len(all), tasksAtHome)], Total: len(all), All: workPath}
	if c := o.c.Catalogue(); c != nil {
		p.Offers = len(c.Offers)
	} else {
		p.Empty = true
	}
	return q.View("start", "Aufgaben", p), nil
}

func (o *Office) work(q *admin.Request) (*admin.Answer, error) {
	all, err := o.tasks(q.Context())
	if err != nil {
		return nil, err
	}
	p := workPage{Total: len(all), Kind: q.URL.Query().Get("art"), Empty: o.c.Catalogue() == nil}
	count := map[string]int{}
	for _, t := range all {
		count[t.Kind]++
		if p.Kind == "" || t.Kind == p.Kind {
			p.Tasks = append(p.Tasks, t)
		}
	}
	p.Kinds = append(p.Kinds, choice{URL: workPath, Text: fmt.Sprintf("Alle (%d)", len(all)), Current: p.Kind == ""})
	for _, k := range kinds() {
		if count[k.Word] > 0 {
			p.Kinds = append(p.Kinds, choice{URL: workPath + "?art=" + k.Word, Text: fmt.Sprintf("%s (%d)", k.Name, count[k.Word]), Current: p.Kind == k.Word})
		}
	}
	p.Shown = min(len(p.Tasks), tasksShown)
	p.Tasks = p.Tasks[:p.Shown]
	return q.View("aufgaben", "Aufgaben", p), nil
}
