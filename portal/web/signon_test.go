package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rathausnetz/sso"
)

// A failed login says what helps: trying again where it can, a telephone where
// no way of signing in is worth enough.
func TestFailPage(t *testing.T) {
	const again = "Noch einmal versuchen"
	for _, c := range []struct {
		name string
		page sso.FailPage
		want []string
		not  []string
	}{
		{"again", sso.FailPage{Status: 400, Code: "login_required", ID: "abc", Retry: "/anmelden?zurueck=%2Fkonto"}, []string{"Die Anmeldung hat nicht geklappt", again, `href="/anmelden?zurueck=%2Fkonto"`, "Kennung für Rückfragen: abc login_required"}, nil},
		{"later", sso.FailPage{Status: 503, RetryAfter: 5, Retry: "/anmelden"}, []string{"in einigen Minuten", again}, nil},
		{"no way back", sso.FailPage{Status: 400}, []string{"Zur Startseite"}, []string{again}},
		{"not at this portal", sso.FailPage{Status: 400, Retry: "//evil.example/"}, nil, []string{again, "evil"}},
		{"level", sso.FailPage{Status: 400, Code: "unmet_authentication_requirements", Retry: "/anmelden"}, []string{"Für diesen Antrag reicht Ihre Anmeldung noch nicht", "einen stärkeren Nachweis", "rufen Sie an: 05402 404-0"}, []string{again, "Die Anmeldung hat nicht geklappt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			newFixture().web(t).FailPage(rec, httptest.NewRequest(http.MethodGet, "/anmelden", nil), c.page)
			if rec.Code != c.page.Status {
				t.Errorf("status %d, want %d", rec.Code, c.page.Status)
			}
			for _, w := range c.want {
				if !strings.Contains(rec.Body.String(), w) {
					t.Errorf("%q is not in %s", w, plain(rec.Body.String()))
				}
			}
			for _, n := range c.not {
				if strings.Contains(rec.Body.String(), n) {
					t.Errorf("%q must not be shown", n)
				}
			}
		})
	}
}
