package op_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/protocol"
)

// Group C of SSO.md §10: client authentication, request objects, PAR.

// withAssertion pushes a good request with the given assertion.
func withAssertion(p *party, assertion string) answer {
	q := p.request()
	q.Set("client_assertion_type", protocol.AssertionURN)
	q.Set("client_assertion", assertion)
	return p.f.post(op.PARPath, q, "", "")
}

func enc(v any) string {
	b, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b)
}

func TestC32_AssertionAlgorithms(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	claims := p.claims(nil, map[string]any{"sub": p.id})
	kid := p.key.Public().IDs()[0]
	head := func(alg string) string {
		return enc(map[string]string{"alg": alg, "typ": "JWT", "kid": kid}) + "." + enc(claims)
	}

	public, err := json.Marshal(p.key.Public())
	must(t, err)
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(head("HS256")))
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	sum := sha512.Sum384([]byte(head("ES256")))
	r, s, err := ecdsa.Sign(rand.Reader, other, sum[:])
	must(t, err)
	sig := make([]byte, 96)
	r.FillBytes(sig[:48])
	s.FillBytes(sig[48:])

	for name, compact := range map[string]string{
		"none":                  head("none") + ".",
		"none with signature":   head("none") + ".AAAA",
		"HS256 with public key": head("HS256") + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
		"key of another curve":  head("ES256") + "." + base64.RawURLEncoding.EncodeToString(sig),
		"ES384":                 head("ES384") + "." + base64.RawURLEncoding.EncodeToString(sig),
	} {
		t.Run(name, func(t *testing.T) {
			wantJSON(t, withAssertion(p, compact), http.StatusUnauthorized, "invalid_client")
		})
	}
	if a := withAssertion(p, p.assertion(nil)); a.status != http.StatusCreated {
		t.Fatalf("control: %d %s", a.status, a.body)
	}
}

func refusedAssertions(t *testing.T, cases map[string]map[string]any) {
	f := newFixture(t)
	p := f.member("Melle")
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			wantJSON(t, withAssertion(p, p.assertion(change)), http.StatusUnauthorized, "invalid_client")
		})
	}
}

func TestC33_AssertionAudience(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for name, aud := range map[string]any{
		"token endpoint": f.issuer + op.TokenPath, "PAR endpoint": f.issuer + op.PARPath,
		"issuer and other": []string{f.issuer, "https://other.example"}, "trailing slash": f.issuer + "/",
		"one-element list": []string{f.issuer}, "absent": nil, "other": "https://other.example",
	} {
		t.Run(name, func(t *testing.T) {
			wantJSON(t, withAssertion(p, p.assertion(map[string]any{"aud": aud})), http.StatusUnauthorized, "invalid_client")
		})
	}
}

func TestC34_AssertionTimes(t *testing.T) {
	now := time.Now()
	refusedAssertions(t, map[string]map[string]any{
		"no exp": {"exp": nil}, "exp far ahead": {"exp": now.Add(6 * time.Minute).Unix()}, "exp past": {"exp": now.Add(-time.Second).Unix()},
		"iat in the future": {"iat": now.Add(2 * time.Minute).Unix()}, "no jti": {"jti": nil}, "empty jti": {"jti": ""},
		"long jti": {"jti": strings.Repeat("j", 300)}, "nbf in the future": {"nbf": now.Add(2 * time.Minute).Unix()},
	})
}

func TestC35_AssertionReplay(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	again := p.assertion(nil)
	if a := withAssertion(p, again); a.status != http.StatusCreated {
		t.Fatalf("first use: %d %s", a.status, a.body)
	}
	wantJSON(t, withAssertion(p, again), http.StatusUnauthorized, "invalid_client")

	once := p.assertion(nil)
	var accepted atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if a := withAssertion(p, once); a.status == http.StatusCreated {
				accepted.Add(1)
			}
		})
	}
	wg.Wait()
	if n := accepted.Load(); n != 1 {
		t.Fatalf("%d of 50 accepted", n)
	}
	// An unproven jti is not recorded: it could be burnt by anybody.
	forged := p.claims(nil, map[string]any{"sub": p.id})
	bad, err := trust.Sign(p.fedKey, "JWT", forged)
	must(t, err)
	wantJSON(t, withAssertion(p, bad), http.StatusUnauthorized, "invalid_client")
	good, err := trust.Sign(p.key, "JWT", forged)
	must(t, err)
	if a := withAssertion(p, good); a.status != http.StatusCreated {
		t.Fatalf("jti burnt by a forgery: %d %s", a.status, a.body)
	}
}

