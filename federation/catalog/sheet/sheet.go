package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
)

// Errors that make a whole table or file unusable, wrapped with the line.
var (
	ErrTable = errors.New("sheet: not a table of this catalogue")
	ErrLimit = errors.New("sheet: over its limit")
)

// maxTable is the largest table, in bytes.
const maxTable = 32 << 20

const (
	separator = ';'
	bom       = "\ufeff"
	idColumn  = "Kennung"
	keyColumn = "LeiKa-Schlüssel"
	newPrefix = "Neu "
	emptyWord = "(leer)"
)

// Write writes one row for each offer, in the order of ids: id, LeiKa key and
// two columns for each field, the second empty.
func Write(w io.Writer, c *catalog.Catalogue) error {
	if _, err := io.WriteString(w, bom); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = separator, true
	list := fields(markup.New())
	row := []string{idColumn, keyColumn}
	for _, f := range list {
		row = append(row, f.name, newPrefix+f.name)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range c.Offers {
		o := &c.Offers[i]
		row = append(row[:0], guard(string(o.ID)), o.Leika.String())
		for _, f := range list {
			row = append(row, guard(f.get(o)), "")
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// formulaStart are the characters with which a spreadsheet takes a cell for a
// formula: a text must not become a program on somebody's desk.
const formulaStart = "=+-@\t"

func guard(s string) string {
	if s != "" && strings.ContainsRune(formulaStart, rune(s[0])) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune(formulaStart, rune(s[1])) {
		return s[1:]
	}
	return s
}

// Change is one field of one offer that the table changes.
type Change struct {
	Line  int        `json:"line"` // of the table, from 1
	ID    catalog.ID `json:"id"`
	Field string     `json:"field"`
	Old   string     `json:"old"`
	New   string     `json:"new"`
}

// Plan is what a table would do. Findings carry the line they are about; with
// a Block or Invalid among them the table must not be applied.
type Plan struct {
	Changes  []Change          `json:"changes"`
	Findings []catalog.Finding `json:"findings,omitempty"`
	// Next is the catalogue after all changes, normalised, with the serial of
	// the current one; nil if the findings stop it. It shares no memory that
	// is written to with the current catalogue.
	Next *catalog.Catalogue `json:"-"`
}

// Read reads a table against the current catalogue, which it does not change.
// file names it in findings, now becomes the time of change of what changes.
// The error wraps ErrTable or ErrLimit if it is no table at all.
func Read(r io.Reader, file string, current *catalog.Catalogue, now time.Time) (*Plan, error) {
	t, err := open(r, file)
	if err != nil {
		return nil, err
	}
	p := &planner{
		plan: &Plan{}, table: t, file: file, now: now.UTC().Truncate(time.Second),
		next: current.Clone(), byID: map[catalog.ID]int{}, lines: map[catalog.ID]int{},
	}
	for i := range p.next.Offers {
		p.byID[p.next.Offers[i].ID] = i
	}
	for {
		row, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			return p.finish(), nil
		}
		if err != nil {
			return nil, t.broken(err)
		}
		if len(p.lines) > catalog.MaxRecords {
			return nil, fmt.Errorf("%s: %w: more than %d rows", file, ErrLimit, catalog.MaxRecords)
		}
		p.row(row)
	}
}

// table is an open table with its columns.
type table struct {
	in      *csv.Reader
	src     *counted
	file    string
	id      int
	columns []column
}

type column struct {
	field        field
	current, new int // index in a row; current is -1 if the column is missing
}

// counted reads at most maxTable bytes and remembers whether they were UTF-8.
type counted struct {
	r    io.Reader
	left int64
	over bool
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.over = true
		return 0, fmt.Errorf("%w: more than %d bytes", ErrLimit, maxTable)
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

func open(r io.Reader, file string) (*table, error) {
	src := &counted{r: r, left: maxTable}
	t := &table{in: csv.NewReader(src), src: src, file: file, id: -1}
	t.in.Comma, t.in.FieldsPerRecord, t.in.LazyQuotes = separator, -1, false
	head, err := t.in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w: it is empty", file, ErrTable)
	}
	if err != nil {
		return nil, t.broken(err)
	}
	head[0] = strings.TrimPrefix(head[0], bom)
	at := map[string]int{}
	for i, name := range head {
		name = strings.TrimSpace(name)
		if _, twice := at[name]; twice && name != "" {
			return nil, fmt.Errorf("%s:1: %w: column %q twice", file, ErrTable, name)
		}
		at[name] = i
	}
	id, ok := at[idColumn]
	if !ok {
		return nil, fmt.Errorf("%s:1: %w: no column %q; is it separated by semicolons and saved as UTF-8?", file, ErrTable, idColumn)
	}
	t.id = id
	delete(at, idColumn)
	delete(at, keyColumn)
	delete(at, "")
	for _, f := range fields(markup.New()) {
		c := column{f, -1, -1}
		if i, ok := at[f.name]; ok {
			c.current = i
		}
		if i, ok := at[newPrefix+f.name]; ok {
			c.new = i
			t.columns = append(t.columns, c)
		}
		delete(at, f.name)
		delete(at, newPrefix+f.name)
	}
	if len(at) > 0 {
		return nil, fmt.Errorf("%s:1: %w: unknown column %q", file, ErrTable, slices.Sorted(maps.Keys(at))[0])
	}
	return t, nil
}

func (t *table) broken(err error) error {
	if t.src.over {
		return fmt.Errorf("%s: %w: more than %d bytes", t.file, ErrLimit, maxTable)
	}
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("%s:%d: %w: %w", t.file, p.Line, ErrTable, p.Err)
	}
	return fmt.Errorf("%s: %w: %w", t.file, ErrTable, err)
}

// planner applies rows to a copy of the catalogue.
type planner struct {
	plan  *Plan
	table *table
	file  string
	now   time.Time
	next  *catalog.Catalogue
	byID  map[catalog.ID]int
	lines map[catalog.ID]int // where the table speaks of an offer
}

func (p *planner) say(s catalog.Severity, line int, code string, id catalog.ID, field, message, remedy string) {
	p.plan.Findings = append(p.plan.Findings, catalog.Finding{
		Severity: s, Code: code, Record: id, Field: field, Message: message, Remedy: remedy, File: p.file, Line: line,
	})
}

func (p *planner) row(row []string) {
	line, _ := p.table.in.FieldPos(0)
	cell := func(i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(unguard(row[i]))
	}
	if strings.TrimSpace(strings.Join(row, "")) == "" {
		return
	}
	for _, c := range row {
		if !utf8.ValidString(c) {
			p.say(catalog.Block, line, catalog.CodeText, "", "", "Die Zeile ist nicht in UTF-8 gespeichert.", "Speichern Sie die Tabelle als „CSV UTF-8“.")
			return
		}
	}
	id := catalog.ID(cell(p.table.id))
	i, ok := p.byID[id]
	if !ok {
		p.say(catalog.Block, line, catalog.CodeID, id, idColumn, "Diese Kennung gibt es im Katalog nicht.", "Ändern Sie die Spalte Kennung nicht. Neue Leistungen legen Sie auf anderem Weg an.")
		return
	}
	if before, twice := p.lines[id]; twice {
		p.say(catalog.Block, line, catalog.CodeDuplicate, id, idColumn, fmt.Sprintf("Diese Kennung steht schon in Zeile %d.", before), "Lassen Sie nur eine der Zeilen stehen.")
		return
	}
	p.lines[id] = line
	changed := false
	for _, c := range p.table.columns {
		if v := cell(c.new); v != "" {
			changed = p.cell(&p.next.Offers[i], line, c, cell(c.current), v) || changed
		}
	}
	if changed {
		p.next.Offers[i].Geaendert = p.now
	}
}

// cell applies one new value; false if it changes nothing.
func (p *planner) cell(o *catalog.Offer, line int, c column, seen, v string) bool {
	old := c.field.get(o)
	if v == emptyWord {
		v = ""
	}
	if c.current >= 0 && seen != strings.TrimSpace(strings.ReplaceAll(old, "\r\n", "\n")) {
		p.say(catalog.Block, line, catalog.CodeText, o.ID, c.field.name, "Der Wert hat sich geändert, seit die Tabelle heruntergeladen wurde.", "Laden Sie die Tabelle neu herunter und tragen Sie die Änderung noch einmal ein.")
		return false
	}
	next := *o
	if err := c.field.set(&next, v); err != nil {
		p.say(catalog.Block, line, catalog.CodeCode, o.ID, c.field.name, err.Error()+".", "Berichtigen Sie die Zelle.")
		return false
	}
	if c.field.get(&next) == old {
		return false
	}
	p.plan.Changes = append(p.plan.Changes, Change{Line: line, ID: o.ID, Field: c.field.name, Old: old, New: c.field.get(&next)})
	*o = next
	return true
}

// finish checks the catalogue all changes lead to.
func (p *planner) finish() *Plan {
	p.next.Normalize()
	for _, f := range catalog.Validate(p.next) {
		line, ours := p.lines[f.Record]
		if ours && f.Severity == catalog.Invalid {
			f.File, f.Line = p.file, line
			p.plan.Findings = append(p.plan.Findings, f)
		}
	}
	if !catalog.Blocking(p.plan.Findings) {
		p.plan.Next = p.next
	}
	return p.plan
}
