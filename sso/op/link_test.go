package op_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/sso/op"
	"rathausnetz/sso/upstream"
)

// jarRequest is a request as this browser would send it to the provider.
func (b *browser) jarRequest() *http.Request {
	u, err := url.Parse(b.f.issuer + "/konto")
	must(b.f.t, err)
	r, err := http.NewRequest(http.MethodGet, u.String(), nil)
	must(b.f.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		r.AddCookie(c)
	}
	return r
}

// linkForm is what the account page would show in this browser.
func (b *browser) linkForm() *op.LinkForm {
	b.f.t.Helper()
	lf, err := b.f.op.LinkForm(nil, b.jarRequest())
	must(b.f.t, err)
	if lf == nil {
		b.f.t.Fatal("nobody is signed in")
	}
	return lf
}

func (b *browser) postLink(lf *op.LinkForm, name, value string) stop {
	return b.send(http.MethodPost, lf.Action, url.Values{"csrf": {lf.CSRF}, "handle": {lf.Handle}, name: {value}})
}

// link goes to the source from the account page and comes back.
func (b *browser) link(lf *op.LinkForm, id string) stop {
	b.f.t.Helper()
	away := b.postLink(lf, "upstream", id)
	if !strings.HasPrefix(away.location, "https://konto.example/") {
		b.f.t.Fatalf("not at the source: %+v", away)
	}
	return b.open(b.f.returnURL(id, away.query.Get("state")))
}

func wantLink(t *testing.T, s stop, want op.LinkResult) {
	t.Helper()
	if s.at == nil || s.at.Path != "/konto" || s.at.Query().Get(op.LinkParam) != string(want) {
		t.Fatalf("want %s at the account page, got %d %s %+v", want, s.status, s.at, s.page)
	}
}

// TestStepUpAsksBeforeItLinks: signed in with a password, the person proves
// more with a source that nobody has used yet. That it is theirs is asked, and
// with yes they stay who they are, at every portal.
func TestStepUpAsksBeforeItLinks(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	br := f.browser()
	first := p.signIn(br)
	src.set(person("1", federation.LevelSubstanziell), nil)
	stepUp := func(br *browser) stop {
		t.Helper()
		return br.throughSource(br.authorize(p.push(p.request("acr_values", acrSubs))), "eid")
	}
	s := stepUp(br)
	if s.page.Kind != "link" || s.page.Link.Person != testName || s.page.Link.Upstream != "Konto eid" || s.page.Link.Other != "Person 1" {
		t.Fatalf("no question: %+v", s.page)
	}
	form := url.Values{"csrf": {s.page.Link.CSRF}, "handle": {s.page.Link.Handle}, "decision": {"yes"}}
	if bad := f.browser().send(http.MethodPost, s.page.Link.Action, form); bad.status != http.StatusForbidden {
		t.Errorf("answered in another browser: %d", bad.status)
	}
	s = br.send(http.MethodPost, s.page.Link.Action, form)
	tok := p.redeem(s.query.Get("code"))
	if tok.claims["sub"] != first.claims["sub"] || tok.claims["acr"] != acrSubs || tok.claims["sid"] != first.claims["sid"] {
		t.Errorf("after the step-up %v, before %v", tok.claims, first.claims)
	}
	if again := br.send(http.MethodPost, f.issuer+op.LinkPath, form); again.status != http.StatusForbidden {
		t.Errorf("answered twice: %d", again.status)
	}
	// In a new browser the source alone leads to the same account.
	other := f.browser()
	if tok := p.redeem(other.meet(stepUp(other)).query.Get("code")); tok.claims["sub"] != first.claims["sub"] {
		t.Error("the source leads to another account")
	}
}

// meet confirms the information page where there is one.
func (b *browser) meet(s stop) stop {
	b.f.t.Helper()
	if s.page.Kind == "confirm" {
		return b.confirm(s, "yes")
	}
	return s
}

