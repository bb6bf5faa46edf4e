package rp

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func payload(t *testing.T, compact string) []byte {
	t.Helper()
	parts := strings.Split(compact, ".")
	return must(base64.RawURLEncoding.DecodeString(parts[1]))(t)
}

func (p *portal) initiation(iss, target string) string {
	return p.url + InitiatePath + "?" + url.Values{"iss": {iss}, "target_link_uri": {target}}.Encode()
}

func TestInitiate(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	if pg := b.get(t, p.initiation(p.op.Issuer, p.url+"/leistung/9?ort=x")); pg.body != "Erika Mustermann basis at /leistung/9?ort=x" {
		t.Fatalf("arrived at %d %q", pg.status, pg.body)
	}
	if p.op.Last().Has("prompt") {
		t.Error("the provider was told to ask again")
	}
	seen := p.op.Seen("/par")
	if pg := b.get(t, p.initiation(p.op.Issuer, p.url+"/leistung/10")); pg.body != "Erika Mustermann basis at /leistung/10" || p.op.Seen("/par") != seen {
		t.Errorf("signed in already, and sent around again: %q", pg.body)
	}
	c := p.browser(t)
	pg := c.follow(t, c.post(t, p.url+InitiatePath, url.Values{"iss": {p.op.Issuer}, "target_link_uri": {p.url}, "login_hint": {"erika"}}))
	if pg.body != "Erika Mustermann basis at /" || p.op.Last().Get("login_hint") != "erika" {
		t.Errorf("by POST: %q with hint %q", pg.body, p.op.Last().Get("login_hint"))
	}
}

func TestG101_UnknownIssuer(t *testing.T) {
	p := newPortal(t)
	stranger := p.newOP(t, "127.0.0.4:0")
	p.ops.drop(stranger.Issuer)
	for _, iss := range []string{
		stranger.Issuer, "", "x", "https://stranger.example", p.op.Issuer + "/", strings.ToUpper(p.op.Issuer), p.op.Issuer + "?x", "http://169.254.169.254",
		"javascript:alert(1)", p.op.Issuer + "\r\n", strings.Repeat("https://", 1000),
	} {
		pg := p.browser(t).once(t, p.initiation(iss, p.url+"/leistung/1"))
		if pg.status != http.StatusBadRequest || pg.location != "" {
			t.Errorf("iss %.60q: %d to %q, want PAGE400", iss, pg.status, pg.location)
		}
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks", "/par", "/.well-known/openid-federation"} {
		if stranger.Seen(path) != 0 {
			t.Errorf("%s of the stranger was asked for", path)
		}
	}
	if n := p.store.count(t, "sso/"); n != 0 {
		t.Errorf("%d records were left", n)
	}
}

func TestInitiateTargets(t *testing.T) {
	p := newPortal(t, func(c *Config) { c.Targets = []string{"/leistung"} })
	for _, target := range []string{
		"https://evil.example/leistung/1", p.url + ".evil.example/leistung", p.url + "@evil.example/", "//evil.example", "/leistung/1",
		p.url + "/admin", p.url + "/leistung/../admin", p.url + "//evil.example", p.url + "/anmelden", p.url + "/leistung#x", p.url + "\\@evil",
		"javascript:alert(1)",
	} {
		pg := p.browser(t).once(t, p.initiation(p.op.Issuer, target))
		if pg.status != http.StatusBadRequest || pg.location != "" {
			t.Errorf("target %q: %d to %q, want PAGE400", target, pg.status, pg.location)
		}
	}
	if p.op.Seen("/par") != 0 {
		t.Error("a request went out for a target that was refused")
	}
	pg := p.browser(t).once(t, p.initiation(p.op.Issuer, p.url+"/leistung/1")+"&iss="+url.QueryEscape(p.op.Issuer))
	if pg.status != http.StatusBadRequest {
		t.Errorf("iss twice: %d, want 400", pg.status)
	}
}

func TestG103_InitiationFlood(t *testing.T) {
	p := newPortal(t, func(c *Config) { c.LoginsPerMinute = 10 })
	var begun, limited int
	for range 100 {
		// A frame on a foreign page sends no cookies: every request is a new browser.
		switch pg := p.browser(t).once(t, p.initiation(p.op.Issuer, p.url+"/leistung/1")); pg.status {
		case http.StatusSeeOther:
			begun++
		case http.StatusTooManyRequests:
			limited++
			if pg.header.Get("Retry-After") == "" {
				t.Fatal("429 without Retry-After")
			}
		default:
			t.Fatalf("status %d", pg.status)
		}
	}
	if begun != 10 || limited != 90 {
		t.Errorf("%d logins began and %d were limited, want 10 and 90", begun, limited)
	}
	if n := p.store.count(t, loginPrefix); n != 10 {
		t.Errorf("%d login records, want 10", n)
	}
	p.clock.Add(time.Minute)
	if pg := p.browser(t).once(t, p.url+"/anmelden"); pg.status != http.StatusSeeOther {
		t.Errorf("a minute later: %d", pg.status)
	}
	for _, dest := range []string{"iframe", "image", "script", "empty", "embed"} {
		req := must(http.NewRequest(http.MethodGet, p.initiation(p.op.Issuer, p.url+"/leistung/1"), nil))(t)
		req.Header.Set("Sec-Fetch-Dest", dest)
		if pg := p.browser(t).do(t, req); pg.status != http.StatusBadRequest {
			t.Errorf("from %s: %d, want 400", dest, pg.status)
		}
	}
}

func TestAddressesShareAnAllowance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		{"[fe80::1%eth0]:1", "[fe80::1%eth1]:1", true},
		{"pipe", "@", true},
	} {
		if same := prefixOf(tt.a) == prefixOf(tt.b); same != tt.same {
			t.Errorf("%s and %s share an allowance: %v, want %v", tt.a, tt.b, same, tt.same)
		}
	}
}
