package op_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
)

// Group D of SSO.md §10: tokens, userinfo, revocation. There are no refresh
// tokens here, which is what numbers 49 to 51 come to.

// refreshWith signs in with offline_access and sends what a client that had
// a refresh token would send.
func refreshWith(t *testing.T, pick func(f *fixture, owner *party) *party, scope string) {
	f := newFixture(t)
	p := f.member("Melle")
	code := p.code(f.browser(), "scope", "openid offline_access")
	a := p.post(op.TokenPath, p.redeemForm(code))
	if a.status != http.StatusOK || a.json["refresh_token"] != nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	caller := pick(f, p)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.json["access_token"].(string)}, "client_id": {caller.id}}
	if scope != "" {
		form.Set("scope", scope)
	}
	for range 2 {
		wantJSON(t, caller.post(op.TokenPath, form), http.StatusBadRequest, "unsupported_grant_type")
	}
}

func TestD49_NoRefreshTokenToUseTwice(t *testing.T) {
	refreshWith(t, func(_ *fixture, p *party) *party { return p }, "")
}

func TestD50_NoRefreshTokenForAnotherClient(t *testing.T) {
	refreshWith(t, func(f *fixture, _ *party) *party { return f.member("Bissendorf") }, "")
}

func TestD51_NoRefreshWithAWiderScope(t *testing.T) {
	refreshWith(t, func(_ *fixture, p *party) *party { return p }, "openid profile email admin")
}

func TestOIDCC_RefreshToken(t *testing.T) { TestD49_NoRefreshTokenToUseTwice(t) }

