package op_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/protocol"
	"rathausnetz/sso/upstream"
)

// Group E of SSO.md §10: session, single sign-on, step-up.

const (
	acrLow  = "http://eidas.europa.eu/LoA/low"
	acrSubs = "http://eidas.europa.eu/LoA/substantial"
	acrHigh = "http://eidas.europa.eu/LoA/high"
)

// source is an account source under the test's control. Its cap is max; what
// it answers is person or err.
type source struct {
	id  string
	max federation.Level

	mu     sync.Mutex
	person upstream.Person
	err    error
	asked  []upstream.Request
}

func (s *source) ID() string { return s.id }
func (s *source) Choice() sso.UpstreamChoice {
	return sso.UpstreamChoice{ID: s.id, Name: "Konto " + s.id}
}
func (s *source) Reaches(l federation.Level) bool { return l <= s.max }
func (s *source) set(p upstream.Person, err error) {
	s.mu.Lock()
	s.person, s.err = p, err
	s.mu.Unlock()
}

func (s *source) Begin(_ context.Context, r upstream.Request) (string, *upstream.Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	p := &upstream.Pending{Upstream: s.id, State: newState(), Level: r.Level}
	return "https://konto.example/authorize?state=" + p.State, p, nil
}

func (s *source) Finish(_ context.Context, p *upstream.Pending, q url.Values) (*upstream.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Get("state") != p.State {
		return nil, upstream.ErrState
	}
	if s.err != nil {
		return nil, s.err
	}
	person := s.person
	if person.Level > s.max {
		return nil, upstream.ErrOverstate
	}
	if person.Level < p.Level {
		return nil, upstream.ErrLevel
	}
	person.Upstream, person.Issuer = s.id, "https://konto.example"
	return &person, nil
}

func newState() string { return protocol.Digest(time.Now().String() + "state") }

// throughSource chooses the source on the login page and comes back from it.
func (b *browser) throughSource(s stop, id string) stop {
	b.f.t.Helper()
	if s.page.Kind != "login" {
		b.f.t.Fatalf("no login page: %+v", s)
	}
	away := b.send(http.MethodPost, s.page.Login.Action, url.Values{
		"csrf": {s.page.Login.CSRF}, "handle": {s.page.Login.Handle}, "upstream": {id},
	})
	if !strings.HasPrefix(away.location, "https://konto.example/") {
		b.f.t.Fatalf("not at the source: %+v", away)
	}
	return b.open(b.f.returnURL(id, away.query.Get("state")))
}

func (f *fixture) returnURL(id, state string) string {
	return op.ReturnURL(federation.EntityID(f.issuer), id) + "?code=x&state=" + url.QueryEscape(state)
}

func person(sub string, l federation.Level) upstream.Person {
	return upstream.Person{Subject: sub, Level: l, AuthTime: time.Now(), AMR: []string{"eid"}, Claims: sso.Claims{Name: "Person " + sub, Email: testMail}}
}

// withSource is a fixture whose accounts reach niedrig and whose source hoch.
func withSource(t *testing.T) (*fixture, *source) {
	src := &source{id: "eid", max: federation.LevelHoch}
	f := newFixture(t, withUpstreams(src), func(f *fixture, c *op.Config) { c.Accounts = lateAccounts{f} })
	return f, src
}

// lateAccounts are the fixture's accounts, capped at niedrig.
type lateAccounts struct{ f *fixture }

func (l lateAccounts) Check(ctx context.Context, u, p, a string) (*account.Account, error) {
	return l.f.accounts.Check(ctx, u, p, a)
}
func (l lateAccounts) Get(ctx context.Context, id string) (*account.Account, error) {
	return l.f.accounts.Get(ctx, id)
}
func (lateAccounts) MaxLevel() federation.Level { return federation.LevelNiedrig }

