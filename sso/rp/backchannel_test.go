package rp

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/rp/rptest"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func TestBackchannelLogout(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	if status, _ := p.backchannel(t, must(p.op.LogoutToken(p.url, nil))(t)); status != http.StatusOK {
		t.Fatalf("status %d, want 200", status)
	}
	if b.signedIn(t) {
		t.Error("the session lives on")
	}
	if status, _ := p.backchannel(t, must(p.op.LogoutToken(p.url, nil))(t)); status != http.StatusOK {
		t.Errorf("nothing to log out: %d, want 200", status)
	}
	// The clock stands still: this login was begun in the instant of the logout.
	if pg := b.get(t, p.url+"/anmelden"); !strings.Contains(pg.body, "code=login_required") {
		t.Errorf("login that overlaps the logout: %d %q, want login_required", pg.status, pg.body)
	}
	p.clock.Add(time.Second)
	if pg := b.get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") {
		t.Errorf("a new login after the logout: %q", pg.body)
	}
}

// logoutRefused posts a spoiled token and checks: 400 with a JSON error and the
// session untouched.
func logoutRefused(t *testing.T, spoil func(p *portal, header, claims map[string]any)) {
	t.Helper()
	p := newPortal(t)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	token := must(p.op.LogoutToken(p.url, func(h, c map[string]any) { spoil(p, h, c) }))(t)
	status, code := p.backchannel(t, token)
	if status != http.StatusBadRequest || code != "invalid_request" {
		t.Errorf("answer %d %q, want 400 invalid_request", status, code)
	}
	if !b.signedIn(t) {
		t.Error("the session was ended")
	}
}

func TestF82_LogoutTokenAlgorithm(t *testing.T) {
	for name, spoil := range map[string]func(p *portal, h, c map[string]any){
		"none":        func(_ *portal, h, _ map[string]any) { h["alg"] = "none" },
		"HS256":       func(_ *portal, h, _ map[string]any) { h["alg"] = "HS256" },
		"RS256":       func(_ *portal, h, _ map[string]any) { h["alg"] = "RS256" },
		"unknown kid": func(_ *portal, h, _ map[string]any) { h["kid"] = "other" },
		"no kid":      func(_ *portal, h, _ map[string]any) { delete(h, "kid") },
	} {
		t.Run(name, func(t *testing.T) { logoutRefused(t, spoil) })
	}
	t.Run("key of another OP", func(t *testing.T) {
		p := newPortal(t)
		b := p.browser(t)
		b.get(t, p.url+"/anmelden")
		p.other.Change(func(o *rptest.OP) { o.SID = "sid-erika" })
		token := must(p.other.LogoutToken(p.url, func(_, c map[string]any) { c["iss"] = p.op.Issuer }))(t)
		if status, _ := p.backchannel(t, token); status != http.StatusBadRequest || !b.signedIn(t) {
			t.Errorf("status %d", status)
		}
	})
}

func TestF83_LogoutTokenClaims(t *testing.T) {
	for name, spoil := range map[string]func(p *portal, h, c map[string]any){
		"iss of another OP":  func(p *portal, _, c map[string]any) { c["iss"] = p.other.Issuer },
		"iss unknown":        func(_ *portal, _, c map[string]any) { c["iss"] = "https://stranger.example" },
		"iss with slash":     func(p *portal, _, c map[string]any) { c["iss"] = p.op.Issuer + "/" },
		"iss missing":        func(_ *portal, _, c map[string]any) { delete(c, "iss") },
		"aud wrong":          func(_ *portal, _, c map[string]any) { c["aud"] = "https://stranger.example" },
		"aud with stranger":  func(p *portal, _, c map[string]any) { c["aud"] = []string{p.url, "https://s.example"} },
		"aud missing":        func(_ *portal, _, c map[string]any) { delete(c, "aud") },
		"no events":          func(_ *portal, _, c map[string]any) { delete(c, "events") },
		"events empty":       func(_ *portal, _, c map[string]any) { c["events"] = map[string]any{} },
		"events a string":    func(_ *portal, _, c map[string]any) { c["events"] = logoutEvent },
		"other event":        func(_ *portal, _, c map[string]any) { c["events"] = map[string]any{"http://x": map[string]any{}} },
		"event value string": func(_ *portal, _, c map[string]any) { c["events"] = map[string]any{logoutEvent: "x"} },
		"event value array":  func(_ *portal, _, c map[string]any) { c["events"] = map[string]any{logoutEvent: []any{}} },
		"event value null":   func(_ *portal, _, c map[string]any) { c["events"] = map[string]any{logoutEvent: nil} },
		"with nonce":         func(_ *portal, _, c map[string]any) { c["nonce"] = "n" },
		"with nonce null":    func(_ *portal, _, c map[string]any) { c["nonce"] = nil },
		"no jti":             func(_ *portal, _, c map[string]any) { delete(c, "jti") },
		"no iat":             func(_ *portal, _, c map[string]any) { delete(c, "iat") },
		"no exp":             func(_ *portal, _, c map[string]any) { delete(c, "exp") },
		"exp past":           func(p *portal, _, c map[string]any) { c["exp"] = p.clock.Now().Unix() },
		"iat future":         func(p *portal, _, c map[string]any) { c["iat"] = p.clock.Now().Add(2 * time.Minute).Unix() },
		"an hour old": func(p *portal, _, c map[string]any) {
			c["iat"], c["exp"] = p.clock.Now().Add(-time.Hour).Unix(), p.clock.Now().Add(time.Hour).Unix()
		},
		"no sid":          func(_ *portal, _, c map[string]any) { delete(c, "sid") },
		"no sid, no sub":  func(_ *portal, _, c map[string]any) { delete(c, "sid"); delete(c, "sub") },
		"sid with a line": func(_ *portal, _, c map[string]any) { c["sid"] = "a\nb" },
		"typ JWT":         func(_ *portal, h, _ map[string]any) { h["typ"] = "JWT" },
		"no typ":          func(_ *portal, h, _ map[string]any) { delete(h, "typ") },
	} {
		t.Run(name, func(t *testing.T) { logoutRefused(t, spoil) })
	}
}

