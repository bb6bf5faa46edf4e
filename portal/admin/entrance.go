package admin

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/portal/admin/signin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/sso/rp/provider"
)

// Paths of the entrance.
const (
	entrancePath    = Root + "/anmelden"
	beginPath       = Root + "/anmelden/start"
	linkPath        = Root + "/zugang"
	invitationPath  = Root + "/einladung"
	signOutPath     = Root + "/abmelden"
	entranceSection = Root
)

// LinkURL returns the address that a one-time secret from the command line is
// used at.
func (a *Admin) LinkURL(secret string) string {
	return a.cfg.Self.URL(linkPath + "?" + url.Values{"code": {secret}}.Encode())
}

func (a *Admin) invitationURL(secret string) string {
	return a.cfg.Self.URL(invitationPath + "?" + url.Values{"code": {secret}}.Encode())
}

func (a *Admin) entrance() Section {
	return Section{Name: "Übersicht", Path: Root, Pages: []Page{
		{Method: http.MethodGet, Path: Root, Nav: "Übersicht", Roles: staff.Everyone, Serve: a.home},
		{Method: http.MethodGet, Path: entrancePath, Open: true, Serve: a.showEntrance},
		{Method: http.MethodGet, Path: beginPath, Open: true, Serve: a.begin},
		{Method: http.MethodGet, Path: signin.CallbackPath, Open: true, Serve: a.finish},
		{Method: http.MethodGet, Path: linkPath, Open: true, Serve: a.showLink},
		{Method: http.MethodPost, Path: linkPath, Open: true, Serve: a.useLink},
		{Method: http.MethodGet, Path: invitationPath, Open: true, Serve: a.showInvitation},
		{Method: http.MethodPost, Path: signOutPath, Roles: staff.Everyone, Action: "staff-signout", Serve: a.signOut},
	}}
}

