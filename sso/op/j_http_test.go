package op_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/protocol"
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

func TestJ141_ClaimsThatTwoParsersReadDifferently(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	sign := p.rawKey()
	soon := strconv.FormatInt(f.clock.Now().Add(time.Minute).Unix(), 10)
	good := `"iss":"` + p.id + `","sub":"` + p.id + `","aud":"` + f.issuer + `","jti":"1"`
	for name, claims := range map[string]string{
		"duplicate member": `{` + good + `,"exp":` + soon + `,"sub":"` + p.id + `"}`,
		"other case":       `{` + good + `,"exp":` + soon + `,"Sub":"https://other.example"}`,
		"trailing garbage": `{` + good + `,"exp":` + soon + `} {}`,
		"invalid UTF-8":    "{" + good + `,"exp":` + soon + ",\"x\":\"\xff\"}",
		"exp as string":    `{` + good + `,"exp":"` + soon + `"}`,
		"exp 1e400":        `{` + good + `,"exp":1e400}`,
		"exp negative":     `{` + good + `,"exp":-1}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantJSON(t, withAssertion(p, sign(claims)), http.StatusUnauthorized, "invalid_client")
		})
	}
	if a := withAssertion(p, sign(`{`+good+`,"exp":`+soon+`}`)); a.status != http.StatusCreated {
		t.Fatalf("control: %d %s", a.status, a.body)
	}
}

// rawKey gives p a key that signs any bytes, and its client the public half.
func (p *party) rawKey() func(claims string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(p.f.t, err)
	public, err := key.PublicKey.Bytes() // 4, x, y
	must(p.f.t, err)
	b64 := base64.RawURLEncoding.EncodeToString
	set, err := trust.ParseJWKS([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"raw","x":"` + b64(public[1:33]) + `","y":"` + b64(public[33:]) + `"}]}`))
	must(p.f.t, err)
	c := *p.f.clients[p.id]
	c.Keys = set
	p.f.setClient(&c, p.id)
	return func(claims string) string { return signRaw(p.f.t, key, claims) }
}

func signRaw(t testing.TB, key *ecdsa.PrivateKey, claims string) string {
	input := enc(map[string]string{"alg": "ES256", "typ": "JWT", "kid": "raw"}) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	must(t, err)
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// J148: what has expired stays so when the clock goes back by the same hour.
func TestJ148_ClockForwardAndBack(t *testing.T) {
	for name, open := range map[string]func(f *fixture) store.Store{
		"memory": func(f *fixture) store.Store { return store.NewMemory(f.clock.Now) },
		"bolt": func(f *fixture) store.Store {
			b, err := store.OpenBolt(filepath.Join(t.TempDir(), "db"), f.clock.Now)
			must(t, err)
			t.Cleanup(func() { must(t, b.Close()) })
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(f *fixture, _ *op.Config) { f.store = open(f) })
			p := f.member("Melle")
			b := f.browser()
			tok := p.signIn(b)
			code, push := p.code(b), p.push(p.request())
			late := p.redeemForm(code)
			late.Set("client_assertion_type", protocol.AssertionURN)
			late.Set("client_assertion", p.assertion(nil))
			f.clock.Elapse(13 * time.Hour)
			wantJSON(t, f.post(op.TokenPath, late, "", ""), http.StatusUnauthorized, "invalid_client")
			wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
			wantPage400(t, b.authorize(push))
			if u := f.userinfo(tok.access); u.status != http.StatusUnauthorized {
				t.Fatalf("access token: %d", u.status)
			}
			wantBack(t, p, b.authorize(p.push(p.request("prompt", "none"))), "login_required")
			f.clock.Elapse(-13 * time.Hour)
			wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
			wantPage400(t, b.authorize(push))
			if u := f.userinfo(tok.access); u.status != http.StatusUnauthorized {
				t.Fatalf("access token revived: %d", u.status)
			}
			wantBack(t, p, b.authorize(p.push(p.request("prompt", "none"))), "login_required")
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

// Who has proven nothing cannot fill the store.
func TestJ_LoginsBegunFromOneAddress(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	begin := func(addr string) int {
		r := httptest.NewRequest(http.MethodGet, f.issuer+op.AuthorizePath+"?"+s.request().Encode(), nil)
		r.RemoteAddr = addr + ":1"
		w := httptest.NewRecorder()
		f.op.Authorize(w, r)
		return w.Code
	}
	limited := 0
	for range 300 {
		if begin("203.0.113.7") == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 150 || begin("203.0.113.8") != http.StatusSeeOther {
		t.Fatalf("%d of 300 refused", limited)
	}
	f.clock.Elapse(10 * time.Second)
	if begin("203.0.113.7") != http.StatusSeeOther {
		t.Fatal("refused for ever")
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
