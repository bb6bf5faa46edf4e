package op_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/sso/op"
)

// A whole login by a member: pushed request, password, information page, code,
// tokens, userinfo; then a second member without a password.
func TestLoginOnceThenEverywhere(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	br := f.browser()

	s := br.authorize(a.push(a.request()))
	if s.page.Login.Portal != "Melle" || !s.page.Login.Accounts {
		t.Fatalf("login page: %+v", s.page.Login)
	}
	s = br.login(s, testUser, "wrong-password")
	if s.status != http.StatusUnauthorized || s.page.Login.Mistake != "wrong" || s.page.Login.Username != testUser {
		t.Fatalf("after a mistake: %d %+v", s.status, s.page.Login)
	}
	s = br.login(s, testUser, testPassword)
	if c := s.page.Confirm; c.Portal != "Melle" || !slices.Equal(c.Claims, []string{"name", "given_name", "email"}) || c.Person != testName || len(c.LoggedInAt) != 0 {
		t.Fatalf("information page: %+v", c)
	}
	s = br.confirm(s, "yes")
	first := a.redeem(s.query.Get("code"))
	if first.claims["acr"] != federation.LevelNiedrig.ACR() || first.claims["nonce"] != "n0nce" || first.claims["sid"] == "" {
		t.Fatalf("claims: %v", first.claims)
	}
	if u := f.userinfo(first.access); u.json["name"] != testName || u.json["email"] != testMail || u.json["sub"] != first.claims["sub"] {
		t.Fatalf("userinfo: %d %s", u.status, u.body)
	}

	s = br.authorize(b.push(b.request()))
	if c := s.page.Confirm; s.page.Kind != "confirm" || !slices.Equal(c.LoggedInAt, []string{"Melle"}) {
		t.Fatalf("second portal: %+v", s.page)
	}
	second := b.redeem(br.confirm(s, "yes").query.Get("code"))
	if second.claims["auth_time"] != first.claims["auth_time"] {
		t.Fatal("the second portal got another auth_time without a login")
	}
	if s := br.authorize(b.push(b.request())); s.query.Get("code") == "" {
		t.Fatalf("third time, confirmed before: %+v", s.page)
	}

	acc, err := f.accounts.Find(t.Context(), testUser)
	must(t, err)
	sessions, err := f.op.Sessions(t.Context(), acc.ID)
	must(t, err)
	if len(sessions) != 1 || len(sessions[0].Parties) != 2 || sessions[0].Parties[0].Name != "Melle" {
		t.Fatalf("sessions: %+v", sessions)
	}
	history, err := f.op.History(t.Context(), acc.ID)
	must(t, err)
	if len(history) != 3 || history[1].Name != "Bissendorf" {
		t.Fatalf("history: %+v", history)
	}
}

func TestSayingNoGoesBack(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	wantBack(t, p, b.confirm(b.login(b.authorize(p.push(p.request())), testUser, testPassword), "no"), "access_denied")
}

func TestStaticClientWithPlainRequest(t *testing.T) {
	f := newFixture(t)
	p := f.static("dienst")
	tok := p.signIn(f.browser())
	if u := f.userinfo(tok.access); u.json["name"] != testName {
		t.Fatalf("userinfo: %s", u.body)
	}
}

func TestStaticClientOfTheOperatorHasNoInformationPage(t *testing.T) {
	f := newFixture(t)
	p := f.static("eigen")
	f.clients["eigen"].Own = true
	b := f.browser()
	if s := b.login(b.authorize(p.request()), testUser, testPassword); s.query.Get("code") == "" {
		t.Fatalf("got %+v", s.page)
	}
}

func TestReloadingTheLoginPageKeepsTheLogin(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	s := b.authorize(p.push(p.request()))
	again := b.open(s.page.Login.Action + "?handle=" + s.page.Login.Handle)
	if again.page.Kind != "login" || again.page.Login.Handle != s.page.Login.Handle {
		t.Fatalf("reloaded: %+v", again.page)
	}
	b.walk(again)
}

func TestDiscoveryEqualsMetadata(t *testing.T) {
	f := newFixture(t)
	req, err := http.NewRequest(http.MethodGet, f.issuer+op.DiscoveryPath, nil)
	must(t, err)
	got := f.do(req)
	want, err := json.Marshal(f.op.Metadata())
	must(t, err)
	var a, b any
	must(t, json.Unmarshal(got.body, &a))
	must(t, json.Unmarshal(want, &b))
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) || got.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%s\n%s", x, y)
	}
}

func TestOIDCC_DiscoveryEndpointVerification(t *testing.T) {
	m := newFixture(t).op.Metadata()
	if !slices.Equal(m.ResponseTypesSupported, []string{"code"}) || !slices.Equal(m.CodeChallengeMethodsSupported, []string{"S256"}) ||
		!slices.Equal(m.SubjectTypesSupported, []string{"pairwise"}) || !m.AuthorizationResponseIssSupported ||
		!m.BackchannelLogoutSupported || !m.BackchannelLogoutSessionSupported || m.EndSessionEndpoint == "" || m.PAREndpoint == "" {
		t.Fatalf("%+v", m)
	}
}
