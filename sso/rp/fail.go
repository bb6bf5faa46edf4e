package rp

import (
	"errors"
	"net/http"
	"strconv"

	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

var errCSRF = errors.New("rp: form without the token of this session")

// fail is the one place where an error becomes a page. The person gets a code
// of the standard and a reference, the log the reason.
func (r *RP) fail(w http.ResponseWriter, req *http.Request, err error, retry string) {
	p := sso.FailPage{Status: http.StatusBadRequest, Code: "invalid_request", ID: provider.Random()[:8], Retry: retry}
	var denied *deniedError
	var refused *provider.OAuthError
	switch {
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, provider.ErrUnreachable):
		p.Status, p.Code, p.RetryAfter = http.StatusServiceUnavailable, "temporarily_unavailable", 5
	case errors.Is(err, ErrBusy):
		p.Status, p.Code, p.RetryAfter = http.StatusTooManyRequests, "slow_down", 30
	case errors.Is(err, errMethod):
		p.Status = http.StatusMethodNotAllowed
		w.Header().Set("Allow", "GET, POST")
	case errors.Is(err, errCSRF):
		p.Status, p.Code = http.StatusForbidden, "invalid_request"
	case errors.Is(err, ErrLevel):
		p.Code = "unmet_authentication_requirements"
	case errors.Is(err, ErrToken):
		p.Code = "invalid_token"
	case errors.As(err, &denied) && denied.code != "":
		p.Code = denied.code
	case errors.As(err, &refused):
		p.Code = refused.Code
		if refused.Status == http.StatusServiceUnavailable || refused.Status == http.StatusTooManyRequests {
			p.Status, p.Code, p.RetryAfter = http.StatusServiceUnavailable, "temporarily_unavailable", 5
		}
	case errors.Is(err, ErrUnknownProvider):
		p.Code = "invalid_issuer"
	case errors.Is(err, session.ErrEnded), errors.Is(err, session.ErrExpired):
		p.Code = "login_required"
	}
	if p.Code == "" {
		p.Code = "server_error"
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	r.c.Log.WarnContext(req.Context(), "login refused", "id", p.ID, "code", p.Code, "err", err)
	r.c.Pages.FailPage(w, req, p)
}
