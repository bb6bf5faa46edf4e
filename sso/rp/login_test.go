package rp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso/rp/rptest"
)

func TestLogin(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	pg := b.get(t, p.url+"/anmelden?zurueck="+url.QueryEscape("/leistung/7?lang=de"))
	if want := "Erika Mustermann basis at /leistung/7?lang=de"; pg.body != want {
		t.Fatalf("arrived at %q, want %q", pg.body, want)
	}
	last := p.op.Last()
	if last.Has("prompt") || last.Get("max_age") != "43200" {
		t.Error("an ordinary login asks the provider to ask again: the citizen would type a second password")
	}
	if last.Get("code_challenge_method") != "S256" || len(last.Get("nonce")) != 43 || len(last.Get("state")) != 43 {
		t.Errorf("request without PKCE, nonce or state: %v", last)
	}
	seen := p.op.Seen("/par")
	if pg := b.get(t, p.url+"/anmelden?zurueck=/leistung/8"); pg.body != "Erika Mustermann basis at /leistung/8" || p.op.Seen("/par") != seen {
		t.Errorf("signed in already, and sent to the provider again: %q", pg.body)
	}
}

func TestFrontChannelCarriesNothing(t *testing.T) {
	p := newPortal(t)
	pg := p.browser(t).once(t, p.url+"/anmelden?zurueck=/leistung/7")
	u := must(url.Parse(pg.location))(t)
	if q := u.Query(); len(q) != 2 || q.Get("client_id") != p.url || !strings.HasPrefix(q.Get("request_uri"), "urn:") {
		t.Errorf("the link to the provider is %s, want client_id and request_uri only", pg.location)
	}
}

