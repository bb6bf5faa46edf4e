package op_test

import (
	"errors"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/ledger"
)

// One portal of one browser is left; the others go on, and nobody else's
// session is touched.
func TestF_EndPartyEndsOnePortal(t *testing.T) {
	f := newFixture(t)
	melle, bissendorf := f.member("melle"), f.member("bissendorf")
	b := f.browser()
	token := melle.signIn(b)
	bissendorf.signIn(b)
	max := f.addAccount("max", "Max", "max@example.org", federation.LevelNiedrig)
	acc, err := f.accounts.Find(t.Context(), testUser)
	must(t, err)
	all, err := f.op.Sessions(t.Context(), acc.ID)
	if err != nil || len(all) != 1 || len(all[0].Parties) != 2 {
		t.Fatalf("%+v %v", all, err)
	}
	key := all[0].Key
	for what, call := range map[string]func() error{
		"portal of another account":  func() error { _, err := f.op.EndParty(t.Context(), max.ID, key, melle.id); return err },
		"session of another account": func() error { _, err := f.op.EndSession(t.Context(), max.ID, key); return err },
		"portal without a part":      func() error { _, err := f.op.EndParty(t.Context(), acc.ID, key, "https://fremd.example"); return err },
		"no such session":            func() error { _, err := f.op.EndSession(t.Context(), acc.ID, "x"); return err },
	} {
		if err := call(); !errors.Is(err, ledger.ErrUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(melle.received())+len(bissendorf.received()) != 0 {
		t.Fatal("a portal was told of a logout that did not happen")
	}
	res, err := f.op.EndParty(t.Context(), acc.ID, key, melle.id)
	if err != nil || !res.OK || len(melle.received()) != 1 || len(bissendorf.received()) != 0 {
		t.Fatalf("%+v %v, told %d and %d times", res, err, len(melle.received()), len(bissendorf.received()))
	}
	if all, err = f.op.Sessions(t.Context(), acc.ID); err != nil || len(all) != 1 || all[0].Party(melle.id) != nil || all[0].Party(bissendorf.id) == nil {
		t.Fatalf("%+v %v", all, err)
	}
	// Back at the portal no password is asked for, but the information page is.
	again := melle.signIn(b)
	if again.claims["sub"] != token.claims["sub"] {
		t.Error("another subject after a logout")
	}
	sub, err := f.op.Subject(t.Context(), melle.id, acc.ID)
	if err != nil || sub != token.claims["sub"] {
		t.Errorf("the account page tells the subject %q %v, the portal has %v", sub, err, token.claims["sub"])
	}
	if _, err := f.op.Subject(t.Context(), "https://fremd.example", acc.ID); !errors.Is(err, op.ErrUnknownClient) {
		t.Error(err)
	}
	other := f.browser()
	bissendorf.signIn(other)
	results, err := f.op.EndOthers(t.Context(), acc.ID, key)
	if err != nil || len(results) != 1 {
		t.Fatalf("%+v %v", results, err)
	}
	if all, err = f.op.Sessions(t.Context(), acc.ID); err != nil || len(all) != 1 || all[0].Key != key {
		t.Fatalf("%+v %v", all, err)
	}
}

// Codes and tokens of minutes go with the account, those of others stay.
func TestF_ForgetLeavesNothing(t *testing.T) {
	f := newFixture(t)
	melle := f.member("melle")
	token := melle.signIn(f.browser())
	code := melle.code(f.browser()) // not redeemed yet
	acc, err := f.accounts.Find(t.Context(), testUser)
	must(t, err)
	_, err = f.op.Forget(t.Context(), acc.ID)
	must(t, err)
	sub, err := f.op.Subject(t.Context(), melle.id, acc.ID)
	must(t, err)
	must(t, f.store.Scan(t.Context(), "op/", func(key string, b []byte) bool {
		if s := string(b); strings.Contains(s, acc.ID) || strings.Contains(s, sub) || strings.Contains(s, testName) {
			t.Errorf("left: %s %s", key, s)
		}
		return true
	}))
	if a := f.userinfo(token.access); a.status != 401 {
		t.Errorf("the access token still works: %d", a.status)
	}
	if a := f.post(op.TokenPath, melle.redeemForm(code), "", ""); a.status == 200 {
		t.Error("the code still works")
	}
}
