package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/desk"
	"rathausnetz/sso/op/ledger"
)

const token = "token-of-the-session"

// fixture is a desk with a provider, pages and a citizen that note what they
// are asked.
type fixture struct {
	*desk.Desk
	accounts *account.Accounts
	id       string
	down     error // what the provider answers with
	calls    []string
	asked    []time.Duration // how recent a login had to be
	stale    bool            // the citizen's login is too old for anything
	left     bool
	page     *desk.Page
	fail     *sso.FailPage
}

func (f *fixture) note(s string) error { f.calls = append(f.calls, s); return f.down }

func (f *fixture) Sessions(context.Context, string) ([]*ledger.Session, error) {
	return []*ledger.Session{{Key: "here", Account: f.id}}, f.down
}
func (f *fixture) History(context.Context, string) ([]ledger.Handover, error) { return nil, f.down }
func (f *fixture) Subject(context.Context, string, string) (string, error) {
	return "", op.ErrUnknownClient
}
func (f *fixture) EndParty(_ context.Context, a, k, c string) (sso.LogoutResult, error) {
	return sso.LogoutResult{Portal: c, OK: true}, f.note("party " + k + " " + c)
}
func (f *fixture) EndSession(_ context.Context, a, k string) ([]sso.LogoutResult, error) {
	return nil, f.note("session " + k)
}
func (f *fixture) EndOthers(_ context.Context, a, k string) ([]sso.LogoutResult, error) {
	return nil, f.note("others " + k)
}
func (f *fixture) EndAll(context.Context, string) ([]sso.LogoutResult, error) {
	return nil, f.note("all")
}
func (f *fixture) Forget(context.Context, string) ([]sso.LogoutResult, error) {
	return nil, f.note("forget")
}
func (f *fixture) LinkForm(http.ResponseWriter, *http.Request) (*op.LinkForm, error) {
	return nil, f.down
}
func (f *fixture) Address(*http.Request) string { return "" }

func (f *fixture) Citizen(w http.ResponseWriter, _ *http.Request, within time.Duration) (desk.Citizen, bool) {
	f.asked = append(f.asked, within)
	if f.stale && within > 0 {
		w.WriteHeader(http.StatusSeeOther)
		return desk.Citizen{}, false
	}
	return desk.Citizen{Account: f.id, Name: "Erika", Session: "here", CSRF: token}, true
}
func (f *fixture) Leave(http.ResponseWriter, *http.Request) error { f.left = true; return nil }

func (f *fixture) DeskPage(w http.ResponseWriter, _ *http.Request, status int, p desk.Page) {
	f.page = &p
	w.WriteHeader(status)
}
func (f *fixture) DeskFailPage(w http.ResponseWriter, _ *http.Request, p sso.FailPage) {
	f.fail = &p
	w.WriteHeader(p.Status)
}