func TestD52_AccessTokenInTheQuery(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	tok := p.signIn(f.browser())
	req, err := http.NewRequest(http.MethodGet, f.issuer+op.UserinfoPath+"?access_token="+tok.access, nil)
	must(t, err)
	if a := f.do(req); a.status != http.StatusUnauthorized {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestD53_OtherThingsAsAccessToken(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	tok := p.signIn(b)
	code := p.code(b)
	q := p.push(p.request())
	for name, token := range map[string]string{
		"ID token": tok.id, "code": code, "request_uri": q.Get("request_uri"),
		"handle": strings.TrimPrefix(q.Get("request_uri"), "urn:ietf:params:oauth:request_uri:"), "nothing": "", "one byte more": tok.access + "A",
	} {
		a := f.userinfo(token)
		if a.status != http.StatusUnauthorized || a.errorCode() != "invalid_token" || !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestD55_ClaimsThatWereNotReleased(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	tok := p.signIn(f.browser(), "scope", "openid")
	if u := f.userinfo(tok.access); len(u.json) != 1 || u.json["sub"] == nil {
		t.Fatalf("scope openid: %s", u.body)
	}
	// The client may receive no e-mail, whatever it asks for.
	f.clients[p.id].Claims = []string{"name"}
	b := f.browser()
	s := b.login(b.authorize(p.push(p.request())), testUser, testPassword)
	if !slices.Equal(s.page.Confirm.Claims, []string{"name"}) {
		t.Fatalf("information page: %v", s.page.Confirm.Claims)
	}
	u := f.userinfo(p.redeem(b.confirm(s, "yes").query.Get("code")).access)
	if u.json["name"] != testName || len(u.json) != 2 {
		t.Fatalf("userinfo: %s", u.body)
	}
	for _, name := range []string{"name", "email", "given_name"} {
		if tok.claims[name] != nil {
			t.Errorf("ID token has %s", name)
		}
	}
}

func TestD_MoreClaimsNeedAnotherConfirmation(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	p.signIn(b, "scope", "openid")
	if s := b.authorize(p.push(p.request("scope", "openid"))); s.query.Get("code") == "" {
		t.Fatalf("same request again: %+v", s.page)
	}
	if s := b.authorize(p.push(p.request())); s.page.Kind != "confirm" {
		t.Fatalf("more claims: %+v", s)
	}
	wantBack(t, p, b.authorize(p.push(p.request("prompt", "none"))), "consent_required")
}

func TestD56_PairwiseSubjects(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	br := f.browser()
	first, other := a.signIn(br, "scope", "openid"), b.signIn(br, "scope", "openid")
	for name, v := range first.claims {
		switch name {
		case "iss", "iat", "exp", "auth_time", "acr", "amr", "nonce":
			continue // the same for many people
		}
		if v == other.claims[name] {
			t.Errorf("%s = %v at both portals", name, v)
		}
	}
	again := a.signIn(f.browser(), "scope", "openid")
	if again.claims["sub"] != first.claims["sub"] {
		t.Error("another sub at the same portal")
	}
	if again.claims["sid"] == first.claims["sid"] {
		t.Error("the same sid in another session")
	}
	c := *f.clients[a.id]
	c.RedirectURIs = []string{"https://neu.example/cb"}
	f.setClient(&c, a.id)
	a.redirect = "https://neu.example/cb"
	if moved := a.signIn(f.browser()); moved.claims["sub"] != first.claims["sub"] {
		t.Error("a change of redirect host changed the sub")
	}
	if sub := first.claims["sub"].(string); len(sub) != 43 || strings.ContainsAny(sub, ":/.") {
		t.Errorf("sub %q could be a client_id", sub)
	}
}

func memberMetadata(id federation.EntityID, key *trust.Key) trust.RPMetadata {
	set := key.Public()
	return trust.RPMetadata{
		JWKS: &set, RedirectURIs: []string{id.URL("/cb")}, BackchannelLogoutURI: id.URL("/logout"),
		PostLogoutRedirectURIs: []string{id.URL("/out")}, SectorIdentifierURI: id.URL("/sector"),
	}
}

func TestD57_SectorIdentifierOfAForeignHost(t *testing.T) {
	key, err := trust.KeyFromSeed([]byte("x"))
	must(t, err)
	m := federation.Member{ID: "https://melle.example", Name: "Melle"}
	if c, warnings, err := op.FromMember(m, memberMetadata(m.ID, key)); err != nil || len(warnings) != 0 || c.BackchannelLogoutURI == "" || len(c.RedirectURIs) != 1 {
		t.Fatalf("control: %+v %v %v", c, warnings, err)
	}
	md := memberMetadata(m.ID, key)
	md.SectorIdentifierURI = "https://evil.example/sector"
	if _, _, err := op.FromMember(m, md); err == nil {
		t.Fatal("accepted")
	}
}

func TestF89_BackchannelLogoutURIAtAnotherHost(t *testing.T) {
	key, err := trust.KeyFromSeed([]byte("x"))
	must(t, err)
	m := federation.Member{ID: "https://melle.example", Name: "Melle"}
	for _, uri := range []string{"https://evil.example/logout", "https://melle.example.evil/logout", "https://melle.example:444/logout", "http://melle.example/logout", "https://melle.example@evil.example/"} {
		md := memberMetadata(m.ID, key)
		md.BackchannelLogoutURI = uri
		c, warnings, err := op.FromMember(m, md)
		if err != nil || c.BackchannelLogoutURI != "" || len(warnings) != 1 {
			t.Errorf("%s: %+v %v %v", uri, c, warnings, err)
		}
	}
}

func TestD58_RevokeATokenOfAnotherClient(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	tok := a.signIn(f.browser())
	if r := b.post(op.RevokePath, url.Values{"token": {tok.access}, "client_id": {b.id}}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if u := f.userinfo(tok.access); u.status != http.StatusOK {
		t.Fatalf("another client has revoked it: %d", u.status)
	}
	if r := a.post(op.RevokePath, url.Values{"token": {tok.access}, "client_id": {a.id}}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if u := f.userinfo(tok.access); u.status != http.StatusUnauthorized {
		t.Fatalf("revoked token works: %d", u.status)
	}
	wantJSON(t, f.post(op.RevokePath, url.Values{"token": {tok.access}, "client_id": {a.id}}, "", ""), http.StatusUnauthorized, "invalid_client")
}

func TestD59_OtherGrantTypes(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for _, grant := range []string{"password", "client_credentials", "implicit", "urn:x", "refresh_token"} {
		wantJSON(t, p.post(op.TokenPath, url.Values{"grant_type": {grant}, "client_id": {p.id}, "username": {testUser}, "password": {testPassword}}), http.StatusBadRequest, "unsupported_grant_type")
	}
	wantJSON(t, p.post(op.TokenPath, url.Values{"client_id": {p.id}}), http.StatusBadRequest, "invalid_request")
}

func TestOIDCC_UserinfoGetPostHeaderPostBody(t *testing.T) {
	f := newFixture(t)
	tok := f.static("dienst").signIn(f.browser())
	for name, build := range map[string]func() *http.Request{
		"get": func() *http.Request {
			r, _ := http.NewRequest(http.MethodGet, f.issuer+op.UserinfoPath, nil)
			r.Header.Set("Authorization", "Bearer "+tok.access)
			return r
		},
		"post header": func() *http.Request {
			r, _ := http.NewRequest(http.MethodPost, f.issuer+op.UserinfoPath, nil)
			r.Header.Set("Authorization", "Bearer "+tok.access)
			return r
		},
		"post body": func() *http.Request {
			r, _ := http.NewRequest(http.MethodPost, f.issuer+op.UserinfoPath, io.NopCloser(strings.NewReader(url.Values{"access_token": {tok.access}}.Encode())))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return r
		},
	} {
		if a := f.do(build()); a.status != http.StatusOK || a.json["sub"] != tok.claims["sub"] {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestOIDCC_IDTokenSignature(t *testing.T) {
	f := newFixture(t)
	tok := f.static("dienst").signIn(f.browser())
	opened, err := trust.Open(tok.id, "JWT", *f.op.Metadata().JWKS)
	must(t, err)
	must(t, opened.Check(time.Now()))
	if opened.Header.Algorithm != "ES256" || opened.Header.KeyID == "" {
		t.Fatalf("%+v", opened.Header)
	}
}

func TestOIDCC_ScopeProfileEmailAll(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	for scope, want := range map[string][]string{
		"openid profile": {"given_name", "name", "sub"}, "openid email": {"email", "sub"},
		"openid address phone": {"sub"}, "openid profile email address phone": {"email", "given_name", "name", "sub"},
	} {
		u := f.userinfo(s.signIn(f.browser(), "scope", scope).access)
		var names []string
		for name := range u.json {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s: %v", scope, names)
		}
	}
	wantBack(t, s, f.browser().authorize(s.request("scope", "profile")), "invalid_scope")
}

func TestOIDCC_ClaimsEssential(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	u := f.userinfo(s.signIn(f.browser(), "scope", "openid", "claims", `{"userinfo":{"name":{"essential":true}}}`).access)
	if u.json["name"] != testName || u.json["email"] != nil {
		t.Fatalf("%s", u.body)
	}
	for _, bad := range []string{`{"userinfo":1}`, `{"userinfo":{},"userinfo":{}}`, `[]`, `{`} {
		wantBack(t, s, f.browser().authorize(s.request("claims", bad)), "invalid_request")
	}
}

func TestD_AccessTokenLivesFiveMinutes(t *testing.T) {
	f := newFixture(t)
	tok := f.member("Melle").signIn(f.browser())
	f.clock.Elapse(5 * time.Minute)
	if a := f.userinfo(tok.access); a.status != http.StatusUnauthorized {
		t.Fatalf("%d", a.status)
	}
}
