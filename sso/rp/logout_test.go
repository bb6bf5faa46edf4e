package rp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestLogout(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	pg := b.once(t, p.url+LogoutPath)
	csrf, ok := strings.CutPrefix(pg.body, "logout done=false csrf=")
	if !ok || csrf == "" {
		t.Fatalf("GET shows %q, want the question", pg.body)
	}
	pg = b.post(t, p.url+LogoutPath, url.Values{"csrf": {csrf}})
	u := must(url.Parse(pg.location))(t)
	q := u.Query()
	if pg.status != http.StatusSeeOther || !strings.HasPrefix(pg.location, p.op.Issuer+"/end?") || q.Get("id_token_hint") == "" ||
		q.Get("post_logout_redirect_uri") != p.url+LogoutPath || q.Get("client_id") != p.url {
		t.Errorf("answer %d to %s", pg.status, u.Host+u.Path)
	}
	if pg.header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the hint could leak by Referer")
	}
	if b.signedIn(t) {
		t.Error("still signed in here")
	}
	if pg := b.once(t, p.url+LogoutPath); pg.body != "logout done=true csrf=" {
		t.Errorf("coming back from the provider: %q", pg.body)
	}
}

func TestF79_GetNeverLogsOut(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	for _, q := range []string{"", "?csrf=x", "?id_token_hint=e30.e30.e30", "?state=x&post_logout_redirect_uri=https://evil.example"} {
		if pg := b.once(t, p.url+LogoutPath+q); pg.status != http.StatusOK || pg.location != "" || !b.signedIn(t) {
			t.Errorf("GET %q: %d to %q, signed in %v", q, pg.status, pg.location, b.signedIn(t))
		}
	}
}

func TestE70_LogoutWithForeignCSRFToken(t *testing.T) {
	p := newPortal(t)
	b, other := p.browser(t), p.browser(t)
	b.get(t, p.url+"/anmelden")
	other.get(t, p.url+"/anmelden")
	_, foreign, _ := strings.Cut(other.once(t, p.url+LogoutPath).body, "csrf=")
	for _, csrf := range []string{"", "x", foreign} {
		if pg := b.post(t, p.url+LogoutPath, url.Values{"csrf": {csrf}}); pg.status != http.StatusForbidden || !b.signedIn(t) {
			t.Errorf("csrf %q: %d, signed in %v; want 403", csrf, pg.status, b.signedIn(t))
		}
	}
	if pg := b.post(t, p.url+LogoutPath+"?csrf="+foreign, url.Values{}); pg.status != http.StatusForbidden {
		t.Errorf("token in the query: %d", pg.status)
	}
}

func TestLogoutWithoutProvider(t *testing.T) {
	p := newPortal(t)
	b := p.browser(t)
	b.get(t, p.url+"/anmelden")
	_, csrf, _ := strings.Cut(b.once(t, p.url+LogoutPath).body, "csrf=")
	p.ops.drop(p.op.Issuer)
	if pg := b.post(t, p.url+LogoutPath, url.Values{"csrf": {csrf}}); pg.body != "logout done=true csrf=" || b.signedIn(t) {
		t.Errorf("answer %d %q, signed in %v", pg.status, pg.body, b.signedIn(t))
	}
}