func TestF85_LogoutTokenReplayed(t *testing.T) {
	p := newPortal(t)
	token := must(p.op.LogoutToken(p.url, nil))(t)
	if status, _ := p.backchannel(t, token); status != http.StatusOK {
		t.Fatalf("first: %d", status)
	}
	p.clock.Add(time.Second)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	if status, _ := p.backchannel(t, token); status != http.StatusBadRequest || !b.signedIn(t) {
		t.Errorf("replay: %d, signed in %v; want 400 and no second effect", status, b.signedIn(t))
	}

	token = must(p.op.LogoutToken(p.url, nil))(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	good := 0
	for range 50 {
		wg.Go(func() {
			status, _ := p.backchannel(t, token)
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusOK {
				good++
			}
		})
	}
	wg.Wait()
	if good != 1 {
		t.Errorf("%d of 50 at once were accepted, want 1", good)
	}
}

func TestF86_IDTokenAsLogoutToken(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	var id string
	p.op.Change(func(o *rptest.OP) { o.Faults.Raw = func(s string) string { id = s; return s } })
	b.get(t, p.url+"/anmelden")
	if status, code := p.backchannel(t, id); status != http.StatusBadRequest || code == "" || !b.signedIn(t) {
		t.Errorf("ID token as logout token: %d %q, signed in %v", status, code, b.signedIn(t))
	}
}

func TestF87_SidOfASessionFromAnotherOP(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	p.other.Change(func(o *rptest.OP) { o.SID = "shared-sid" })
	p.op.Change(func(o *rptest.OP) { o.SID = "shared-sid" })
	b.get(t, p.url+"/anmelden?op="+url.QueryEscape(p.other.Issuer))
	if !b.signedIn(t) {
		t.Fatal("no login at the second provider")
	}
	if status, _ := p.backchannel(t, must(p.op.LogoutToken(p.url, nil))(t)); status != http.StatusOK {
		t.Errorf("genuine token of A: %d, want 200", status)
	}
	if !b.signedIn(t) {
		t.Error("the session of B was ended by A")
	}
}

func TestBackchannelBodies(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	good := must(p.op.LogoutToken(p.url, nil))(t)
	for name, form := range map[string]url.Values{
		"no token":     {},
		"empty":        {"logout_token": {""}},
		"twice":        {"logout_token": {good, good}},
		"100 kB":       {"logout_token": {strings.Repeat("A", 100<<10)}},
		"100,000 dots": {"logout_token": {strings.Repeat(".", 30000)}},
	} {
		if pg := b.post(t, p.url+BackchannelPath, form); pg.status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", name, pg.status)
		}
	}
	req := must(http.NewRequest(http.MethodPost, p.url+BackchannelPath, strings.NewReader(`{"logout_token":"`+good+`"}`)))(t)
	req.Header.Set("Content-Type", "application/json")
	if pg := b.do(t, req); pg.status != http.StatusBadRequest {
		t.Errorf("JSON body: %d, want 400", pg.status)
	}
	if pg := b.post(t, p.url+BackchannelPath+"?logout_token="+good, url.Values{}); pg.status != http.StatusBadRequest {
		t.Errorf("token in the query: %d, want 400", pg.status)
	}
}

func FuzzLogoutIssuer(f *testing.F) {
	k, err := rptest.NewES256("k")
	if err != nil {
		f.Fatal(err)
	}
	good, err := k.Token(map[string]any{"alg": "ES256", "kid": "k", "typ": "logout+jwt"}, map[string]any{"iss": "https://a.example", "events": map[string]any{logoutEvent: map[string]any{}}})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, "a.b.c", "e30.e30.e30", strings.Repeat(".", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		iss, err := provider.LogoutIssuer(s)
		if err == nil && iss == "" {
			t.Error("no issuer and no error")
		}
		if err == nil && trust.CheckJSON(payload(t, s)) != nil {
			t.Error("a token with malformed claims was read")
		}
	})
}
