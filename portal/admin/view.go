package admin

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"strings"
	"time"

	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/frame"
	"rathausnetz/portal/web/locale"
)

//go:embed templates
var templates embed.FS

// view is what the layout needs; Page is the data of the one page.
type view struct {
	q     *Request
	look  Look
	Title string
	CSRF  string
	Said  string
	Page  any
}

// Link is an address with its text. Current marks where one is.
type Link struct {
	URL, Text string
	Current   bool
}

// Brand is read by the layout.
func (v *view) Brand() *brand.Brand { return v.look.Brand }

// Mark returns the address of a file of the brand.
func (v *view) Mark(name string) string { return v.look.Mark(name) }

// Asset returns the address of a design file.
func (v *view) Asset(name string) string { return v.q.admin.cfg.Asset(name) }

// Demo reports whether this is a demonstration.
func (v *view) Demo() bool { return v.q.admin.cfg.Demo }

// Person is who is signed in, nil for nobody.
func (v *view) Person() *staff.Account {
	if v.q.session == nil {
		return nil
	}
	return &v.q.Staff
}

// May reports whether the person has one of the roles named, for parts of a
// page: {{if $.May "leitung"}}.
func (v *view) May(words ...string) (bool, error) {
	var roles staff.Roles
	if err := roles.UnmarshalText([]byte(strings.Join(words, ","))); err != nil {
		return false, err
	}
	return v.q.May(roles), nil
}

// Menu returns the sections that the person may open.
func (v *view) Menu() []Link {
	if v.Person() == nil {
		return nil
	}
	var out []Link
	for i := range v.q.admin.sections {
		s := &v.q.admin.sections[i]
		for j := range s.Pages {
			p := &s.Pages[j]
			if p.Nav != "" && !p.Open && v.q.May(p.Roles) {
				out = append(out, Link{URL: p.Path, Text: s.Name, Current: s == v.q.section})
				break
			}
		}
	}
	return out
}

// Sub returns the pages of this section that the person may open; nil for less
// than two.
func (v *view) Sub() []Link {
	if v.Person() == nil || v.q.section == nil {
		return nil
	}
	var out []Link
	for i := range v.q.section.Pages {
		if p := &v.q.section.Pages[i]; p.Nav != "" && !p.Open && v.q.May(p.Roles) {
			out = append(out, Link{URL: p.Path, Text: p.Nav, Current: p.Path == v.q.URL.Path})
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// Crumbs returns the way to this page.
func (v *view) Crumbs() []Link {
	s := v.q.section
	if v.Person() == nil || s == nil || v.q.URL.Path == Root {
		return nil
	}
	out := []Link{{URL: Root, Text: "Verwaltung"}}
	if s.Path != Root && s.Path != v.q.URL.Path {
		out = append(out, Link{URL: s.Path, Text: s.Name})
	}
	return append(out, Link{Text: v.Title})
}

// Here is the address of this page.
func (v *view) Here() string { return v.q.URL.Path }

// parse prepares the pages of a section: those of the frame, then its own.
func (a *Admin) parse(s *Section) error {
	set := frame.New(a.funcs(), nil)
	a.sets[s.Path] = set
	if err := set.Add(templates); err != nil || s.Templates == nil {
		return err
	}
	return set.Add(s.Templates)
}

// set returns the pages of a section; the frame's own pages exist in each.
func (a *Admin) set(q *Request) (*frame.Set, error) {
	section := entranceSection
	if q.section != nil {
		section = q.section.Path
	}
	set := a.sets[section]
	if set == nil {
		return nil, fmt.Errorf("admin: section %q has no pages", section)
	}
	return set, nil
}

// write sends the answer. A page is complete before the first byte is sent.
func (a *Admin) write(w http.ResponseWriter, q *Request, answer *Answer) error {
	switch {
	case answer == nil:
		return errors.New("admin: the handler gave no answer")
	case answer.redirect != "":
		if answer.said != "" && q.session != nil {
			if err := a.cfg.Sessions.Say(q.Context(), q.session, answer.said); err != nil {
				return err
			}
		}
		http.Redirect(w, q.Request, answer.redirect, http.StatusSeeOther)
		return nil
	case answer.file != nil:
		sendFile(w, answer.file)
		return nil
	}
	v := &view{q: q, look: a.cfg.Look(), Title: answer.title, CSRF: q.token, Page: answer.data}
	if q.session != nil && q.session.Said != "" {
		v.Said = q.session.Said
		if err := a.cfg.Sessions.Say(q.Context(), q.session, ""); err != nil {
			return err
		}
	}
	set, err := a.set(q)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if err := set.Page(&buf, answer.template, v); err != nil {
		return err
	}
	if answer.framing {
		w.Header().Set("Content-Security-Policy", policy+"; frame-src 'self'")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", locale.German)
	w.WriteHeader(answer.status)
	_, _ = w.Write(buf.Bytes()) // the reader has gone: nothing to do
	return nil
}

func sendFile(w http.ResponseWriter, f *file) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	if f.name != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	} else if f.framed {
		// The same origin, or the session would not be there for its files.
		h.Set("Content-Security-Policy", "sandbox allow-same-origin; "+strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
		h.Set("X-Frame-Options", "SAMEORIGIN")
	} else {
		h.Set("Content-Security-Policy", "sandbox; "+policy)
	}
	_, _ = w.Write(f.body) // the reader has gone: nothing to do
}

// part draws "main" of an answer alone, for the first page.
func (a *Admin) part(q *Request, answer *Answer) (template.HTML, error) {
	set, err := a.set(q)
	if err != nil {
		return "", err
	}
	var buf bytes.Buffer
	v := &view{q: q, look: a.cfg.Look(), Title: answer.title, CSRF: q.token, Page: answer.data}
	if err := set.Main(&buf, answer.template, v); err != nil {
		return "", err
	}
	return template.HTML(buf.String()), nil
}

func (a *Admin) funcs() template.FuncMap {
	de := locale.German
	return template.FuncMap{
		"date": func(t time.Time) string {
			return when(t, func(t time.Time) string { return locale.Date(de, t.In(a.zone)) })
		},
		"moment": func(t time.Time) string {
			return when(t, func(t time.Time) string { return locale.Moment(de, t.In(a.zone)) })
		},
		"ago":    func(t time.Time) string { return when(t, func(t time.Time) string { return Ago(a.cfg.Now().Sub(t)) }) },
		"number": func(n int) string { return locale.Number(de, n) },
		"the":    func(s string) string { return locale.The(de, s) },
		"to":     func(s string) string { return locale.To(de, s) },
		"of":     func(s string) string { return locale.Of(de, s) },
		"icon":   func(kind string) template.HTML { return icons[kind] },
		"badge":  func(kind string) string { return badgeClasses[kind] },
		"alerts": func(kind string) string { return alertClasses[kind] },
		"dict":   dict,
	}
}

func when(t time.Time, f func(time.Time) string) string {
	if t.IsZero() {
		return "–"
	}
	return f(t)
}