func TestE61_HochIsAlwaysAskedForAnew(t *testing.T) {
	f, src := withSource(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	br := f.browser()
	src.set(person("1", federation.LevelSubstanziell), nil)
	s := br.throughSource(br.authorize(a.push(a.request("acr_values", acrSubs))), "eid")
	if tok := a.redeem(br.confirm(s, "yes").query.Get("code")); tok.claims["acr"] != acrSubs {
		t.Fatalf("acr %v", tok.claims["acr"])
	}

	s = br.authorize(a.push(a.request("acr_values", acrHigh)))
	if s.page.Kind != "login" || !s.page.Login.StepUp || s.page.Login.Accounts || len(s.page.Login.Upstreams) != 1 {
		t.Fatalf("step-up: %+v", s.page)
	}
	src.set(person("1", federation.LevelHoch), nil)
	s = br.throughSource(s, "eid")
	tok := a.redeem(s.query.Get("code"))
	if tok.claims["acr"] != acrHigh {
		t.Fatalf("acr %v", tok.claims["acr"])
	}
	if r := src.asked[len(src.asked)-1]; !r.Fresh || r.Level != federation.LevelHoch {
		t.Fatalf("the source was asked for %+v", r)
	}
	// The login of level hoch serves nobody else, not even the same portal.
	for _, p := range []*party{a, b} {
		if s := br.authorize(p.push(p.request("acr_values", acrHigh))); s.page.Kind != "login" {
			t.Fatalf("%s got %+v", p.id, s)
		}
	}
	// What was there before, at substanziell, still is.
	if s := br.authorize(a.push(a.request("acr_values", acrSubs))); s.query.Get("code") == "" {
		t.Fatalf("substanziell is gone: %+v", s.page)
	}
}

func TestE61_HochAloneIsNoSessionForOthers(t *testing.T) {
	f, src := withSource(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	br := f.browser()
	src.set(person("1", federation.LevelHoch), nil)
	s := br.throughSource(br.authorize(a.push(a.request("acr_values", acrHigh))), "eid")
	a.redeem(br.confirm(s, "yes").query.Get("code"))
	if s := br.authorize(b.push(b.request("acr_values", acrLow))); s.page.Kind != "login" {
		t.Fatalf("level hoch was reused: %+v", s)
	}
}

func TestE62_EssentialACRThatNobodyGives(t *testing.T) {
	f := newFixture(t, func(f *fixture, c *op.Config) { c.Accounts = lateAccounts{f} })
	p := f.member("Melle")
	for name, change := range map[string][]string{
		"essential high":    {"claims", `{"id_token":{"acr":{"essential":true,"values":["` + acrHigh + `"]}}}`},
		"essential unknown": {"claims", `{"id_token":{"acr":{"essential":true,"value":"urn:unknown"}}}`},
		"acr_values high":   {"acr_values", acrHigh},
	} {
		t.Run(name, func(t *testing.T) {
			wantBack(t, p, f.browser().authorize(p.push(p.request(change...))), "unmet_authentication_requirements")
		})
	}
}

func TestE63_UpstreamAnswersLower(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	src.set(person("1", federation.LevelNiedrig), nil)
	b := f.browser()
	wantBack(t, p, b.throughSource(b.authorize(p.push(p.request("acr_values", acrSubs))), "eid"), "unmet_authentication_requirements")
	if s := b.authorize(p.push(p.request("prompt", "none"))); s.query.Get("error") != "login_required" {
		t.Fatalf("signed in all the same: %+v", s)
	}
	if !strings.Contains(f.log.String(), "upstream login failed") {
		t.Error("no event")
	}
	// The same with an account of our own that is lower than the request.
	f2 := newFixture(t)
	q := f2.member("Melle")
	b = f2.browser()
	wantBack(t, q, b.login(b.authorize(q.push(q.request("acr_values", acrSubs))), testUser, testPassword), "unmet_authentication_requirements")
}

func TestE64_UpstreamOverstates(t *testing.T) {
	for name, err := range map[string]error{"above its cap": upstream.ErrOverstate, "unknown acr": upstream.ErrACR, "denied": &upstream.DeniedError{Code: "access_denied"}} {
		t.Run(name, func(t *testing.T) {
			f, src := withSource(t)
			p := f.member("Melle")
			src.set(upstream.Person{}, err)
			b := f.browser()
			wantBack(t, p, b.throughSource(b.authorize(p.push(p.request())), "eid"), "access_denied")
		})
	}
}

func TestE_UpstreamFaultLeadsBackToTheForm(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	src.set(upstream.Person{}, errors.New("connection lost"))
	b := f.browser()
	s := b.throughSource(b.authorize(p.push(p.request())), "eid")
	if s.page.Kind != "login" || s.page.Login.Mistake != sso.UpstreamFailed {
		t.Fatalf("%+v", s.page)
	}
	b.walk(s)
}

func TestE67_LimitsPerLevel(t *testing.T) {
	for level, limit := range map[federation.Level][2]time.Duration{
		federation.LevelNiedrig: {12 * time.Hour, time.Hour}, federation.LevelSubstanziell: {2 * time.Hour, 30 * time.Minute},
	} {
		t.Run(level.String(), func(t *testing.T) {
			f := newFixture(t)
			p := f.member("Melle")
			f.addAccount("karl", "Karl", "", level)
			signedIn := func(b *browser) bool { return b.authorize(p.push(p.request())).query.Get("code") != "" }
			enter := func() *browser {
				b := f.browser()
				b.confirm(b.login(b.authorize(p.push(p.request())), "karl", testPassword), "yes")
				return b
			}
			b := enter()
			f.clock.Elapse(limit[1] - time.Second)
			if !signedIn(b) {
				t.Fatal("ended before the idle limit")
			}
			f.clock.Elapse(limit[1] + time.Second)
			if signedIn(b) {
				t.Fatal("lives beyond the idle limit")
			}
			f.clock.Elapse(-limit[1] - time.Second) // J148
			if signedIn(b) {
				t.Fatal("revived by a clock that went back")
			}
			b = enter()
			for spent := time.Duration(0); spent < limit[0]-limit[1]; spent += limit[1] / 2 {
				if !signedIn(b) {
					t.Fatalf("ended after %v of use", spent)
				}
				f.clock.Elapse(limit[1] / 2)
			}
			f.clock.Elapse(limit[1] - 10*time.Second)
			for range 3 {
				f.clock.Elapse(limit[1] / 3)
				signedIn(b)
			}
			if signedIn(b) {
				t.Fatal("lives beyond the absolute limit")
			}
		})
	}
}

func TestE68_FreshLogin(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	first := p.signIn(b)
	for name, change := range map[string][]string{"max_age 0": {"max_age", "0"}, "max_age 1": {"max_age", "1"}, "prompt login": {"prompt", "login"}} {
		f.clock.Elapse(5 * time.Second)
		s := b.authorize(p.push(p.request(change...)))
		if s.page.Kind != "login" {
			t.Fatalf("%s: %+v", name, s)
		}
		again := p.redeem(b.walk(s).query.Get("code"))
		if again.claims["auth_time"].(float64) <= first.claims["auth_time"].(float64) {
			t.Fatalf("%s: auth_time %v after %v", name, again.claims["auth_time"], first.claims["auth_time"])
		}
		if again.claims["sid"] != first.claims["sid"] {
			t.Errorf("%s: another sid in the same session", name)
		}
		first = again
	}
}

func TestOIDCC_MaxAge10000(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	b := f.browser()
	first := s.signIn(b)
	f.clock.Elapse(2 * time.Second)
	again := b.authorize(s.request("max_age", "10000"))
	if tok := s.redeem(again.query.Get("code")); tok.claims["auth_time"] != first.claims["auth_time"] {
		t.Fatal("signed in again")
	}
}

func TestOIDCC_MaxAge1(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	b := f.browser()
	s.signIn(b)
	f.clock.Elapse(2 * time.Second)
	if again := b.authorize(s.request("max_age", "1")); again.page.Kind != "login" {
		t.Fatalf("%+v", again)
	}
}

func TestOIDCC_PromptLogin(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	b := f.browser()
	s.signIn(b)
	if again := b.authorize(s.request("prompt", "login")); again.page.Kind != "login" {
		t.Fatalf("%+v", again)
	}
}

func TestOIDCC_PromptNoneLoggedIn(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	b := f.browser()
	first := s.signIn(b)
	again := b.authorize(s.request("prompt", "none"))
	if tok := s.redeem(again.query.Get("code")); tok.claims["sub"] != first.claims["sub"] || tok.claims["auth_time"] != first.claims["auth_time"] {
		t.Fatalf("%v", tok.claims)
	}
	// At a client that was never confirmed, none is no way in.
	other := f.static("anderer")
	wantBack(t, other, b.authorize(other.request("prompt", "none")), "consent_required")
}

func TestOIDCC_IDTokenHint(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	f.addAccount("karl", "Karl", "", federation.LevelNiedrig)
	b := f.browser()
	tok := s.signIn(b)
	if again := b.authorize(s.request("prompt", "none", "id_token_hint", tok.id)); again.query.Get("code") == "" {
		t.Fatalf("own hint: %v", again.query)
	}
	karl := f.browser()
	karl.confirm(karl.login(karl.authorize(s.request()), "karl", testPassword), "yes")
	wantBack(t, s, karl.authorize(s.request("prompt", "none", "id_token_hint", tok.id)), "login_required")
	wantBack(t, s, b.authorize(s.request("id_token_hint", tok.id+"x")), "invalid_request")
}

func TestOIDCC_LoginHint(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	if got := f.browser().authorize(s.request("login_hint", "erika")); got.page.Login.Username != "erika" {
		t.Fatalf("%+v", got.page.Login)
	}
}

func TestOIDCC_UILocalesClaimsLocalesDisplay(t *testing.T) {
	f := newFixture(t)
	f.static("dienst").signIn(f.browser(), "ui_locales", "se de", "claims_locales", "se", "display", "popup")
}

func TestE69_UpstreamAnswerInAnotherBrowser(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	src.set(person("attacker", federation.LevelNiedrig), nil)
	attacker, victim := f.browser(), f.browser()
	s := attacker.authorize(p.push(p.request()))
	away := attacker.send(http.MethodPost, s.page.Login.Action, url.Values{
		"csrf": {s.page.Login.CSRF}, "handle": {s.page.Login.Handle}, "upstream": {"eid"},
	})
	wantPage400(t, victim.open(f.returnURL("eid", away.query.Get("state"))))
	victim.authorize(p.push(p.request())) // has a browser cookie now
	wantPage400(t, victim.open(f.returnURL("eid", "unknown")))
	if s := victim.authorize(p.push(p.request("prompt", "none"))); s.query.Get("error") != "login_required" {
		t.Fatalf("the victim is signed in: %+v", s)
	}
	wantPage400(t, victim.open(s.page.Login.Action+"?handle="+s.page.Login.Handle))
}

func TestE70_InformationPageWithoutItsToken(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	s := b.login(b.authorize(p.push(p.request())), testUser, testPassword)
	c := s.page.Confirm
	other := f.browser()
	o := other.login(other.authorize(p.push(p.request())), testUser, testPassword).page.Confirm
	post := func(csrf, handle string) stop {
		return b.send(http.MethodPost, c.Action, url.Values{"csrf": {csrf}, "handle": {handle}, "decision": {"yes"}})
	}
	for name, got := range map[string]stop{
		"none": post("", c.Handle), "foreign": post(o.CSRF, c.Handle), "foreign handle": post(o.CSRF, o.Handle), "no handle": post(c.CSRF, ""),
	} {
		if got.status != http.StatusForbidden || got.location != "" {
			t.Fatalf("%s: %d %q", name, got.status, got.location)
		}
	}
	if done := post(c.CSRF, c.Handle); done.query.Get("code") == "" {
		t.Fatalf("the genuine one: %+v", done)
	}
	if replay := post(c.CSRF, c.Handle); replay.status != http.StatusForbidden {
		t.Fatalf("replayed: %d", replay.status)
	}
	if !strings.Contains(f.log.String(), "form token") {
		t.Error("no event")
	}
	// The login form too.
	l := f.browser().authorize(p.push(p.request())).page.Login
	if got := f.browser().send(http.MethodPost, l.Action, url.Values{"csrf": {l.CSRF}, "handle": {l.Handle}, "username": {testUser}, "password": {testPassword}}); got.status != http.StatusForbidden {
		t.Fatalf("login form of another browser: %d", got.status)
	}
}

func TestE71_TwoTabs(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	br := f.browser()
	one, two := br.authorize(a.push(a.request())), br.authorize(b.push(b.request("nonce", "other")))
	one = br.login(one, testUser, testPassword)
	two = br.login(two, testUser, testPassword)
	gotTwo := br.confirm(two, "yes")
	gotOne := br.confirm(one, "yes")
	if !strings.HasPrefix(gotOne.location, a.redirect) || !strings.HasPrefix(gotTwo.location, b.redirect) {
		t.Fatalf("crossed: %s %s", gotOne.location, gotTwo.location)
	}
	if tok := a.redeem(gotOne.query.Get("code")); tok.claims["nonce"] != "n0nce" {
		t.Fatalf("%v", tok.claims)
	}
	if tok := b.redeem(gotTwo.query.Get("code")); tok.claims["nonce"] != "other" {
		t.Fatalf("%v", tok.claims)
	}
}

func TestE71_CodeOfTheFirstTabSurvivesTheLoginOfTheSecond(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	br := f.browser()
	one, two := br.authorize(a.push(a.request())), br.authorize(b.push(b.request()))
	code := br.walk(one).query.Get("code")
	br.login(two, testUser, testPassword)
	tok := a.redeem(code)
	if u := f.userinfo(tok.access); u.status != http.StatusOK {
		t.Fatalf("%d %s", u.status, u.body)
	}
}

func TestE73_EqualMailNeverLinks(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	src.set(person("1", federation.LevelNiedrig), nil) // has the e-mail of the account
	own := p.signIn(f.browser())
	b := f.browser()
	s := b.throughSource(b.authorize(p.push(p.request())), "eid")
	other := p.redeem(b.confirm(s, "yes").query.Get("code"))
	if own.claims["sub"] == other.claims["sub"] {
		t.Fatal("linked by e-mail")
	}
}

func TestE75_SubChangedUpstreamAndLockedAccount(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	subs := map[any]bool{}
	for _, sub := range []string{"1", "2"} {
		same := person(sub, federation.LevelNiedrig)
		same.Claims.Name = "Erika Beispiel"
		src.set(same, nil)
		b := f.browser()
		s := b.throughSource(b.authorize(p.push(p.request())), "eid")
		subs[p.redeem(b.confirm(s, "yes").query.Get("code")).claims["sub"]] = true
	}
	if len(subs) != 2 {
		t.Fatal("another sub upstream was taken for the same person")
	}
	b := f.browser()
	p.signIn(b)
	_, err := f.accounts.Lock(t.Context(), testUser)
	must(t, err)
	if s := b.authorize(p.push(p.request())); s.page.Kind != "login" {
		t.Fatalf("a locked account is still signed in: %+v", s)
	}
	s := b.authorize(p.push(p.request()))
	if got := b.login(s, testUser, testPassword); got.status != http.StatusUnauthorized {
		t.Fatalf("a locked account signs in: %d", got.status)
	}
}

func TestE_BruteForce(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	b := f.browser()
	s := b.authorize(p.push(p.request()))
	for range 10 {
		s = b.login(s, testUser, "wrong-password")
	}
	s = b.login(s, testUser, testPassword)
	if s.status != http.StatusTooManyRequests || s.page.Login.Mistake != sso.TooManyTries || s.header.Get("Retry-After") == "" {
		t.Fatalf("%d %+v", s.status, s.page.Login)
	}
	f.clock.Elapse(16 * time.Minute)
	b.walk(s)
}

func TestE_AnotherPersonInTheSameBrowserEndsTheFirst(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	f.addAccount("karl", "Karl", "", federation.LevelNiedrig)
	br := f.browser()
	a.signIn(br)
	s := br.login(br.authorize(b.push(b.request("prompt", "login"))), "karl", testPassword)
	if s.page.Kind != "confirm" || len(s.page.Confirm.LoggedInAt) != 0 {
		t.Fatalf("%+v", s.page)
	}
	if len(a.received()) != 1 {
		t.Fatal("the first portal was not told")
	}
}
