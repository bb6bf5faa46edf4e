package rp

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rathausnetz/sso/rp/rptest"
)

// The names are those of the OpenID Foundation's conformance suite, plans "RP
// basic", "RP config", "RP back-channel" and "third-party login" [SSO.md §8].
// Two modules expect what this closed profile refuses on purpose: a token
// without kid, and RS256 where the metadata says ES256.
func TestConformanceRPBasic(t *testing.T) {
	ok := func(t *testing.T, _ *browser, pg page) {
		t.Helper()
		if !strings.HasPrefix(pg.body, "Erika Mustermann") {
			t.Errorf("arrived at %d %q", pg.status, pg.body)
		}
	}
	no := func(t *testing.T, b *browser, pg page) { t.Helper(); b.refused(t, pg, "invalid_token") }
	claims := func(f func(p *portal, h, c map[string]any)) func(*portal, *rptest.OP) {
		return func(p *portal, o *rptest.OP) { o.Faults.IDToken = func(h, c map[string]any) { f(p, h, c) } }
	}
	none := func(*portal, *rptest.OP) {}
	for name, m := range map[string]struct {
		op   func(*portal, *rptest.OP)
		want func(*testing.T, *browser, page)
	}{
		"oidcc-client-test":                                {none, ok},
		"oidcc-client-test-invalid-iss":                    {claims(func(_ *portal, _, c map[string]any) { c["iss"] = "https://other.example" }), no},
		"oidcc-client-test-missing-sub":                    {claims(func(_ *portal, _, c map[string]any) { delete(c, "sub") }), no},
		"oidcc-client-test-invalid-aud":                    {claims(func(_ *portal, _, c map[string]any) { c["aud"] = "https://other.example" }), no},
		"oidcc-client-test-missing-iat":                    {claims(func(_ *portal, _, c map[string]any) { delete(c, "iat") }), no},
		"oidcc-client-test-kid-absent-single-jwks":         {claims(func(_ *portal, h, _ map[string]any) { delete(h, "kid") }), no},
		"oidcc-client-test-idtoken-sig-none":               {claims(func(_ *portal, h, _ map[string]any) { h["alg"] = "none" }), no},
		"oidcc-client-test-nonce-invalid":                  {claims(func(_ *portal, _, c map[string]any) { c["nonce"] = "other" }), no},
		"oidcc-client-test-userinfo-bearer-header":         {none, ok}, // the provider takes no other way
		"oidcc-client-test-scope-userinfo-claims":          {none, ok},
		"oidcc-client-test-userinfo-invalid-sub":           {func(_ *portal, o *rptest.OP) { o.Faults.Userinfo = func(c map[string]any) { c["sub"] = "other" } }, no},
		"openid-federation-client-test":                    {none, ok},
		"openid-federation-client-invalid-aud-in-id-token": {claims(func(p *portal, _, c map[string]any) { c["aud"] = p.op.Issuer }), no},
		"openid-federation-client-invalid-iss-in-id-token": {claims(func(p *portal, _, c map[string]any) { c["iss"] = p.url }), no},
		"oidcc-client-test-kid-absent-multiple-jwks": {func(p *portal, o *rptest.OP) {
			o.Keys = append(o.Keys, must(rptest.NewES256("second"))(t))
			o.Faults.IDToken = func(h, _ map[string]any) { delete(h, "kid") }
		}, no},
		"oidcc-client-test-idtoken-sig-rs256": {func(p *portal, o *rptest.OP) {
			o.Keys = []*rptest.Key{must(rptest.NewRS256("rsa"))(t)}
			p.ops.change(o.Issuer, func(m *Provider) { m.Algorithms = []string{"RS256"} })
		}, ok},
		"oidcc-client-test-invalid-sig-rs256": {func(p *portal, o *rptest.OP) {
			o.Keys = []*rptest.Key{must(rptest.NewRS256("rsa"))(t)}
			p.ops.change(o.Issuer, func(m *Provider) { m.Algorithms = []string{"RS256"} })
			o.Faults.Sign = func(_, _ map[string]any) (*rptest.Key, bool) { return must(rptest.NewRS256("rsa"))(t), true }
		}, no},
	} {
		t.Run(name, func(t *testing.T) {
			_, b, pg := spoiledLogin(t, m.op)
			m.want(t, b, pg)
		})
	}
}

func TestConformanceRPConfig(t *testing.T) {
	t.Run("oidcc-client-test-discovery-jwks-uri-keys", func(t *testing.T) {
		p := newPortal(t)
		if pg := p.browser(t).get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") || p.op.Seen("/jwks") != 1 {
			t.Errorf("arrived at %q after %d fetches of the key set", pg.body, p.op.Seen("/jwks"))
		}
	})
	for _, name := range []string{"oidcc-client-test-signing-key-rotation-just-before-signing", "oidcc-client-test-signing-key-rotation"} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			if pg := p.browser(t).get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") {
				t.Fatalf("first login: %q", pg.body)
			}
			p.clock.Add(keyCooldownForTests)
			p.op.Change(func(o *rptest.OP) {
				fresh := must(rptest.NewES256("op-2"))(t)
				if strings.HasSuffix(name, "signing") {
					o.Keys = []*rptest.Key{fresh} // the old key is gone at once
				} else {
					o.Keys = []*rptest.Key{fresh, o.Keys[0]}
				}
			})
			if pg := p.browser(t).get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") {
				t.Errorf("after the rotation: %d %q", pg.status, pg.body)
			}
		})
	}
}

// keyCooldownForTests is what provider grants between two key fetches.
const keyCooldownForTests = time.Minute

func TestConformanceRPBackchannel(t *testing.T) {
	t.Run("oidcc-client-test-rp-backchannel-rpinitlogout", func(t *testing.T) {
		p := newPortal(t)
		b := p.browser(t)
		b.get(t, p.url+"/anmelden")
		if status, _ := p.backchannel(t, must(p.op.LogoutToken(p.url, nil))(t)); status != http.StatusOK || b.signedIn(t) {
			t.Errorf("status %d, signed in %v", status, b.signedIn(t))
		}
	})
	for name, spoil := range map[string]func(p *portal, h, c map[string]any){
		"alg-none":  func(_ *portal, h, _ map[string]any) { h["alg"] = "none" },
		"wrong-alg": func(_ *portal, h, _ map[string]any) { h["alg"] = "RS256" },
		"no-event":  func(_ *portal, _, c map[string]any) { delete(c, "events") },
		"wrong-event": func(_ *portal, _, c map[string]any) {
			c["events"] = map[string]any{logoutEvent + "x": map[string]any{}}
		},
		"with-nonce": func(_ *portal, _, c map[string]any) { c["nonce"] = "n" },
		"wrong-aud":  func(_ *portal, _, c map[string]any) { c["aud"] = "https://other.example" },
		"wrong-iss":  func(_ *portal, _, c map[string]any) { c["iss"] = "https://other.example" },
	} {
		t.Run("oidcc-client-test-rp-backchannel-rpinitlogout-"+name, func(t *testing.T) { logoutRefused(t, spoil) })
	}
}

func TestConformanceThirdParty(t *testing.T) {
	t.Run("oidcc-client-test-3rd-party-init-login", func(t *testing.T) {
		p := newPortal(t)
		if pg := p.browser(t).get(t, p.initiation(p.op.Issuer, p.url+"/leistung/1")); pg.body != "Erika Mustermann basis at /leistung/1" {
			t.Errorf("arrived at %q", pg.body)
		}
	})
}
