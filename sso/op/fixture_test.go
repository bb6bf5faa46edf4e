package op_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

const (
	testUser     = "erika"
	testPassword = "lange-genug-1"
	testName     = "Erika Beispiel"
	testMail     = "erika@example.org"
)

// clock runs with the real time plus what a test has added.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time         { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) Elapse(d time.Duration) { c.ahead.Add(int64(d)) }

// pages answers each page as JSON.
type pages struct{}

type page struct {
	Kind    string
	Login   sso.LoginPage
	Confirm sso.ConfirmPage
	Link    sso.LinkPage
	Logout  sso.LogoutPage
	Fail    sso.FailPage
}

func (pages) write(w http.ResponseWriter, status int, p page) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the connection of a test
}

func (p pages) LoginPage(w http.ResponseWriter, _ *http.Request, status int, l sso.LoginPage) {
	p.write(w, status, page{Kind: "login", Login: l})
}
func (p pages) ConfirmPage(w http.ResponseWriter, _ *http.Request, c sso.ConfirmPage) {
	p.write(w, http.StatusOK, page{Kind: "confirm", Confirm: c})
}
func (p pages) LinkPage(w http.ResponseWriter, _ *http.Request, l sso.LinkPage) {
	p.write(w, http.StatusOK, page{Kind: "link", Link: l})
}
func (p pages) LogoutPage(w http.ResponseWriter, _ *http.Request, l sso.LogoutPage) {
	p.write(w, http.StatusOK, page{Kind: "logout", Logout: l})
}
func (p pages) FailPage(w http.ResponseWriter, _ *http.Request, f sso.FailPage) {
	p.write(w, f.Status, page{Kind: "fail", Fail: f})
}

// fixture is a provider on loopback with everything around it.
type fixture struct {
	t        testing.TB
	op       *op.OP
	srv      *httptest.Server
	issuer   string
	clock    *clock
	store    store.Store
	accounts *account.Accounts
	log      *syncBuffer
	keys     *trust.Keys
	handler  atomic.Pointer[http.ServeMux]

	mu      sync.Mutex
	clients map[string]*op.Client
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (f *fixture) Client(_ context.Context, id string) (*op.Client, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.clients[id]
	if c == nil {
		return nil, fmt.Errorf("%w: %s", op.ErrUnknownClient, id)
	}
	return c, nil
}

func (f *fixture) setClient(c *op.Client, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients[id] = c
}

type option func(*fixture, *op.Config)

func withStore(s store.Store) option { return func(f *fixture, _ *op.Config) { f.store = s } }

func withUpstreams(u ...op.Upstream) option {
	return func(_ *fixture, c *op.Config) { c.Upstreams = u }
}

func withAccounts(a op.Accounts) option { return func(_ *fixture, c *op.Config) { c.Accounts = a } }

func newFixture(t testing.TB, opts ...option) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{}, clients: map[string]*op.Client{}, log: &syncBuffer{}}
	key, err := trust.KeyFromSeed([]byte("op"))
	must(t, err)
	f.keys = &trust.Keys{Protocol: []*trust.Key{key}}
	f.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler.Load().ServeHTTP(w, r) }))
	t.Cleanup(f.srv.Close)
	f.issuer = f.srv.URL
	cfg := op.Config{
		Issuer: federation.EntityID(f.issuer), Name: "Landkreis", Keys: f.keys,
		Clients: f, Pages: pages{}, Salt: []byte("0123456789abcdef"), HTTP: &http.Client{}, Now: f.clock.Now,
		Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, o := range opts {
		o(f, &cfg)
	}
	if f.store == nil {
		f.store = store.NewMemory(f.clock.Now)
	}
	cfg.Store = f.store
	f.accounts, err = account.New(account.Config{
		Store: f.store, Now: f.clock.Now, MaxLevel: federation.LevelHoch, Cost: account.Cost{Memory: 64, Time: 1, Threads: 1},
	})
	must(t, err)
	if cfg.Accounts == nil {
		cfg.Accounts = f.accounts
	}
	f.addAccount(testUser, testName, testMail, federation.LevelNiedrig)
	f.op, err = op.New(cfg)
	must(t, err)
	f.replace(f.op)
	return f
}

// replace lets another replica answer from now on.
func (f *fixture) replace(o *op.OP) {
	mux := http.NewServeMux()
	for path, h := range o.Handlers() {
		mux.Handle(path, h)
	}
	f.handler.Store(mux)
}

