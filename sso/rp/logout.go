package rp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

// Logout signs out at LogoutPath. GET asks, or says that nobody is signed in;
// it never ends anything [SSO.md §10 F79]. POST with the session's CSRF token
// in the field csrf ends the session here, at once, and then leads to the
// provider, which ends the others and shows the result per portal
// [RPINIT §2].
func (r *RP) Logout(w http.ResponseWriter, req *http.Request) {
	harden(w)
	s, err := r.c.Sessions.Get(req)
	if errors.Is(err, store.ErrUnavailable) {
		r.fail(w, req, err, "")
		return
	}
	switch {
	case req.Method != http.MethodGet && req.Method != http.MethodHead && req.Method != http.MethodPost:
		r.fail(w, req, errMethod, "")
	case err != nil:
		r.c.Pages.LogoutPage(w, req, sso.LogoutPage{Done: true})
	case req.Method != http.MethodPost:
		r.c.Pages.LogoutPage(w, req, sso.LogoutPage{Action: LogoutPath, CSRF: s.CSRF()})
	default:
		r.logout(w, req, s)
	}
}

func (r *RP) logout(w http.ResponseWriter, req *http.Request, s *session.Session) {
	req.Body = http.MaxBytesReader(w, req.Body, maxForm)
	if err := req.ParseForm(); err != nil {
		r.fail(w, req, fmt.Errorf("%w: form", errRequest), "")
		return
	}
	if !s.CheckCSRF(req.PostForm.Get("csrf")) {
		r.fail(w, req, errCSRF, "")
		return
	}
	if _, err := r.c.Sessions.End(req.Context(), w, req); err != nil && !errors.Is(err, session.ErrNone) {
		r.fail(w, req, err, "")
		return
	}
	if location := r.endSession(req, s); location != "" {
		http.Redirect(w, req, location, http.StatusSeeOther)
		return
	}
	r.c.Pages.LogoutPage(w, req, sso.LogoutPage{Done: true})
}

// endSession returns where the provider ends its session, "" if it cannot be
// asked: then the person is signed out here alone, which the page says.
func (r *RP) endSession(req *http.Request, s *session.Session) string {
	p, err := r.provider(req.Context(), s.Identity.Issuer)
	if err != nil || p.EndSessionEndpoint == "" || s.IDToken == "" {
		r.c.Log.Warn("logout at the portal only", "peer", s.Identity.Issuer, "err", err)
		return ""
	}
	location, err := provider.WithQuery(p.EndSessionEndpoint, url.Values{
		"id_token_hint": {s.IDToken}, "client_id": {string(r.c.Self)},
		"post_logout_redirect_uri": {r.c.Self.URL(LogoutPath)},
	})
	if err != nil {
		r.c.Log.Warn("logout at the portal only", "peer", s.Identity.Issuer, "err", err)
		return ""
	}
	return location
}
