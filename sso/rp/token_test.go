package rp

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/sso/rp/rptest"
)

// spoiledLogin runs one login at a provider that f has changed.
func spoiledLogin(t *testing.T, f func(*portal, *rptest.OP)) (*portal, *browser, page) {
	t.Helper()
	p := newPortal(t)
	p.op.Change(func(o *rptest.OP) { f(p, o) })
	b := p.browser(t)
	return p, b, b.get(t, p.url+"/anmelden")
}

// idTokenCase spoils header or claims of the ID token.
type idTokenCase map[string]func(p *portal, header, claims map[string]any)

func (cases idTokenCase) run(t *testing.T) {
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			_, b, pg := spoiledLogin(t, func(p *portal, o *rptest.OP) {
				o.Faults.IDToken = func(h, c map[string]any) { spoil(p, h, c) }
			})
			b.refused(t, pg, "invalid_token")
		})
	}
}

func TestG92_NonceWrongOrAbsent(t *testing.T) {
	idTokenCase{
		"wrong":    func(_ *portal, _, c map[string]any) { c["nonce"] = "x" },
		"absent":   func(_ *portal, _, c map[string]any) { delete(c, "nonce") },
		"empty":    func(_ *portal, _, c map[string]any) { c["nonce"] = "" },
		"null":     func(_ *portal, _, c map[string]any) { c["nonce"] = nil },
		"number":   func(_ *portal, _, c map[string]any) { c["nonce"] = 1 },
		"as Nonce": func(_ *portal, _, c map[string]any) { c["Nonce"] = c["nonce"]; delete(c, "nonce") },
	}.run(t)
}

func TestG93_AudienceAndAzp(t *testing.T) {
	idTokenCase{
		"stranger beside us": func(p *portal, _, c map[string]any) { c["aud"] = []string{p.url, "https://stranger.example"} },
		"stranger beside us, azp us": func(p *portal, _, c map[string]any) {
			c["aud"] = []string{p.url, "https://s.example"}
			c["azp"] = p.url
		},
		"stranger only":        func(_ *portal, _, c map[string]any) { c["aud"] = "https://stranger.example" },
		"azp stranger":         func(_ *portal, _, c map[string]any) { c["azp"] = "https://stranger.example" },
		"azp empty":            func(_ *portal, _, c map[string]any) { c["azp"] = "" },
		"aud with slash":       func(p *portal, _, c map[string]any) { c["aud"] = p.url + "/" },
		"aud empty array":      func(_ *portal, _, c map[string]any) { c["aud"] = []string{} },
		"aud missing":          func(_ *portal, _, c map[string]any) { delete(c, "aud") },
		"aud an object":        func(p *portal, _, c map[string]any) { c["aud"] = map[string]string{"x": p.url} },
		"aud our redirect URI": func(p *portal, _, c map[string]any) { c["aud"] = p.url + CallbackPath },
	}.run(t)
}