func TestStepUpKeepsTheForm(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	before := b.cookie(t)
	pg := b.follow(t, b.post(t, p.url+"/antrag/7", url.Values{"hund": {"Waldi"}}))
	if want := "Erika Mustermann substanziell form map[hund:[Waldi]]"; pg.body != want {
		t.Fatalf("arrived at %q, want %q", pg.body, want)
	}
	if pg.url != p.url+"/antrag/7" {
		t.Errorf("arrived at %s, want a clean URL", pg.url)
	}
	if b.cookie(t) == before {
		t.Error("step-up kept the session's cookie")
	}
	last := p.op.Last()
	if last.Has("acr_values") || last.Has("prompt") || last.Get("max_age") != "7200" {
		t.Errorf("step-up asked with acr_values %q, prompt %q, max_age %q", last.Get("acr_values"), last.Get("prompt"), last.Get("max_age"))
	}
	var claims struct {
		IDToken struct {
			ACR struct {
				Essential bool     `json:"essential"`
				Values    []string `json:"values"`
			} `json:"acr"`
		} `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(last.Get("claims")), &claims); err != nil || !claims.IDToken.ACR.Essential || len(claims.IDToken.ACR.Values) != 2 {
		t.Errorf("claims parameter %q: %v", last.Get("claims"), err)
	}
	fresh := p.browser(t)
	if pg := fresh.get(t, p.url+"/antrag/7?ort=Melle"); pg.url != p.url+"/antrag/7?ort=Melle" || !strings.HasPrefix(pg.body, "Erika") {
		t.Errorf("a page asked for without login: arrived at %s with %q", pg.url, pg.body)
	}
	if pg := b.get(t, p.url+"/antrag/7"); pg.body != "Erika Mustermann substanziell form map[]" {
		t.Errorf("second visit: %q", pg.body)
	}
}

func TestProviderWithoutClaimsParameter(t *testing.T) {
	p := newPortal(t)
	p.ops.change(p.op.Issuer, func(m *Provider) { m.TakesClaims = false })
	if pg := p.browser(t).get(t, p.url+"/antrag/7"); !strings.HasPrefix(pg.body, "Erika Mustermann substanziell") {
		t.Errorf("arrived at %q", pg.body)
	}
	if last := p.op.Last(); last.Get("acr_values") != federation.LevelSubstanziell.ACR() || last.Has("claims") {
		t.Errorf("asked with acr_values %q and claims %q", last.Get("acr_values"), last.Get("claims"))
	}
}

func TestLoginOlderThanItsLevelAllows(t *testing.T) {
	p := newPortal(t)
	p.op.Change(func(o *rptest.OP) { o.AuthAge = 2*time.Hour + 2*time.Minute })
	b := p.browser(t)
	b.refused(t, b.get(t, p.url+"/antrag/7"), "invalid_token")
}

func (b *browser) cookie(t *testing.T) string {
	t.Helper()
	for _, c := range b.c.Jar.Cookies(must(url.Parse(b.p.url))(t)) {
		if c.Name == "rn" {
			return c.Value
		}
	}
	return ""
}

func TestLevelHochIsAlwaysFresh(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	if pg := b.get(t, p.url+"/hoch/1"); !strings.HasPrefix(pg.body, "Erika Mustermann hoch") {
		t.Fatalf("arrived at %q", pg.body)
	}
	if last := p.op.Last(); last.Get("prompt") != "login" || last.Get("max_age") != "0" {
		t.Errorf("level hoch asked with prompt %q and max_age %q", last.Get("prompt"), last.Get("max_age"))
	}
	// A provider that hands over an old login all the same is refused.
	p.op.Change(func(o *rptest.OP) { o.AuthAge = 2 * time.Minute })
	c := p.browser(t)
	c.refused(t, c.get(t, p.url+"/hoch/1"), "invalid_token")
}

func TestAccountCreationUpstreamTakesTwentyMinutes(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	cb := b.callback(t, p.url+"/anmelden?zurueck=/leistung/7")
	p.clock.Add(20 * time.Minute)
	if pg := b.get(t, cb); pg.body != "Erika Mustermann basis at /leistung/7" {
		t.Errorf("after 20 minutes: %d %q", pg.status, pg.body)
	}
	late := p.browser(t)
	cb = late.callback(t, p.url+"/anmelden?zurueck=/leistung/7")
	p.clock.Add(61 * time.Minute)
	late.refused(t, late.get(t, cb), "invalid_request")
}

func TestRefusedLoginCanBeTriedAgain(t *testing.T) {
	p := newPortal(t)
	p.op.Change(func(o *rptest.OP) {
		o.Faults.Answer = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }
	})
	b := p.browser(t)
	pg := b.get(t, p.url+"/anmelden?niveau=substanziell&zurueck=/antrag/7")
	b.refused(t, pg, "access_denied")
	_, retry, _ := strings.Cut(pg.body, "retry=")
	p.op.Change(func(o *rptest.OP) { o.Faults = rptest.Faults{} })
	if pg := b.get(t, p.url+retry); pg.body != "Erika Mustermann substanziell form map[]" {
		t.Errorf("second try by %s: %q", retry, pg.body)
	}
}

func TestE69_LoginCSRF(t *testing.T) {
	for name, before := range map[string]func(*testing.T, *portal, *browser){
		"victim never was here":         func(*testing.T, *portal, *browser) {},
		"victim has a login on its way": func(t *testing.T, p *portal, b *browser) { b.callback(t, p.url+"/anmelden") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			attacker, victim := p.browser(t), p.browser(t)
			before(t, p, victim)
			cb := attacker.callback(t, p.url+"/anmelden")
			victim.refused(t, victim.once(t, cb), "invalid_request")
			if pg := attacker.get(t, cb); !strings.HasPrefix(pg.body, "Erika") {
				t.Errorf("a stranger who opened the link ended the login: %q", pg.body)
			}
		})
	}
}

func TestReplicaDiesDuringLogin(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	cb := b.callback(t, p.url+"/anmelden?zurueck=/leistung/1")
	p.replica(t)
	if pg := b.get(t, cb); pg.body != "Erika Mustermann basis at /leistung/1" {
		t.Errorf("at the other replica: %d %q", pg.status, pg.body)
	}
	token := must(p.op.LogoutToken(p.url, nil))(t)
	if status, _ := p.backchannel(t, token); status != http.StatusOK {
		t.Fatalf("logout: %d", status)
	}
	p.replica(t)
	if status, _ := p.backchannel(t, token); status != http.StatusBadRequest {
		t.Errorf("the same logout token at another replica: %d, want 400", status)
	}
	if b.signedIn(t) {
		t.Error("still signed in")
	}
}

func TestE71_TwoTabs(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	one := b.callback(t, p.url+"/anmelden?zurueck=/leistung/1")
	two := b.callback(t, p.url+"/anmelden?zurueck=/leistung/2")
	if pg := b.get(t, two); !strings.HasSuffix(pg.body, " at /leistung/2") {
		t.Errorf("second tab: %q", pg.body)
	}
	if pg := b.get(t, one); !strings.HasSuffix(pg.body, " at /leistung/1") {
		t.Errorf("first tab: %q", pg.body)
	}
}

func TestA21_CallbackAnswersWithACleanURL(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	pg := b.once(t, b.callback(t, p.url+"/anmelden?zurueck=/leistung/1"))
	if pg.status != http.StatusSeeOther || pg.location != "/leistung/1" {
		t.Errorf("answer %d to %q, want 303 to the clean page", pg.status, pg.location)
	}
	if pg.header.Get("Referrer-Policy") != "no-referrer" || pg.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", pg.header)
	}
}

func TestG91_State(t *testing.T) {
	for name, spoil := range map[string]func(q url.Values){
		"unknown":                   func(q url.Values) { q.Set("state", strings.Repeat("A", 43)) },
		"absent":                    func(q url.Values) { q.Del("state") },
		"empty":                     func(q url.Values) { q.Set("state", "") },
		"twice":                     func(q url.Values) { q.Add("state", q.Get("state")) },
		"huge":                      func(q url.Values) { q.Set("state", strings.Repeat("A", 7000)) },
		"error with foreign state":  func(q url.Values) { q.Set("state", "foreign"); q.Set("error", "access_denied") },
		"error with hostile text":   func(q url.Values) { q.Set("state", "x"); q.Set("error", "<script>alert(1)</script>\r\nX: y") },
		"code of a login elsewhere": func(q url.Values) { q.Set("state", "c2Vuc2VsZXNz"); q.Set("code", "stolen") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			b := p.browser(t)
			u := must(url.Parse(b.callback(t, p.url+"/anmelden")))(t)
			q := u.Query()
			spoil(q)
			u.RawQuery = q.Encode()
			pg := b.once(t, u.String())
			b.refused(t, pg, "invalid_request")
			if strings.Contains(pg.body, "<script>") || pg.header.Get("X") != "" {
				t.Errorf("reflected: %q", pg.body)
			}
		})
	}
	t.Run("used", func(t *testing.T) {
		p := newPortal(t)
		b := p.browser(t)
		cb := b.callback(t, p.url+"/anmelden")
		b.get(t, cb)
		if pg := b.once(t, cb); pg.status != http.StatusBadRequest {
			t.Errorf("second use: %d %q, want PAGE400", pg.status, pg.body)
		}
	})
	t.Run("used by 20 at once", func(t *testing.T) {
		p := newPortal(t)
		b := p.browser(t)
		cb := b.callback(t, p.url+"/anmelden?zurueck=/leistung/1")
		var mu sync.Mutex
		var wg sync.WaitGroup
		good := 0
		for range 20 {
			wg.Go(func() {
				res, err := b.c.Get(cb)
				if err != nil {
					t.Error(err)
					return
				}
				if err := res.Body.Close(); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if res.StatusCode == http.StatusSeeOther {
					good++
				} else if res.StatusCode != http.StatusBadRequest {
					t.Errorf("status %d", res.StatusCode)
				}
			})
		}
		wg.Wait()
		if good != 1 || p.op.Seen("/token") != 1 {
			t.Errorf("%d callbacks succeeded with %d token requests, want 1 and 1", good, p.op.Seen("/token"))
		}
	})
}

func TestMixUp(t *testing.T) {
	for name, spoil := range map[string]func(p *portal, u *url.URL, q url.Values){
		"iss absent":        func(_ *portal, _ *url.URL, q url.Values) { q.Del("iss") },
		"iss of another OP": func(p *portal, _ *url.URL, q url.Values) { q.Set("iss", p.other.Issuer) },
		"iss with slash":    func(p *portal, _ *url.URL, q url.Values) { q.Set("iss", p.op.Issuer+"/") },
		"path of another OP": func(p *portal, u *url.URL, _ url.Values) {
			u.Path = CallbackPath + IssuerHash(federation.EntityID(p.other.Issuer))
		},
		"path without issuer": func(_ *portal, u *url.URL, _ url.Values) { u.Path = CallbackPath },
		"path and iss crossed": func(p *portal, u *url.URL, q url.Values) {
			q.Set("iss", p.other.Issuer)
			u.Path = CallbackPath + IssuerHash(federation.EntityID(p.other.Issuer))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			b := p.browser(t)
			u := must(url.Parse(b.callback(t, p.url+"/anmelden")))(t)
			q := u.Query()
			spoil(p, u, q)
			u.RawQuery = q.Encode()
			b.refused(t, b.once(t, u.String()), "invalid_request")
			if p.op.Seen("/token")+p.other.Seen("/token") != 0 {
				t.Error("the code was sent to a token endpoint")
			}
		})
	}
}

func TestG99_ProviderMetadata(t *testing.T) {
	for name, spoil := range map[string]func(*Provider){
		"issuer differs":          func(m *Provider) { m.Issuer += "/x" },
		"token on another origin": func(m *Provider) { m.TokenEndpoint = "http://127.0.0.9:1/token" },
		"par on another origin":   func(m *Provider) { m.PAREndpoint = "http://127.0.0.9:1/par" },
		"authorize elsewhere":     func(m *Provider) { m.AuthorizationEndpoint = "http://127.0.0.9:1/a" },
		"userinfo elsewhere":      func(m *Provider) { m.UserinfoEndpoint = "http://127.0.0.9:1/u" },
		"plain http, real host":   func(m *Provider) { m.TokenEndpoint = "http://kreis.example/token" },
		"user part":               func(m *Provider) { m.TokenEndpoint = strings.Replace(m.TokenEndpoint, "//", "//x@", 1) },
		"no pushed requests":      func(m *Provider) { m.PAREndpoint = "" },
		"symmetric algorithm":     func(m *Provider) { m.Algorithms = []string{"HS256"} },
		"algorithm none":          func(m *Provider) { m.Algorithms = []string{"none"} },
		"script as an endpoint":   func(m *Provider) { m.AuthorizationEndpoint = "javascript:alert(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			p.ops.change(p.op.Issuer, spoil)
			b := p.browser(t)
			b.refused(t, b.once(t, p.url+"/anmelden"), "invalid_request")
			if p.op.Seen("/par") != 0 {
				t.Error("a request went out")
			}
		})
	}
}

func TestG104_RunningLoginKeepsItsEndpoints(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	cb := b.callback(t, p.url+"/anmelden")
	p.ops.change(p.op.Issuer, func(m *Provider) {
		m.AuthorizationEndpoint = p.op.Issuer + "/evil"
		m.TokenEndpoint, m.UserinfoEndpoint = p.op.Issuer+"/evil-token", p.op.Issuer+"/evil-userinfo"
	})
	if pg := b.get(t, cb); !strings.HasPrefix(pg.body, "Erika") {
		t.Fatalf("arrived at %q", pg.body)
	}
	if p.op.Seen("/evil-token")+p.op.Seen("/evil-userinfo") != 0 || p.op.Seen("/token") != 1 {
		t.Error("the running login used the new endpoints")
	}
}

func TestProviderRevokedDuringLogin(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	cb := b.callback(t, p.url+"/anmelden")
	p.ops.drop(p.op.Issuer)
	b.refused(t, b.get(t, cb), "invalid_issuer")
	if p.op.Seen("/token") != 0 {
		t.Error("the code was redeemed at a provider that is no member any more")
	}
}

func TestProviderAwayOrFailing(t *testing.T) {
	t.Run("par answers 401", func(t *testing.T) {
		p := newPortal(t)
		p.op.Change(func(o *rptest.OP) { o.Clients = nil })
		b := p.browser(t)
		b.refused(t, b.once(t, p.url+"/anmelden"), "invalid_client")
		if n := p.store.count(t, loginPrefix); n != 0 {
			t.Errorf("%d login records were left", n)
		}
	})
	t.Run("not there", func(t *testing.T) {
		p := newPortal(t)
		p.op.Close()
		pg := p.browser(t).once(t, p.url+"/anmelden")
		if pg.status != http.StatusServiceUnavailable || pg.header.Get("Retry-After") == "" {
			t.Errorf("answer %d, Retry-After %q", pg.status, pg.header.Get("Retry-After"))
		}
	})
	for name, h := range map[string]http.HandlerFunc{
		"HTML": func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.9:1/", http.StatusFound)
		},
		"50 MB": func(w http.ResponseWriter, _ *http.Request) { big(w) },
		"no ID token": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"a","token_type":"Bearer"}`)
		},
		"doubled": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"a","access_token":"b","token_type":"Bearer","id_token":"x"}`)
		},
	} {
		t.Run("token endpoint: "+name, func(t *testing.T) {
			p := newPortal(t)
			p.op.Change(func(o *rptest.OP) { o.Faults.Instead = map[string]http.HandlerFunc{"/token": h} })
			b := p.browser(t)
			pg := b.get(t, p.url+"/anmelden")
			if pg.status != http.StatusBadRequest || b.signedIn(t) {
				t.Errorf("answer %d %q", pg.status, pg.body)
			}
		})
	}
}

func big(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for range 50 {
		if _, err := w.Write(chunk); err != nil {
			return // the client has had enough
		}
	}
}

func TestJ147_StoreAway(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	cb := b.callback(t, p.url+"/anmelden")
	in := p.browser(t)
	in.get(t, p.url+"/anmelden")
	p.store.setAway(true)
	for _, target := range []string{cb, p.url + "/anmelden", p.url + "/antrag/1", p.url + LogoutPath} {
		pg := b.once(t, target)
		if target != cb {
			pg = in.once(t, target)
		}
		if pg.status != http.StatusServiceUnavailable || pg.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q; want 503", target, pg.status, pg.header.Get("Retry-After"))
		}
	}
	token := must(p.op.LogoutToken(p.url, nil))(t)
	if status, _ := p.backchannel(t, token); status != http.StatusServiceUnavailable {
		t.Errorf("back-channel logout: %d, want 503", status)
	}
	p.store.setAway(false)
	if pg := b.get(t, cb); !strings.HasPrefix(pg.body, "Erika") {
		t.Errorf("after recovery: %q", pg.body)
	}
	if status, _ := p.backchannel(t, token); status != http.StatusOK {
		t.Errorf("the provider's second try: %d, want 200", status)
	}
}

func TestReturnTargets(t *testing.T) {
	p := newPortal(t, func(c *Config) { c.Targets = []string{"/leistung", "/antrag/"} })
	for _, bad := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "\\evil", "/leistung/..//evil", "/leistung/../admin", "/leistung/./x",
		"/leistung/%2e%2e/admin", "/leistung%2f..", "/leistung/%5cevil", "/leistung/..;/evil", "/leistung/\r\nX: y", "/leistung/\x00", "/leistung/ä",
		"javascript:alert(1)", "leistung/1", "/leistung#x", "/admin", "/leistungen", "/anmelden", "/anmelden/start", "/abmelden", "/op/login",
		"/leistung//x", "/leistung/" + strings.Repeat("x", maxTarget), "/leistung/%252e%252e",
	} {
		if got, err := p.cleanTarget(bad); err == nil {
			t.Errorf("%q was accepted as %q", bad, got)
		}
		if pg := p.browser(t).once(t, p.url+"/anmelden?zurueck="+url.QueryEscape(bad)); pg.status != http.StatusBadRequest {
			t.Errorf("login to %q: %d, want 400", bad, pg.status)
		}
	}
	for _, good := range []string{"", "/", "/leistung", "/leistung/1", "/leistung/1?ort=Bad+Essen&p=%2F", "/antrag/1", "/leistung/M%C3%BCll"} {
		if _, err := p.cleanTarget(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func FuzzCleanTarget(f *testing.F) {
	for _, s := range []string{"/", "/leistung/1?x=y", "//e", "/\\e", "/a/%2e%2e/b", "http:/x"} {
		f.Add(s)
	}
	r := &RP{c: Config{Self: "https://portal.example"}}
	base, err := url.Parse("https://portal.example/anmelden")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := r.cleanTarget(s)
		if err != nil {
			return
		}
		u, err := base.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "portal.example" || strings.ContainsAny(got, "\r\n\\") {
			t.Errorf("%q leads to %v", s, u)
		}
	})
}

func TestMetadata(t *testing.T) {
	p := newPortal(t)
	m := p.Metadata()
	if len(m.RedirectURIs) != 2 || m.SubjectType != "pairwise" || m.TokenEndpointAuthMethod != "private_key_jwt" || !m.RequirePAR ||
		m.InitiateLoginURI != p.url+"/anmelden/start" || m.BackchannelLogoutURI != p.url+"/anmelden/abmeldung" ||
		!m.BackchannelLogoutSessionRequired || m.JWKS.Keys() != 1 {
		t.Errorf("metadata %+v", m)
	}
	if len(p.FormTargets()) != 2 {
		t.Errorf("form targets %v, want both providers", p.FormTargets())
	}
}

func TestMethods(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	for _, path := range []string{LoginPath, CallbackPath + "x", InitiatePath, BackchannelPath, LogoutPath} {
		req := must(http.NewRequest(http.MethodPut, p.url+path, nil))(t)
		if pg := b.do(t, req); pg.status != http.StatusMethodNotAllowed {
			t.Errorf("PUT %s: %d, want 405", path, pg.status)
		}
	}
}