func (f *fixture) addAccount(username, name, mail string, l federation.Level) *account.Account {
	f.t.Helper()
	a, err := f.accounts.Add(f.t.Context(), account.NewAccount{
		Username: username, Password: testPassword, Level: l,
		Claims: sso.Claims{Name: name, GivenName: "Erika", Email: mail},
	})
	must(f.t, err)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// party is a relying party under the test's control.
type party struct {
	f        *fixture
	id       string
	key      *trust.Key // protocol
	fedKey   *trust.Key
	redirect string
	secret   string

	mu      sync.Mutex
	logouts []string // logout tokens received
	answer  func(w http.ResponseWriter, r *http.Request)
}

// member adds a federated client with a back-channel endpoint.
func (f *fixture) member(name string) *party {
	f.t.Helper()
	key, err := trust.KeyFromSeed([]byte(name))
	must(f.t, err)
	fed, err := trust.KeyFromSeed([]byte("federation " + name))
	must(f.t, err)
	p := &party{f: f, key: key, fedKey: fed}
	srv := httptest.NewServer(http.HandlerFunc(p.backchannel))
	f.t.Cleanup(srv.Close)
	p.id, p.redirect = srv.URL, srv.URL+"/cb"
	f.setClient(&op.Client{
		ID: p.id, Name: name, Federated: true, Keys: key.Public(),
		RedirectURIs: []string{p.redirect}, PostLogoutRedirectURIs: []string{srv.URL + "/abgemeldet"},
		BackchannelLogoutURI: srv.URL + "/logout",
	}, p.id)
	return p
}

// static adds a client with a secret and plain requests.
func (f *fixture) static(id string) *party {
	p := &party{f: f, id: id, secret: "s3cret/+&", redirect: "https://service.example/cb"}
	f.setClient(&op.Client{
		ID: id, Name: "Onlinedienst " + id, SecretDigest: sha256.Sum256([]byte(p.secret)),
		RedirectURIs: []string{p.redirect}, PostLogoutRedirectURIs: []string{"https://service.example/out"},
	}, id)
	return p
}

func (p *party) backchannel(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.logouts = append(p.logouts, r.PostForm.Get("logout_token"))
	p.mu.Unlock()
}

func (p *party) setAnswer(a func(w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = a
}

func (p *party) received() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.logouts...)
}

