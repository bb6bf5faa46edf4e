package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store/storetest"
	"rathausnetz/sso/op"
)

// Group J of SSO.md §10: JOSE and HTTP layer, the provider's share.

func TestJ140_ShapesRefusedBeforeTheLibrary(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	good := p.assertion(nil)
	for name, compact := range map[string]string{
		"many dots": strings.Repeat(".", 20_000), "JWE": good + ".AAAA.AAAA", "JSON": `{"payload":"x","signatures":[]}`,
		"two parts": good[:strings.LastIndex(good, ".")], "line break": good[:10] + "\n" + good[10:],
		"b64 false": enc(map[string]any{"alg": "ES256", "typ": "JWT", "kid": p.key.ID(), "b64": false, "crit": []string{"b64"}}) + good[strings.Index(good, "."):],
	} {
		t.Run(name, func(t *testing.T) {
			wantJSON(t, withAssertion(p, compact), http.StatusUnauthorized, "invalid_client")
		})
	}
}

func TestJ142_KeyMaterialInTheHeaderIsIgnored(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	own := enc(map[string]any{"alg": "ES256", "typ": "JWT", "kid": "attacker", "jku": f.issuer + "/x", "jwk": map[string]string{"kty": "EC"}})
	a := p.assertion(nil)
	wantJSON(t, withAssertion(p, own+a[strings.Index(a, "."):]), http.StatusUnauthorized, "invalid_client")
}

func TestJ143_BodiesAndMethods(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	send := func(method, path, contentType, body string) answer {
		req, err := http.NewRequest(method, f.issuer+path, strings.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", contentType)
		return f.do(req)
	}
	const formType = "application/x-www-form-urlencoded"
	for _, path := range []string{op.TokenPath, op.PARPath, op.RevokePath} {
		wantJSON(t, send(http.MethodPost, path, "application/json", `{"grant_type":"authorization_code"}`), http.StatusBadRequest, "invalid_request")
		wantJSON(t, send(http.MethodPost, path, formType, "code="+strings.Repeat("a", 11<<20)), http.StatusRequestEntityTooLarge, "invalid_request")
		wantJSON(t, send(http.MethodPost, path, formType, "a=%zz"), http.StatusBadRequest, "invalid_request")
		wantJSON(t, send(http.MethodPost, path, formType, "a=%ff"), http.StatusBadRequest, "invalid_request")
		for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodDelete} {
			if a := send(method, path, formType, ""); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
				t.Errorf("%s %s: %d", method, path, a.status)
			}
		}
	}
	form := p.redeemForm("x")
	form["code"] = []string{"x", "y"}
	wantJSON(t, p.post(op.TokenPath, form), http.StatusBadRequest, "invalid_request")
}

func TestJ145_ForgedHostAndForwardedHeaders(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	req, err := http.NewRequest(http.MethodGet, f.issuer+op.AuthorizePath+"?"+s.request().Encode(), nil)
	must(t, err)
	req.Host = "evil.example"
	req.Header.Set("X-Forwarded-Host", "evil.example")
	req.Header.Set("X-Forwarded-For", "203.0.113.1")
	req.Header.Set("Forwarded", "host=evil.example")
	a := f.do(req)
	if l := a.header.Get("Location"); !strings.HasPrefix(l, f.issuer+op.LoginPath) {
		t.Fatalf("led to %q", l)
	}
	if c := a.header.Get("Set-Cookie"); strings.Contains(c, "evil") || strings.Contains(c, "Domain") || !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
		t.Fatalf("cookie %q", c)
	}
	req, err = http.NewRequest(http.MethodGet, f.issuer+op.DiscoveryPath, nil)
	must(t, err)
	req.Host = "evil.example"
	if got := f.do(req); strings.Contains(string(got.body), "evil") {
		t.Fatal("the issuer follows the Host header")
	}
}

func TestJ_SecureCookies(t *testing.T) {
	f := newFixture(t, func(_ *fixture, c *op.Config) { c.Secure = true })
	s := f.static("dienst")
	req, err := http.NewRequest(http.MethodGet, f.issuer+op.AuthorizePath+"?"+s.request().Encode(), nil)
	must(t, err)
	c := f.do(req).header.Get("Set-Cookie")
	if !strings.HasPrefix(c, "__Host-rn-op-b=") || !strings.Contains(c, "Secure") || !strings.Contains(c, "Path=/") {
		t.Fatalf("cookie %q", c)
	}
}

