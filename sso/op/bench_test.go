package op_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

// instant knows everybody without a password check, as the mock connectors of
// other providers do: what is measured is the provider, not argon2id, which is
// made to be slow (see BenchmarkPassword in account).
type instant struct{}

func (instant) Check(_ context.Context, username, _, _ string) (*account.Account, error) {
	return &account.Account{ID: "a-" + username, Username: username, Level: federation.LevelNiedrig, Claims: sso.Claims{Name: username}}, nil
}

func (instant) Get(_ context.Context, id string) (*account.Account, error) {
	return &account.Account{ID: id, Level: federation.LevelNiedrig}, nil
}

func (instant) MaxLevel() federation.Level { return federation.LevelNiedrig }

// citizen drives handlers without a network: cookies in, redirects by hand.
type citizen struct {
	b       testing.TB
	handler http.Handler
	issuer  string
	cookies map[string]string
}

func (c *citizen) do(method, location string, form url.Values) *httptest.ResponseRecorder {
	for {
		r := httptest.NewRequest(method, location, strings.NewReader(form.Encode()))
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for name, v := range c.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: v})
		}
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		for _, k := range w.Result().Cookies() {
			c.cookies[k.Name] = k.Value
		}
		next := w.Header().Get("Location")
		if next == "" || !strings.HasPrefix(next, c.issuer+"/") {
			return w
		}
		method, location, form = http.MethodGet, next, nil
	}
}

// field reads a value of the JSON page that pages wrote.
func field(body, name string) string {
	_, rest, _ := strings.Cut(body, `"`+name+`":"`)
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

func (c *citizen) code(w *httptest.ResponseRecorder) string {
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || u.Query().Get("code") == "" {
		c.b.Errorf("no code: %d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	return u.Query().Get("code")
}

func (c *citizen) server(path string, form url.Values, p *party) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, c.issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.secret != "" {
		r.SetBasicAuth(url.QueryEscape(p.id), url.QueryEscape(p.secret))
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w
}

// complete is one login: request, form, information page unless the client is
// the operator's own, code, tokens. It ends in an ID token or fails b.
func (c *citizen) complete(p *party, request url.Values, username string) {
	w := c.do(http.MethodGet, c.issuer+op.AuthorizePath+"?"+request.Encode(), nil)
	if body := w.Body.String(); strings.HasPrefix(body, `{"Kind":"login"`) {
		_, body, _ = strings.Cut(body, `"Login":`)
		w = c.do(http.MethodPost, c.issuer+op.LoginPath, url.Values{
			"csrf": {field(body, "CSRF")}, "handle": {field(body, "Handle")}, "username": {username}, "password": {"x"},
		})
	}
	if body := w.Body.String(); strings.HasPrefix(body, `{"Kind":"confirm"`) {
		_, body, _ = strings.Cut(body, `"Confirm":`)
		w = c.do(http.MethodPost, c.issuer+op.ConfirmPath, url.Values{
			"csrf": {field(body, "CSRF")}, "handle": {field(body, "Handle")}, "decision": {"yes"},
		})
	}
	form := p.redeemForm(c.code(w))
	if p.key != nil {
		form.Set("client_assertion_type", protocol.AssertionURN)
		form.Set("client_assertion", p.assertion(nil))
	}
	if t := c.server(op.TokenPath, form, p); !strings.Contains(t.Body.String(), `"id_token"`) {
		c.b.Errorf("token: %d %s", t.Code, t.Body)
	}
}

func (c *citizen) pushed(p *party) url.Values {
	form := p.request()
	form.Set("client_assertion_type", protocol.AssertionURN)
	form.Set("client_assertion", p.assertion(nil))
	w := c.server(op.PARPath, form, p)
	return url.Values{"client_id": {p.id}, "request_uri": {field(w.Body.String(), "request_uri")}}
}

// benchLogins runs complete logins of so many citizens at once and reports logins per second. Signing the client's assertions is part of it.
func benchLogins(b *testing.B, st store.Store, citizens int) {
	f := newFixture(b, withStore(st), withAccounts(instant{}))
	p := f.member("Melle")
	h := f.handler.Load()
	next := make(chan struct{})
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	for range citizens {
		wg.Go(func() {
			for range next {
				c := &citizen{b: b, handler: h, issuer: f.issuer, cookies: map[string]string{}}
				c.complete(p, c.pushed(p), ledger.Random())
			}
		})
	}
	for range b.N {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "logins/s")
}

func BenchmarkCompleteLogins(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchLogins(b, store.NewMemory(nil), 8) })
	b.Run("bolt/8", func(b *testing.B) { benchLogins(b, openBolt(b), 8) })
	b.Run("bolt/32", func(b *testing.B) { benchLogins(b, openBolt(b), 32) })
	b.Run("redis", func(b *testing.B) { benchLogins(b, openRedis(b), 8) })
}

// BenchmarkWarmSignOn is the sign-on at a portal that was confirmed before:
// pushed request, authorize, token, with the client's signatures.
func BenchmarkWarmSignOn(b *testing.B) {
	for name, open := range map[string]func(testing.TB) store.Store{
		"memory": func(testing.TB) store.Store { return store.NewMemory(nil) }, "bolt": openBolt,
	} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, withStore(open(b)), withAccounts(instant{}))
			p := f.member("Melle")
			c := &citizen{b: b, handler: f.handler.Load(), issuer: f.issuer, cookies: map[string]string{}}
			c.complete(p, c.pushed(p), "erika")
			for b.Loop() {
				c.complete(p, c.pushed(p), "erika")
			}
		})
	}
}

// BenchmarkLoginsOverHTTP is the flow of recipes/loginload over loopback
// sockets: a static client of the operator's own, a form, basic authentication.
func BenchmarkLoginsOverHTTP(b *testing.B) {
	for name, open := range map[string]func(testing.TB) store.Store{
		"memory": func(testing.TB) store.Store { return store.NewMemory(nil) }, "bolt": openBolt,
	} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, withStore(open(b)), withAccounts(instant{}))
			p := f.static("portal")
			f.clients["portal"].Own = true
			tr := &http.Transport{MaxIdleConnsPerHost: 16}
			defer tr.CloseIdleConnections()
			next := make(chan struct{})
			var wg sync.WaitGroup
			b.ResetTimer()
			start := time.Now()
			for range 4 {
				wg.Go(func() {
					for range next {
						br := f.browser()
						br.client.Transport = tr
						p.redeemWith(&http.Client{Transport: tr}, br.walk(br.authorize(p.request())).query.Get("code"))
					}
				})
			}
			for range b.N {
				next <- struct{}{}
			}
			close(next)
			wg.Wait()
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "logins/s")
		})
	}
}

func (p *party) redeemWith(c *http.Client, code string) {
	req, err := http.NewRequest(http.MethodPost, p.f.issuer+op.TokenPath, strings.NewReader(p.redeemForm(code).Encode()))
	must(p.f.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(p.id), url.QueryEscape(p.secret))
	resp, err := c.Do(req)
	must(p.f.t, err)
	must(p.f.t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		p.f.t.Errorf("token: %d", resp.StatusCode)
	}
}
