package op_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
)

// Group F of SSO.md §10: logout, the provider's side.

func (b *browser) logout(q url.Values) stop {
	return b.open(b.f.issuer + op.LogoutPath + "?" + q.Encode())
}

func (b *browser) signedIn(p *party) bool {
	return b.authorize(p.push(p.request("prompt", "none"))).query.Get("code") != ""
}

// wantAsked: a confirmation page, no redirect, and the session goes on.
func wantAsked(t *testing.T, b *browser, p *party, s stop) {
	t.Helper()
	if s.page.Kind != "logout" || s.page.Logout.Done || s.page.Logout.CSRF == "" || s.location != "" {
		t.Fatalf("not asked: %+v %q", s.page, s.location)
	}
	if !b.signedIn(p) {
		t.Fatal("logged out without being asked")
	}
}

func (b *browser) answerLogout(s stop) stop {
	l := s.page.Logout
	return b.send(http.MethodPost, l.Action, url.Values{"csrf": {l.CSRF}, "handle": {l.Handle}})
}

func TestF_LogoutEverywhere(t *testing.T) {
	f := newFixture(t)
	a, b, c := f.member("Melle"), f.member("Bissendorf"), f.member("Bad Essen")
	br := f.browser()
	tokA := a.signIn(br)
	b.signIn(br)
	tokC := c.signIn(br)
	s := br.logout(url.Values{"id_token_hint": {tokC.id}, "client_id": {c.id}, "post_logout_redirect_uri": {c.id + "/abgemeldet"}, "state": {"x"}})
	l := s.page.Logout
	if !l.Done || len(l.Results) != 3 || l.Results[0].Portal != "Melle" || l.Return != c.id+"/abgemeldet?state=x" || l.ReturnName != "Bad Essen" {
		t.Fatalf("%+v", l)
	}
	for _, r := range l.Results {
		if !r.OK {
			t.Errorf("%s not reached", r.Portal)
		}
	}
	if br.signedIn(a) {
		t.Fatal("still signed in at the provider")
	}
	if u := f.userinfo(tokA.access); u.status != http.StatusUnauthorized {
		t.Fatalf("access token outlives the session: %d", u.status)
	}
	for _, p := range []*party{a, b, c} {
		if len(p.received()) != 1 {
			t.Fatalf("%s got %d logout tokens", p.id, len(p.received()))
		}
	}
	opened, err := trust.Open(a.received()[0], "logout+jwt", *f.op.Metadata().JWKS)
	must(t, err)
	must(t, opened.Check(time.Now()))
	var v map[string]any
	must(t, opened.Into(&v))
	event, ok := v["events"].(map[string]any)["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if !ok || len(event) != 0 || v["aud"] != a.id || v["iss"] != f.issuer || v["jti"] == "" || v["nonce"] != nil ||
		v["sid"] != tokA.claims["sid"] || v["sub"] != tokA.claims["sub"] {
		t.Fatalf("logout token %v", v)
	}
}

func TestOIDCC_BackchannelRPInitiatedLogout(t *testing.T) { TestF_LogoutEverywhere(t) }

func TestOIDCC_RPInitiatedLogout(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	b := f.browser()
	tok := s.signIn(b)
	f.clients["dienst"].BackchannelLogoutURI = f.member("x").id + "/logout"
	got := b.logout(url.Values{"id_token_hint": {tok.id}, "post_logout_redirect_uri": {"https://service.example/out"}, "state": {"abc"}})
	if got.location != "https://service.example/out?state=abc" {
		t.Fatalf("%+v %q", got.page, got.location)
	}
}

func TestF76_BadHints(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	tok := p.signIn(b)
	parts := strings.Split(tok.id, ".")
	foreign, err := trust.KeyFromSeed([]byte("foreign"))
	must(t, err)
	forged, err := trust.Sign(foreign, "JWT", map[string]any{"iss": f.issuer, "aud": p.id, "sub": tok.claims["sub"], "sid": tok.claims["sid"]})
	must(t, err)
	opKey, err := trust.KeyFromSeed([]byte("op"))
	must(t, err)
	otherIssuer, err := trust.Sign(opKey, "JWT", map[string]any{"iss": "https://other.example", "aud": p.id, "sub": tok.claims["sub"], "sid": tok.claims["sid"]})
	must(t, err)
	logoutToken, err := trust.Sign(opKey, "logout+jwt", map[string]any{"iss": f.issuer, "aud": p.id, "sub": tok.claims["sub"], "sid": tok.claims["sid"]})
	must(t, err)
	for name, hint := range map[string]string{
		"alg none": enc(map[string]string{"alg": "none", "typ": "JWT", "kid": "x"}) + "." + parts[1] + ".", "foreign signature": forged,
		"one byte changed": parts[0] + "." + parts[1][:10] + "A" + parts[1][11:] + "." + parts[2], "other issuer": otherIssuer, "logout token": logoutToken,
	} {
		t.Run(name, func(t *testing.T) {
			wantAsked(t, b, p, b.logout(url.Values{"id_token_hint": {hint}, "client_id": {p.id}, "post_logout_redirect_uri": {p.id + "/abgemeldet"}}))
		})
	}
}

func TestF77_HintOfAnotherCitizen(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	mine, other := f.browser(), f.browser()
	p.signIn(mine)
	tok := p.signIn(other)
	wantAsked(t, mine, p, mine.logout(url.Values{"id_token_hint": {tok.id}}))
	if !other.signedIn(p) {
		t.Fatal("the other citizen was logged out")
	}
}

func TestF79_GetNeverLogsOutSilently(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	p.signIn(b)
	wantAsked(t, b, p, b.logout(nil))
	wantAsked(t, b, p, b.logout(url.Values{"client_id": {p.id}, "post_logout_redirect_uri": {p.id + "/abgemeldet"}}))
	s := b.logout(nil)
	if got := b.send(http.MethodPost, s.page.Logout.Action, url.Values{"csrf": {"x"}, "handle": {s.page.Logout.Handle}}); got.status != http.StatusForbidden {
		t.Fatalf("foreign token: %d", got.status)
	}
	done := b.answerLogout(s)
	if !done.page.Logout.Done || b.signedIn(p) || len(p.received()) != 1 {
		t.Fatalf("%+v", done.page)
	}
	if again := b.answerLogout(s); again.status != http.StatusForbidden {
		t.Fatalf("replayed: %d", again.status)
	}
}

func TestOIDCC_RPInitiatedLogoutNoIDTokenHint(t *testing.T) { TestF79_GetNeverLogsOutSilently(t) }

func TestF80_PostLogoutRedirectNotRegistered(t *testing.T) {
	f := newFixture(t)
	p := f.static("dienst")
	for _, uri := range []string{"https://evil.example/", "https://service.example/out?x=1", "https://service.example/out/"} {
		b := f.browser()
		tok := p.signIn(b)
		s := b.logout(url.Values{"id_token_hint": {tok.id}, "post_logout_redirect_uri": {uri}, "state": {"x"}})
		if s.location != "" || s.page.Logout.Return != "" {
			t.Fatalf("%s: %q %+v", uri, s.location, s.page.Logout)
		}
	}
}

func TestOIDCC_RPInitiatedLogoutBadPostLogoutRedirectURI(t *testing.T) {
	TestF80_PostLogoutRedirectNotRegistered(t)
}

func TestF81_StateWithoutRedirectAndNoParameters(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	p.signIn(b)
	for _, q := range []url.Values{{"state": {"x"}}, nil} {
		s := b.logout(q)
		wantAsked(t, b, p, s)
	}
	if s := f.browser().logout(nil); !s.page.Logout.Done || len(s.page.Logout.Results) != 0 || s.location != "" {
		t.Fatalf("nobody signed in: %+v", s.page)
	}
}

func TestF88_PortalThatDoesNotAnswer(t *testing.T) {
	elsewhere := 0
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm() // with the body read, the server notices that the caller has gone
			<-r.Context().Done()
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/logout" {
				elsewhere++
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		},
		"sends for ever": func(w http.ResponseWriter, r *http.Request) {
			chunk := make([]byte, 64<<10)
			w.WriteHeader(http.StatusBadGateway)
			for range 1 << 14 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
		"refuses": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadRequest) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			good, bad := f.member("Melle"), f.member("Bissendorf")
			bad.setAnswer(answer)
			b := f.browser()
			good.signIn(b)
			tok := bad.signIn(b)
			start := time.Now()
			s := b.logout(url.Values{"id_token_hint": {tok.id}})
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("the citizen waited %v", took)
			}
			if r := s.page.Logout.Results; len(r) != 2 || !r[0].OK || r[1].OK || r[1].Portal != "Bissendorf" {
				t.Fatalf("%+v", r)
			}
			if !strings.Contains(f.log.String(), "logout not delivered") {
				t.Error("no event")
			}
		})
	}
	if elsewhere > 0 {
		t.Fatal("a redirect was followed")
	}
}

