package upstream

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
)

// pendingLife is how long a login at the source may take: long enough to make
// an account there meanwhile [SSO.md §11, 1].
const pendingLife = time.Hour

// Request says what a login at the source is for.
type Request struct {
	Level federation.Level // at least this
	Fresh bool             // the person must be checked anew
	// MaxAge is how old the authentication at the source may be; 0: 12 hours.
	MaxAge time.Duration
	Hint   string // login_hint; at most 255 bytes
}

// defaultMaxAge is the limit of the lowest levels [SSO.md §5].
const defaultMaxAge = 12 * time.Hour

// maxAge is 0 for a fresh login.
func (r Request) maxAge() time.Duration {
	switch {
	case r.Fresh:
		return 0
	case r.MaxAge <= 0:
		return defaultMaxAge
	}
	return r.MaxAge
}

// Pending is a login at a source on its way. The caller keeps it in a record
// of its own that is bound to the browser, found by State and used once; it
// must not reach the browser.
type Pending struct {
	Upstream string           `json:"upstream"`
	State    string           `json:"state"`
	Nonce    string           `json:"nonce"`
	Verifier string           `json:"verifier"`
	Token    string           `json:"token_endpoint"`
	Userinfo string           `json:"userinfo_endpoint"`
	Level    federation.Level `json:"level"`
	Fresh    bool             `json:"fresh"`
	MaxAge   time.Duration    `json:"max_age"` // nanoseconds
	Begun    time.Time        `json:"begun"`
}

// Person is who signed in at the source, as far as it is believed.
type Person struct {
	Upstream string // Config.ID
	Issuer   string // of the source
	Subject  string // at the source: never shown to a portal
	Level    federation.Level
	AuthTime time.Time
	AMR      []string
	Claims   sso.Claims
}

// Begin returns where to send the browser and what to keep until it comes
// back. Errors: ErrCannot, provider.ErrUnreachable, provider.ErrMetadata,
// *provider.OAuthError.
func (u *Upstream) Begin(ctx context.Context, r Request) (location string, p *Pending, err error) {
	acrs := u.acrs(max(r.Level, federation.LevelBasis))
	if len(acrs) == 0 {
		return "", nil, fmt.Errorf("%w: %s at %s", ErrCannot, r.Level, u.c.ID)
	}
	m, err := u.metadata(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("upstream %s: %w", u.c.ID, err)
	}
	p = &Pending{
		Upstream: u.c.ID, State: provider.Random(), Nonce: provider.Random(), Verifier: provider.Random(),
		Token: m.TokenEndpoint, Userinfo: m.UserinfoEndpoint,
		Level: max(r.Level, federation.LevelBasis), Fresh: r.Fresh, MaxAge: r.maxAge(), Begun: u.c.Now().UTC(),
	}
	form, err := u.form(m, p, acrs, r.Hint)
	if err != nil {
		return "", nil, err
	}
	if m.PAREndpoint != "" {
		uri, err := u.client.Push(ctx, m, form)
		if err != nil {
			return "", nil, fmt.Errorf("upstream %s: %w", u.c.ID, err)
		}
		form = url.Values{"client_id": {u.c.ClientID}, "request_uri": {uri}}
	}
	to, err := url.Parse(m.AuthorizationEndpoint)
	if err != nil {
		return "", nil, fmt.Errorf("upstream %s: %w: %w", u.c.ID, provider.ErrMetadata, err)
	}
	q := to.Query()
	for k, v := range form {
		q[k] = v
	}
	to.RawQuery = q.Encode()
	return to.String(), p, nil
}

// form is the authorization request. The level is asked for as an essential
// claim where the source takes claims, else by acr_values: both at once have
// no defined meaning [OIDC §5.5.1.1].
func (u *Upstream) form(m *provider.Metadata, p *Pending, acrs []string, hint string) (url.Values, error) {
	f := url.Values{
		"client_id": {u.c.ClientID}, "response_type": {"code"}, "redirect_uri": {u.c.RedirectURI}, "scope": {u.c.Scope},
		"state": {p.State}, "nonce": {p.Nonce},
		"code_challenge": {provider.Challenge(p.Verifier)}, "code_challenge_method": {"S256"},
		// With max_age a source has to say when it asked the person.
		"max_age": {strconv.Itoa(int(p.MaxAge.Seconds()))},
	}
	if m.TakesClaims {
		b, err := json.Marshal(map[string]any{"id_token": map[string]any{
			"acr":       map[string]any{"essential": true, "values": acrs},
			"auth_time": map[string]any{"essential": true},
			"amr":       nil,
		}})
		if err != nil {
			return nil, err
		}
		f.Set("claims", string(b))
	} else {
		f.Set("acr_values", strings.Join(acrs, " "))
	}
	if p.Fresh {
		f.Set("prompt", "login")
	}
	if hint != "" && len(hint) <= 255 {
		f.Set("login_hint", hint)
	}
	return f, nil
}

