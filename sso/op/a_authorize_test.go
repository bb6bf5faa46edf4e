package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
)

// Group A of SSO.md §10: authorization endpoint and redirects.

func TestA1_UnknownClient(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	f.setClient(nil, p.id)
	wantPage400(t, f.browser().authorize(p.request()))
	wantJSON(t, p.post(op.PARPath, p.request()), http.StatusBadRequest, "invalid_trust_chain")
}

// refusedRedirects are those of A2 to A5: each must be refused everywhere.
func refusedRedirects(p *party) map[string]string {
	host := strings.TrimPrefix(p.redirect, "http://")
	host = strings.TrimSuffix(host, "/cb")
	return map[string]string{
		"A2 not registered":     "https://evil.example/cb",
		"A3 one more parameter": p.redirect + "?x=1",
		"A4 semicolon":          strings.TrimSuffix(p.redirect, "cb") + "cb/..;/evil",
		"A4 dot segments":       p.redirect + "/../evil",
		"A4 encoded slash":      p.redirect + "%2f..%2fevil",
		"A4 double slash":       "http://" + host + "//cb",
		"A4 trailing slash":     p.redirect + "/",
		"A4 letter case":        strings.TrimSuffix(p.redirect, "cb") + "CB",
		"A5 user part":          "https://" + host + "@evil.example/cb",
		"A5 two at signs":       "https://" + host + "@x@evil.example/cb",
		"A5 backslash":          "https://" + host + "\\@evil.example/cb",
		"A5 other port":         "http://127.0.0.1:443/cb",
		"A5 look-alike":         "http://127.0.0.１/cb",
		"A5 scheme":             strings.Replace(p.redirect, "http://", "https://", 1),
		"A4 fragment":           p.redirect + "#",
	}
}

// refuseRedirects tries those whose name begins with number: pushed, in a
// signed object by value, and in a plain request of a static client.
func refuseRedirects(t *testing.T, number string) {
	f := newFixture(t)
	p := f.member("Melle")
	s := f.static("dienst")
	for name, uri := range refusedRedirects(p) {
		if !strings.HasPrefix(name, number+" ") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			wantJSON(t, p.post(op.PARPath, p.request("redirect_uri", uri)), http.StatusBadRequest, "invalid_request")
			q := p.request("redirect_uri", uri)
			wantPage400(t, f.browser().authorize(url.Values{"client_id": {p.id}, "request": {p.object(q, nil)}}))
			wantPage400(t, f.browser().authorize(s.request("redirect_uri", uri)))
		})
	}
}

func TestA2_RedirectNotRegistered(t *testing.T)        { refuseRedirects(t, "A2") }
func TestA3_RedirectWithOneMoreParameter(t *testing.T) { refuseRedirects(t, "A3") }
func TestA4_RedirectPathTricks(t *testing.T)           { refuseRedirects(t, "A4") }
func TestA5_RedirectAuthorityTricks(t *testing.T)      { refuseRedirects(t, "A5") }

func TestOIDCC_EnsureRegisteredRedirectURI(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	wantPage400(t, f.browser().authorize(s.request("redirect_uri", s.redirect+"2")))
}

func TestA7_NoRedirectURI(t *testing.T) {
	f := newFixture(t)
	p, s := f.member("Melle"), f.static("dienst")
	wantJSON(t, p.post(op.PARPath, p.request("redirect_uri", "")), http.StatusBadRequest, "invalid_request")
	wantPage400(t, f.browser().authorize(s.request("redirect_uri", "")))
}

// byObject authorizes with a signed request object by value.
func byObject(p *party, b *browser, change ...string) stop {
	return b.authorize(url.Values{"client_id": {p.id}, "request": {p.object(p.request(change...), nil)}})
}

func TestA8_ResponseType(t *testing.T) {
	f := newFixture(t)
	p, s := f.member("Melle"), f.static("dienst")
	for value, code := range map[string]string{
		"": "invalid_request", "token": "unsupported_response_type", "id_token": "unsupported_response_type",
		"code id_token": "unsupported_response_type", "none": "unsupported_response_type",
	} {
		wantBack(t, p, byObject(p, f.browser(), "response_type", value), code)
		wantBack(t, s, f.browser().authorize(s.request("response_type", value)), code)
		wantJSON(t, p.post(op.PARPath, p.request("response_type", value)), http.StatusBadRequest, code)
	}
}

func TestOIDCC_ResponseTypeMissing(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	wantBack(t, s, f.browser().authorize(s.request("response_type", "")), "invalid_request")
}

func TestA9_PromptNoneWithoutSession(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	wantBack(t, p, f.browser().authorize(p.push(p.request("prompt", "none"))), "login_required")
}

func TestOIDCC_PromptNoneNotLoggedIn(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	wantBack(t, s, f.browser().authorize(s.request("prompt", "none")), "login_required")
}