// What was not delivered is tried again with growing pauses, and once only
// after it was.
func TestF_LogoutIsDeliveredAgain(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	down := func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	p.setAnswer(down)
	b := f.browser()
	tok := p.signIn(b)
	if s := b.logout(url.Values{"id_token_hint": {tok.id}}); s.page.Logout.Results[0].OK {
		t.Fatal("reported as reached")
	}
	p.setAnswer(nil)
	f.clock.Elapse(6 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.op.Run(ctx) }()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(p.received()) == 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not delivered again")
		}
	}
	cancel()
	must(t, <-done)
	left := 0
	must(t, f.store.Scan(t.Context(), "op/notice/", func(string, []byte) bool { left++; return true }))
	if n := len(p.received()); n != 1 || left != 0 {
		t.Fatalf("%d deliveries, %d notices left", n, left)
	}
}

func TestF_EndAllEndsEveryBrowser(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	one, two := f.browser(), f.browser()
	p.signIn(one)
	p.signIn(two)
	acc, err := f.accounts.Find(t.Context(), testUser)
	must(t, err)
	results, err := f.op.EndAll(t.Context(), acc.ID)
	must(t, err)
	if len(results) != 2 || one.signedIn(p) || two.signedIn(p) || len(p.received()) != 2 {
		t.Fatalf("%+v", results)
	}
	if _, err := f.op.Forget(t.Context(), acc.ID); err != nil {
		t.Fatal(err)
	}
	if h, err := f.op.History(t.Context(), acc.ID); err != nil || len(h) != 0 {
		t.Fatalf("history after Forget: %v %v", h, err)
	}
}
