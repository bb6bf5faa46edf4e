package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rathausnetz/portal/admin/staff"
)

// TestJ146_VerbsBeforeTheFirstAdministrator: an installation that nobody has
// set up yet answers nobody, and later neither a made-up secret nor a page of
// another origin gets a verb done.
func TestJ146_VerbsBeforeTheFirstAdministrator(t *testing.T) {
	done := &fixture{} // where the section notes its calls
	f := open(t, done.section())
	verb, form := "/verwaltung/probe/tun", url.Values{"wie": {"gut"}}
	refused := func(what string, code int, location string) {
		t.Helper()
		login := code == http.StatusSeeOther && strings.HasPrefix(location, "/verwaltung/anmelden")
		if !login && code != http.StatusUnauthorized && code != http.StatusForbidden {
			t.Errorf("%s: %d %s", what, code, location)
		}
	}
	nobody := f.signIn(t, 0)
	w := nobody.Send(verb, form)
	refused("nobody is set up", w.Code, w.Header().Get("Location"))
	w = nobody.Open("/verwaltung/probe")
	refused("a page, nobody is set up", w.Code, w.Header().Get("Location"))
	for _, guess := range []string{"", "admin", strings.Repeat("A", 43), strings.Repeat("A", 26)} {
		if w := nobody.Send("/verwaltung/zugang", url.Values{"code": {guess}}); w.Code != http.StatusForbidden {
			t.Errorf("link %q: %d", guess, w.Code)
		}
	}
	nobody.Cookies = []*http.Cookie{{Name: "__Host-rn-verwaltung", Value: strings.Repeat("A", 43)}}
	w = nobody.Send(verb, form)
	refused("a made-up session", w.Code, w.Header().Get("Location"))

	chief := f.signIn(t, staff.Verbund)
	for name, header := range map[string][2]string{
		"foreign origin": {"Origin", "https://evil.example"}, "null origin": {"Origin", "null"}, "foreign site": {"Sec-Fetch-Site", "cross-site"},
	} {
		r := chief.Request(http.MethodPost, verb, form)
		r.Header.Set(header[0], header[1])
		if w := chief.Do(r); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	r := chief.Request(http.MethodPost, verb, form)
	r.Body = http.NoBody
	if w := chief.Do(r); w.Code != http.StatusForbidden {
		t.Errorf("without a token: %d", w.Code)
	}
	if len(done.calls) != 0 {
		t.Errorf("the verb was done for %q", done.calls)
	}
	if w := chief.Send(verb, form); w.Code != http.StatusSeeOther || len(done.calls) != 1 {
		t.Errorf("who may is refused, too: %d %q", w.Code, done.calls)
	}
}
