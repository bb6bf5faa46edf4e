package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/portal/web/locale"
	"rathausnetz/sso"
	"rathausnetz/sso/op/desk"
)

var _ sso.Pages = (*Web)(nil)

// signon prepares a page of sign-on: it may lead on to other portals, it is
// never cached and search engines leave it alone.
func (w *Web) signon(r *http.Request, tmpl string) *view {
	v := w.view(r, tmpl)
	v.NoIndex, v.Private = true, true
	v.Targets = w.targets()
	return v
}

type loginPage struct {
	sso.LoginPage
	Heading   string
	Lead      string
	Mistake   *alert
	LevelText string
	Forgotten string // where a new password is set
	Near, Far []sso.UpstreamChoice
	All       string // leads back to all account sources, after a search
}

// LoginPage implements sso.Pages.
func (w *Web) LoginPage(rw http.ResponseWriter, r *http.Request, status int, p sso.LoginPage) {
	v := w.signon(r, "anmelden")
	page := loginPage{LoginPage: p, Heading: v.t("login.title"), Lead: v.t("login.lead"), Forgotten: v.Plain(desk.RecoverPath)}
	v.Passkey = p.Passkey != ""
	if p.Portal != "" {
		page.Lead = v.t("login.for", p.Portal)
	}
	if p.Level > federation.LevelBasis {
		page.LevelText = v.t("login.level." + levelKey(p.Level))
	}
	if p.StepUp {
		page.Heading = v.t("level.title")
		page.Lead = v.t("level.need." + levelKey(p.Level))
		page.LevelText = ""
	}
	if p.Again {
		page.Lead, page.LevelText = v.t("login.again"), ""
	}
	for _, c := range p.Upstreams {
		if c.Near {
			page.Near = append(page.Near, c)
		} else {
			page.Far = append(page.Far, c)
		}
	}
	if p.Words != "" {
		page.All = p.Action + "?" + url.Values{"handle": {p.Handle}}.Encode()
	}
	if p.Mistake != sso.NoMistake {
		page.Mistake = &alert{Kind: "danger", Title: v.t("login.mistake." + string(p.Mistake)), Text: v.mistake(p)}
	}
	v.Title = page.Heading
	v.Page = page
	w.write(rw, r, status, v)
}

// mistake says what was wrong and what helps. A limit is told with its rule and
// its end: whoever is kept out has a right to know why.
func (v *view) mistake(p sso.LoginPage) []string {
	if p.Mistake != sso.TooManyTries {
		return []string{v.t("login.mistake." + string(p.Mistake) + ".text")}
	}
	text := []string{v.n("login.locked", max(1, p.Wait)), v.t("login.locked.why")}
	if v.Passkey {
		text = append(text, v.t("login.locked.passkey"))
	}
	return text
}

// LinkPage implements sso.Pages.
func (w *Web) LinkPage(rw http.ResponseWriter, r *http.Request, p sso.LinkPage) {
	v := w.signon(r, "verknuepfen")
	v.Title = v.t("link.title")
	v.Page = p
	w.write(rw, r, http.StatusOK, v)
}

type confirmPage struct {
	sso.ConfirmPage
	Heading   string
	Data      []string
	LevelName string
}

// ConfirmPage implements sso.Pages.
func (w *Web) ConfirmPage(rw http.ResponseWriter, r *http.Request, p sso.ConfirmPage) {
	v := w.signon(r, "zustimmen")
	page := confirmPage{ConfirmPage: p, Heading: v.t("confirm.title", p.Portal), LevelName: v.t("level.name." + p.Level.String())}
	for _, c := range p.Claims {
		page.Data = append(page.Data, v.t("claim."+c))
	}
	v.Title = page.Heading
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

type logoutPage struct {
	sso.LogoutPage
	Back    string // text of the way back
	Heading string
	Lead    string
	Rows    []logoutRow
	Failed  int
}

type logoutRow struct {
	Portal, Text, Kind string
}

// LogoutPage implements sso.Pages.
func (w *Web) LogoutPage(rw http.ResponseWriter, r *http.Request, p sso.LogoutPage) {
	v := w.signon(r, "abmelden")
	page := logoutPage{LogoutPage: p, Heading: v.t("logout.ask"), Lead: v.t("logout.ask.text", v.where(w.placeOf(w.cfg.Area)))}
	if p.Done {
		v.Person = nil
		page.Heading, page.Lead = v.t("logout.done"), v.t("logout.done.text", v.where(w.placeOf(w.cfg.Area)))
		for _, res := range p.Results {
			row := v.logoutRow(res)
			if !res.OK {
				page.Failed++
			}
			page.Rows = append(page.Rows, row)
		}
		if page.Failed > 0 {
			page.Lead = v.t("logout.partly")
		}
	}
	page.Back = v.t("logout.back")
	if p.ReturnName != "" {
		page.Back = v.t("logout.return", locale.Of(v.Lang, p.ReturnName))
	}
	v.Title = page.Heading
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// unmet is the standard's code for a login below the level that is needed
// [OIDC unmet_authentication_requirements].
const unmet = "unmet_authentication_requirements"

// FailPage implements sso.Pages.
func (w *Web) FailPage(rw http.ResponseWriter, r *http.Request, p sso.FailPage) {
	v := w.signon(r, "fehler")
	w.failPage(rw, r, v, p, failure{Heading: v.t("fail.title"), Text: []string{v.t("fail.text")}})
}

func (w *Web) failPage(rw http.ResponseWriter, r *http.Request, v *view, p sso.FailPage, page failure) {
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests || p.RetryAfter > 0 {
		page.Text = []string{v.t("fail.later")}
	}
	if p.Code == unmet { // trying again cannot help
		page.Heading, page.Text, p.Retry = v.t("level.title"), []string{v.levelUnmet()}, ""
	}
	v.Title = page.Heading
	if p.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.ID != "" {
		page.Text = append(page.Text, v.t("fail.id", strings.TrimSpace(p.ID+" "+p.Code)))
	}
	if strings.HasPrefix(p.Retry, "/") && !strings.HasPrefix(p.Retry, "//") {
		page.Actions = append(page.Actions, link{URL: p.Retry, Text: v.t("down.again")})
	}
	page.Actions = append(page.Actions, link{URL: v.Plain("/"), Text: v.t("fail.home")})
	v.Page = page
	status := p.Status
	if status < 400 || status > 599 {
		status = http.StatusBadRequest
	}
	w.write(rw, r, status, v)
}

// levelUnmet says what the login is worth and how to go on without one that
// is worth more: no source of accounts here gives it.
func (v *view) levelUnmet() string {
	text := v.t("level.unmet")
	if v.Person != nil {
		text = v.t("level.have."+v.Person.Level.String()) + " " + text
	}
	if phone := v.look.brand.Contact.Phone; phone != "" {
		return text + " " + v.t("level.unmet.call", phone)
	}
	return text + " " + v.t("level.unmet.visit")
}
