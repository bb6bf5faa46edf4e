package admin

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/portal/admin/staff"
)

// policy is the Content-Security-Policy of every operator page [UX.md §2]. data:
// is for the icons, which are mask images in the stylesheet, and for previews.
const policy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP answers Root and everything below it.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	// Not no-referrer: browsers then say Origin: null, and sameOrigin could
	// not tell the own forms from foreign ones.
	h.Set("Referrer-Policy", "same-origin")
	a.mux.ServeHTTP(w, r)
}

// serve is the one way to a handler: session, role, origin, token, handler,
// audit trail, answer.
func (a *Admin) serve(w http.ResponseWriter, r *http.Request, s *Section, p *Page) {
	q := &Request{Request: r, admin: a, section: s, page: p}
	answer, err := a.answer(w, q)
	if err != nil {
		answer = a.explain(q, err)
	}
	if err := a.write(w, q, answer); err != nil {
		a.broken(w, q, err)
	}
}

func (a *Admin) answer(w http.ResponseWriter, q *Request) (*Answer, error) {
	session, err := a.cfg.Sessions.Get(q.Request)
	switch {
	case err == nil:
		q.session, q.Staff = session, session.Account
	case !errors.Is(err, staff.ErrNone):
		return nil, err
	case !q.page.Open:
		return a.toEntrance(q), nil
	}
	if !q.page.Open && !q.Staff.Roles.Any(q.page.allowed()) {
		return nil, ErrForbidden
	}
	if q.Method == http.MethodPost {
		if err := a.checkForm(w, q); err != nil {
			return nil, err
		}
	}
	q.browser, q.writer = a.cfg.Sessions.Browser(w, q.Request), w
	q.token = staff.Token(q.browser)
	answer, err := q.page.Serve(q)
	if err != nil || q.page.Action == "" || answer.failed() {
		return answer, err
	}
	if err := a.cfg.Trail.Note(q.Context(), q.By(), q.page.Action, q.subject, q.reason); err != nil {
		return nil, fmt.Errorf("%s was done, but is not in the audit trail: %w", q.page.Action, err)
	}
	return answer, nil
}

// checkForm refuses what was not sent by a form of ours in this browser
// [RFC 9700 §4.7]: the browser itself says where a request comes from, and the
// form carries a token that only our pages know.
func (a *Admin) checkForm(w http.ResponseWriter, q *Request) error {
	if !a.sameOrigin(q.Request) {
		return ErrForeignForm
	}
	limit := q.page.MaxBody
	if limit == 0 {
		limit = defaultBody
	}
	q.Body = http.MaxBytesReader(w, q.Body, limit)
	var err error
	if strings.HasPrefix(q.Header.Get("Content-Type"), "multipart/form-data") {
		err = q.ParseMultipartForm(limit)
	} else {
		err = q.ParseForm()
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Title: "Das ist zu groß", Text: fmt.Sprintf("Hier sind höchstens %s möglich.", size(limit))}
	}
	if err != nil {
		return &Problem{Status: http.StatusBadRequest, Title: "Das Formular ist nicht lesbar", Text: "Bitte öffnen Sie die Seite neu und versuchen Sie es noch einmal."}
	}
	want, got := a.cfg.Sessions.Token(q.Request), q.PostFormValue("csrf")
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) != 1 {
		return ErrForeignForm
	}
	return nil
}

// sameOrigin asks Sec-Fetch-Site and Origin; a browser sends at least one of
// them with every form.
func (a *Admin) sameOrigin(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site != "" && site != "same-origin" {
		return false
	}
	if origin != "" && origin != a.cfg.Self.Origin() {
		return false
	}
	return site != "" || origin != ""
}

// toEntrance leads who is not signed in to the login and back. A verb is not
// repeated after the login: its form is gone.
func (a *Admin) toEntrance(q *Request) *Answer {
	to := entrancePath
	if q.Method == http.MethodGet || q.Method == http.MethodHead {
		if q.URL.Path != Root {
			to += "?" + url.Values{"weiter": {q.URL.RequestURI()}}.Encode()
		}
	} else {
		to += "?ende=1"
	}
	return &Answer{redirect: to}
}

// size writes bytes for people.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d Kilobyte", n>>10)
	}
	return fmt.Sprintf("%d Megabyte", n>>20)
}
