package testnet

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/roster"
	"rathausnetz/federation/trust"
)

// revokedWhileLoggedIn: Melle is revoked while one citizen is logged in there
// and another one stands between the provider and Melle, with a code in hand.
func revokedWhileLoggedIn(t *testing.T, nw *Network) {
	melle, hub := nw.Member("melle"), nw.Hub()
	var others []*Member
	for _, m := range nw.Members() {
		if m != melle {
			others = append(others, m)
		}
	}
	inside := NewCitizen(nw.Transport())
	between := NewCitizen(nw.Transport())
	if err := loginAt(t.Context(), nw, inside, melle); err != nil {
		t.Fatal(err)
	}
	back := stopBefore(between, melle)
	if err := loginAt(t.Context(), nw, between, melle); err == nil || *back == "" {
		t.Fatalf("the login was not held up: %v", err)
	}
	mark := string(fetch(t, nw, hub.markOf(melle)))
	fetch(t, nw, hub.Entity.URL("/federation/fetch?sub="+url.QueryEscape(string(melle.Entity))))

	const reason = "Schlüssel gestohlen"
	melle.left.Store(true)
	if err := hub.Node().Revoke(t.Context(), operatorName, melle.Entity, reason); err != nil {
		t.Fatal(err)
	}
	servedNoMore(t, nw, melle, mark)
	await(t, refusedWithin, func() error {
		for _, o := range others {
			if err := o.forgot(melle); err != nil {
				return err
			}
		}
		return nil
	})
	visitor := NewCitizen(nw.Transport())
	for _, o := range others {
		if status, b := get(t, nw, o.Entity.URL("/federation/catalog?member="+url.QueryEscape(string(melle.Entity)))); status != http.StatusNotFound {
			t.Errorf("%s still serves its catalogue: %d %.100s", o.Name, status, b)
		}
		if err := visitor.Open(t.Context(), o.Entity.URL("/suche?q=Personalausweis&ort=Melle")); err != nil {
			t.Fatal(err)
		}
		if visitor.Sees("Zuständig: " + melle.Legal) {
			t.Errorf("%s still shows its offers: %.400s", o.Name, visitor.Text())
		}
	}
	if why := audited(t, nw, "revoke", melle); why != reason {
		t.Errorf("the audit trail says %q", why)
	}
	noLoginAnyMore(t, nw, melle, between, *back)

	witness := nw.Member("bersenbrueck")
	if err := witness.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := witness.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, refusedWithin, func() error { return witness.forgot(melle) })
	if err := inside.Open(t.Context(), witness.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
		t.Fatal(err)
	}
	if err := nw.confirm(t.Context(), inside); err != nil {
		t.Errorf("the citizen cannot go on elsewhere: %v", err)
	}
}

// loginAt signs a citizen in at a portal.
func loginAt(ctx context.Context, nw *Network, c *Citizen, at *Member) error {
	if err := c.Open(ctx, at.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
		return err
	}
	if err := nw.signIn(ctx, c); err != nil {
		return err
	}
	return nw.expectAt(c, at, DemoName)
}

// stopBefore keeps a browser from following the provider's redirect back to a
// portal, and returns where that would have gone.
func stopBefore(c *Citizen, at *Member) *string {
	var back string
	follow := c.client.CheckRedirect
	c.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), at.Entity.URL("/anmelden/rueckkehr/")) && r.URL.Query().Has("code") && back == "" {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return follow(r, via)
	}
	return &back
}

func (m *Member) markOf(o *Member) string {
	return m.Entity.URL("/federation/trust-mark?" + url.Values{"sub": {string(o.Entity)}, "trust_mark_type": {trust.MarkType(m.Entity)}}.Encode())
}

// forgot says what m still believes of a member that was revoked.
func (m *Member) forgot(o *Member) error {
	if s, ok := m.sees(o); ok {
		return fmt.Errorf("%s still has %s as a member: %+v", m.Name, o.Name, s)
	}
	verdicts := m.Node().Status().Verdicts
	i := slices.IndexFunc(verdicts, func(v roster.Verdict) bool { return v.ID == o.Entity })
	if i < 0 || verdicts[i].State != roster.StateRevoked || verdicts[i].Reason == "" {
		return fmt.Errorf("%s does not say why %s is no member: %+v", m.Name, o.Name, verdicts)
	}
	return nil
}

