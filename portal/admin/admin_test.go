package admin_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/signin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/brand"
)

const origin = "https://rathaus.example"

// trail is an audit trail in memory.
type trail struct {
	records []string
	err     error
}

func (t *trail) Note(_ context.Context, by, action, subject, reason string) error {
	if t.err == nil {
		t.records = append(t.records, strings.TrimSpace(by+" "+action+" "+subject+" "+reason))
	}
	return t.err
}

type fixture struct {
	*admintest.Site
	admin *admin.Admin
	trail *trail
	now   time.Time
	calls []string
}

func open(t *testing.T, sections ...admin.Section) *fixture {
	t.Helper()
	f := &fixture{trail: &trail{}, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	st := store.NewMemory(clock)
	people := staff.New(st, clock)
	sessions := staff.NewSessions(people, true)
	b := brand.Brand{Name: "Gemeinde Bissendorf", ShortName: "Bissendorf", Color: brand.MustColor("#175c3a")}
	a, err := admin.New(admin.Config{
		Self: origin, Staff: people, Sessions: sessions, SignIn: signin.New(st, origin+signin.CallbackPath, clock),
		Trail: f.trail, Asset: func(n string) string { return "/static/" + n }, Look: func() admin.Look {
			return admin.Look{Brand: &b, Mark: func(n string) string { return "" }}
		},
		Sections: sections, Now: clock, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.admin = a
	f.Site = &admintest.Site{Origin: origin, Handler: a, Table: a.Table(), Staff: people, Sessions: sessions}
	return f
}

func (f *fixture) signIn(t *testing.T, roles staff.Roles) *admintest.Person {
	t.Helper()
	p, err := f.SignIn(t.Context(), roles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// section is one with a page and two verbs for the role Verbund.
func (f *fixture) section() admin.Section {
	return admin.Section{Name: "Probe", Path: "/verwaltung/probe", Pages: []admin.Page{
		{Method: "GET", Path: "/verwaltung/probe", Nav: "Probe", Roles: staff.Verbund, Serve: func(q *admin.Request) (*admin.Answer, error) {
			return q.View("home", "Probe", nil), nil
		}},
		{Method: "POST", Path: "/verwaltung/probe/tun", Roles: staff.Verbund, Action: "probe", MaxBody: 1 << 10, Serve: func(q *admin.Request) (*admin.Answer, error) {
			f.calls = append(f.calls, q.By())
			switch q.PostFormValue("wie") {
			case "again":
				return q.Again("home", "Probe", nil), nil
			case "fail":
				return nil, errors.New("disk on fire")
			}
			q.About("https://melle.example", "weil")
			return q.Redirect("/verwaltung/probe", "Getan <b>."), nil
		}},
	}}
}

// Every page and verb of the frame, with every role and with none.
func TestWalk(t *testing.T) {
	f := &fixture{}
	s := f.section()
	f2 := open(t, s)
	bad, err := admintest.Walk(t.Context(), f2.Site)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bad {
		t.Error(b)
	}
	// The rules that must not change unseen.
	for path, roles := range map[string]staff.Roles{"/verwaltung/zugaenge/einladen": 0, "/verwaltung/zugaenge/sperren": 0, "/verwaltung/probe/tun": staff.Verbund} {
		if i := slices.IndexFunc(f2.Table, func(p admin.Page) bool { return p.Path == path }); i < 0 || f2.Table[i].Roles != roles {
			t.Errorf("%s is not for %q and Leitung alone", path, roles)
		}
	}
}

// Walk finds what it is for.
func TestWalkFindsFaults(t *testing.T) {
	f := open(t)
	f.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	bad, err := admintest.Walk(t.Context(), f.Site)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(bad, "\n")
	for _, want := range []string{"instead of leading to the login", "must be 403", "without a token", "foreign Origin"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q was not found in\n%s", want, all)
		}
	}
}

func TestVerbsAreAudited(t *testing.T) {
	f := &fixture{}
	f2 := open(t, f.section())
	p := f2.signIn(t, staff.Verbund)
	path := "/verwaltung/probe/tun"
	w := p.Send(path, nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/verwaltung/probe" {
		t.Fatal(w.Code, w.Header())
	}
	want := "staff:" + p.Account.ID + " probe https://melle.example weil"
	if !slices.Contains(f2.trail.records, want) {
		t.Errorf("%q is not in the trail %q", want, f2.trail.records)
	}
	if strings.Contains(strings.Join(f2.trail.records, " "), p.Account.Name) {
		t.Error("the trail holds a name")
	}
	admintest.Said(t, p.Open("/verwaltung/probe"), 200, "Getan &lt;b&gt;.", `role="status"`)
	if got := p.Open("/verwaltung/probe").Body.String(); strings.Contains(got, "Getan") {
		t.Error("a notice is shown twice")
	}
	n := len(f2.trail.records)
	admintest.Said(t, p.Send(path, url.Values{"wie": {"again"}}), 422)
	admintest.Said(t, p.Send(path, url.Values{"wie": {"fail"}}), 500, "Kennung für Rückfragen")
	admintest.Said(t, p.Send(path, url.Values{"x": {strings.Repeat("x", 2<<10)}}), 413, "zu groß")
	if len(f2.trail.records) != n {
		t.Errorf("what was not done stands in the trail: %q", f2.trail.records[n:])
	}
	f2.trail.err = errors.New("trail is full")
	admintest.Said(t, p.Send(path, nil), 500)
}

func TestTableIsChecked(t *testing.T) {
	serve := func(q *admin.Request) (*admin.Answer, error) { return nil, nil }
	for what, page := range map[string]admin.Page{
		"no handler":     {Method: "GET", Path: "/verwaltung/x"},
		"other place":    {Method: "GET", Path: "/x", Serve: serve},
		"other method":   {Method: "PUT", Path: "/verwaltung/x", Serve: serve},
		"verb untold":    {Method: "POST", Path: "/verwaltung/x", Serve: serve},
		"page decides":   {Method: "GET", Path: "/verwaltung/x", Action: "x", Serve: serve},
		"largest upload": {Method: "POST", Path: "/verwaltung/x", Action: "x", Serve: serve, MaxBody: 1 << 40},
	} {
		_, err := admin.New(adminConfig(t, admin.Section{Name: "X", Path: "/verwaltung/x", Pages: []admin.Page{page}}))
		if !errors.Is(err, admin.ErrConfig) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := admin.New(admin.Config{}); !errors.Is(err, admin.ErrConfig) {
		t.Error(err)
	}
}

func adminConfig(t *testing.T, s admin.Section) admin.Config {
	t.Helper()
	st := store.NewMemory(time.Now)
	people := staff.New(st, nil)
	return admin.Config{Self: origin, Staff: people, Sessions: staff.NewSessions(people, true), SignIn: signin.New(st, "", nil), Trail: &trail{},
		Asset: func(string) string { return "" }, Look: func() admin.Look { return admin.Look{} }, Sections: []admin.Section{s}}
}

// A link from the command line: asked first, used once, for 15 minutes; the
// session has a new secret.
func TestLoginLink(t *testing.T) {
	f := open(t)
	secret, _, err := f.Staff.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := f.signIn(t, 0)
	at := strings.TrimPrefix(f.admin.LinkURL(secret), origin)
	for range 2 { // a program that looks at links uses none up
		admintest.Said(t, p.Open(at), 200, "Jetzt anmelden")
	}
	w := p.Open(at)
	planted := w.Result().Cookies()[0]
	p.Cookies = []*http.Cookie{planted}
	w = p.Send("/verwaltung/zugang", url.Values{"code": {secret}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/verwaltung" {
		t.Fatal(w.Code, w.Body)
	}
	fresh := w.Result().Cookies()[0]
	if fresh.Value == planted.Value || fresh.Name != "__Host-rn-verwaltung" || !fresh.HttpOnly || !fresh.Secure || fresh.SameSite != http.SameSiteLaxMode || fresh.Path != "/" || fresh.Domain != "" {
		t.Errorf("cookie %v after %v", fresh, planted)
	}
	if got := p.Open("/verwaltung").Code; got != http.StatusSeeOther {
		t.Errorf("the secret from before the login opens pages: %d", got)
	}
	p.Cookies = []*http.Cookie{fresh}
	admintest.Said(t, p.Open("/verwaltung/zugaenge"), 200, "Person einladen")
	if !slices.Contains(f.trail.records, "staff:KONSOLE staff-link staff:KONSOLE") {
		t.Errorf("%q", f.trail.records)
	}
	admintest.Said(t, p.Send("/verwaltung/zugang", url.Values{"code": {secret}}), 403, "schon benutzt")
	admintest.Said(t, p.Send("/verwaltung/zugang", url.Values{"code": {"nope"}}), 403, "kennen diesen Link nicht")
	late, _, err := f.Staff.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(15 * time.Minute)
	admintest.Said(t, p.Send("/verwaltung/zugang", url.Values{"code": {late}}), 403, "abgelaufen")
}

// A session that was open before a login ends with it (fixation).
func TestLoginEndsTheFormerSession(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Redaktion)
	before := p.Cookies
	secret, _, err := f.Staff.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := p.Send("/verwaltung/zugang", url.Values{"code": {secret}})
	if w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	p.Cookies = before
	if got := p.Open("/verwaltung").Code; got != http.StatusSeeOther {
		t.Errorf("the former session still opens pages: %d", got)
	}
}

func TestSessionLimits(t *testing.T) {
	f := open(t)
	for what, c := range map[string]struct {
		step  time.Duration
		steps int
		open  bool
	}{
		"busy for a while": {20 * time.Minute, 5, true}, "idle": {staff.Idle, 1, false}, "busy all day": {20 * time.Minute, 24, false},
	} {
		p := f.signIn(t, staff.Redaktion)
		code := 0
		for range c.steps {
			f.now = f.now.Add(c.step)
			code = p.Open("/verwaltung").Code
		}
		if (code == 200) != c.open {
			t.Errorf("%s: %d", what, code)
		}
	}
	p := f.signIn(t, staff.Redaktion)
	w := p.Send("/verwaltung/abmelden", nil)
	if w.Code != http.StatusSeeOther || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if got := p.Open("/verwaltung").Code; got != http.StatusSeeOther {
		t.Errorf("signed out, still open: %d", got)
	}
	if got := p.Open("/verwaltung/zugaenge?x=1").Header().Get("Location"); got != "/verwaltung/anmelden?weiter=%2Fverwaltung%2Fzugaenge%3Fx%3D1" {
		t.Error(got)
	}
}

// A citizen's cookie opens nothing here, nor does a secret that nobody issued.
func TestForeignCookies(t *testing.T) {
	f := open(t)
	p := f.signIn(t, 0)
	for _, c := range []*http.Cookie{{Name: "__Host-rn", Value: strings.Repeat("A", 43)}, {Name: "__Host-rn-verwaltung", Value: strings.Repeat("A", 43)}, {Name: "__Host-rn-verwaltung", Value: "x"}, {Name: "rn-verwaltung", Value: strings.Repeat("A", 43)}} {
		p.Cookies = []*http.Cookie{c}
		if got := p.Open("/verwaltung").Code; got != http.StatusSeeOther {
			t.Errorf("%v: %d", c, got)
		}
	}
}

func TestReturnOnlyToOwnPages(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Redaktion)
	for given, want := range map[string]string{
		"/verwaltung/zugaenge": "/verwaltung/zugaenge", "/verwaltung?x=1": "/verwaltung?x=1", "": "/verwaltung", "/": "/verwaltung", "//evil.example/verwaltung": "/verwaltung",
		"https://evil.example/verwaltung": "/verwaltung", "/verwaltungx": "/verwaltung", "/verwaltung/../konto": "/verwaltung", `/\evil.example`: "/verwaltung", "/verwaltung/%2e%2e/x": "/verwaltung",
	} {
		w := p.Open("/verwaltung/anmelden?" + url.Values{"weiter": {given}}.Encode())
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", given, got, want)
		}
	}
}

var invitation = regexp.MustCompile(`code=([A-Z2-7]+)`)

// Leitung invites, changes roles, locks and deletes others, never itself.
func TestPeople(t *testing.T) {
	f := open(t)
	boss := f.signIn(t, staff.Leitung)
	admintest.Said(t, boss.Send("/verwaltung/zugaenge/einladen", url.Values{"name": {" "}, "rolle": {"redaktion"}}), 422, "Bitte geben Sie einen Namen")
	admintest.Said(t, boss.Send("/verwaltung/zugaenge/einladen", url.Values{"name": {"A. Muster"}}), 422, "mindestens eine Rolle")
	admintest.Said(t, boss.Send("/verwaltung/zugaenge/einladen", url.Values{"name": {"A. Muster"}, "rolle": {"chef"}}), 422, "Diese Rolle gibt es nicht")
	w := boss.Send("/verwaltung/zugaenge/einladen", url.Values{"name": {"A. <Muster>"}, "rolle": {"redaktion"}})
	admintest.Said(t, w, 200, "Einladung für A. &lt;Muster&gt;")
	m := invitation.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatal("no link", w.Body)
	}
	nobody := f.signIn(t, 0)
	admintest.Said(t, nobody.Open("/verwaltung/einladung?code="+m[1]), 200, "Guten Tag, A. &lt;Muster&gt;.")
	guest, err := f.Staff.Accept(t.Context(), m[1], staff.Login{Issuer: "https://op.example", Subject: "7"})
	if err != nil || guest.Roles != staff.Redaktion {
		t.Fatal(guest, err)
	}
	admintest.Said(t, nobody.Open("/verwaltung/einladung?code="+m[1]), 403, "schon benutzt")

	rec := httptest.NewRecorder()
	if err := f.Sessions.Start(t.Context(), rec, httptest.NewRequest("GET", origin, nil), guest); err != nil {
		t.Fatal(err)
	}
	editor := f.signIn(t, 0)
	editor.Cookies = rec.Result().Cookies()
	admintest.Said(t, editor.Open("/verwaltung/zugaenge"), 403, "Dafür haben Sie keine Berechtigung")
	if w := boss.Send("/verwaltung/zugaenge/rollen", url.Values{"id": {guest.ID}, "rolle": {"leitung"}}); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	admintest.Said(t, editor.Open("/verwaltung/zugaenge"), 200) // counts at once
	if w := boss.Send("/verwaltung/zugaenge/sperren", url.Values{"id": {guest.ID}}); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	if got := editor.Open("/verwaltung").Code; got != http.StatusSeeOther {
		t.Errorf("locked, still in: %d", got)
	}
	if _, err := f.Staff.Find(t.Context(), guest.Login); !errors.Is(err, staff.ErrLocked) {
		t.Error(err)
	}
	admintest.Said(t, boss.Open("/verwaltung/zugaenge"), 200, "Gesperrt")
	boss.Send("/verwaltung/zugaenge/entsperren", url.Values{"id": {guest.ID}})
	if _, err := f.Staff.Find(t.Context(), guest.Login); err != nil {
		t.Error(err)
	}
	boss.Send("/verwaltung/zugaenge/loeschen", url.Values{"id": {guest.ID}})
	if _, err := f.Staff.Find(t.Context(), guest.Login); !errors.Is(err, staff.ErrUnknown) {
		t.Error(err)
	}
	admintest.Said(t, boss.Send("/verwaltung/zugaenge/sperren", url.Values{"id": {boss.Account.ID}}), 422, "Ihr eigenes Konto")
	for _, id := range []string{"", "KONSOLE", "../x", "ABCDEFGH"} {
		admintest.Said(t, boss.Send("/verwaltung/zugaenge/sperren", url.Values{"id": {id}}), 404)
	}
	for _, want := range []string{"staff-invite", "staff-roles", "staff-lock", "staff-unlock", "staff-delete"} {
		if !strings.Contains(strings.Join(f.trail.records, "\n"), want+" staff:"+guest.ID) {
			t.Errorf("%s is not in the trail %q", want, f.trail.records)
		}
	}
}

func TestHeaders(t *testing.T) {
	f := open(t)
	for _, path := range []string{"/verwaltung/anmelden", "/verwaltung/nirgends", "/verwaltung"} {
		w := f.signIn(t, 0).Open(path)
		h := w.Header()
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
		b, err := io.ReadAll(w.Result().Body)
		if err != nil || strings.Contains(string(b), "style=") || strings.Contains(string(b), "<script") {
			t.Errorf("%s: inline style or script, %v", path, err)
		}
	}
	admintest.Said(t, f.signIn(t, 0).Open("/verwaltung/nirgends"), 404, "Diese Seite gibt es nicht")
}
