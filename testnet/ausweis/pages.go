package ausweis

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/portal/web/static"
	"rathausnetz/sso"
)

//go:embed page.html
var pageHTML string

// pages draws the stand-in's pages, unlike any portal's on purpose.
type pages struct {
	files *static.Files
	hubs  []federation.EntityID
}

type view struct {
	Title, Text string
	Asset       func(name string) string
	Login       *sso.LoginPage
	Action      string
	CSRF        string
	Handle      string
	Button      string
	Name        string
	Value       string
}

func (p *pages) draw(w http.ResponseWriter, status int, v view) {
	v.Asset = p.files.URL
	var b strings.Builder
	t, err := template.New("page").Parse(pageHTML)
	if err == nil {
		err = t.Execute(&b, v)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	targets := "'self'"
	for _, hub := range p.hubs {
		targets += " " + hub.Origin()
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; font-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action "+targets)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

// LoginPage implements sso.Pages: one button instead of a card and a PIN.
func (p *pages) LoginPage(w http.ResponseWriter, _ *http.Request, status int, l sso.LoginPage) {
	p.draw(w, status, view{
		Title: Name, Text: "Diese Stelle möchte wissen, wer Sie sind: " + l.Portal + ".", Login: &l,
		Action: l.Action, CSRF: l.CSRF, Handle: l.Handle, Button: "Mit dem Demonstrations-Ausweis bestätigen", Name: "username", Value: ID,
	})
}

// ConfirmPage implements sso.Pages; the hubs are own clients and never see it.
func (p *pages) ConfirmPage(w http.ResponseWriter, _ *http.Request, c sso.ConfirmPage) {
	p.draw(w, http.StatusOK, view{Title: Name, Text: c.Portal, Action: c.Action, CSRF: c.CSRF, Handle: c.Handle, Button: "Weiter", Name: "decision", Value: "yes"})
}

// LinkPage implements sso.Pages; there is no other source here to link with.
func (p *pages) LinkPage(w http.ResponseWriter, _ *http.Request, l sso.LinkPage) {
	p.draw(w, http.StatusOK, view{Title: Name, Text: l.Upstream, Action: l.Action, CSRF: l.CSRF, Handle: l.Handle, Button: "Nein", Name: "decision", Value: "no"})
}

// LogoutPage implements sso.Pages.
func (p *pages) LogoutPage(w http.ResponseWriter, _ *http.Request, l sso.LogoutPage) {
	if l.Done {
		p.draw(w, http.StatusOK, view{Title: "Sie sind abgemeldet", Text: "Die Demonstration kennt Sie nicht mehr."})
		return
	}
	p.draw(w, http.StatusOK, view{Title: "Möchten Sie sich abmelden?", Text: Name, Action: l.Action, CSRF: l.CSRF, Handle: l.Handle, Button: "Abmelden", Name: "abmelden", Value: "ja"})
}

// FailPage implements sso.Pages.
func (p *pages) FailPage(w http.ResponseWriter, _ *http.Request, f sso.FailPage) {
	p.draw(w, f.Status, view{Title: "Das hat nicht geklappt", Text: "Gehen Sie bitte zurück und versuchen Sie es noch einmal. Kennung für Rückfragen: " + f.ID})
}