// Finish checks the source's answer and returns who signed in. The caller has
// made p used before: of many answers with one state, one wins. Errors:
// ErrState, ErrMixUp, ErrLate, ErrACR, ErrOverstate, ErrLevel, *DeniedError
// and those of sso/rp/provider; with any of them nobody has signed in.
func (u *Upstream) Finish(ctx context.Context, p *Pending, q url.Values) (*Person, error) {
	person, err := u.finish(ctx, p, q)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", u.c.ID, err)
	}
	return person, nil
}

func (u *Upstream) finish(ctx context.Context, p *Pending, q url.Values) (*Person, error) {
	if err := u.checkAnswer(p, q); err != nil {
		return nil, err
	}
	known, err := u.metadata(ctx)
	if err != nil {
		return nil, err
	}
	if iss := q.Get("iss"); (known.SendsIss || iss != "") && iss != u.c.Issuer {
		return nil, ErrMixUp
	}
	if q.Has("error") {
		return nil, &DeniedError{Code: provider.ErrorCode(q.Get("error"))}
	}
	if q.Get("code") == "" {
		return nil, fmt.Errorf("%w: neither code nor error", ErrState)
	}
	m := *known
	m.TokenEndpoint, m.UserinfoEndpoint = p.Token, p.Userinfo
	t, err := u.client.Redeem(ctx, &m, q.Get("code"), u.c.RedirectURI, p.Verifier)
	if err != nil {
		return nil, err
	}
	want := provider.Want{Nonce: p.Nonce, AccessToken: t.Access, NotBefore: p.Begun.Add(-p.MaxAge)}
	it, err := u.client.IDToken(ctx, &m, t.ID, want)
	if err != nil {
		return nil, err
	}
	level, err := u.level(it.ACR, p.Level)
	if err != nil {
		return nil, err
	}
	info, err := u.client.Userinfo(ctx, &m, t.Access, it.Subject)
	if err != nil {
		return nil, err
	}
	return &Person{
		Upstream: u.c.ID, Issuer: u.c.Issuer, Subject: it.Subject, Level: level,
		AuthTime: it.AuthTime, AMR: it.AMR, Claims: u.claims(info),
	}, nil
}

func (u *Upstream) checkAnswer(p *Pending, q url.Values) error {
	for _, v := range q {
		if len(v) > 1 {
			return fmt.Errorf("%w: a parameter is given twice", ErrState)
		}
	}
	if p == nil || p.Upstream != u.c.ID || p.State == "" || subtle.ConstantTimeCompare([]byte(p.State), []byte(q.Get("state"))) != 1 {
		return ErrState
	}
	if u.c.Now().Sub(p.Begun) >= pendingLife {
		return ErrLate
	}
	return nil
}

// level translates an acr and judges it against what was asked and what this
// source may say.
func (u *Upstream) level(acr string, asked federation.Level) (federation.Level, error) {
	l, known := u.c.Levels[acr]
	switch {
	case !known:
		return federation.LevelNone, ErrACR
	case l > u.c.Max:
		return federation.LevelNone, fmt.Errorf("%w: %s where %s is its cap", ErrOverstate, l, u.c.Max)
	case l < asked:
		return federation.LevelNone, fmt.Errorf("%w: %s where %s was asked", ErrLevel, l, asked)
	}
	return l, nil
}

var claimNames = [...]string{"name", "given_name", "family_name", "email", "locale"}

func (u *Upstream) claims(info provider.Userinfo) sso.Claims {
	text := func(ours string) string {
		if theirs := u.c.Claims[ours]; theirs != "" {
			return info.Text(theirs)
		}
		return info.Text(ours)
	}
	return sso.Claims{
		Name: text("name"), GivenName: text("given_name"), FamilyName: text("family_name"),
		Email: text("email"), Locale: text("locale"),
	}
}