// TestStepUpOfSomebodyElse: with no the person of the source is somebody new,
// and the session that was there ends at its portals.
func TestStepUpOfSomebodyElse(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	br := f.browser()
	first := p.signIn(br)
	src.set(person("2", federation.LevelSubstanziell), nil)
	s := br.throughSource(br.authorize(p.push(p.request("acr_values", acrSubs))), "eid")
	s = br.send(http.MethodPost, s.page.Link.Action, url.Values{"csrf": {s.page.Link.CSRF}, "handle": {s.page.Link.Handle}, "decision": {"no"}})
	tok := p.redeem(br.confirm(s, "yes").query.Get("code"))
	if tok.claims["sub"] == first.claims["sub"] {
		t.Error("somebody else is the same person")
	}
	if sessions, err := f.op.Sessions(t.Context(), f.account(t)); err != nil || len(sessions) != 0 {
		t.Errorf("%d sessions are left, %v", len(sessions), err)
	}
}

func TestLinkFromTheAccountPage(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	br := f.browser()
	if lf, err := f.op.LinkForm(nil, br.jarRequest()); lf != nil || err != nil {
		t.Fatalf("a form for nobody: %+v, %v", lf, err)
	}
	first := p.signIn(br)
	lf := br.linkForm()
	if len(lf.Choices) != 1 || lf.Choices[0].ID != "eid" || len(lf.Linked) != 0 || !lf.Fresh {
		t.Fatalf("form %+v", lf)
	}
	src.set(person("1", federation.LevelSubstanziell), nil)
	wantLink(t, br.link(lf, "eid"), op.LinkDone)
	if src.asked[0].Fresh != true {
		t.Error("the source was not told to ask the person anew")
	}
	lf = br.linkForm()
	if len(lf.Linked) != 1 || lf.Linked[0].Name != "Konto eid" || !lf.Linked[0].Removable {
		t.Fatalf("linked %+v", lf.Linked)
	}
	other := f.browser()
	s := other.throughSource(other.authorize(p.push(p.request("acr_values", acrSubs))), "eid")
	if tok := p.redeem(other.meet(s).query.Get("code")); tok.claims["sub"] != first.claims["sub"] {
		t.Error("the linked source leads to another account")
	}
	wantLink(t, br.postLink(lf, "entfernen", lf.Linked[0].Key), op.LinkRemoved)
	if lf = br.linkForm(); len(lf.Linked) != 0 {
		t.Errorf("still linked: %+v", lf.Linked)
	}

	// An identity that has an account stays there, and the last way in stays.
	src.set(person("3", federation.LevelSubstanziell), nil)
	stranger := f.browser()
	p.redeem(stranger.meet(stranger.throughSource(stranger.authorize(p.push(p.request())), "eid")).query.Get("code"))
	wantLink(t, br.link(lf, "eid"), op.LinkTaken)
	theirs := stranger.linkForm()
	if len(theirs.Linked) != 1 || theirs.Linked[0].Removable {
		t.Fatalf("linked %+v", theirs.Linked)
	}
	wantLink(t, stranger.postLink(theirs, "entfernen", theirs.Linked[0].Key), op.LinkLast)
	src.set(upstream.Person{}, &upstream.DeniedError{Code: "access_denied"})
	wantLink(t, br.link(br.linkForm(), "eid"), op.LinkFailed)

	f.clock.Elapse(op.LinkFresh)
	if lf = br.linkForm(); lf.Fresh {
		t.Error("an old login still counts")
	}
	wantLink(t, br.postLink(lf, "upstream", "eid"), op.LinkStale)
}

