package rp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/rptest"
	"rathausnetz/sso/session"
)

// providers is a network of providers that tests change.
type providers struct {
	mu   sync.Mutex
	byID map[federation.EntityID]*Provider
	home federation.EntityID
}

func (p *providers) Provider(_ context.Context, issuer federation.EntityID) (*Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.byID[issuer]
	if v == nil {
		return nil, ErrUnknownProvider
	}
	cp := *v
	return &cp, nil
}

func (p *providers) Issuers() []federation.EntityID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []federation.EntityID
	for id := range p.byID {
		out = append(out, id)
	}
	return out
}

func (p *providers) Home() federation.EntityID { return p.home }

func (p *providers) change(issuer string, f func(*Provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p.byID[federation.EntityID(issuer)])
}

func (p *providers) drop(issuer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byID, federation.EntityID(issuer))
}

// pages writes what a page would say in one line.
type pages struct{}

func (pages) LoginPage(http.ResponseWriter, *http.Request, int, sso.LoginPage) {}
func (pages) ConfirmPage(http.ResponseWriter, *http.Request, sso.ConfirmPage)  {}
func (pages) LinkPage(http.ResponseWriter, *http.Request, sso.LinkPage)        {}

func (pages) LogoutPage(w http.ResponseWriter, _ *http.Request, p sso.LogoutPage) {
	_, _ = fmt.Fprintf(w, "logout done=%v csrf=%s", p.Done, p.CSRF)
}

func (pages) FailPage(w http.ResponseWriter, _ *http.Request, p sso.FailPage) {
	w.WriteHeader(p.Status)
	_, _ = fmt.Fprintf(w, "fail code=%s retry=%s", html.EscapeString(p.Code), p.Retry)
}

// portal is one portal with its relying party, and a provider beside it.
type portal struct {
	*RP
	url   string
	clock *clocktest.Clock
	store *faultyStore
	ops   *providers
	op    *rptest.OP
	other *rptest.OP // a second provider of the network
	log   *safeBuffer
	http  *http.Transport
	// replica puts another replica, which shares only the store, in the place
	// of the one that served so far.
	replica func(*testing.T)
}

// safeBuffer is written by handlers and read by tests.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// faultyStore is a memory store that can be away.
type faultyStore struct {
	*store.Memory
	mu   sync.Mutex
	away bool
}

func (s *faultyStore) setAway(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = v
}

func (s *faultyStore) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return store.ErrUnavailable
	}
	return nil
}

func (s *faultyStore) Get(ctx context.Context, key string) ([]byte, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Memory.Get(ctx, key)
}

func (s *faultyStore) Create(ctx context.Context, key string, v []byte, ttl time.Duration) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Memory.Create(ctx, key, v, ttl)
}

func (s *faultyStore) Take(ctx context.Context, key string) ([]byte, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Memory.Take(ctx, key)
}