func TestA10_PromptNoneAndUnregisteredRedirect(t *testing.T) {
	f := newFixture(t)
	p, s := f.member("Melle"), f.static("dienst")
	wantPage400(t, byObject(p, f.browser(), "prompt", "none", "redirect_uri", "https://evil.example/cb"))
	wantPage400(t, f.browser().authorize(s.request("prompt", "none", "redirect_uri", "https://evil.example/cb")))
}

func TestA11_PromptNoneLogin(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	for _, prompt := range []string{"none login", "login none", "none none", "create"} {
		wantBack(t, s, f.browser().authorize(s.request("prompt", prompt)), "invalid_request")
	}
}

func TestA13_ParameterTwice(t *testing.T) {
	f := newFixture(t)
	p, s := f.member("Melle"), f.static("dienst")
	q := s.request()
	for name := range q {
		wantPage400(t, f.browser().open(f.issuer+op.AuthorizePath+"?"+q.Encode()+"&"+name+"="+url.QueryEscape(q.Get(name))))
	}
	q = p.request()
	q["scope"] = []string{"openid", "openid"}
	wantJSON(t, p.post(op.PARPath, q), http.StatusBadRequest, "invalid_request")
}

func TestA14_ParametersOutsideTheObject(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	obj := p.object(p.request(), nil)
	b := f.browser()
	s := b.walk(b.authorize(url.Values{
		"client_id": {p.id}, "request": {obj}, "redirect_uri": {"https://evil.example/"}, "state": {"other"},
		"scope": {"openid address"}, "acr_values": {"http://eidas.europa.eu/LoA/high"}, "prompt": {"none"},
	}))
	if !strings.HasPrefix(s.location, p.redirect+"?") || s.query.Get("state") != "st&te" {
		t.Fatalf("outside values counted: %s", s.location)
	}
	other := f.member("Bissendorf")
	wantPage400(t, f.browser().authorize(url.Values{"client_id": {other.id}, "request": {p.object(p.request(), nil)}}))
	wantPage400(t, f.browser().authorize(url.Values{"client_id": {p.id}, "request": {p.object(p.request("client_id", other.id), nil)}}))
	wantPage400(t, f.browser().authorize(url.Values{"request": {p.object(p.request(), nil)}}))
}

func TestA15_PlainRequestOfFederatedClient(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	wantPage400(t, f.browser().authorize(p.request()))
	wantPage400(t, f.browser().authorize(p.request("prompt", "none")))
	wantPage400(t, f.browser().send(http.MethodPost, f.issuer+op.AuthorizePath, p.request()))
}

func TestA16_ResponseMode(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for _, mode := range []string{"fragment", "form_post", "web_message", "jwt", "query.jwt"} {
		wantBack(t, p, byObject(p, f.browser(), "response_mode", mode), "invalid_request")
	}
	b := f.browser()
	b.walk(byObject(p, b, "response_mode", "query"))
}

func TestA17_HostileValues(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	script := "<script>alert(1)</script>"
	for name, q := range map[string]url.Values{
		"CR LF in state": s.request("state", "a\r\nSet-Cookie: x=y"), "NUL in state": s.request("state", "a\x00b"),
		"CR LF in nonce": s.request("nonce", "a\r\nb"),
	} {
		t.Run(name, func(t *testing.T) {
			got := f.browser().authorize(q)
			if got.query.Get("error") != "invalid_request" || got.header.Get("Set-Cookie") != "" && strings.Contains(got.header.Get("Set-Cookie"), "x=y") {
				t.Fatalf("%d %q", got.status, got.location)
			}
		})
	}
	// Harmless values with a meaning elsewhere come back as they were.
	b := f.browser()
	got := b.walk(b.authorize(s.request("state", script, "ui_locales", script, "login_hint", "a\r\nb")))
	if got.query.Get("state") != script || strings.ContainsAny(got.location, "<>") {
		t.Fatalf("state: %q", got.location)
	}
	big := s.request("state", strings.Repeat("a", 60<<10))
	if got := f.browser().authorize(big); got.query.Get("error") != "invalid_request" && got.status != http.StatusBadRequest {
		t.Fatalf("64 kB of state: %d %v", got.status, got.query)
	}
	huge := s.request("state", strings.Repeat("a", 100<<10))
	wantPage400(t, f.browser().authorize(huge))
	hint := f.browser().authorize(s.request("login_hint", script))
	if hint.page.Login.Username != script {
		t.Fatalf("the page gets %q to escape", hint.page.Login.Username)
	}
}

func TestA19_NoCORSAtAuthorize(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		req, err := http.NewRequest(method, f.issuer+op.AuthorizePath+"?"+s.request().Encode(), nil)
		must(t, err)
		req.Header.Set("Origin", "https://evil.example")
		req.Header.Set("Access-Control-Request-Method", "GET")
		if a := f.do(req); a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Fatalf("%s: %v", method, a.header)
		}
	}
}

