package admintest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/staff"
)

// Site is what Walk asks: the pages as Handler serves them (for the whole
// portal: its handler), and who is known there.
type Site struct {
	Origin   string // of the entity, scheme and host
	Handler  http.Handler
	Table    []admin.Page
	Staff    *staff.Staff
	Sessions *staff.Sessions
}

// Person is one signed-in browser.
type Person struct {
	site    *Site
	Cookies []*http.Cookie
	Account staff.Account
}

// SignIn makes an account with these roles and signs it in. Roles 0 is a
// browser without a session.
func (s *Site) SignIn(ctx context.Context, roles staff.Roles) (*Person, error) {
	p := &Person{site: s}
	if roles == 0 {
		return p, nil
	}
	login := staff.Login{Issuer: "test", Subject: roles.String()}
	a, err := s.Staff.Admit(ctx, login, "Test "+roles.String(), roles)
	if err != nil {
		return nil, err
	}
	p.Account = a
	rec := httptest.NewRecorder()
	if err := s.Sessions.Start(ctx, rec, httptest.NewRequest(http.MethodGet, s.Origin+"/", nil), a); err != nil {
		return nil, err
	}
	p.Cookies = rec.Result().Cookies()
	return p, nil
}

// Request makes a request of this person. A form is sent the way a browser
// sends one from a page of ours: with token, Origin and Sec-Fetch-Site.
func (p *Person) Request(method, path string, form url.Values) *http.Request {
	var r *http.Request
	if method == http.MethodPost {
		if form == nil {
			form = url.Values{}
		}
		form.Set("csrf", p.Token())
		r = httptest.NewRequest(method, p.site.Origin+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", p.site.Origin)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	} else {
		r = httptest.NewRequest(method, p.site.Origin+path, nil)
	}
	for _, c := range p.Cookies {
		r.AddCookie(c)
	}
	return r
}

// Token is the CSRF token of this person's browser.
func (p *Person) Token() string {
	r := httptest.NewRequest(http.MethodGet, p.site.Origin, nil)
	for _, c := range p.Cookies {
		r.AddCookie(c)
	}
	return p.site.Sessions.Token(r)
}

// Do sends a request and returns the answer.
func (p *Person) Do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.site.Handler.ServeHTTP(w, r)
	return w
}

// Open is Do for a page.
func (p *Person) Open(path string) *httptest.ResponseRecorder {
	return p.Do(p.Request(http.MethodGet, path, nil))
}

// Send is Do for a form.
func (p *Person) Send(path string, form url.Values) *httptest.ResponseRecorder {
	return p.Do(p.Request(http.MethodPost, path, form))
}

var variable = regexp.MustCompile(`\{[^}]*\}`)

// Walk asks every line of the table as nobody and with every role, and returns
// what was allowed that must not be or refused that must not be. Verbs
// are sent once more from a foreign page, without a token, and with that of
// another browser. Verbs with an empty form must change nothing.
func Walk(ctx context.Context, s *Site) ([]string, error) {
	var bad []string
	for _, roles := range []staff.Roles{0, staff.Redaktion, staff.Verbund, staff.Leitung} {
		for _, page := range s.Table {
			p, err := s.SignIn(ctx, roles) // anew: a verb may end the session
			if err != nil {
				return nil, err
			}
			path := variable.ReplaceAllString(page.Path, "x")
			if page.Method == http.MethodPost && roles != 0 {
				bad = append(bad, forged(p, page, path)...)
			}
			w := p.Do(p.Request(page.Method, path, nil))
			if fault := judge(page, roles, w); fault != "" {
				bad = append(bad, fmt.Sprintf("%s %s as %q: %s", page.Method, page.Path, roles, fault))
			}
		}
	}
	return bad, nil
}

func judge(page admin.Page, roles staff.Roles, w *httptest.ResponseRecorder) string {
	entrance := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), admin.Root+"/anmelden")
	allowed := roles != 0 && roles.Any(page.Roles|staff.Leitung)
	switch {
	case page.Open:
		return "" // the entrance; it is tested for what it does
	case roles == 0 && !entrance:
		return fmt.Sprintf("answers %d instead of leading to the login", w.Code)
	case roles != 0 && !allowed && w.Code != http.StatusForbidden:
		return fmt.Sprintf("answers %d, must be 403", w.Code)
	case allowed && (w.Code == http.StatusForbidden || w.Code >= 500):
		return fmt.Sprintf("answers %d though the role allows it", w.Code)
	}
	return ""
}

// forged sends a verb in the ways a foreign page could.
func forged(p *Person, page admin.Page, path string) []string {
	other := &Person{site: p.site, Cookies: []*http.Cookie{{Name: p.Cookies[0].Name, Value: strings.Repeat("A", 43)}}}
	var bad []string
	for what, change := range map[string]func(*http.Request) *http.Request{
		"from another site":             func(r *http.Request) *http.Request { r.Header.Set("Sec-Fetch-Site", "cross-site"); return r },
		"from a sibling site":           func(r *http.Request) *http.Request { r.Header.Set("Sec-Fetch-Site", "same-site"); return r },
		"with a foreign Origin":         func(r *http.Request) *http.Request { r.Header.Set("Origin", "https://evil.example"); return r },
		"with Origin null":              func(r *http.Request) *http.Request { r.Header.Set("Origin", "null"); return r },
		"without Origin and fetch site": func(r *http.Request) *http.Request { r.Header.Del("Origin"); r.Header.Del("Sec-Fetch-Site"); return r },
		"without a token":               func(r *http.Request) *http.Request { return withForm(r, "") },
		"with another browser's token":  func(r *http.Request) *http.Request { return withForm(r, other.Token()) },
	} {
		if w := p.Do(change(p.Request(http.MethodPost, path, nil))); w.Code != http.StatusForbidden {
			bad = append(bad, fmt.Sprintf("POST %s %s: answers %d, must be 403", page.Path, what, w.Code))
		}
	}
	return bad
}

func withForm(r *http.Request, token string) *http.Request {
	n := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(url.Values{"csrf": {token}}.Encode()))
	n.Header = r.Header
	return n
}
