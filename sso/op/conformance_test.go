package op_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
)

// The modules of the OpenID Foundation's conformance suite that have no test of
// their own beside the numbers of SSO.md §10, under the suite's names [SSO.md §8].
func TestConformanceOP(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *fixture, *party){
		"oidcc-server":                                              happyFlow,
		"oidcc-alternate-happy-flow":                                alternateFlow,
		"oidcc-ensure-request-with-valid-pkce-succeeds":             happyFlow, // there is no other way here
		"oidcc-idtoken-unsigned":                                    unsignedIDToken,
		"oidcc-ensure-request-object-with-redirect-uri":             objectWithRedirectURI,
		"oidcc-server-rotate-keys":                                  rotatedKeys,
		"oidcc-redirect-uri-regfrag":                                registeredFragment,
		"oidcc-registration-sector-bad":                             badSector,
		"oidcc-3rd_party-init-login":                                thirdPartyLogin,
		"oidcc-3rd_party-init-login-nohttps":                        thirdPartyLoginWithoutTLS,
		"oidcc-backchannel-logout-discovery-endpoint-verification":  backchannelDiscovery,
		"oidcc-rp-initiated-logout-discovery-endpoint-verification": logoutDiscovery,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			test(t, f, f.static("dienst"))
		})
	}
}

func happyFlow(t *testing.T, f *fixture, p *party) {
	tok := p.signIn(f.browser())
	if tok.claims["nonce"] != "n0nce" || tok.claims["sub"] == "" || tok.access == "" || tok.claims["at_hash"] == "" {
		t.Errorf("%v", tok.claims)
	}
}