func (s *faultyStore) count(t *testing.T, prefix string) int {
	t.Helper()
	n := 0
	if err := s.Scan(context.Background(), prefix, func(string, []byte) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newPortal starts a portal on 127.0.0.2 and two providers on 127.0.0.1 and
// 127.0.0.3, so that their cookies do not mix.
func newPortal(t *testing.T, change ...func(*Config)) *portal {
	t.Helper()
	p := &portal{
		clock: clocktest.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		ops:   &providers{byID: map[federation.EntityID]*Provider{}},
		log:   &safeBuffer{}, http: &http.Transport{},
	}
	p.store = &faultyStore{Memory: store.NewMemory(p.clock.Now)}
	p.op = p.newOP(t, "127.0.0.1:0")
	p.other = p.newOP(t, "127.0.0.3:0")
	p.ops.home = federation.EntityID(p.op.Issuer)
	mux := http.NewServeMux()
	srv := httptest.NewUnstartedServer(mux)
	l := must(net.Listen("tcp", "127.0.0.2:0"))(t)
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = l
	srv.Start()
	t.Cleanup(func() { srv.Close(); p.http.CloseIdleConnections() })
	p.url = srv.URL
	log := slog.New(slog.NewTextHandler(io.MultiWriter(p.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := Config{
		Self: federation.EntityID(p.url), Name: "Gemeinde Probe", Providers: p.ops, Store: p.store, Pages: pages{},
		Keys:     &trust.Keys{Protocol: []*trust.Key{must(trust.KeyFromSeed([]byte("portal")))(t)}},
		Sessions: must(session.New(session.Config{Store: p.store, Now: p.clock.Now, Log: log}))(t),
		HTTP:     &http.Client{Transport: p.http}, Now: p.clock.Now, Log: log,
		LoginsPerMinute: 10000,
	}
	for _, f := range change {
		f(&c)
	}
	p.RP = must(New(c))(t)
	p.replica = func(t *testing.T) { t.Helper(); p.RP = must(New(c))(t) }
	m := p.Metadata()
	for _, op := range []*rptest.OP{p.op, p.other} {
		op.Change(func(o *rptest.OP) {
			o.Clients = []rptest.Client{{ID: p.url, RedirectURIs: m.RedirectURIs, Keys: *m.JWKS}}
		})
	}
	mux.HandleFunc(LoginPath, func(w http.ResponseWriter, r *http.Request) { p.RP.Login(w, r) })
	mux.HandleFunc(CallbackPath, func(w http.ResponseWriter, r *http.Request) { p.RP.Callback(w, r) })
	mux.HandleFunc(InitiatePath, func(w http.ResponseWriter, r *http.Request) { p.RP.Initiate(w, r) })
	mux.HandleFunc(BackchannelPath, func(w http.ResponseWriter, r *http.Request) { p.RP.BackchannelLogout(w, r) })
	mux.HandleFunc(LogoutPath, func(w http.ResponseWriter, r *http.Request) { p.RP.Logout(w, r) })
	mux.HandleFunc("/hoch/", p.guarded(federation.LevelHoch))
	mux.HandleFunc("/antrag/", p.guarded(federation.LevelSubstanziell))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.who(w, r) })
	t.Cleanup(func() { p.checkLog(t) })
	return p
}

func (p *portal) newOP(t *testing.T, addr string) *rptest.OP {
	t.Helper()
	op := must(rptest.Start(rptest.Config{Addr: addr, Now: p.clock.Now}))(t)
	t.Cleanup(op.Close)
	p.ops.byID[federation.EntityID(op.Issuer)] = FromMetadata(op.Metadata(), nil)
	return op
}

func (p *portal) who(w http.ResponseWriter, r *http.Request) {
	s, err := p.c.Sessions.Get(r)
	if errors.Is(err, session.ErrNone) || errors.Is(err, session.ErrExpired) {
		_, _ = fmt.Fprint(w, "nobody")
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = fmt.Fprintf(w, "%s %s at %s", s.Identity.Claims.Name, s.Identity.Level, r.URL.RequestURI())
}

// guarded is a form page: a POST without enough level keeps its draft.
func (p *portal) guarded(need federation.Level) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o LoginOptions
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			name, err := p.c.Sessions.SaveDraft(r.Context(), session.Draft{Path: r.URL.Path, Values: r.PostForm})
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			o.Draft = name
		}
		s, ok := p.Require(w, r, need, o)
		if !ok {
			return
		}
		d, err := p.c.Sessions.TakeDraft(r.Context(), s, r.URL.Path)
		if err != nil && !errors.Is(err, session.ErrNoDraft) {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s form %v", s.Identity.Claims.Name, s.Identity.Level, d.Values)
	}
}

// checkLog: no code, token, secret, name or subject is ever in a log.
func (p *portal) checkLog(t *testing.T) {
	for _, bad := range []string{"eyJ", "Mustermann", "pairwise-erika", "id_token=", "code_verifier", "Bearer"} {
		if i := strings.Index(p.log.String(), bad); i >= 0 {
			t.Errorf("%q is in the log", bad)
		}
	}
}

// browser has cookies of its own and follows redirects one by one.
type browser struct {
	c *http.Client
	p *portal
}

func (p *portal) browser(t *testing.T) *browser {
	t.Helper()
	jar := must(cookiejar.New(nil))(t)
	return &browser{p: p, c: &http.Client{
		Jar: jar, Transport: p.http, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is where a browser has arrived.
type page struct {
	status   int
	body     string
	url      string
	location string
	header   http.Header
}

func (b *browser) do(t *testing.T, req *http.Request) page {
	t.Helper()
	res := must(b.c.Do(req))(t)
	body := must(io.ReadAll(res.Body))(t)
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return page{status: res.StatusCode, body: string(body), url: req.URL.String(), location: res.Header.Get("Location"), header: res.Header}
}

func (b *browser) once(t *testing.T, target string) page {
	t.Helper()
	return b.do(t, must(http.NewRequest(http.MethodGet, target, nil))(t))
}

// follow goes on from pg until a page is reached that does not redirect.
func (b *browser) follow(t *testing.T, pg page) page {
	t.Helper()
	for range 12 {
		if pg.status < 300 || pg.status > 399 {
			return pg
		}
		if pg.status != http.StatusSeeOther {
			t.Fatalf("%s answered %d, only 303 is allowed", pg.url, pg.status)
		}
		base := must(url.Parse(pg.url))(t)
		pg = b.once(t, must(base.Parse(pg.location))(t).String())
	}
	t.Fatal("too many redirects")
	return pg
}

func (b *browser) get(t *testing.T, target string) page {
	t.Helper()
	return b.follow(t, b.once(t, target))
}

func (b *browser) post(t *testing.T, target string, form url.Values) page {
	t.Helper()
	req := must(http.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode())))(t)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(t, req)
}

// callback begins a login and returns the provider's answer without opening it.
func (b *browser) callback(t *testing.T, start string) string {
	t.Helper()
	pg := b.once(t, start)
	for range 5 {
		if pg.status != http.StatusSeeOther {
			t.Fatalf("%s answered %d %s", pg.url, pg.status, pg.body)
		}
		if strings.HasPrefix(pg.location, b.p.url+CallbackPath) {
			return pg.location
		}
		pg = b.once(t, pg.location)
	}
	t.Fatal("the provider never answered")
	return ""
}

func (b *browser) signedIn(t *testing.T) bool {
	t.Helper()
	return b.once(t, b.p.url+"/wer").body != "nobody"
}

// refused checks for PAGE400: an error page of our own, no redirect, nobody
// signed in, one record in the log.
func (b *browser) refused(t *testing.T, pg page, code string) {
	t.Helper()
	if pg.status != http.StatusBadRequest || pg.location != "" || !strings.HasPrefix(pg.url, b.p.url) {
		t.Errorf("answer %d %q at %s, Location %q; want PAGE400", pg.status, pg.body, pg.url, pg.location)
	}
	if !strings.Contains(pg.body, "code="+code+" ") {
		t.Errorf("page says %q, want code %s", pg.body, code)
	}
	if b.signedIn(t) {
		t.Error("somebody is signed in now")
	}
	if n := strings.Count(b.p.log.String(), "login refused"); n != 1 {
		t.Errorf("%d records of the refusal in the log, want 1", n)
	}
}

func (p *portal) backchannel(t *testing.T, token string) (int, string) {
	t.Helper()
	pg := p.browser(t).post(t, p.url+BackchannelPath, url.Values{"logout_token": {token}})
	if cc := pg.header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control is %q, want no-store", cc)
	}
	var v struct {
		Error string `json:"error"`
	}
	if pg.status != http.StatusOK {
		if err := json.Unmarshal([]byte(pg.body), &v); err != nil {
			t.Errorf("the refusal is no JSON: %q", pg.body)
		}
	}
	return pg.status, v.Error
}
