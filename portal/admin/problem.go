package admin

import (
	"crypto/rand"
	"errors"
	"net/http"

	"rathausnetz/federation/store"
)

// Errors that handlers may return, each with a page of its own.
var (
	ErrNotFound    = errors.New("admin: there is no such page or thing")
	ErrForbidden   = errors.New("admin: the role does not allow this")
	ErrForeignForm = errors.New("admin: the form was not sent by a page of ours")
)

// Problem is an error with what people are told: what happened and what to do.
type Problem struct {
	Status int // 400 to 499
	Title  string
	Text   string
	Err    error // the cause, may be nil
}

// Error implements error.
func (p *Problem) Error() string { return "admin: " + p.Title }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

type problemPage struct {
	Text []string
	Back string
	Name string // of Back
}

// explain turns every error into a page [UX.md §6].
func (a *Admin) explain(q *Request, err error) *Answer {
	back := problemPage{Back: Root, Name: "Zur ersten Seite der Verwaltung"}
	if q.section != nil && q.section.Path != "" && q.section.Path != Root {
		back.Back, back.Name = q.section.Path, "Zum Bereich "+q.section.Name
	}
	show := func(status int, title string, text ...string) *Answer {
		back.Text = text
		return &Answer{status: status, template: "problem", title: title, data: back}
	}
	var p *Problem
	switch {
	case errors.As(err, &p):
		return show(p.Status, p.Title, p.Text)
	case errors.Is(err, ErrNotFound):
		return show(http.StatusNotFound, "Diese Seite gibt es nicht", "Vielleicht wurde der Eintrag gelöscht. Oder die Adresse hat einen Tippfehler.")
	case errors.Is(err, ErrForbidden):
		back.Back, back.Name = Root, "Zur ersten Seite der Verwaltung"
		return show(http.StatusForbidden, "Dafür haben Sie keine Berechtigung", "Ihr Konto hat nicht die passende Rolle. Fragen Sie eine Person mit der Rolle Leitung.")
	case errors.Is(err, ErrForeignForm):
		return show(http.StatusForbidden, "Das Formular gilt nicht mehr", "Die Seite war vielleicht zu lange offen. Es wurde nichts geändert.", "Öffnen Sie die Seite neu und versuchen Sie es noch einmal.")
	case errors.Is(err, store.ErrUnavailable):
		a.cfg.Log.Error("operator page without store", "err", err)
		return show(http.StatusServiceUnavailable, "Das geht gerade nicht", "Der Datenspeicher antwortet nicht. Bitte versuchen Sie es in einer Minute noch einmal.")
	}
	id := rand.Text()[:8]
	a.cfg.Log.Error("operator page failed", "ref", id, "page", q.pattern(), "err", err)
	return show(http.StatusInternalServerError, "Das hat nicht geklappt", "Der Fehler liegt bei uns. Kennung für Rückfragen: "+id+".")
}

func (q *Request) pattern() string {
	if q.page == nil {
		return ""
	}
	return q.page.Method + " " + q.page.Path
}

func (a *Admin) notFound(w http.ResponseWriter, r *http.Request) {
	q := &Request{Request: r, admin: a, writer: w}
	if s, err := a.cfg.Sessions.Get(r); err == nil {
		q.session, q.Staff = s, s.Account
		q.token = a.cfg.Sessions.Token(r)
	}
	if err := a.write(w, q, a.explain(q, ErrNotFound)); err != nil {
		a.broken(w, q, err)
	}
}

// broken is the last resort when a page cannot be drawn at all.
func (a *Admin) broken(w http.ResponseWriter, q *Request, err error) {
	id := rand.Text()[:8]
	a.cfg.Log.Error("operator page cannot be drawn", "ref", id, "page", q.pattern(), "err", err)
	http.Error(w, "Das hat nicht geklappt. Kennung für Rückfragen: "+id, http.StatusInternalServerError)
}
