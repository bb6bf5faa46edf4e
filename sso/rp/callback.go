package rp

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

// Reasons for which an answer of a provider is refused.
var (
	ErrMixUp   = errors.New("rp: answer of another issuer") // iss or path [RFC 9207]
	ErrToken   = errors.New("rp: ID token or userinfo refused")
	ErrLevel   = errors.New("rp: provider vouches for less than was asked") // acr
	errRequest = errors.New("rp: malformed request")
	errMethod  = errors.New("rp: method not allowed")
)

// deniedError is an error answer of the authorization endpoint.
type deniedError struct{ code string }

func (e *deniedError) Error() string { return "rp: provider answered " + e.code }

// Callback finishes a login: CallbackPath followed by IssuerHash. In this
// order: parameters, state and browser, path and iss, the login is consumed,
// code against tokens, ID token, level, userinfo, session, 303 to the clean
// page the login was begun for.
func (r *RP) Callback(w http.ResponseWriter, req *http.Request) {
	harden(w)
	if req.Method != http.MethodGet {
		r.fail(w, req, errMethod, "")
		return
	}
	target, rec, err := r.finish(w, req)
	if err != nil {
		retry := LoginPath
		if rec != nil {
			retry = r.retry(LoginOptions{Return: rec.Return, Level: rec.Level})
		}
		r.fail(w, req, err, retry)
		return
	}
	http.Redirect(w, req, target, http.StatusSeeOther)
}

// finish returns the record also with an error, once it is known to belong to
// this browser.
func (r *RP) finish(w http.ResponseWriter, req *http.Request) (string, *record, error) {
	q, err := answerOf(req.URL.RawQuery)
	if err != nil {
		return "", nil, err
	}
	state := q.Get("state")
	rec, err := r.find(req, state)
	if err != nil {
		return "", nil, err
	}
	path := IssuerHash(rec.Issuer)
	if !strings.HasSuffix(req.URL.Path, "/"+path) || subtle.ConstantTimeCompare([]byte(q.Get("iss")), []byte(rec.Issuer)) != 1 {
		return "", nil, ErrMixUp
	}
	if err := r.consume(req.Context(), state); err != nil {
		return "", nil, err
	}
	if q.Has("error") {
		return "", rec, &deniedError{code: provider.ErrorCode(q.Get("error"))}
	}
	if q.Get("code") == "" {
		return "", rec, fmt.Errorf("%w: neither code nor error", errRequest)
	}
	id, token, err := r.identify(req, rec, q.Get("code"))
	if err != nil {
		return "", rec, err
	}
	s, err := r.c.Sessions.Start(req.Context(), w, req, *id, session.Extra{IDToken: token, Draft: rec.Draft, Begun: rec.Begun})
	if err != nil {
		return "", rec, err
	}
	r.c.Log.InfoContext(req.Context(), "signed in", "peer", rec.Issuer, "level", s.Identity.Level.String(), "took", r.c.Now().Sub(rec.Begun))
	return rec.Return, rec, nil
}

// answerOf reads the parameters of an authorization response; none may be
// given twice.
func answerOf(raw string) (url.Values, error) {
	if len(raw) > 8<<10 {
		return nil, fmt.Errorf("%w: %d bytes of parameters", errRequest, len(raw))
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: parameters", errRequest)
	}
	for name, v := range q {
		if len(v) > 1 {
			return nil, fmt.Errorf("%w: %d times the same parameter", errRequest, len(q[name]))
		}
	}
	return q, nil
}

// identify redeems the code and returns who signed in, with the ID token.
func (r *RP) identify(req *http.Request, rec *record, code string) (*sso.Identity, string, error) {
	ctx := req.Context()
	// Asked again: the provider may have lost its membership meanwhile.
	now, err := r.provider(ctx, rec.Issuer)
	if err != nil {
		return nil, "", err
	}
	p := *now
	p.TokenEndpoint, p.UserinfoEndpoint = rec.Token, rec.Userinfo
	t, err := r.client.Redeem(ctx, &p, code, rec.Redirect, rec.Verifier)
	if err != nil {
		return nil, "", err
	}
	want := provider.Want{Nonce: rec.Nonce, AccessToken: t.Access, NotBefore: rec.Begun.Add(-rec.maxAge())}
	it, err := r.client.IDToken(ctx, &p, t.ID, want)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	level, err := federation.LevelOfACR(it.ACR)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrLevel, err)
	}
	if level < rec.Level {
		return nil, "", fmt.Errorf("%w: %s where %s was asked", ErrLevel, level, rec.Level)
	}
	u, err := r.client.Userinfo(ctx, &p, t.Access, it.Subject)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	return &sso.Identity{
		Issuer: rec.Issuer, Subject: it.Subject, Session: it.SID, Level: level,
		AuthTime: it.AuthTime, AMR: it.AMR, Upstream: it.Upstream,
		Claims: sso.Claims{
			Name: u.Text("name"), GivenName: u.Text("given_name"), FamilyName: u.Text("family_name"),
			Email: u.Text("email"), Locale: u.Text("locale"),
		},
	}, t.ID, nil
}
