package signin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/sso/rp/provider"
)

// Errors of a login.
var (
	ErrSource = errors.New("signin: no such provider")
	ErrState  = errors.New("signin: the answer belongs to no login of this browser")
	ErrDenied = errors.New("signin: the provider has refused")
	ErrAnswer = errors.New("signin: the answer of the provider is refused")
)

// CallbackPath is where providers send people back to, below the entity ID.
const CallbackPath = "/verwaltung/anmelden/rueckkehr"

const (
	pendingPrefix = "staff/signin/"
	pendingFor    = 15 * time.Minute
	maxQuery      = 8 << 10 // bytes of an answer
)

// Source is one OpenID Provider for the staff.
type Source struct {
	ID     string // in links; a–z
	Name   string // on the button
	Client *provider.Client
	// ClientID is the one Client authenticates with.
	ClientID string
	// Metadata returns the provider as it is now. It may open a connection.
	Metadata func(ctx context.Context) (*provider.Metadata, error)
	Scope    string // "" is "openid profile"
	// Claim names the claim with the person's groups, with dots between the
	// parts; "" where roles come from an invitation only.
	Claim string
}

// Identity is a person that a provider has vouched for.
type Identity struct {
	Source  string
	Issuer  string
	Subject string
	Name    string   // as the provider says; may be empty
	Groups  []string // values of Source.Claim
}

// Purpose is what a login is for; it comes back with the answer.
type Purpose struct {
	Invitation string `json:"invitation,omitempty"` // its secret
	Return     string `json:"return,omitempty"`     // path of an operator page
}

// pending is a login on its way, by the hash of its state.
type pending struct {
	Source   string    `json:"source"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Browser  string    `json:"browser"` // hash of what stands for the browser
	Begun    time.Time `json:"begun"`
	Purpose
}

// SignIn begins and finishes logins. It is safe for concurrent use.
type SignIn struct {
	sources  []Source
	redirect string
	store    store.Store
	now      func() time.Time
}

// New returns a SignIn for sources; redirect is the absolute address of
// CallbackPath.
func New(st store.Store, redirect string, now func() time.Time, sources ...Source) *SignIn {
	if now == nil {
		now = time.Now
	}
	return &SignIn{sources: sources, redirect: redirect, store: st, now: now}
}

// Sources returns the providers, in the order they are offered.
func (s *SignIn) Sources() []Source { return slices.Clone(s.sources) }

func (s *SignIn) source(id string) (*Source, error) {
	for i := range s.sources {
		if s.sources[i].ID == id {
			return &s.sources[i], nil
		}
	}
	return nil, ErrSource
}

// Begin returns the address at the provider that a browser is sent to. The
// person is always asked anew: a citizen's login that is still open in this
// browser is nobody's licence to administer.
func (s *SignIn) Begin(ctx context.Context, browser, source string, p Purpose) (string, error) {
	src, err := s.source(source)
	if err != nil {
		return "", err
	}
	m, err := src.Metadata(ctx)
	if err != nil {
		return "", err
	}
	rec := pending{Source: source, Nonce: provider.Random(), Verifier: provider.Random(), Browser: hash(browser), Begun: s.now().UTC(), Purpose: p}
	state := provider.Random()
	scope := src.Scope
	if scope == "" {
		scope = "openid profile"
	}
	form := url.Values{
		"response_type": {"code"}, "redirect_uri": {s.redirect}, "scope": {scope}, "state": {state}, "nonce": {rec.Nonce},
		"code_challenge": {provider.Challenge(rec.Verifier)}, "code_challenge_method": {"S256"}, "prompt": {"login"}, "max_age": {"0"},
	}
	b, err := json.Marshal(rec)
	if err != nil {
		return "", err
	}
	if err := s.store.Create(ctx, pendingPrefix+hash(state), b, pendingFor); err != nil {
		return "", err
	}
	if m.PAREndpoint != "" {
		uri, err := src.Client.Push(ctx, m, form)
		if err != nil {
			return "", err
		}
		form = url.Values{"request_uri": {uri}}
	}
	form.Set("client_id", src.ClientID)
	return provider.WithQuery(m.AuthorizationEndpoint, form)
}

// Finish checks the provider's answer (the raw query of the callback) and
// returns who it is. Of two answers with one state the second is ErrState.
func (s *SignIn) Finish(ctx context.Context, browser, rawQuery string) (Identity, Purpose, error) {
	q, rec, err := s.take(ctx, browser, rawQuery)
	if err != nil {
		return Identity{}, Purpose{}, err
	}
	src, err := s.source(rec.Source)
	if err != nil {
		return Identity{}, rec.Purpose, err
	}
	if e := q.Get("error"); e != "" || q.Get("code") == "" {
		return Identity{}, rec.Purpose, fmt.Errorf("%w: %s", ErrDenied, provider.ErrorCode(e))
	}
	m, err := src.Metadata(ctx)
	if err != nil {
		return Identity{}, rec.Purpose, err
	}
	if iss := q.Get("iss"); iss != m.Issuer && (iss != "" || m.SendsIss) { // [RFC 9207 §2.4]
		return Identity{}, rec.Purpose, fmt.Errorf("%w: it names another issuer", ErrAnswer)
	}
	id, err := s.identify(ctx, src, m, rec, q.Get("code"))
	return id, rec.Purpose, err
}

func (s *SignIn) take(ctx context.Context, browser, rawQuery string) (url.Values, pending, error) {
	var rec pending
	if len(rawQuery) > maxQuery {
		return nil, rec, fmt.Errorf("%w: %d bytes of parameters", ErrState, len(rawQuery))
	}
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, rec, fmt.Errorf("%w: parameters", ErrState)
	}
	for _, v := range q {
		if len(v) > 1 {
			return nil, rec, fmt.Errorf("%w: a parameter is given twice", ErrState)
		}
	}
	key := pendingPrefix + hash(q.Get("state"))
	b, err := s.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, rec, ErrState
	}
	if err == nil {
		err = json.Unmarshal(b, &rec)
	}
	if err != nil {
		return nil, rec, err
	}
	// Looked at before it is consumed: another browser cannot spoil a login.
	if subtle.ConstantTimeCompare([]byte(rec.Browser), []byte(hash(browser))) != 1 {
		return nil, rec, ErrState
	}
	if _, err := s.store.Take(ctx, key); errors.Is(err, store.ErrNotFound) {
		return nil, rec, ErrState
	} else if err != nil {
		return nil, rec, err
	}
	return q, rec, nil
}

func (s *SignIn) identify(ctx context.Context, src *Source, m *provider.Metadata, rec pending, code string) (Identity, error) {
	t, err := src.Client.Redeem(ctx, m, code, s.redirect, rec.Verifier)
	if err != nil {
		return Identity{}, err
	}
	it, err := src.Client.IDToken(ctx, m, t.ID, provider.Want{Nonce: rec.Nonce, AccessToken: t.Access, NotBefore: rec.Begun})
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	u, err := src.Client.Userinfo(ctx, m, t.Access, it.Subject)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	id := Identity{Source: src.ID, Issuer: m.Issuer, Subject: it.Subject, Name: u.Text("name")}
	if src.Claim == "" {
		return id, nil
	}
	claims, err := payload(it.Raw)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	id.Groups = append(groups(claims, src.Claim), groups(u, src.Claim)...)
	return id, nil
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// IsFault reports whether err is about this one login and not about the
// provider or the node: a person can try again.
func IsFault(err error) bool {
	return errors.Is(err, ErrState) || errors.Is(err, ErrDenied) || errors.Is(err, ErrAnswer) || errors.Is(err, ErrSource)
}
