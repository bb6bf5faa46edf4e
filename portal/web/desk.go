package web

import (
	"net/http"
	"strings"

	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/desk"
)

var _ desk.Pages = (*Web)(nil)

// deskPage is a page of the account desk as its template needs it.
type deskPage struct {
	desk.Page
	Heading  string
	Lead     []string
	Alerts   []alert
	Rows     []logoutRow
	Browsers []deskBrowser
	Keys     []deskKey
	History  []deskHandover
	Linked   []deskLink
	Facts    []pair
	Problem  string // beside the field that is wrong
	Others   bool   // there are other browsers
	Login    string
	Export   string
	Sure     string
	Home     string // "Mein Konto"
}

type deskBrowser struct {
	desk.Session
	Title, When string
	Portals     []deskPortal
}

type deskPortal struct{ ID, Name, Since string }

type deskKey struct{ ID, Name, Facts string }

type deskLink struct {
	op.Linked
	Facts string
}

type deskHandover struct{ Name, When, Data, Level string }

// DeskPage implements desk.Pages.
func (w *Web) DeskPage(rw http.ResponseWriter, r *http.Request, status int, p desk.Page) {
	v := w.view(r, "konto-"+string(p.Kind))
	v.Nav, v.NoIndex, v.Private = "konto", true, true
	kind := string(p.Kind)
	page := &deskPage{Page: p, Heading: v.t("desk." + kind), Home: v.Plain("/konto")}
	v.Title = page.Heading
	switch p.Kind {
	case desk.Sessions:
		v.deskSessions(page)
	case desk.Passkeys:
		v.deskKeys(page)
		v.Passkey = p.Options != ""
	case desk.History:
		v.deskHistory(page)
	case desk.Links:
		page.Lead = []string{v.t("desk.links.lead")}
		if p.Links != nil {
			for _, l := range p.Links.Linked {
				page.Linked = append(page.Linked, deskLink{Linked: l, Facts: v.t("desk.links.since", v.date(l.Since))})
			}
		}
		v.Targets = w.targets() // a form leads on to the chosen source
	case desk.Data:
		v.deskData(page)
	case desk.Delete:
		v.deskDelete(page)
	case desk.Password, desk.Recover:
		page.Login = v.Plain("/anmelden?zurueck=%2Fkonto")
	}
	switch p.Kind {
	case desk.Password, desk.Passkeys, desk.Delete:
		v.Stay = v.Person != nil && p.Done == ""
	}
	v.deskState(page)
	for _, res := range p.Results {
		page.Rows = append(page.Rows, v.logoutRow(res))
	}
	if p.Kind == desk.Recover || p.Kind == desk.Delete && p.Done != "" {
		v.crumbs(link{Text: v.Title})
	} else {
		v.crumbs(link{URL: page.Home, Text: v.t("account.mine")}, link{Text: v.Title})
	}
	v.Page = page
	w.write(rw, r, status, v)
}

// DeskFailPage implements desk.Pages.
func (w *Web) DeskFailPage(rw http.ResponseWriter, r *http.Request, p sso.FailPage) {
	v := w.signon(r, "fehler")
	page := failure{Heading: v.t("500.title"), Text: []string{v.t("desk.fail")}}
	if p.Status == http.StatusInternalServerError { // ours: trying again does not help
		page.Text, p.ID, p.Retry = []string{v.t("500.text", p.ID)}, "", ""
	}
	w.failPage(rw, r, v, p, page)
}

// deskState says what has been done or what was wrong.
func (v *view) deskState(page *deskPage) {
	kind := string(page.Kind)
	if page.Kind == desk.Links && page.Done != "" {
		page.Alerts = append(page.Alerts, v.linkResult(op.LinkResult(page.Done)))
	} else if page.Done != "" && page.Kind != desk.Delete { // there the heading says it
		a := alert{Kind: "success", Title: v.t("desk." + kind + ".done." + page.Done), Status: true}
		if page.Kind == desk.Sessions && len(page.Results) == 0 {
			a.Text = []string{v.t("desk.sessions.nothing")}
		}
		page.Alerts = append(page.Alerts, a)
	}
	switch page.Mistake {
	case desk.NoMistake:
	case desk.BadPassword, desk.Different, desk.BadName, desk.NotAgreed:
		page.Problem = v.t("desk.mistake." + string(page.Mistake))
	case desk.TooManyTries:
		page.Alerts = append(page.Alerts, alert{Kind: "danger", Status: true, Title: v.t("login.mistake.locked"),
			Text: []string{v.n("login.locked", max(1, page.Wait)), v.t("login.locked.why")}})
	default:
		page.Alerts = append(page.Alerts, alert{Kind: "danger", Status: true, Title: v.t("500.title"), Text: []string{v.t("desk.mistake." + string(page.Mistake))}})
	}
}