// claims of a signed object of this party, with changes; nil removes one.
func (p *party) claims(change map[string]any, base map[string]any) map[string]any {
	now := p.f.clock.Now()
	v := map[string]any{
		"iss": p.id, "aud": p.f.issuer, "jti": ledger.Random(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for _, m := range []map[string]any{base, change} {
		for k, x := range m {
			if v[k] = x; x == nil {
				delete(v, k)
			}
		}
	}
	return v
}

func (p *party) assertion(change map[string]any) string {
	s, err := trust.Sign(p.key, "JWT", p.claims(change, map[string]any{"sub": p.id}))
	must(p.f.t, err)
	return s
}

// verifier is the PKCE verifier of every request here.
var verifier = strings.Repeat("v", 50)

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request returns the parameters of a good request, with changes; "" removes one.
func (p *party) request(change ...string) url.Values {
	q := url.Values{
		"client_id": {p.id}, "redirect_uri": {p.redirect}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"st&te"}, "nonce": {"n0nce"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "" {
			q.Del(change[i])
		} else {
			q.Set(change[i], change[i+1])
		}
	}
	return q
}

// object returns a signed request object with the parameters q.
func (p *party) object(q url.Values, change map[string]any) string {
	base := map[string]any{}
	for k := range q {
		base[k] = q.Get(k)
	}
	s, err := trust.Sign(p.key, "oauth-authz-req+jwt", p.claims(change, base))
	must(p.f.t, err)
	return s
}

type answer struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any
}

func (a answer) errorCode() string { s, _ := a.json["error"].(string); return s }

// post sends a form as the party's server, with its authentication unless the
// form has one already.
func (p *party) post(path string, q url.Values) answer {
	form := url.Values{}
	for k, v := range q {
		form[k] = v
	}
	if p.key != nil && !form.Has("client_assertion") {
		form.Set("client_assertion_type", protocol.AssertionURN)
		form.Set("client_assertion", p.assertion(nil))
	}
	basic := ""
	if p.secret != "" {
		basic = p.secret
	}
	return p.f.post(path, form, p.id, basic)
}

func (f *fixture) post(path string, form url.Values, id, basic string) answer {
	req, err := http.NewRequest(http.MethodPost, f.issuer+path, strings.NewReader(form.Encode()))
	must(f.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic != "" {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(basic))
	}
	return f.do(req)
}

func (f *fixture) do(req *http.Request) answer {
	resp, err := (&http.Client{CheckRedirect: noRedirect}).Do(req)
	must(f.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(f.t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, body: b}
	_ = json.Unmarshal(b, &a.json) // not every answer is JSON
	if a.status >= 500 && a.status != http.StatusServiceUnavailable {
		f.t.Errorf("%s %s: status %d", req.Method, req.URL.Path, a.status)
	}
	return a
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// push sends q to the PAR endpoint and returns the authorization request.
func (p *party) push(q url.Values) url.Values {
	p.f.t.Helper()
	a := p.post(op.PARPath, q)
	if a.status != http.StatusCreated {
		p.f.t.Fatalf("PAR: %d %s", a.status, a.body)
	}
	return url.Values{"client_id": {p.id}, "request_uri": {a.json["request_uri"].(string)}}
}

// browser is one citizen's browser; it follows redirects within the provider.
type browser struct {
	f      *fixture
	client *http.Client
}

func (f *fixture) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(f.t, err)
	return &browser{f: f, client: &http.Client{Jar: jar, CheckRedirect: noRedirect}}
}

// stop is where a browser has come to rest: a page, or a redirect elsewhere.
type stop struct {
	status   int
	header   http.Header
	page     page
	location string
	query    url.Values // of location
	at       *url.URL   // of a page, or location
}

func (b *browser) open(location string) stop { return b.send(http.MethodGet, location, nil) }

func (b *browser) send(method, location string, form url.Values) stop {
	b.f.t.Helper()
	for range 10 {
		var body io.Reader
		if form != nil {
			body = strings.NewReader(form.Encode())
		}
		req, err := http.NewRequest(method, location, body)
		must(b.f.t, err)
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		resp, err := b.client.Do(req)
		must(b.f.t, err)
		raw, err := io.ReadAll(resp.Body)
		must(b.f.t, err)
		must(b.f.t, resp.Body.Close())
		s := stop{status: resp.StatusCode, header: resp.Header, location: resp.Header.Get("Location")}
		b.check(req, s)
		if s.location == "" {
			s.at = req.URL
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
				must(b.f.t, json.Unmarshal(raw, &s.page))
			}
			return s
		}
		u, err := url.Parse(s.location)
		must(b.f.t, err)
		if !strings.HasPrefix(s.location, b.f.issuer+"/") || u.Path == "/konto" { // not the provider's
			s.query, s.at = u.Query(), u
			return s
		}
		method, location, form = http.MethodGet, s.location, nil
	}
	b.f.t.Fatal("too many redirects")
	return stop{}
}

// check holds for every answer whatsoever.
func (b *browser) check(req *http.Request, s stop) {
	b.f.t.Helper()
	if s.status >= 500 && s.status != http.StatusServiceUnavailable && s.status != http.StatusBadGateway {
		b.f.t.Errorf("%s %s: status %d", req.Method, req.URL, s.status)
	}
	if s.status >= 300 && s.status < 400 && s.status != http.StatusSeeOther {
		b.f.t.Errorf("%s %s: redirect with %d", req.Method, req.URL, s.status)
	}
	if s.header.Get("Access-Control-Allow-Origin") != "" {
		b.f.t.Errorf("%s %s: CORS header", req.Method, req.URL)
	}
	if s.header.Get("Cache-Control") != "no-store" || s.header.Get("Referrer-Policy") != "no-referrer" {
		b.f.t.Errorf("%s %s: headers %v", req.Method, req.URL, s.header)
	}
}

func (b *browser) authorize(q url.Values) stop {
	b.f.t.Helper()
	return b.open(b.f.issuer + op.AuthorizePath + "?" + q.Encode())
}

// login fills the login form.
func (b *browser) login(s stop, username, password string) stop {
	b.f.t.Helper()
	if s.page.Kind != "login" {
		b.f.t.Fatalf("no login page: %+v", s)
	}
	return b.send(http.MethodPost, s.page.Login.Action, url.Values{
		"csrf": {s.page.Login.CSRF}, "handle": {s.page.Login.Handle}, "username": {username}, "password": {password},
	})
}

func (b *browser) confirm(s stop, decision string) stop {
	b.f.t.Helper()
	if s.page.Kind != "confirm" {
		b.f.t.Fatalf("no information page: %+v", s)
	}
	return b.send(http.MethodPost, s.page.Confirm.Action, url.Values{
		"csrf": {s.page.Confirm.CSRF}, "handle": {s.page.Confirm.Handle}, "decision": {decision},
	})
}

// walk goes through whatever pages come and returns the answer to the client.
func (b *browser) walk(s stop) stop {
	b.f.t.Helper()
	if s.page.Kind == "login" {
		s = b.login(s, testUser, testPassword)
	}
	if s.page.Kind == "confirm" {
		s = b.confirm(s, "yes")
	}
	if s.query.Get("code") == "" {
		b.f.t.Fatalf("no code: %d %+v %s", s.status, s.page, s.location)
	}
	if s.query.Get("iss") != b.f.issuer {
		b.f.t.Fatalf("iss = %q", s.query.Get("iss"))
	}
	return s
}

// code signs in at p, by a pushed request for members, and returns the code.
func (p *party) code(b *browser, change ...string) string {
	p.f.t.Helper()
	q := p.request(change...)
	if p.key != nil {
		q = p.push(q)
	}
	return b.walk(b.authorize(q)).query.Get("code")
}

func (p *party) redeemForm(code string, change ...string) url.Values {
	q := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.redirect},
		"code_verifier": {verifier}, "client_id": {p.id},
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "" {
			q.Del(change[i])
		} else {
			q.Set(change[i], change[i+1])
		}
	}
	return q
}