// servedNoMore asks every endpoint of the hub about a revoked member.
func servedNoMore(t *testing.T, nw *Network, gone *Member, mark string) {
	t.Helper()
	hub := nw.Hub()
	sub := url.QueryEscape(string(gone.Entity))
	for _, address := range []string{
		hub.Entity.URL("/federation/fetch?sub=" + sub),
		hub.Entity.URL("/federation/resolve?sub=" + sub + "&trust_anchor=" + url.QueryEscape(string(hub.Entity))),
		hub.markOf(gone),
	} {
		if status, b := get(t, nw, address); status != http.StatusNotFound || !bytes.Contains(b, []byte("not_found")) {
			t.Errorf("%s: %d %.200s", address, status, b)
		}
	}
	for _, address := range []string{hub.Entity.URL("/federation/list"), hub.Entity.URL("/federation/trust-mark-list?trust_mark_type=" + url.QueryEscape(trust.MarkType(hub.Entity)))} {
		if b := fetch(t, nw, address); bytes.Contains(b, []byte(gone.Entity)) || !bytes.Contains(b, []byte(nw.Member("bissendorf").Entity)) {
			t.Errorf("%s: %s", address, b)
		}
	}
	status, b := postForm(t, nw, hub.Entity.URL("/federation/trust-mark-status"), url.Values{"trust_mark": {mark}})
	var answer struct {
		Status string `json:"status"`
	}
	token, err := trust.Peek(string(b), trust.TypeMarkStatus)
	if err == nil {
		err = token.Into(&answer)
	}
	if err != nil || status != http.StatusOK || answer.Status != "revoked" {
		t.Errorf("status of its mark: %d %q %v", status, answer.Status, err)
	}
}

func postForm(t *testing.T, nw *Network, address string, form url.Values) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(t, nw, req)
}

// noLoginAnyMore [SSO.md §10 31]: a code that was issued before is worth
// nothing, and a new login ends on a page that says why.
func noLoginAnyMore(t *testing.T, nw *Network, gone *Member, between *Citizen, back string) {
	t.Helper()
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := trust.LoadKeys(gone.dir("data", "keys"))
	if err != nil {
		t.Fatal(err)
	}
	issuer := nw.Hub().Entity
	assertion, err := trust.Sign(keys.Protocol[0], "JWT", map[string]any{
		"iss": gone.Entity, "sub": gone.Entity, "aud": issuer, "jti": rand.Text(),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	status, b := postForm(t, nw, issuer.URL("/op/token"), url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {u.Scheme + "://" + u.Host + u.Path},
		"client_id": {string(gone.Entity)}, "client_assertion": {assertion}, "code_verifier": {strings.Repeat("v", 43)},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	})
	var refusal struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(b, &refusal); err != nil || status != http.StatusUnauthorized || refusal.Error != "invalid_client" {
		t.Errorf("the provider about the code: %d %s %v", status, b, err)
	}
	fresh := NewCitizen(nw.Transport())
	for name, step := range map[string]func() (*Citizen, error){
		"the code": func() (*Citizen, error) { return between, between.Open(t.Context(), back) },
		"a new login": func() (*Citizen, error) {
			return fresh, fresh.Open(t.Context(), gone.Entity.URL("/anmelden?zurueck=/konto"))
		},
	} {
		c, err := step()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.HasField("password") || c.Status() < 400 || !c.Sees("Anmeld") {
			t.Errorf("%s: %s says (%d) %.500s", name, c.URL(), c.Status(), c.Text())
		}
		t.Logf("%s: %s", name, c.Text())
		if err := c.Open(t.Context(), gone.Entity.URL("/konto")); err != nil {
			t.Fatal(err)
		}
		if c.Sees(DemoName) {
			t.Errorf("%s has led to a login at %s", name, gone.Name)
		}
	}
}
