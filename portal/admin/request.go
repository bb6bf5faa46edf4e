package admin

import (
	"net/http"
	"time"

	"rathausnetz/portal/admin/staff"
)

// Request is one request of a member of the staff.
type Request struct {
	*http.Request
	Staff staff.Account // zero where nobody is signed in

	admin   *Admin
	section *Section
	page    *Page
	session *staff.Session
	writer  http.ResponseWriter // for cookies alone
	browser string              // stands for the browser, signed in or not
	token   string              // of the forms on this page
	subject string
	reason  string
}

// Answer is what a handler gives back: a page, a file, or the way on.
type Answer struct {
	status   int
	template string
	title    string
	data     any
	redirect string
	said     string
	file     *file
	framing  bool // holds frames of ours
}

type file struct {
	name, contentType string
	body              []byte
	framed            bool // stands in a frame of ours
}

func (a *Answer) failed() bool { return a == nil || a.status >= http.StatusBadRequest }

// By is how the person is called in the audit trail.
func (q *Request) By() string { return q.Staff.Actor() }

// May reports whether the person has one of these roles; Leitung has all.
func (q *Request) May(r staff.Roles) bool { return q.Staff.Roles.Any(r | staff.Leitung) }

// Now returns the node's time.
func (q *Request) Now() time.Time { return q.admin.cfg.Now() }

// About says for the audit trail what the verb was done to, and in one
// sentence what or why. Neither may name a citizen.
func (q *Request) About(subject, reason string) { q.subject, q.reason = subject, reason }

// View shows templates/{template}.html of the section with data as .Page.
func (q *Request) View(template, title string, data any) *Answer {
	return &Answer{status: http.StatusOK, template: template, title: title, data: data}
}

// Again is View for a form that cannot be taken as it is: status 422. Nothing
// is written into the audit trail.
func (q *Request) Again(template, title string, data any) *Answer {
	return &Answer{status: http.StatusUnprocessableEntity, template: template, title: title, data: data}
}

// Redirect leads on (303) and says a sentence at the top of the next page, ""
// for none.
func (q *Request) Redirect(to, said string) *Answer { return &Answer{redirect: to, said: said} }

// File sends a file to be saved under name.
func (q *Request) File(name, contentType string, body []byte) *Answer {
	return &Answer{status: http.StatusOK, file: &file{name: name, contentType: contentType, body: body}}
}

// Framing lets the page hold frames with what Framed sends.
func (a *Answer) Framing() *Answer {
	a.framing = true
	return a
}

// Framed sends a page or a file of it that stands in a frame of an operator
// page: without scripts, forms, plugins, and without a way out of the frame.
func (q *Request) Framed(contentType string, body []byte) *Answer {
	return &Answer{status: http.StatusOK, file: &file{contentType: contentType, body: body, framed: true}}
}

// Inline sends a body to be shown as a page of its own, sandboxed: without
// scripts, forms and plugins.
func (q *Request) Inline(contentType string, body []byte) *Answer {
	return &Answer{status: http.StatusOK, file: &file{contentType: contentType, body: body}}
}
