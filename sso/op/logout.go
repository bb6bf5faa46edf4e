package op

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

// Logout is the end_session_endpoint [RPINIT]. With an ID token of this
// browser's own session the person is logged out at once, everywhere; anything
// else is asked about first, and a GET without it never ends a session. The
// page then shows what each portal answered.
func (o *OP) Logout(w http.ResponseWriter, r *http.Request) {
	harden(w)
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	p, err := o.query(w, r)
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	if r.Method == http.MethodPost && p["handle"] != "" {
		o.logoutAnswered(w, r, p)
		return
	}
	l, err := o.logoutRequest(r, p)
	if err != nil {
		o.page(w, r, p["client_id"], err)
		return
	}
	s, err := o.sessionToEnd(r)
	switch {
	case err != nil:
		o.page(w, r, l.Client, err)
	case s == nil:
		o.loggedOut(w, r, l, nil, "")
	case l.SID != "" && l.SID == o.names.SID(l.Client, s.ID):
		o.endAndShow(w, r, l, s)
	default:
		o.askLogout(w, r, l)
	}
}

// sessionToEnd is the session of the browser, also one whose account is
// locked: logging out is always possible.
func (o *OP) sessionToEnd(r *http.Request) (*ledger.Session, error) {
	v := o.cookie(r, o.cookieName())
	if v == "" {
		return nil, nil
	}
	s, err := o.ledger.Session(r.Context(), v)
	if errors.Is(err, ledger.ErrUnknown) {
		return nil, nil
	}
	return s, err
}

// logoutRequest judges the parameters; what is not proven is left out.
func (o *OP) logoutRequest(r *http.Request, p protocol.Params) (protocol.Logout, error) {
	var hint *protocol.Hint
	if raw := p["id_token_hint"]; raw != "" {
		h, bad := protocol.ReadHint(raw, string(o.c.Issuer), o.c.Keys.ProtocolJWKS())
		if bad != nil {
			o.event(r.Context(), http.StatusOK, "logout hint refused", p["client_id"], bad)
		} else {
			hint = h
		}
	}
	id := p["client_id"]
	if id == "" && hint != nil {
		id = hint.Audience
	}
	if id == "" {
		return protocol.Logout{}, nil
	}
	c, err := o.client(r.Context(), id, protocol.InvalidRequest)
	var bad *protocol.Refusal
	if errors.As(err, &bad) {
		return protocol.Logout{}, nil // no client: the person is asked
	}
	if err != nil {
		return protocol.Logout{}, err
	}
	return protocol.CheckLogout(p, hint, c), nil
}

func (o *OP) askLogout(w http.ResponseWriter, r *http.Request, l protocol.Logout) {
	if !o.limit.allow(o.address(r), o.c.Now()) {
		o.page(w, r, l.Client, errBusy)
		return
	}
	browser := o.browser(w, r)
	handle, err := o.ledger.PutFlow(r.Context(), ledger.Flow{Browser: protocol.Digest(browser), Logout: &l})
	if err != nil {
		o.page(w, r, l.Client, err)
		return
	}
	o.c.Pages.LogoutPage(w, r, sso.LogoutPage{
		Action: o.c.Issuer.URL(LogoutPath), CSRF: o.names.Form(browser, handle), Handle: handle,
	})
}

// logoutAnswered takes the form of askLogout, once.
func (o *OP) logoutAnswered(w http.ResponseWriter, r *http.Request, p protocol.Params) {
	err := o.checkForm(r, p)
	var f *ledger.Flow
	if err == nil {
		f, err = o.takeFlow(r, p["handle"])
	}
	if err == nil && f.Logout == nil {
		err = errForm
	}
	var bad *protocol.Refusal
	if errors.As(err, &bad) {
		err = errForm
	}
	var s *ledger.Session
	if err == nil {
		s, err = o.sessionToEnd(r)
	}
	switch {
	case err != nil:
		o.page(w, r, "", err)
	case s == nil:
		o.loggedOut(w, r, *f.Logout, nil, "")
	default:
		o.endAndShow(w, r, *f.Logout, s)
	}
}

func (o *OP) endAndShow(w http.ResponseWriter, r *http.Request, l protocol.Logout, s *ledger.Session) {
	o.setCookie(w, o.cookieName(), "")
	// The citizen may close the window; the portals must be told all the same.
	results, err := o.End(context.WithoutCancel(r.Context()), s.Key)
	if err != nil {
		o.page(w, r, l.Client, err)
		return
	}
	if s.Upstream != "" {
		o.setCookie(w, o.leftName(), "1")
	}
	o.loggedOut(w, r, l, results, s.Upstream)
}

// loggedOut shows the result per portal. A static client gets its citizen back
// at once if every portal has answered; a member's citizen sees the result
// first, with a link back (a deviation from RPINIT §3, which redirects).
func (o *OP) loggedOut(w http.ResponseWriter, r *http.Request, l protocol.Logout, results []sso.LogoutResult, source string) {
	all := true
	for _, res := range results {
		all = all && res.OK
	}
	page := sso.LogoutPage{Done: true, Results: results, Return: l.Return}
	if source != "" {
		page.Source = o.nameOf(source)
	}
	if l.Return != "" {
		c, err := o.client(r.Context(), l.Client, protocol.InvalidRequest)
		if err == nil && all && !c.Federated {
			http.Redirect(w, r, l.Return, http.StatusSeeOther)
			return
		}
		page.ReturnName = hostOf(l.Return)
		if err == nil {
			page.ReturnName = c.Name
		}
	}
	o.c.Pages.LogoutPage(w, r, page)
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}

// SessionOf returns the living session of the browser that sent r, nil if
// there is none.
func (o *OP) SessionOf(r *http.Request) (*ledger.Session, error) { return o.session(r) }