func open(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{}
	var err error
	f.accounts, err = account.New(account.Config{Store: store.NewMemory(time.Now), Cost: account.Cost{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.accounts.Add(t.Context(), account.NewAccount{Username: "erika", Password: "ein-langes-wort", Level: federation.LevelNiedrig})
	if err != nil {
		t.Fatal(err)
	}
	f.id = a.ID
	f.Desk, err = desk.New(desk.Config{Issuer: "https://landkreis.example", Name: "Landkreis", Provider: f, Accounts: f.accounts, Citizens: f, Pages: f})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// send asks for a page, with a form if there is one.
func (f *fixture) send(path string, fields ...string) *httptest.ResponseRecorder {
	f.page, f.fail = nil, nil
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if fields != nil {
		q := url.Values{}
		for i := 0; i+1 < len(fields); i += 2 {
			q.Set(fields[i], fields[i+1])
		}
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(q.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	f.Handlers()[path].ServeHTTP(w, r)
	return w
}

// No form changes anything without the session's token.
func TestFormsNeedTheToken(t *testing.T) {
	for path, fields := range map[string][]string{
		desk.SessionsPath: {"was", "alle"}, desk.PasswordPath: {"neu", "ein-neues-wort", "neu2", "ein-neues-wort"}, desk.DeletePath: {"verstanden", "1"},
	} {
		for _, csrf := range []string{"", "wrong", token + "x"} {
			f := open(t)
			w := f.send(path, append([]string{"csrf", csrf}, fields...)...)
			if w.Code != http.StatusForbidden || len(f.calls) != 0 || f.fail == nil || f.fail.ID == "" {
				t.Errorf("%s with %q: %d, %v", path, csrf, w.Code, f.calls)
			}
			if _, err := f.accounts.Check(t.Context(), "erika", "ein-langes-wort", ""); err != nil {
				t.Errorf("%s with %q changed the account: %v", path, csrf, err)
			}
		}
	}
}

// What changes the account or hands out its data asks for a login of minutes.
func TestRecentLogin(t *testing.T) {
	f := open(t)
	f.stale = true
	for _, path := range []string{desk.PasswordPath, desk.PasskeysPath, desk.LinksPath, desk.ExportPath, desk.DeletePath} {
		if w := f.send(path); w.Code != http.StatusSeeOther || f.asked[len(f.asked)-1] > 5*time.Minute {
			t.Errorf("GET %s: %d, within %s", path, w.Code, f.asked[len(f.asked)-1])
		}
	}
	for _, path := range []string{desk.PasswordPath, desk.DeletePath} {
		if w := f.send(path, "csrf", token, "verstanden", "1"); w.Code != http.StatusSeeOther || f.asked[len(f.asked)-1] > 15*time.Minute || len(f.calls) != 0 {
			t.Errorf("POST %s: %d, %v", path, w.Code, f.calls)
		}
	}
	for _, path := range []string{desk.SessionsPath, desk.HistoryPath, desk.DataPath} { // signing out must always be easy
		if w := f.send(path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestWhatFormsDo(t *testing.T) {
	f := open(t)
	f.send(desk.SessionsPath, "csrf", token, "was", "portal", "sitzung", "k", "portal", "https://melle.example")
	f.send(desk.SessionsPath, "csrf", token, "was", "browser", "sitzung", "k")
	if w := f.send(desk.SessionsPath, "csrf", token, "was", "browser", "sitzung", "here"); w.Code != http.StatusBadRequest {
		t.Errorf("this browser: %d", w.Code)
	}
	if w := f.send(desk.SessionsPath, "csrf", token, "was", "etwas"); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown wish: %d", w.Code)
	}
	f.send(desk.PasswordPath, "csrf", token, "neu", "erika", "neu2", "erika")
	if f.page.Mistake != desk.BadPassword {
		t.Errorf("the name as password: %q", f.page.Mistake)
	}
	f.send(desk.PasswordPath, "csrf", token, "neu", "ein-neues-wort", "neu2", "ein-neues-wort")
	if got := strings.Join(f.calls, ", "); got != "party k https://melle.example, session k, others here" {
		t.Error(got)
	}
	var e desk.Export
	if w := f.send(desk.ExportPath); json.Unmarshal(w.Body.Bytes(), &e) != nil || e.Account.Username != "erika" || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	if f.send(desk.DeletePath, "csrf", token); f.page.Mistake != desk.NotAgreed || f.left {
		t.Error("deleted without a word")
	}
	f.send(desk.DeletePath, "csrf", token, "verstanden", "1")
	if _, err := f.accounts.Find(t.Context(), "erika"); !errors.Is(err, account.ErrNotFound) || !f.left || f.page.Done == "" {
		t.Errorf("after the end: %v", err)
	}
}

// A provider that cannot forget leaves the account locked: it can be deleted
// again, and nobody signs in meanwhile.
func TestDeletingThatFails(t *testing.T) {
	f := open(t)
	f.down = store.ErrUnavailable
	w := f.send(desk.DeletePath, "csrf", token, "verstanden", "1")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || f.left {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if a, err := f.accounts.Find(t.Context(), "erika"); err != nil || !a.Locked {
		t.Errorf("%+v %v: it must be there, and locked", a, err)
	}
	f.down = nil
	if _, err := f.Remove(t.Context(), f.id); err != nil {
		t.Error(err)
	}
	if _, err := f.accounts.Find(t.Context(), "erika"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("the second time: %v", err)
	}
}

// An account of another source has no password here, and its pages say so.
func TestAccountOfAnotherSource(t *testing.T) {
	f := open(t)
	f.id = "u-elsewhere"
	for _, path := range []string{desk.PasswordPath, desk.PasskeysPath} {
		if w := f.send(path, "csrf", token, "neu", "ein-neues-wort", "neu2", "ein-neues-wort", "was", "neu"); w.Code != http.StatusOK || f.page.Own || len(f.calls) != 0 {
			t.Errorf("%s: %d %+v", path, w.Code, f.page)
		}
	}
}
