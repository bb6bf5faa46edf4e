package rp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

// ErrBusy is wrapped when one address begins too many logins.
var ErrBusy = errors.New("rp: too many logins from one address")

// LoginOptions say what a login is for.
type LoginOptions struct {
	Issuer federation.EntityID // "": that of the session, else Providers.Home
	Level  federation.Level    // at least this; LevelNone means basis
	Return string              // path of this portal to end at; "" is the home page
	Draft  string              // name of a session.Draft to keep
	Hint   string              // login_hint, e.g. a user name; at most 255 bytes
	// Fresh asks the provider to check the person anew. Level hoch always does
	// [SSO.md §5.3].
	Fresh bool
	// MaxAge is how long ago the person may have authenticated, for what must
	// not be done by whoever finds an open browser; 0: as the level allows.
	MaxAge time.Duration
}

// Recent reports whether the person of s authenticated within maxAge.
func (r *RP) Recent(s *session.Session, maxAge time.Duration) bool {
	return r.c.Now().Sub(s.Identity.AuthTime) <= maxAge
}

// Login begins a login: GET LoginPath with the fields zurueck (a path), niveau
// (a word of federation.ParseLevel) and op (an issuer), all optional. A browser
// that is signed in at that level already is sent on at once. The provider is
// not told to ask again: whoever is signed in there types no password.
func (r *RP) Login(w http.ResponseWriter, req *http.Request) {
	harden(w)
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		r.fail(w, req, errMethod, "")
		return
	}
	o, err := loginOptions(req.URL.Query())
	if err != nil {
		r.fail(w, req, err, "")
		return
	}
	target, err := r.cleanTarget(o.Return)
	if err != nil {
		r.fail(w, req, err, "")
		return
	}
	s, err := r.c.Sessions.Get(req)
	if err == nil && o.Issuer == "" && s.Reaches(max(o.Level, federation.LevelBasis)) {
		http.Redirect(w, req, target, http.StatusSeeOther)
		return
	}
	r.Begin(w, req, o)
}

func loginOptions(q url.Values) (LoginOptions, error) {
	var o LoginOptions
	for _, name := range []string{"zurueck", "niveau", "op"} {
		if len(q[name]) > 1 {
			return o, fmt.Errorf("%w: %s is given twice", errRequest, name)
		}
	}
	o.Return = q.Get("zurueck")
	if l := q.Get("niveau"); l != "" {
		level, err := federation.ParseLevel(l)
		if err != nil {
			return o, fmt.Errorf("%w: niveau", errRequest)
		}
		o.Level = level
	}
	if op := q.Get("op"); op != "" {
		id, err := federation.ParseEntityID(op, true)
		if err != nil {
			return o, fmt.Errorf("%w: op", ErrUnknownProvider)
		}
		o.Issuer = id
	}
	return o, nil
}

// Begin answers the request with the way to the provider (303), or with a page
// that says why not. It is Login for callers that know what they need.
func (r *RP) Begin(w http.ResponseWriter, req *http.Request, o LoginOptions) {
	harden(w)
	location, err := r.begin(w, req, o)
	if err != nil {
		r.fail(w, req, err, r.retry(o))
		return
	}
	http.Redirect(w, req, location, http.StatusSeeOther)
}

func (r *RP) begin(w http.ResponseWriter, req *http.Request, o LoginOptions) (string, error) {
	target, err := r.cleanTarget(o.Return)
	if err != nil {
		return "", err
	}
	if !r.logins.Take(prefixOf(req.RemoteAddr)) {
		return "", ErrBusy
	}
	if o.Issuer == "" {
		o.Issuer = r.issuerFor(req)
	}
	p, err := r.provider(req.Context(), o.Issuer)
	if err != nil {
		return "", err
	}
	rec := &record{
		Issuer: o.Issuer, Redirect: r.redirectURI(o.Issuer),
		Token: p.TokenEndpoint, Userinfo: p.UserinfoEndpoint,
		Nonce: provider.Random(), Verifier: provider.Random(),
		Browser: hash(r.bind(w, req)), Return: target, Draft: o.Draft,
		Level: max(o.Level, federation.LevelBasis), Begun: r.c.Now().UTC(),
		Fresh: o.Fresh || o.Level >= federation.LevelHoch, MaxAge: o.MaxAge,
	}
	state := provider.Random()
	form, err := r.request(p, rec, state, o.Hint)
	if err != nil {
		return "", err
	}
	if err := r.keep(req.Context(), state, rec); err != nil {
		return "", err
	}
	requestURI, err := r.client.Push(req.Context(), p, form)
	if err != nil {
		return "", errors.Join(err, r.c.Store.Delete(req.Context(), stateKey(state)))
	}
	return provider.WithQuery(p.AuthorizationEndpoint, url.Values{
		"client_id": {string(r.c.Self)}, "request_uri": {requestURI},
	})
}