func TestC37_AssertionIssuerAndSubject(t *testing.T) {
	refusedAssertions(t, map[string]map[string]any{
		"iss differs": {"iss": "https://other.example"}, "sub differs": {"sub": "https://other.example"}, "no sub": {"sub": nil}, "no iss": {"iss": nil},
	})
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	q := a.request()
	q.Set("client_assertion_type", protocol.AssertionURN)
	q.Set("client_assertion", b.assertion(nil))
	wantJSON(t, f.post(op.PARPath, q, "", ""), http.StatusUnauthorized, "invalid_client")
}

func TestC38_AssertionWithTheFederationKey(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	s, err := trust.Sign(p.fedKey, "JWT", p.claims(nil, map[string]any{"sub": p.id}))
	must(t, err)
	wantJSON(t, withAssertion(p, s), http.StatusUnauthorized, "invalid_client")
}

func TestC39_AuthenticationMethods(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	assert := url.Values{"client_assertion_type": {protocol.AssertionURN}, "client_assertion": {p.assertion(nil)}}
	with := func(add url.Values) url.Values {
		q := p.request()
		for k, v := range add {
			q[k] = v
		}
		return q
	}
	wantJSON(t, f.post(op.PARPath, with(assert), p.id, "secret"), http.StatusBadRequest, "invalid_request")
	wantJSON(t, f.post(op.PARPath, with(nil), p.id, "secret"), http.StatusUnauthorized, "invalid_client")
	wantJSON(t, f.post(op.PARPath, with(url.Values{"client_secret": {"secret"}}), "", ""), http.StatusUnauthorized, "invalid_client")
	wantJSON(t, f.post(op.PARPath, with(nil), "", ""), http.StatusUnauthorized, "invalid_client")
	wantJSON(t, f.post(op.PARPath, with(url.Values{"client_assertion": {p.assertion(nil)}, "client_assertion_type": {"other"}}), "", ""), http.StatusUnauthorized, "invalid_client")
}

func TestOIDCC_ServerClientSecretPost(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	form := s.redeemForm(s.code(f.browser()))
	form.Set("client_secret", s.secret)
	wantJSON(t, f.post(op.TokenPath, form, "", ""), http.StatusUnauthorized, "invalid_client")
}

func TestC_StaticClientWithAWrongSecret(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	form := s.redeemForm(s.code(f.browser()))
	for _, secret := range []string{"wrong", "s3cret"} {
		a := f.post(op.TokenPath, form, s.id, secret)
		wantJSON(t, a, http.StatusUnauthorized, "invalid_client")
		if a.header.Get("WWW-Authenticate") == "" {
			t.Error("no WWW-Authenticate")
		}
	}
	wantJSON(t, f.post(op.TokenPath, form, "other", s.secret), http.StatusUnauthorized, "invalid_client")
}

// refusedObjects tries each object by value and pushed.
func refusedObjects(t *testing.T, f *fixture, p *party, cases map[string]string, code string) {
	for name, obj := range cases {
		t.Run(name, func(t *testing.T) {
			q := url.Values{"client_id": {p.id}, "request": {obj}}
			wantPage400(t, f.browser().authorize(q))
			wantJSON(t, p.post(op.PARPath, q), http.StatusBadRequest, code)
		})
	}
}

func TestC40_RequestObjectClaims(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	now := time.Now()
	cases := map[string]string{}
	for name, change := range map[string]map[string]any{
		"missing aud": {"aud": nil}, "other aud": {"aud": "https://other.example"}, "list aud": {"aud": []string{f.issuer, "https://other.example"}},
		"missing iss": {"iss": nil}, "other iss": {"iss": "https://other.example"}, "missing exp": {"exp": nil}, "past exp": {"exp": now.Add(-time.Minute).Unix()},
		"missing jti": {"jti": nil}, "missing client_id": {"client_id": nil},
	} {
		cases[name] = p.object(p.request(), change)
	}
	refusedObjects(t, f, p, cases, "invalid_request_object")
}

func TestC41_RequestObjectWithSub(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	refusedObjects(t, f, p, map[string]string{
		"sub is the client": p.object(p.request(), map[string]any{"sub": p.id}),
		"empty sub":         p.object(p.request(), map[string]any{"sub": ""}),
	}, "invalid_request_object")
}