// linkResult tells what became of a change of the ways to sign in.
func (v *view) linkResult(res op.LinkResult) alert {
	a := alert{Kind: "warning", Title: v.t("desk.links." + string(res)), Status: true}
	if res == op.LinkDone || res == op.LinkRemoved {
		a.Kind = "success"
	}
	return a
}

func (v *view) deskSessions(page *deskPage) {
	page.Lead = []string{v.t("desk.sessions.lead")}
	for i, s := range page.Page.Sessions {
		b := deskBrowser{Session: s, Title: v.t("desk.sessions.browser", i+1), When: v.t("desk.sessions.when", v.moment(s.Began), v.moment(s.Seen))}
		if s.Here {
			b.Title = v.t("desk.sessions.here")
		} else {
			page.Others = true
		}
		for _, p := range s.Portals {
			b.Portals = append(b.Portals, deskPortal{ID: p.ID, Name: p.Name, Since: v.t("desk.sessions.since", v.moment(p.Since))})
		}
		page.Browsers = append(page.Browsers, b)
	}
}

func (v *view) deskKeys(page *deskPage) {
	page.Lead = []string{v.t("desk.passkeys.lead"), v.t("desk.passkeys.script")}
	for _, k := range page.Page.Keys {
		facts := []string{v.t("desk.passkeys.made", v.date(k.Created))}
		if k.Used.IsZero() {
			facts = append(facts, v.t("desk.passkeys.unused"))
		} else {
			facts = append(facts, v.t("desk.passkeys.used", v.moment(k.Used)))
		}
		if k.Synced {
			facts = append(facts, v.t("desk.passkeys.synced"))
		}
		page.Keys = append(page.Keys, deskKey{ID: k.ID, Name: k.Name, Facts: strings.Join(facts, " ")})
	}
}

func (v *view) deskHistory(page *deskPage) {
	page.Lead = []string{v.t("desk.history.lead")}
	for _, h := range page.Page.History {
		row := deskHandover{Name: h.Name, When: v.moment(h.At), Level: v.t("level.name." + h.Level.String()), Data: v.t("desk.history.nothing")}
		if len(h.Claims) > 0 {
			row.Data = v.claims(h.Claims)
		}
		page.History = append(page.History, row)
	}
}

// claims names data in one sentence-like list.
func (v *view) claims(names []string) string {
	out := make([]string, 0, len(names))
	for _, c := range names {
		out = append(out, v.t("claim."+c))
	}
	return strings.Join(out, ", ")
}

func (v *view) deskData(page *deskPage) {
	page.Lead = []string{v.t("desk.data.lead")}
	page.Export = desk.ExportPath
	page.Facts = v.accountFacts(page.Account)
}

func (v *view) accountFacts(a *account.Account) []pair {
	if a == nil {
		return nil
	}
	facts := []pair{{v.t("login.username"), a.Username}}
	for _, f := range []pair{{v.t("claim.name"), a.Claims.Name}, {v.t("claim.given_name"), a.Claims.GivenName}, {v.t("claim.family_name"), a.Claims.FamilyName}, {v.t("claim.email"), a.Claims.Email}} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return append(facts, pair{v.t("account.level"), v.t("level.name." + a.Level.String())},
		pair{v.t("desk.data.created"), v.date(a.Created)}, pair{v.t("desk.data.changed"), v.date(a.Changed)})
}

func (v *view) deskDelete(page *deskPage) {
	if page.Done != "" {
		page.Heading = v.t("desk.delete.done.done")
		page.Lead = []string{v.t("desk.delete.gone")}
		if len(page.Results) > 0 {
			page.Lead = append(page.Lead, v.t("desk.delete.portals"))
		}
		v.Title, v.Person = page.Heading, nil
		return
	}
	page.Lead = []string{v.t("desk.delete.lead"), v.t("desk.delete.stays")}
}

// logoutRow tells what one portal answered to a logout.
func (v *view) logoutRow(res sso.LogoutResult) logoutRow {
	if !res.OK {
		return logoutRow{Portal: res.Portal, Text: v.t("logout.waiting"), Kind: "warning"}
	}
	return logoutRow{Portal: res.Portal, Text: v.t("logout.ok"), Kind: "success"}
}

// deskLinks is the menu of an account that is kept here.
func (v *view) deskLinks() []link {
	out := make([]link, 0, 7)
	for _, e := range [...]struct{ path, key string }{
		{desk.SessionsPath, "desk.sessions"}, {desk.HistoryPath, "desk.history"}, {desk.PasswordPath, "desk.password"},
		{desk.PasskeysPath, "desk.passkeys"}, {desk.LinksPath, "desk.links"}, {desk.DataPath, "desk.data"}, {desk.DeletePath, "desk.delete"},
	} {
		out = append(out, link{URL: v.Plain(e.path), Text: v.t(e.key)})
	}
	return out
}
