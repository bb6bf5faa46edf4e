package hub

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/web/locale"
)

// sign is one mark of the matrix [UX.md §8].
type sign struct {
	Sign  directory.Sign
	Mark  string
	Text  string // for screen readers, filter and CSV
	Class string
}

var signs = []sign{
	{directory.SignOnline, "●", "online", "pv-m--o"},
	{directory.SignDescribed, "○", "nur Information", "pv-m--i"},
	{directory.SignParent, "▲", "übergeordnete Behörde zuständig", "pv-m--k"},
	{directory.SignConflict, "◆", "mehrere Behörden eingetragen", "pv-m--d"},
	{directory.SignNobody, "–", "niemand eingetragen", "pv-m--x"},
	{directory.SignUnknown, "?", "nicht bekannt, ein Portal wurde noch nie erreicht", "pv-m--u"},
}

func signOf(c directory.Cell) sign {
	for _, s := range signs {
		if s.Sign == c.Sign {
			if c.Online && (c.Sign == directory.SignParent || c.Sign == directory.SignConflict) {
				s.Text += ", online"
			}
			return s
		}
	}
	return sign{Mark: "?", Text: string(c.Sign)}
}

// Sizes of one page of the matrix.
const (
	rowsPerPage   = 30
	placesPerPage = 8
)

// filter is what the matrix shows.
type filter struct {
	Words string
	Sign  directory.Sign
	Area  region.Area // a Verband or the whole network
	Day   time.Time   // zero: today
	Row   int         // from 0
	Place int         // from 0
}

func (h *Hub) readFilter(q *admin.Request) filter {
	f := filter{Words: strings.TrimSpace(q.FormValue("q")), Sign: directory.Sign(q.FormValue("zeichen")), Area: h.cfg.Area}
	if a, err := region.ParseArea(q.FormValue("gebiet")); err == nil && h.cfg.Area.Covers(a) && a.Len() > h.cfg.Area.Len() {
		f.Area = a
	}
	if day, err := time.Parse(time.DateOnly, q.FormValue("tag")); err == nil {
		f.Day = day
	}
	f.Row, f.Place = page(q.FormValue("zeile")), page(q.FormValue("ort"))
	return f
}

func page(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return n
}