// alternateFlow: another registered redirect URI, with a query of its own.
func alternateFlow(t *testing.T, f *fixture, p *party) {
	const other = "https://service.example/anders?mandant=7"
	f.mu.Lock()
	f.clients[p.id].RedirectURIs = append(f.clients[p.id].RedirectURIs, other)
	f.mu.Unlock()
	s := f.browser().authorize(p.request("redirect_uri", other, "prompt", "none"))
	if s.query.Get("mandant") != "7" || s.query.Get("error") != "login_required" {
		t.Errorf("%s", s.location)
	}
	b := f.browser()
	code := b.walk(b.authorize(p.request("redirect_uri", other))).query.Get("code")
	if a := p.post(op.TokenPath, p.redeemForm(code, "redirect_uri", other)); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// unsignedIDToken: nobody can ask for one.
func unsignedIDToken(t *testing.T, f *fixture, p *party) {
	if slices.Contains(f.op.Metadata().IDTokenSigningAlgValuesSupported, "none") {
		t.Error("the metadata offer alg none")
	}
	tok := p.signIn(f.browser(), "id_token_signed_response_alg", "none")
	if opened, err := trust.Open(tok.id, "JWT", *f.op.Metadata().JWKS); err != nil || opened.Header.Algorithm != "ES256" {
		t.Errorf("%v", err)
	}
}

// objectWithRedirectURI: the redirect URI of the signed object counts.
func objectWithRedirectURI(t *testing.T, f *fixture, _ *party) {
	m := f.member("Melle")
	q := url.Values{"client_id": {m.id}, "request": {m.object(m.request(), nil)}, "redirect_uri": {"https://evil.example/"}}
	b := f.browser()
	if s := b.walk(b.authorize(q)); !strings.HasPrefix(s.location, m.redirect+"?") {
		t.Errorf("%s", s.location)
	}
}

// rotatedKeys: a new key signs, the old one is still shown and its tokens hold.
func rotatedKeys(t *testing.T, f *fixture, p *party) {
	b := f.browser()
	old := p.signIn(b)
	key, err := trust.NewKey()
	must(t, err)
	f.keys.Protocol = []*trust.Key{key, f.keys.Protocol[0]}
	fresh := p.signIn(f.browser())
	set := *f.op.Metadata().JWKS
	if set.Keys() != 2 {
		t.Fatalf("%d keys are shown", set.Keys())
	}
	kid := func(id string) string {
		opened, err := trust.Open(id, "JWT", set)
		must(t, err)
		return opened.Header.KeyID
	}
	if kid(old.id) == kid(fresh.id) {
		t.Error("the new key does not sign")
	}
	if s := b.authorize(p.request("prompt", "none", "id_token_hint", old.id)); s.query.Get("code") == "" {
		t.Errorf("a hint signed with the old key: %s", s.location)
	}
}

func registeredFragment(t *testing.T, _ *fixture, _ *party) {
	if _, _, err := op.FromRegistration(op.Registration{ID: "x", Secret: "s", RedirectURIs: []string{"https://service.example/cb#foo"}}); err == nil {
		t.Error("a redirect URI with a fragment was registered")
	}
}

func badSector(t *testing.T, f *fixture, _ *party) {
	key, err := trust.NewKey()
	must(t, err)
	keys := key.Public()
	md := trust.RPMetadata{RedirectURIs: []string{"https://a.example/cb"}, JWKS: &keys, SectorIdentifierURI: "https://b.example/sector"}
	if _, _, err := op.FromMember(federation.Member{ID: "https://a.example"}, md); err == nil {
		t.Error("a sector of a foreign host was accepted")
	}
}

// thirdPartyLogin: a portal that was asked by somebody else to begin a login
// sends an ordinary request; what it was asked is not seen here.
func thirdPartyLogin(t *testing.T, f *fixture, _ *party) {
	m := f.member("Melle")
	if tok := m.signIn(f.browser(), "login_hint", testUser); tok.claims["sub"] == "" {
		t.Error("no login")
	}
}

func thirdPartyLoginWithoutTLS(t *testing.T, _ *fixture, _ *party) {
	if _, _, err := op.FromRegistration(op.Registration{ID: "x", Secret: "s", RedirectURIs: []string{"http://service.example/cb"}}); err == nil {
		t.Error("a client without TLS was registered")
	}
}

func backchannelDiscovery(t *testing.T, f *fixture, _ *party) {
	if m := f.op.Metadata(); !m.BackchannelLogoutSupported || !m.BackchannelLogoutSessionSupported {
		t.Errorf("%+v", m)
	}
}

func logoutDiscovery(t *testing.T, f *fixture, _ *party) {
	if m := f.op.Metadata(); m.EndSessionEndpoint != f.issuer+op.LogoutPath {
		t.Errorf("%s", m.EndSessionEndpoint)
	}
}

// TestConformanceLogout: RP-initiated logout, each module with what this
// provider answers: logged out at once with a hint of the browser's own
// session, asked first otherwise, and never led to an address that is not
// registered.
func TestConformanceLogout(t *testing.T) {
	const out = "https://service.example/out"
	for name, c := range map[string]struct {
		change func(q url.Values, hint string)
		asked  bool   // a question comes first
		back   string // where the browser ends; "": at our page
	}{
		"oidcc-rp-initiated-logout":                              {func(url.Values, string) {}, false, out + "?state=s1"},
		"oidcc-rp-initiated-logout-modified-id-token-hint":       {func(q url.Values, h string) { q.Set("id_token_hint", h[:len(h)-6]+"AAAAAA") }, true, ""},
		"oidcc-rp-initiated-logout-bad-id-token-hint":            {func(q url.Values, _ string) { q.Set("id_token_hint", "x.y.z") }, true, ""},
		"oidcc-rp-initiated-logout-no-id-token-hint":             {func(q url.Values, _ string) { q.Del("id_token_hint") }, true, ""},
		"oidcc-rp-initiated-logout-no-params":                    {func(q url.Values, _ string) { clear(q) }, true, ""},
		"oidcc-rp-initiated-logout-only-state":                   {func(q url.Values, _ string) { clear(q); q.Set("state", "s1") }, true, ""},
		"oidcc-rp-initiated-logout-no-post-logout-redirect-uri":  {func(q url.Values, _ string) { q.Del("post_logout_redirect_uri") }, false, ""},
		"oidcc-rp-initiated-logout-no-state":                     {func(q url.Values, _ string) { q.Del("state") }, false, out},
		"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": {func(q url.Values, _ string) { q.Set("post_logout_redirect_uri", "https://evil.example/") }, false, ""},
		"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": {func(q url.Values, _ string) {
			q.Set("post_logout_redirect_uri", out+"?foo=bar")
		}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			p := f.static("dienst")
			inbox := f.member("Empfang").redirect // answers 200
			f.mu.Lock()
			f.clients[p.id].BackchannelLogoutURI = inbox
			f.mu.Unlock()
			b := f.browser()
			tok := p.signIn(b)
			q := url.Values{"id_token_hint": {tok.id}, "post_logout_redirect_uri": {out}, "state": {"s1"}}
			c.change(q, tok.id)
			s := b.open(f.issuer + op.LogoutPath + "?" + q.Encode())
			if asked := s.page.Kind == "logout" && !s.page.Logout.Done; asked != c.asked {
				t.Fatalf("asked %v: %d %s %+v", asked, s.status, s.location, s.page)
			}
			if c.asked {
				if !p.known(b) {
					t.Fatal("logged out before the answer")
				}
				s = b.send(http.MethodPost, s.page.Logout.Action, url.Values{"csrf": {s.page.Logout.CSRF}, "handle": {s.page.Logout.Handle}})
			}
			if s.location != c.back || c.back == "" && !s.page.Logout.Done {
				t.Errorf("ended at %q, %+v", s.location, s.page)
			}
			if p.known(b) {
				t.Error("still signed in")
			}
		})
	}
}

// known reports whether the provider still knows the browser.
func (p *party) known(b *browser) bool {
	return b.authorize(p.request("prompt", "none")).query.Get("code") != ""
}