func TestG94_MissingOrWrongClaims(t *testing.T) {
	idTokenCase{
		"sub missing":       func(_ *portal, _, c map[string]any) { delete(c, "sub") },
		"sub empty":         func(_ *portal, _, c map[string]any) { c["sub"] = "" },
		"sub with newline":  func(_ *portal, _, c map[string]any) { c["sub"] = "a\nb" },
		"sub of 10 kB":      func(_ *portal, _, c map[string]any) { c["sub"] = strings.Repeat("x", 10000) },
		"iat missing":       func(_ *portal, _, c map[string]any) { delete(c, "iat") },
		"iat in future":     func(p *portal, _, c map[string]any) { c["iat"] = p.clock.Now().Add(2 * time.Minute).Unix() },
		"iat of yesterday":  func(p *portal, _, c map[string]any) { c["iat"] = p.clock.Now().Add(-24 * time.Hour).Unix() },
		"exp missing":       func(_ *portal, _, c map[string]any) { delete(c, "exp") },
		"exp past":          func(p *portal, _, c map[string]any) { c["exp"] = p.clock.Now().Add(-time.Second).Unix() },
		"exp now":           func(p *portal, _, c map[string]any) { c["exp"] = p.clock.Now().Unix() },
		"exp a string":      func(p *portal, _, c map[string]any) { c["exp"] = fmt.Sprint(p.clock.Now().Add(time.Hour).Unix()) },
		"exp 1e400":         func(_ *portal, _, c map[string]any) { c["exp"] = json.Number("1e400") },
		"nbf future":        func(p *portal, _, c map[string]any) { c["nbf"] = p.clock.Now().Add(2 * time.Minute).Unix() },
		"iss with slash":    func(p *portal, _, c map[string]any) { c["iss"] = p.op.Issuer + "/" },
		"iss of another":    func(p *portal, _, c map[string]any) { c["iss"] = p.other.Issuer },
		"iss missing":       func(_ *portal, _, c map[string]any) { delete(c, "iss") },
		"auth_time missing": func(_ *portal, _, c map[string]any) { delete(c, "auth_time") },
		"auth_time future":  func(p *portal, _, c map[string]any) { c["auth_time"] = p.clock.Now().Add(2 * time.Minute).Unix() },
		"at_hash wrong":     func(_ *portal, _, c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" },
		"sid an object":     func(_ *portal, _, c map[string]any) { c["sid"] = map[string]int{"a": 1} },
	}.run(t)
	for name, c := range map[string]string{
		"sub twice":   `{"sub":"pairwise-erika","sub":"x"}`,
		"Sub besides": `{"sub":"pairwise-erika","Sub":"x"}`,
		"trailing":    `{"sub":"pairwise-erika"}{}`,
		"array":       `[]`,
		"bad UTF-8":   "{\"sub\":\"\xff\"}",
	} {
		t.Run(name, func(t *testing.T) {
			_, b, pg := spoiledLogin(t, func(_ *portal, o *rptest.OP) {
				o.Faults.Raw = func(string) string {
					return must(o.Keys[0].Raw(map[string]any{"alg": "ES256", "kid": "op-1", "typ": "JWT"}, []byte(c)))(t)
				}
			})
			b.refused(t, pg, "invalid_token")
		})
	}
}

func TestG95_AlgorithmKidAndTyp(t *testing.T) {
	idTokenCase{
		"none":                 func(_ *portal, h, _ map[string]any) { h["alg"] = "none" },
		"None":                 func(_ *portal, h, _ map[string]any) { h["alg"] = "None" },
		"HS256 with the JWK":   func(_ *portal, h, _ map[string]any) { h["alg"] = "HS256" },
		"RS256 not configured": func(_ *portal, h, _ map[string]any) { h["alg"] = "RS256" },
		"kid absent":           func(_ *portal, h, _ map[string]any) { delete(h, "kid") },
		"kid unknown":          func(_ *portal, h, _ map[string]any) { h["kid"] = "other" },
		"typ logout+jwt":       func(_ *portal, h, _ map[string]any) { h["typ"] = "logout+jwt" },
		"typ at+jwt":           func(_ *portal, h, _ map[string]any) { h["typ"] = "at+jwt" },
		"typ entity-statement": func(_ *portal, h, _ map[string]any) { h["typ"] = "entity-statement+jwt" },
		"b64 false":            func(_ *portal, h, _ map[string]any) { h["b64"] = false; h["crit"] = []string{"b64"} },
	}.run(t)
	t.Run("kid absent with several keys", func(t *testing.T) {
		_, b, pg := spoiledLogin(t, func(_ *portal, o *rptest.OP) {
			o.Keys = append(o.Keys, must(rptest.NewES256("op-2"))(t))
			o.Faults.IDToken = func(h, _ map[string]any) { delete(h, "kid") }
		})
		b.refused(t, pg, "invalid_token")
	})
	t.Run("jwk and jku in the header", func(t *testing.T) {
		evil := must(rptest.NewES256("evil"))(t)
		p, b, pg := spoiledLogin(t, func(p *portal, o *rptest.OP) {
			o.Faults.Sign = func(h, _ map[string]any) (*rptest.Key, bool) {
				h["jwk"], h["jku"] = must(evil.JWK())(t), p.other.Issuer+"/jwks"
				return evil, true
			}
		})
		b.refused(t, pg, "invalid_token")
		if p.other.Seen("/jwks") != 0 {
			t.Error("jku was followed")
		}
	})
	for name, raw := range map[string]func(string) string{
		"one byte of the signature": func(s string) string { return s[:len(s)-6] + flip(s[len(s)-6:]) },
		"100,000 dots":              func(string) string { return strings.Repeat(".", 100000) },
		"JWE":                       func(s string) string { return s + ".x.y" },
		"no signature":              func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] },
		"2 MB":                      func(s string) string { return s + strings.Repeat("A", 200<<10) },
	} {
		t.Run(name, func(t *testing.T) {
			_, b, pg := spoiledLogin(t, func(_ *portal, o *rptest.OP) { o.Faults.Raw = raw })
			b.refused(t, pg, "invalid_token")
		})
	}
}

func flip(s string) string {
	c := byte('A')
	if s[0] == 'A' {
		c = 'B'
	}
	return string(c) + s[1:]
}