// Every redirect in every test is checked to be 303 by (*browser).check; here
// are the two that follow a form.
func TestA20_FormsAnswer303(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	s := b.authorize(p.push(p.request()))
	raw := func(action string, form url.Values) int {
		req, err := http.NewRequest(http.MethodPost, action, strings.NewReader(form.Encode()))
		must(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := b.client.Do(req)
		must(t, err)
		must(t, resp.Body.Close())
		return resp.StatusCode
	}
	l := s.page.Login
	if got := raw(l.Action, url.Values{"csrf": {l.CSRF}, "handle": {l.Handle}, "username": {testUser}, "password": {testPassword}}); got != http.StatusSeeOther {
		t.Fatalf("login form: %d", got)
	}
	c := b.open(f.issuer + op.ConfirmPath + "?handle=" + l.Handle).page.Confirm
	if got := raw(c.Action, url.Values{"csrf": {c.CSRF}, "handle": {c.Handle}, "decision": {"yes"}}); got != http.StatusSeeOther {
		t.Fatalf("information page: %d", got)
	}
}

func TestOIDCC_EnsurePostRequestSucceeds(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	b := f.browser()
	b.walk(b.send(http.MethodPost, f.issuer+op.AuthorizePath, s.request()))
}

func TestOIDCC_EnsureRequestWithUnknownParameterSucceeds(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	s.signIn(f.browser(), "extra", "foobar")
}

func TestOIDCC_EnsureRequestWithoutNonceSucceedsForCodeFlow(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	if tok := s.signIn(f.browser(), "nonce", ""); tok.claims["nonce"] != nil {
		t.Fatalf("nonce made up: %v", tok.claims)
	}
}

func TestOIDCC_EnsureRequestWithACRValuesSucceeds(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	if tok := s.signIn(f.browser(), "acr_values", "1 2 http://eidas.europa.eu/LoA/low"); tok.claims["acr"] != "http://eidas.europa.eu/LoA/low" {
		t.Fatalf("acr: %v", tok.claims["acr"])
	}
}

func TestOIDCC_RedirectURIQueryAddedAndMismatch(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	f.clients["dienst"].RedirectURIs = []string{s.redirect + "?foo=bar"}
	wantPage400(t, f.browser().authorize(s.request()))
	wantPage400(t, f.browser().authorize(s.request("redirect_uri", s.redirect+"?foo=baz")))
	b := f.browser()
	got := b.walk(b.authorize(s.request("redirect_uri", s.redirect+"?foo=bar")))
	if got.query.Get("foo") != "bar" {
		t.Fatalf("registered query lost: %s", got.location)
	}
}

func TestOpenIDFederation_AutomaticClientRegistrationWithJARAndGetAndPost(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	p.redeem(b.walk(byObject(p, b)).query.Get("code"))
	b = f.browser()
	q := url.Values{"client_id": {p.id}, "request": {p.object(p.request(), nil)}}
	b.walk(b.send(http.MethodPost, f.issuer+op.AuthorizePath, q))
	// The same in a pushed request.
	b = f.browser()
	b.walk(b.authorize(p.push(url.Values{"client_id": {p.id}, "request": {p.object(p.request(), nil)}})))
}

func TestOpenIDFederation_AutomaticClientRegistrationInvalidDuplicateRequestObjectJTI(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	obj := p.object(p.request(), nil)
	b := f.browser()
	b.walk(b.authorize(url.Values{"client_id": {p.id}, "request": {obj}}))
	wantPage400(t, f.browser().authorize(url.Values{"client_id": {p.id}, "request": {obj}}))
	wantJSON(t, p.post(op.PARPath, url.Values{"client_id": {p.id}, "request": {obj}}), http.StatusBadRequest, "invalid_request_object")
}

func TestOpenIDFederation_AutomaticClientRegistrationInvalidSignatureWithOtherKeys(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for name, key := range map[string]*trust.Key{"federation key": p.fedKey, "key of another member": f.member("Bissendorf").key} {
		base := map[string]any{}
		for k, v := range p.request() {
			base[k] = v[0]
		}
		obj, err := trust.Sign(key, "oauth-authz-req+jwt", p.claims(nil, base))
		must(t, err)
		t.Run(name, func(t *testing.T) {
			wantPage400(t, f.browser().authorize(url.Values{"client_id": {p.id}, "request": {obj}}))
		})
	}
}

func TestLoginFormIsGoodForAnHour(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	s := b.authorize(p.push(p.request()))
	f.clock.Elapse(50 * time.Minute) // making an account takes time
	b.walk(s)
	b = f.browser()
	s = b.authorize(p.push(p.request()))
	f.clock.Elapse(time.Hour)
	wantPage400(t, b.login(s, testUser, testPassword))
}
