package op_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/protocol"
)

// Group B of SSO.md §10: PKCE and code.

func TestB22_NoCodeChallenge(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	wantBack(t, p, byObject(p, f.browser(), "code_challenge", ""), "invalid_request")
	wantJSON(t, p.post(op.PARPath, p.request("code_challenge", "")), http.StatusBadRequest, "invalid_request")
	wantBack(t, p, byObject(p, f.browser(), "code_challenge", "short"), "invalid_request")
}

func TestB23_ChallengeMethodPlain(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for _, method := range []string{"plain", "", "s256"} {
		wantBack(t, p, byObject(p, f.browser(), "code_challenge_method", method), "invalid_request")
		wantJSON(t, p.post(op.PARPath, p.request("code_challenge_method", method)), http.StatusBadRequest, "invalid_request")
	}
}

func TestB25_CodeWithoutChallenge(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	code := p.code(f.browser())
	// The record is forged as a faulty migration of the store might do it.
	must(t, f.store.Update(t.Context(), "op/code/"+protocol.Digest(code), func(old []byte) ([]byte, time.Duration, error) {
		var c protocol.Code
		must(t, json.Unmarshal(old, &c))
		c.Challenge = ""
		b, err := json.Marshal(c)
		return b, time.Minute, err
	}))
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
}

func TestB_WrongVerifier(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for _, v := range []string{"", "short", strings.Repeat("w", 50), strings.Repeat("v", 200)} {
		code := p.code(f.browser())
		wantJSON(t, p.post(op.TokenPath, p.redeemForm(code, "code_verifier", v)), http.StatusBadRequest, "invalid_grant")
		// The attempt has burnt the code.
		wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
	}
}

func TestB26_CodeUsedTwice(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	code := p.code(f.browser())
	tok := p.redeem(code)
	if a := f.userinfo(tok.access); a.status != http.StatusOK {
		t.Fatalf("userinfo before: %d", a.status)
	}
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
	if a := f.userinfo(tok.access); a.status != http.StatusUnauthorized {
		t.Fatalf("the access token of the first redemption lives: %d", a.status)
	}
	if !strings.Contains(f.log.String(), "used twice") {
		t.Error("no event")
	}
}

func TestOIDCC_Codereuse(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	code := s.code(f.browser())
	s.redeem(code)
	wantJSON(t, s.post(op.TokenPath, s.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
}

func TestOIDCC_Codereuse30Seconds(t *testing.T) {
	f := newFixture(t)
	s := f.static("dienst")
	code := s.code(f.browser())
	tok := s.redeem(code)
	f.clock.Elapse(30 * time.Second)
	wantJSON(t, s.post(op.TokenPath, s.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
	if a := f.userinfo(tok.access); a.status != http.StatusUnauthorized {
		t.Fatalf("userinfo: %d", a.status)
	}
}

func sameCodeManyTimes(t *testing.T, st store.Store) {
	f := newFixture(t, withStore(st))
	p := f.member("Melle")
	code := p.code(f.browser())
	forms := make([]func() answer, 50)
	for i := range forms {
		form := p.redeemForm(code)
		form.Set("client_assertion_type", protocol.AssertionURN)
		form.Set("client_assertion", p.assertion(nil))
		forms[i] = func() answer { return f.post(op.TokenPath, form, "", "") }
	}
	answers := make([]answer, len(forms))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range forms {
		wg.Go(func() {
			<-start
			answers[i] = forms[i]()
		})
	}
	close(start)
	wg.Wait()
	ok := 0
	for _, a := range answers {
		switch {
		case a.status == http.StatusOK:
			ok++
			if u := f.userinfo(a.json["access_token"].(string)); u.status != http.StatusUnauthorized {
				t.Errorf("the winner's token outlives the other uses: %d", u.status)
			}
		case a.errorCode() != "invalid_grant":
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if ok != 1 {
		t.Fatalf("%d of 50 redeemed one code", ok)
	}
}

func TestB27_SameCodeFrom50Goroutines(t *testing.T) {
	t.Run("memory", func(t *testing.T) { sameCodeManyTimes(t, nil) })
	t.Run("bolt", func(t *testing.T) { sameCodeManyTimes(t, openBolt(t)) })
	t.Run("redis", func(t *testing.T) { sameCodeManyTimes(t, openRedis(t)) })
}

func TestB28_CodeOfAnotherClient(t *testing.T) {
	f := newFixture(t)
	a, b := f.member("Melle"), f.member("Bissendorf")
	code := a.code(f.browser())
	form := a.redeemForm(code, "client_id", b.id)
	wantJSON(t, b.post(op.TokenPath, form), http.StatusBadRequest, "invalid_grant")
	wantJSON(t, a.post(op.TokenPath, a.redeemForm(code)), http.StatusBadRequest, "invalid_grant") // burnt
	if !strings.Contains(f.log.String(), "code of another client") {
		t.Error("no event")
	}
}

func TestB29_OtherRedirectURIAtTheTokenEndpoint(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	for _, uri := range []string{"", p.redirect + "/", "https://evil.example/cb"} {
		wantJSON(t, p.post(op.TokenPath, p.redeemForm(p.code(f.browser()), "redirect_uri", uri)), http.StatusBadRequest, "invalid_grant")
	}
}

func TestB31_MembershipLostBeforeRedemption(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	code := p.code(f.browser())
	tok := p.signIn(f.browser())
	f.setClient(nil, p.id)
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusUnauthorized, "invalid_client")
	if a := f.userinfo(tok.access); a.status != http.StatusUnauthorized {
		t.Fatalf("userinfo after the membership ended: %d", a.status)
	}
}

func TestB_CodeExpiresAfter60Seconds(t *testing.T) {
	f := newFixture(t)
	p := f.member("Melle")
	code := p.code(f.browser())
	f.clock.Elapse(61 * time.Second)
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
	// J148: a clock that goes back revives nothing.
	f.clock.Elapse(-61 * time.Second)
	wantJSON(t, p.post(op.TokenPath, p.redeemForm(code)), http.StatusBadRequest, "invalid_grant")
}