// Redis hangs, comes back, and dies in the middle of logins: nothing is
// assumed unused, callers are told to wait, and it heals without a restart.
func TestJ147_RedisHungAndDown(t *testing.T) {
	r := storetest.StartRedis(t)
	f := newFixture(t, withStore(openRedisAt(t, r.Addr)))
	p := f.member("Melle")
	b := f.browser()
	code := p.code(b)
	want503 := func(what string) {
		t.Helper()
		start := time.Now()
		a := p.post(op.TokenPath, p.redeemForm(code))
		wantJSON(t, a, http.StatusServiceUnavailable, "temporarily_unavailable")
		if a.header.Get("Retry-After") == "" || time.Since(start) > 8*time.Second {
			t.Fatalf("%s: Retry-After %q after %v", what, a.header.Get("Retry-After"), time.Since(start))
		}
		q := url.Values{"client_id": {p.id}, "request": {p.object(p.request(), nil)}}
		if s := f.browser().authorize(q); s.status != http.StatusServiceUnavailable || s.page.Fail.RetryAfter == 0 {
			t.Fatalf("%s: page %d %+v", what, s.status, s.page)
		}
	}
	must(t, r.Cmd.Process.Signal(syscall.SIGSTOP))
	want503("hung")
	must(t, r.Cmd.Process.Signal(syscall.SIGCONT))
	var first answer
	for range 50 {
		if first = p.post(op.TokenPath, p.redeemForm(code)); first.status != http.StatusServiceUnavailable {
			break
		}
	}
	// What Redis did while nobody saw its answers may have spent the code; it
	// is redeemed at most once in any case.
	if first.status != http.StatusOK && first.errorCode() != "invalid_grant" {
		t.Fatalf("after recovery: %d %s", first.status, first.body)
	}
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
	p.signIn(f.browser())
	r.Kill(t)
	want503("killed")
}

// Two replicas of the provider on one Redis: a login begun at one ends at the
// other, and a code works once across both.
func TestTwoReplicasOnOneRedis(t *testing.T) {
	addr := storetest.StartRedis(t).Addr
	one := newFixture(t, withStore(openRedisAt(t, addr)))
	two, err := op.New(op.Config{
		Issuer: federation.EntityID(one.issuer), Keys: one.keys, Clients: one, Accounts: one.accounts, Pages: pages{},
		Salt: []byte("0123456789abcdef"), HTTP: &http.Client{}, Store: openRedisAt(t, addr), Now: one.clock.Now,
	})
	must(t, err)
	p := one.member("Melle")
	b := one.browser()
	s := b.login(b.authorize(p.push(p.request())), testUser, testPassword)
	one.replace(two) // the first replica dies after the password
	code := b.confirm(s, "yes").query.Get("code")
	tok := p.redeem(code)
	one.replace(one.op)
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
	if u := one.userinfo(tok.access); u.status != http.StatusUnauthorized {
		t.Fatalf("%d", u.status)
	}
}

// J149: after a whole session of logins, mistakes and logouts there is no
// secret and no name in the log.
func TestJ149_NoSecretsInTheLog(t *testing.T) {
	f := newFixture(t)
	p, s := f.member("Melle"), f.static("dienst")
	b := f.browser()
	assertion := p.assertion(nil)
	withAssertion(p, assertion)
	withAssertion(p, assertion)
	wrong := b.authorize(s.request())
	b.login(wrong, testUser, "falsches-passwort")
	code := p.code(b)
	tok := p.redeem(code)
	p.post(op.TokenPath, p.redeemForm(code))
	f.userinfo(tok.access)
	b.logout(url.Values{"id_token_hint": {tok.id + "x"}})
	b.logout(url.Values{"id_token_hint": {tok.id}})
	log := f.log.String()
	if !strings.Contains(log, "refused") {
		t.Fatal("nothing was logged")
	}
	for what, secret := range map[string]string{
		"code": code, "access token": tok.access, "ID token": tok.id, "assertion": assertion, "password": testPassword,
		"wrong password": "falsches-passwort", "name": testName, "mail": testMail, "username": testUser + " ", "sub": tok.claims["sub"].(string),
		"client secret": s.secret,
	} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is in the log", what)
		}
	}
}