// tokens is a checked token answer.
type tokens struct {
	access, id string
	claims     map[string]any
}

func (p *party) redeem(code string) tokens {
	p.f.t.Helper()
	a := p.post(op.TokenPath, p.redeemForm(code))
	if a.status != http.StatusOK {
		p.f.t.Fatalf("token: %d %s", a.status, a.body)
	}
	return p.read(a)
}

func (p *party) read(a answer) tokens {
	p.f.t.Helper()
	t := tokens{access: a.json["access_token"].(string), id: a.json["id_token"].(string)}
	opened, err := trust.Open(t.id, "JWT", *p.f.op.Metadata().JWKS)
	must(p.f.t, err)
	must(p.f.t, opened.Into(&t.claims))
	if t.claims["iss"] != p.f.issuer || t.claims["aud"] != p.id {
		p.f.t.Fatalf("ID token: %v", t.claims)
	}
	return t
}

// signIn is a complete login at p.
func (p *party) signIn(b *browser, change ...string) tokens {
	p.f.t.Helper()
	return p.redeem(p.code(b, change...))
}

func (f *fixture) userinfo(token string) answer {
	req, err := http.NewRequest(http.MethodGet, f.issuer+op.UserinfoPath, nil)
	must(f.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	return f.do(req)
}

// Assertions named after SSO.md §10.

// wantPage400 is PAGE400: our own error page, no Location.
func wantPage400(t testing.TB, s stop) {
	t.Helper()
	if s.status != http.StatusBadRequest || s.page.Kind != "fail" || s.location != "" {
		t.Fatalf("want PAGE400, got %d %s %q", s.status, s.page.Kind, s.location)
	}
}

// wantBack is BACK(code): 303 to the registered URI with error, state, iss.
func wantBack(t testing.TB, p *party, s stop, code string) {
	t.Helper()
	if s.status != http.StatusSeeOther || !strings.HasPrefix(s.location, p.redirect+"?") {
		t.Fatalf("want BACK(%s), got %d %q %+v", code, s.status, s.location, s.page)
	}
	if s.query.Get("error") != code || s.query.Get("state") != "st&te" || s.query.Get("iss") != p.f.issuer || s.query.Has("code") {
		t.Fatalf("want BACK(%s), got %v", code, s.query)
	}
}

// wantJSON is JSON400 or JSON401 with an error code.
func wantJSON(t testing.TB, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.errorCode() != code || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("want %d %s, got %d %s", status, code, a.status, a.body)
	}
}