func TestG97_UnknownKidFlood(t *testing.T) {
	p := newPortal(t)
	if status, _ := p.backchannel(t, must(p.op.LogoutToken(p.url, nil))(t)); status != http.StatusOK {
		t.Fatalf("genuine token: %d", status)
	}
	p.clock.Add(2 * time.Minute)
	before := p.op.Seen("/jwks")
	for range 1000 {
		token := must(p.op.LogoutToken(p.url, func(h, _ map[string]any) { h["kid"] = rand.Text() }))(t)
		if status, _ := p.backchannel(t, token); status != http.StatusBadRequest {
			t.Fatalf("unknown kid: %d, want 400", status)
		}
	}
	if n := p.op.Seen("/jwks") - before; n != 1 {
		t.Errorf("%d key fetches for 1000 unknown kids, want 1", n)
	}
	if pg := p.browser(t).get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") {
		t.Errorf("a genuine login during the flood: %q", pg.body)
	}
}

func TestG98_KeySetAnswers(t *testing.T) {
	k := must(rptest.NewES256("op-1"))(t)
	jwk := must(k.JWK())(t)
	private := map[string]any{"d": "AAAA"}
	for n, v := range jwk {
		private[n] = v
	}
	set := func(keys ...any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"404":           http.NotFound,
		"500":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"empty set":     set(),
		"HTML":          func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>oops</html>") },
		"50 MB":         func(w http.ResponseWriter, _ *http.Request) { big(w) },
		"private key":   set(private),
		"symmetric key": set(map[string]any{"kty": "oct", "k": "AAAA", "kid": "s"}),
		"duplicate kid": set(jwk, jwk),
		"null":          func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "null") },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.9:1/", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			if pg := p.browser(t).get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") {
				t.Fatalf("first login: %q", pg.body)
			}
			p.op.Change(func(o *rptest.OP) { o.Faults.Instead = map[string]http.HandlerFunc{"/jwks": h} })
			p.clock.Add(2 * time.Hour) // the set is old: it is asked for again
			if pg := p.browser(t).get(t, p.url+"/anmelden"); !strings.HasPrefix(pg.body, "Erika") {
				t.Errorf("the last good set was lost: %d %q", pg.status, pg.body)
			}
			if p.op.Seen("/jwks") != 2 {
				t.Errorf("%d fetches, want 2", p.op.Seen("/jwks"))
			}
			if !strings.Contains(p.log.String(), "level=ERROR") {
				t.Error("nobody was alarmed")
			}
		})
	}
}

func TestG100_UserinfoOfAnotherSubject(t *testing.T) {
	for name, spoil := range map[string]func(map[string]any){
		"another": func(c map[string]any) { c["sub"] = "somebody-else" },
		"absent":  func(c map[string]any) { delete(c, "sub") },
		"empty":   func(c map[string]any) { c["sub"] = "" },
	} {
		t.Run(name, func(t *testing.T) {
			_, b, pg := spoiledLogin(t, func(_ *portal, o *rptest.OP) { o.Faults.Userinfo = spoil })
			b.refused(t, pg, "invalid_token")
		})
	}
}

func TestLevelLowerThanAsked(t *testing.T) {
	for name, acr := range map[string]string{
		"low for substantial": "http://eidas.europa.eu/LoA/low",
		"basis":               "urn:rathausnetz:acr:basis",
		"unknown":             "https://example/gold",
		"word instead of acr": "hoch",
		"number":              "4",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			p.op.Change(func(o *rptest.OP) { o.ACR = acr })
			b := p.browser(t)
			b.refused(t, b.get(t, p.url+"/antrag/1"), "unmet_authentication_requirements")
		})
	}
}

func TestHostileClaimsAreCut(t *testing.T) {
	_, b, pg := spoiledLogin(t, func(_ *portal, o *rptest.OP) {
		o.Claims = map[string]any{"name": "Eri\u0000ka\u202e\r\n" + strings.Repeat("x", 500), "email": 7, "given_name": nil}
	})
	if !strings.HasPrefix(pg.body, "Erikax") || strings.ContainsAny(pg.body, "\r\n\x00\u202e") || strings.Count(pg.body, "x") != 195 {
		t.Errorf("page says %q", pg.body)
	}
	if !b.signedIn(t) {
		t.Error("not signed in")
	}
}

func TestF86_LogoutTokenAsIDToken(t *testing.T) {
	_, b, pg := spoiledLogin(t, func(p *portal, o *rptest.OP) {
		o.Faults.IDToken = func(h, c map[string]any) {
			h["typ"] = "logout+jwt"
			delete(c, "nonce")
			c["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
		}
	})
	b.refused(t, pg, "invalid_token")
}

func TestLoginWithLongAnswerIsCut(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	u := must(url.Parse(b.callback(t, p.url+"/anmelden")))(t)
	u.RawQuery += "&x=" + strings.Repeat("y", 9000)
	b.refused(t, b.once(t, u.String()), "invalid_request")
}