// issuerFor keeps a person at the provider where they are signed in.
func (r *RP) issuerFor(req *http.Request) federation.EntityID {
	if s, err := r.c.Sessions.Get(req); err == nil {
		return s.Identity.Issuer
	}
	return r.c.Providers.Home()
}

// request builds the pushed authorization request [OIDC §3.1.2.1]. The level
// is asked for in one of two ways, because a provider may take only one of
// them: as an essential claim where it understands claims, so that it cannot
// answer with less, and as acr_values elsewhere [OIDC §5.5.1.1].
func (r *RP) request(p *Provider, rec *record, state, hint string) (url.Values, error) {
	f := url.Values{
		"response_type": {"code"}, "redirect_uri": {rec.Redirect}, "scope": {r.c.Scope},
		"state": {state}, "nonce": {rec.Nonce},
		"code_challenge": {provider.Challenge(rec.Verifier)}, "code_challenge_method": {"S256"},
		// With max_age a provider has to say when it asked the person.
		"max_age": {strconv.Itoa(int(rec.maxAge().Seconds()))},
	}
	if p.TakesClaims {
		claims, err := essential(rec.Level)
		if err != nil {
			return nil, err
		}
		f.Set("claims", claims)
	} else {
		f.Set("acr_values", rec.Level.ACR())
	}
	if rec.Fresh {
		f.Set("prompt", "login")
	}
	if hint != "" && len(hint) <= 255 {
		f.Set("login_hint", hint)
	}
	return f, nil
}

// essential is the claims parameter that asks for at least level [OIDC §5.5].
func essential(level federation.Level) (string, error) {
	var values []string
	for l := level; l <= federation.LevelHoch; l++ {
		values = append(values, l.ACR())
	}
	b, err := json.Marshal(map[string]any{"id_token": map[string]any{
		"acr":       map[string]any{"essential": true, "values": values},
		"auth_time": map[string]any{"essential": true},
		"amr":       nil,
	}})
	return string(b), err
}

// retry is the path that begins this login again.
func (r *RP) retry(o LoginOptions) string {
	q := url.Values{}
	if t, err := r.cleanTarget(o.Return); err == nil && t != "/" {
		q.Set("zurueck", t)
	}
	if o.Level > federation.LevelBasis {
		q.Set("niveau", o.Level.String())
	}
	if len(q) == 0 {
		return LoginPath
	}
	return LoginPath + "?" + q.Encode()
}

// Require returns the session of the request if it is good for need. If not,
// it answers the request itself, by a login or step-up that returns to
// o.Return with o.Draft kept, and ok is false. An empty o.Return is the page
// that was asked for; o.Level and o.Issuer are set by Require.
func (r *RP) Require(w http.ResponseWriter, req *http.Request, need federation.Level, o LoginOptions) (s *session.Session, ok bool) {
	s, err := r.c.Sessions.Get(req)
	if err == nil && s.Reaches(need) && !o.Fresh && (o.MaxAge <= 0 || r.Recent(s, o.MaxAge)) {
		return s, true
	}
	if errors.Is(err, store.ErrUnavailable) {
		harden(w)
		r.fail(w, req, err, "")
		return nil, false
	}
	o.Level, o.Issuer = need, ""
	if o.Return == "" {
		o.Return = pageOf(req)
	}
	if err == nil {
		o.Issuer = s.Identity.Issuer
	}
	r.Begin(w, req, o)
	return nil, false
}

// pageOf is the page a request is for; what was posted to it is no part of it.
func pageOf(req *http.Request) string {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return req.URL.RequestURI()
	}
	return req.URL.EscapedPath()
}