func (f filter) url(path string, row, place int) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": f.Words, "zeichen": string(f.Sign)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if f.Area.Len() > 5 {
		v.Set("gebiet", f.Area.String())
	}
	if !f.Day.IsZero() {
		v.Set("tag", f.Day.Format(time.DateOnly))
	}
	if row > 0 {
		v.Set("zeile", strconv.Itoa(row))
	}
	if place > 0 {
		v.Set("ort", strconv.Itoa(place))
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// places are the columns: the Gemeinden of an area.
func (h *Hub) places(under region.Area) []region.Area {
	var out []region.Area
	for _, p := range h.cfg.Register.Gemeinden(under) {
		out = append(out, p.Area)
	}
	return out
}

type matrixRow struct {
	Title string
	Key   string
	Cells []sign
}

type coveragePage struct {
	Filter   filter
	Day      string
	Signs    []sign
	Areas    []option
	Places   []string
	Rows     []matrixRow
	From, To int // of Total rows, from 1
	Total    int
	Columns  string // which places are shown
	Rowwise  pager
	Colwise  pager
	CSV      string
	Future   bool
}

type pager struct{ Previous, Next string }

type option struct {
	Value, Text string
	Selected    bool
}

// matrix returns the rows that the filter leaves, with all places of its area.
func (h *Hub) matrix(f filter) (places []region.Area, rows []matrixRow) {
	places = h.places(f.Area)
	m := h.cfg.Directory.Coverage(nil, places, f.Day)
	words := strings.ToLower(f.Words)
	for i, key := range m.Keys {
		if words != "" && !strings.Contains(strings.ToLower(m.Titles[i]), words) && !strings.HasPrefix(key.String(), words) {
			continue
		}
		hit := f.Sign == ""
		for _, c := range m.Cells[i] {
			hit = hit || c.Sign == f.Sign
		}
		if hit {
			rows = append(rows, matrixRow{Title: title(m.Titles[i], key), Key: key.String(), Cells: cells(m.Cells[i])})
		}
	}
	return places, rows
}

func title(t string, key leika.ID) string {
	if t == "" {
		return "Leistung " + key.String()
	}
	return t
}

func cells(in []directory.Cell) []sign {
	out := make([]sign, len(in))
	for i, c := range in {
		out[i] = signOf(c)
	}
	return out
}

func (h *Hub) coverage(q *admin.Request) (*admin.Answer, error) {
	f := h.readFilter(q)
	places, rows := h.matrix(f)
	if f.Row*rowsPerPage >= len(rows) {
		f.Row = 0
	}
	if f.Place*placesPerPage >= len(places) {
		f.Place = 0
	}
	p := coveragePage{Filter: f, Signs: signs, Total: len(rows), CSV: f.url(Path+"/abdeckung.csv", 0, 0), Future: f.Day.After(q.Now())}
	if !f.Day.IsZero() {
		p.Day = f.Day.Format(time.DateOnly)
	}
	first, last := f.Row*rowsPerPage, min((f.Row+1)*rowsPerPage, len(rows))
	left, right := f.Place*placesPerPage, min((f.Place+1)*placesPerPage, len(places))
	p.From, p.To = min(first+1, last), last
	for _, a := range places[left:right] {
		p.Places = append(p.Places, h.name(a))
	}
	for _, r := range rows[first:last] {
		r.Cells = r.Cells[left:right]
		p.Rows = append(p.Rows, r)
	}
	if len(places) > placesPerPage {
		p.Columns = "Orte " + strconv.Itoa(left+1) + " bis " + strconv.Itoa(right) + " von " + strconv.Itoa(len(places))
	}
	p.Rowwise = pages(f.Row, len(rows), rowsPerPage, func(n int) string { return f.url(Path+"/abdeckung", n, f.Place) })
	p.Colwise = pages(f.Place, len(places), placesPerPage, func(n int) string { return f.url(Path+"/abdeckung", f.Row, n) })
	p.Areas = append(p.Areas, option{"", "Alle Orte im Verbund", f.Area == h.cfg.Area})
	for _, c := range h.cfg.Register.Children(h.cfg.Area) {
		p.Areas = append(p.Areas, option{c.Area.String(), c.FullName, f.Area == c.Area})
	}
	return q.View("abdeckung", "Abdeckung: Wer macht was wo?", p), nil
}

func pages(now, total, per int, address func(int) string) pager {
	var p pager
	if now > 0 {
		p.Previous = address(now - 1)
	}
	if (now+1)*per < total {
		p.Next = address(now + 1)
	}
	return p
}

// name is how a place is called without its kind: "Melle".
func (h *Hub) name(a region.Area) string {
	if p, ok := h.cfg.Register.Place(a); ok {
		return p.Name
	}
	return h.cfg.Register.Name(a)
}

func (h *Hub) coverageCSV(q *admin.Request) (*admin.Answer, error) {
	f := h.readFilter(q)
	places, rows := h.matrix(f)
	header := []string{"LeiKa-Schlüssel", "Leistung"}
	for _, a := range places {
		header = append(header, h.name(a))
	}
	table := [][]string{header}
	for _, r := range rows {
		line := []string{r.Key, r.Title}
		for _, c := range r.Cells {
			line = append(line, c.Text)
		}
		table = append(table, line)
	}
	day := f.Day
	if day.IsZero() {
		day = q.Now()
	}
	return spreadsheet(q, "abdeckung-"+day.Format(time.DateOnly)+".csv", table)
}

// date writes a day for people.
func date(t time.Time) string { return locale.Date(locale.German, t) }