func TestC43_AssertionAsRequestObjectAndTheReverse(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	refusedObjects(t, f, p, map[string]string{"assertion": p.assertion(map[string]any{"client_id": p.id})}, "invalid_request_object")
	wantJSON(t, withAssertion(p, p.object(p.request(), nil)), http.StatusUnauthorized, "invalid_client")
	// Even with the typ of the other kind.
	base := map[string]any{}
	for k, v := range p.request() {
		base[k] = v[0]
	}
	s, err := trust.Sign(p.key, "JWT", p.claims(nil, base))
	must(t, err)
	wantJSON(t, withAssertion(p, s), http.StatusUnauthorized, "invalid_client")
}

func TestC44_RequestInsideARequest(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	refusedObjects(t, f, p, map[string]string{
		"request inside":     p.object(p.request(), map[string]any{"request": p.object(p.request(), nil)}),
		"request_uri inside": p.object(p.request(), map[string]any{"request_uri": "urn:ietf:params:oauth:request_uri:x"}),
	}, "invalid_request")
	wantJSON(t, p.post(op.PARPath, p.request("request_uri", "urn:ietf:params:oauth:request_uri:x")), http.StatusBadRequest, "invalid_request")
	q := p.push(p.request())
	q.Set("request", p.object(p.request(), nil))
	wantPage400(t, f.browser().authorize(q))
}

func TestC45_ForeignRequestURIIsNeverFetched(t *testing.T) {
	f := newFixture(t)
	p, s := f.member("Melle"), f.static("dienst")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	for _, uri := range []string{"https://169.254.169.254/latest", "http://localhost/x", "file:///etc/passwd", "http://" + l.Addr().String() + "/request.jwt"} {
		got := f.browser().authorize(url.Values{"client_id": {p.id}, "request_uri": {uri}})
		wantPage400(t, got)
		if got.page.Fail.Code != "request_uri_not_supported" {
			t.Fatalf("code %q", got.page.Fail.Code)
		}
		wantPage400(t, f.browser().authorize(s.request("request_uri", uri)))
	}
	must(t, l.(*net.TCPListener).SetDeadline(time.Now()))
	if c, err := l.Accept(); err == nil {
		must(t, c.Close())
		t.Fatal("the request_uri was fetched")
	}
}

func TestOIDCC_RequestURIUnsignedSupportedCorrectlyOrRejectedAsUnsupported(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	if got := f.browser().authorize(s.request("request_uri", "https://rp.example/request.jwt")); got.page.Fail.Code != "request_uri_not_supported" {
		t.Fatalf("%+v", got.page)
	}
}

func TestOIDCC_UnsignedRequestObjectSupportedCorrectlyOrRejectedAsUnsupported(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	unsigned := enc(map[string]string{"alg": "none"}) + "." + enc(map[string]string{"client_id": s.id}) + "."
	wantPage400(t, f.browser().authorize(s.request("request", unsigned)))
}

func TestC46_RequestURIIsBoundAndUsedOnce(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")

	q := a.push(a.request())
	if s := f.browser().authorize(q); s.page.Kind != "login" {
		t.Fatalf("first use: %+v", s)
	}
	wantPage400(t, f.browser().authorize(q))

	q = a.push(a.request())
	f.clock.Elapse(61 * time.Second)
	wantPage400(t, f.browser().authorize(q))

	q = a.push(a.request())
	q.Set("client_id", b.id)
	wantPage400(t, f.browser().authorize(q))

	q = a.push(a.request())
	uri := []byte(q.Get("request_uri"))
	uri[len(uri)-2] ^= 1
	q.Set("request_uri", string(uri))
	wantPage400(t, f.browser().authorize(q))
}

func TestC47_EncryptedRequestObject(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	jwe := enc(map[string]any{"alg": "ECDH-ES", "enc": "A128GCM", "p2c": 1000000000}) + "..AAAA.AAAA.AAAA"
	refusedObjects(t, f, p, map[string]string{"JWE": jwe}, "invalid_request_object")
}

func TestC_PARTakesNoOtherClientID(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	other := f.member("Bissendorf")
	obj := p.object(p.request(), map[string]any{"client_id": other.id})
	wantJSON(t, p.post(op.PARPath, url.Values{"client_id": {p.id}, "request": {obj}}), http.StatusBadRequest, "invalid_request_object")
}