func TestE74_LinkFormOfAnotherSession(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	br, thief := f.browser(), f.browser()
	p.signIn(br)
	p.signIn(thief)
	lf := br.linkForm()
	src.set(person("1", federation.LevelSubstanziell), nil)
	for name, form := range map[string]url.Values{
		"of another browser": {"csrf": {lf.CSRF}, "handle": {lf.Handle}, "upstream": {"eid"}},
		"without a token":    {"handle": {lf.Handle}, "upstream": {"eid"}},
	} {
		if s := thief.send(http.MethodPost, lf.Action, form); s.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, s.status)
		}
	}
	if s := br.open(f.issuer + op.LinkPath + "?handle=x"); s.status != http.StatusBadRequest {
		t.Errorf("guessed question: %d", s.status)
	}
	// The session ends while the person is at the source: nothing is linked.
	away := br.postLink(lf, "upstream", "eid")
	if _, err := f.op.EndAll(t.Context(), f.account(t)); err != nil {
		t.Fatal(err)
	}
	if s := br.open(f.returnURL("eid", away.query.Get("state"))); s.status != http.StatusForbidden {
		t.Errorf("linked without a session: %d", s.status)
	}
}

// TestE75_LockedAccountByItsLinkedSource: a lock holds for every way in.
func TestE75_LockedAccountByItsLinkedSource(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	br := f.browser()
	p.signIn(br)
	src.set(person("1", federation.LevelSubstanziell), nil)
	wantLink(t, br.link(br.linkForm(), "eid"), op.LinkDone)
	if _, err := f.accounts.Lock(t.Context(), testUser); err != nil {
		t.Fatal(err)
	}
	other := f.browser()
	s := other.throughSource(other.authorize(p.push(p.request())), "eid")
	wantPage400(t, s)
}

// account is the ID of the fixture's person.
func (f *fixture) account(t *testing.T) string {
	t.Helper()
	acc, err := f.accounts.Find(t.Context(), testUser)
	must(t, err)
	return acc.ID
}

// TestAfterLogoutTheSourceAsksAnew: the source may still know who has logged
// out here; the next person at this browser must not be taken for them.
func TestAfterLogoutTheSourceAsksAnew(t *testing.T) {
	f, src := withSource(t)
	p := f.member("Melle")
	br := f.browser()
	src.set(person("1", federation.LevelSubstanziell), nil)
	tok := p.redeem(br.meet(br.throughSource(br.authorize(p.push(p.request())), "eid")).query.Get("code"))
	s := br.logout(url.Values{"id_token_hint": {tok.id}, "client_id": {p.id}})
	if !s.page.Logout.Done || s.page.Logout.Source != "Konto eid" {
		t.Fatalf("%+v", s.page)
	}
	for _, b := range []*browser{br, br, f.browser()} {
		b.logout(nil)
		before := len(src.asked)
		s := b.authorize(p.push(p.request("prompt", "")))
		if s.page.Kind == "login" {
			b.meet(b.throughSource(s, "eid"))
			if fresh := src.asked[before].Fresh; fresh != (before == 1) {
				t.Errorf("login %d: asked anew: %v", before+1, fresh)
			}
		}
	}
}

// TestStandingBeforeHoch: at level hoch a member is served only while its
// membership is confirmed at that moment; below nobody is asked.
func TestStandingBeforeHoch(t *testing.T) {
	var asked []string
	var answer error
	src := &source{id: "eid", max: federation.LevelHoch}
	f := newFixture(t, withUpstreams(src), func(f *fixture, c *op.Config) {
		c.Accounts = lateAccounts{f}
		c.Standing = func(_ context.Context, client string) error {
			asked = append(asked, client)
			return answer
		}
	})
	p := f.member("Melle")
	login := func(acr string) stop {
		br := f.browser()
		return br.meet(br.throughSource(br.authorize(p.push(p.request("acr_values", acr))), "eid"))
	}
	src.set(person("1", federation.LevelHoch), nil)
	if s := login(acrHigh); s.query.Get("code") == "" || len(asked) != 1 || asked[0] != p.id {
		t.Fatalf("%s, asked %v", s.location, asked)
	}
	answer = errors.New("revoked")
	wantBack(t, p, login(acrHigh), "temporarily_unavailable")
	src.set(person("1", federation.LevelSubstanziell), nil)
	if s := login(acrSubs); s.query.Get("code") == "" || len(asked) != 2 {
		t.Fatalf("%s, asked %v", s.location, asked)
	}
}
