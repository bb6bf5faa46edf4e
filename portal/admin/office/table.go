package office

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/store"
	"rathausnetz/portal/admin"
)

const (
	tableFor   = time.Hour // an uploaded table waits so long to be applied
	tableChunk = 512 << 10
	shownLines = 200
)

// titleOf is the title of a key anywhere in the network.
func (o *Office) titleOf(page string) string {
	key, err := leika.Parse(page)
	if err != nil {
		return ""
	}
	return o.c.Directory.Title(key)
}

type tablePage struct {
	Empty    bool
	Own      bool // the node keeps its catalogue itself
	Tried    *Table
	Name     string
	Digest   string // of the table that was tried
	Changes  []sheet.Change
	More     int // changes beyond those
	Problem  string
	Blocking int
}

func (o *Office) tablePage() tablePage {
	return tablePage{Empty: o.c.Catalogue() == nil, Own: o.c.Import().Source == ""}
}

func (o *Office) table(q *admin.Request) (*admin.Answer, error) {
	return q.View("tabelle", "Tabelle bearbeiten", o.tablePage()), nil
}

// download sends the records as a table.
func (o *Office) download(q *admin.Request) (*admin.Answer, error) {
	c := o.c.Catalogue()
	if c == nil {
		return nil, admin.ErrNotFound
	}
	var b bytes.Buffer
	if err := sheet.Write(&b, c); err != nil {
		return nil, err
	}
	return q.File("leistungen.csv", "text/csv; charset=utf-8", b.Bytes()), nil
}

// tryTable shows what an uploaded table would change, line by line, and keeps
// it for an hour to be applied.
func (o *Office) tryTable(q *admin.Request) (*admin.Answer, error) {
	p := o.tablePage()
	again := func(problem string) (*admin.Answer, error) {
		p.Problem = problem
		return q.Again("tabelle", "Tabelle bearbeiten", p), nil
	}
	b, name, err := upload(q, "tabelle")
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return again("Bitte wählen Sie zuerst die Datei aus.")
	}
	t, err := o.c.Table(q.Context(), name, b, false)
	switch {
	case errors.Is(err, ErrNothing):
		return nil, admin.ErrNotFound
	case errors.Is(err, sheet.ErrLimit):
		return again("Die Tabelle ist zu groß. Teilen Sie sie auf.")
	case errors.Is(err, sheet.ErrTable):
		return again("Das ist keine Tabelle dieses Katalogs. Laden Sie die Tabelle oben neu herunter. Speichern Sie sie als „CSV UTF-8“ und ändern Sie keine Spaltennamen.")
	case err != nil:
		return nil, err
	}
	if p.Digest, err = o.keep(q.Context(), q.Staff.ID, b); err != nil {
		return nil, err
	}
	p.fill(t, name)
	q.About(name, fmt.Sprintf("%d changes", len(t.Changes)))
	return q.View("tabelle", "Tabelle prüfen", p), nil
}

func (p *tablePage) fill(t Table, name string) {
	p.Tried, p.Name, p.Changes = &t, name, t.Changes[:min(len(t.Changes), shownLines)]
	p.More = len(t.Changes) - len(p.Changes)
	for _, f := range t.Findings {
		if f.Severity != catalog.Warn {
			p.Blocking++
		}
	}
}

// applyTable applies the table that was tried last by the same person.
func (o *Office) applyTable(q *admin.Request) (*admin.Answer, error) {
	b, err := o.kept(q.Context(), q.Staff.ID, q.PostFormValue("tabelle"))
	if errors.Is(err, store.ErrNotFound) {
		p := o.tablePage()
		p.Problem = "Die Prüfung ist zu lange her. Bitte laden Sie die Tabelle noch einmal hoch."
		return q.Again("tabelle", "Tabelle bearbeiten", p), nil
	}
	if err != nil {
		return nil, err
	}
	t, err := o.c.Table(q.Context(), "leistungen.csv", b, true)
	if err != nil {
		return nil, &admin.Problem{Status: http.StatusConflict, Title: "Die Tabelle wurde nicht übernommen", Err: err,
			Text: "Dieser Knoten liest seine Inhalte aus einer Quelle. Ändern Sie die Texte dort."}
	}
	if !t.OK {
		p := o.tablePage()
		p.fill(t, "leistungen.csv")
		p.Problem = "Inzwischen hat sich etwas geändert. Die Tabelle wurde nicht übernommen."
		return q.Again("tabelle", "Tabelle prüfen", p), nil
	}
	q.About("leistungen.csv", fmt.Sprintf("%d changes, serial %d", len(t.Changes), t.Serial))
	done := "1 Änderung"
	if n := len(t.Changes); n != 1 {
		done = fmt.Sprintf("%d Änderungen", n)
	}
	return q.Redirect(tablePath, "Übernommen: "+done+". Die Portale im Verbund zeigen das in wenigen Sekunden."), nil
}

// upload reads an uploaded file of a form; none is no error.
func upload(q *admin.Request, field string) (b []byte, name string, err error) {
	if q.MultipartForm == nil {
		return nil, "", nil
	}
	var f multipart.File
	f, head, err := q.FormFile(field)
	if errors.Is(err, http.ErrMissingFile) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	b, err = io.ReadAll(f) // the form as a whole has a limit
	return b, filepath.Base(head.Filename), err
}

// keptTable names a table that waits.
type keptTable struct {
	Digest string `json:"digest"`
	Chunks int    `json:"chunks"`
}

func tableKey(who string, part int) string {
	return fmt.Sprintf("office/table/%s/%04d", federation.Sum([]byte(who)).String(), part)
}

// keep puts a table into the store, which every replica sees, in pieces.
func (o *Office) keep(ctx context.Context, who string, b []byte) (digest string, err error) {
	k := keptTable{Digest: federation.Sum(b).String()}
	for len(b) > 0 {
		n := min(len(b), tableChunk)
		k.Chunks++
		if err := o.c.Store.Put(ctx, tableKey(who, k.Chunks), b[:n], tableFor); err != nil {
			return "", err
		}
		b = b[n:]
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	return k.Digest, o.c.Store.Put(ctx, tableKey(who, 0), raw, tableFor)
}

// kept returns the table with this digest, store.ErrNotFound if it is gone.
func (o *Office) kept(ctx context.Context, who, digest string) ([]byte, error) {
	raw, err := o.c.Store.Get(ctx, tableKey(who, 0))
	if err != nil {
		return nil, err
	}
	var k keptTable
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, err
	}
	var b []byte
	for i := range k.Chunks {
		part, err := o.c.Store.Get(ctx, tableKey(who, i+1))
		if err != nil {
			return nil, err
		}
		b = append(b, part...)
	}
	if digest == "" || k.Digest != digest || federation.Sum(b).String() != digest {
		return nil, store.ErrNotFound
	}
	return b, nil
}