// home puts together what the sections want to say first.
func (a *Admin) home(q *Request) (*Answer, error) {
	var parts []template.HTML
	for i := range a.sections {
		s := &a.sections[i]
		if s.Home == nil || !s.admits(q) {
			continue
		}
		inner := *q
		inner.section = s
		answer, err := s.Home(&inner)
		if err != nil {
			return nil, err
		}
		if answer == nil {
			continue
		}
		part, err := a.part(&inner, answer)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return q.View("home", "Verwaltung", parts), nil
}

// admits reports whether the person may open the section's first page.
func (s *Section) admits(q *Request) bool {
	for i := range s.Pages {
		if p := &s.Pages[i]; p.Method == http.MethodGet && p.Path == s.Path {
			return q.May(p.Roles)
		}
	}
	return false
}

type entrancePage struct {
	Sources []Link
	Ended   bool
	Invited *staff.Account
	Expired string // why an invitation does not work
}

func (a *Admin) showEntrance(q *Request) (*Answer, error) {
	back := ownPath(q.FormValue("weiter"))
	if q.session != nil {
		return q.Redirect(back, ""), nil
	}
	return q.View("anmelden", "Anmelden bei der Verwaltung", entrancePage{
		Sources: a.sources(url.Values{"weiter": {back}}), Ended: q.FormValue("ende") != "",
	}), nil
}

func (a *Admin) sources(extra url.Values) []Link {
	var out []Link
	for _, s := range a.cfg.SignIn.Sources() {
		v := url.Values{"quelle": {s.ID}}
		for k, x := range extra {
			v[k] = x
		}
		out = append(out, Link{URL: beginPath + "?" + v.Encode(), Text: s.Name})
	}
	return out
}

// ownPath returns p if it is an operator page, else the first one.
func ownPath(p string) string {
	u, err := url.Parse(p)
	if err != nil || u.IsAbs() || u.Host != "" || u.Path != Root && !strings.HasPrefix(u.Path, Root+"/") || strings.ContainsAny(p, "\\\r\n") || strings.Contains(u.Path, "..") {
		return Root
	}
	return u.RequestURI()
}

func (a *Admin) begin(q *Request) (*Answer, error) {
	to, err := a.cfg.SignIn.Begin(q.Context(), q.browser, q.FormValue("quelle"), signin.Purpose{
		Invitation: q.FormValue("einladung"), Return: ownPath(q.FormValue("weiter")),
	})
	if err != nil {
		return nil, loginProblem(err)
	}
	return q.Redirect(to, ""), nil
}

func (a *Admin) finish(q *Request) (*Answer, error) {
	id, purpose, err := a.cfg.SignIn.Finish(q.Context(), q.browser, q.URL.RawQuery)
	if err != nil {
		if !signin.IsFault(err) {
			a.cfg.Log.Warn("login of staff failed", "err", err)
		}
		return nil, loginProblem(err)
	}
	account, action, err := a.admit(q, id, purpose)
	if err != nil {
		return nil, admitProblem(err)
	}
	if err := a.enter(q, account, action, id.Issuer); err != nil {
		return nil, err
	}
	return q.Redirect(ownPath(purpose.Return), ""), nil
}

// admit finds the account of a proved identity.
func (a *Admin) admit(q *Request, id signin.Identity, p signin.Purpose) (staff.Account, string, error) {
	login := staff.Login{Issuer: id.Issuer, Subject: id.Subject}
	if p.Invitation != "" {
		account, err := a.cfg.Staff.Accept(q.Context(), p.Invitation, login)
		return account, "staff-accept", err
	}
	if a.cfg.RolesOf != nil && id.Groups != nil {
		account, err := a.cfg.Staff.Admit(q.Context(), login, id.Name, a.cfg.RolesOf(id.Groups))
		return account, "staff-signin", err
	}
	account, err := a.cfg.Staff.Find(q.Context(), login)
	return account, "staff-signin", err
}

// enter signs in and writes it down, in this order: what is not written down
// has not happened, so a session that could not be noted is ended.
func (a *Admin) enter(q *Request, account staff.Account, action, how string) error {
	if err := a.cfg.Trail.Note(q.Context(), account.Actor(), action, account.Actor(), how); err != nil {
		return err
	}
	if err := a.cfg.Sessions.Start(q.Context(), q.writer, q.Request, account); err != nil {
		return err
	}
	a.cfg.Log.Info("staff signed in", "how", action)
	return nil
}

func loginProblem(err error) error {
	switch {
	case errors.Is(err, signin.ErrState), errors.Is(err, signin.ErrDenied), errors.Is(err, signin.ErrAnswer):
		return &Problem{Status: http.StatusForbidden, Title: "Die Anmeldung hat nicht geklappt", Text: "Bitte gehen Sie zurück und versuchen Sie es noch einmal.", Err: err}
	case errors.Is(err, signin.ErrSource):
		return ErrNotFound
	case errors.Is(err, provider.ErrUnreachable), errors.Is(err, provider.ErrMetadata), errors.Is(err, provider.ErrKeys):
		return &Problem{Status: http.StatusBadRequest, Title: "Der Anmeldedienst antwortet nicht", Text: "Bitte versuchen Sie es später noch einmal. Die Technik kann auf dem Server einen Zugang erzeugen: rathausnetz admin login-link.", Err: err}
	}
	return err
}

func admitProblem(err error) error {
	p := &Problem{Status: http.StatusForbidden, Title: "Dieses Konto hat hier keinen Zugang", Err: err}
	switch {
	case errors.Is(err, staff.ErrUnknown), errors.Is(err, staff.ErrNoRole):
		p.Text = "Die Anmeldung war richtig. Aber für dieses Konto gibt es hier keine Rolle. Bitten Sie eine Person mit der Rolle Leitung um eine Einladung."
	case errors.Is(err, staff.ErrLocked):
		p.Text = "Das Konto ist gesperrt. Fragen Sie eine Person mit der Rolle Leitung."
	case errors.Is(err, staff.ErrTaken):
		p.Text = "Diese Anmeldung gehört schon zu einem anderen Konto der Verwaltung."
	case linkText(err) != "":
		p.Title, p.Text = "Diese Einladung gilt nicht", linkText(err)
	default:
		return err
	}
	return p
}

// linkText says what is wrong with a one-time link and how to get a new one.
func linkText(err error) string {
	switch {
	case errors.Is(err, staff.ErrLinkUsed):
		return "Der Link wurde schon benutzt. Er gilt nur einmal. Bitte lassen Sie sich einen neuen geben."
	case errors.Is(err, staff.ErrLinkExpired):
		return "Der Link ist abgelaufen. Bitte lassen Sie sich einen neuen geben."
	case errors.Is(err, staff.ErrLinkUnknown):
		return "Wir kennen diesen Link nicht. Bitte kopieren Sie ihn vollständig."
	}
	return ""
}

// showLink asks before it uses a link up: programs that look at links in mails
// and chats only ever get this far.
func (a *Admin) showLink(q *Request) (*Answer, error) {
	return q.View("zugang", "Zugang zur Verwaltung", q.FormValue("code")), nil
}

func (a *Admin) useLink(q *Request) (*Answer, error) {
	account, err := a.cfg.Staff.Redeem(q.Context(), q.PostFormValue("code"))
	if text := linkText(err); text != "" {
		return nil, &Problem{Status: http.StatusForbidden, Title: "Dieser Link gilt nicht", Text: text + " Auf dem Server: rathausnetz admin login-link.", Err: err}
	}
	if err != nil {
		return nil, err
	}
	if err := a.enter(q, account, "staff-link", ""); err != nil {
		return nil, err
	}
	return q.Redirect(Root, ""), nil
}

func (a *Admin) showInvitation(q *Request) (*Answer, error) {
	code := q.FormValue("code")
	account, err := a.cfg.Staff.Invited(q.Context(), code)
	if text := linkText(err); text != "" || errors.Is(err, staff.ErrUnknown) {
		return nil, &Problem{Status: http.StatusForbidden, Title: "Diese Einladung gilt nicht", Text: text, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return q.View("einladung", "Einladung in die Verwaltung", entrancePage{Invited: &account, Sources: a.sources(url.Values{"einladung": {code}})}), nil
}

func (a *Admin) signOut(q *Request) (*Answer, error) {
	q.About(q.By(), "")
	if err := a.cfg.Sessions.End(q.Context(), q.writer, q.session); err != nil {
		return nil, err
	}
	q.session = nil
	return q.Redirect(entrancePath, ""), nil
}
