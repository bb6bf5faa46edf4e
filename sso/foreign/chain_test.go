package foreign_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/foreign"
	"rathausnetz/sso/op"
	"rathausnetz/sso/rp"
	"rathausnetz/sso/session"
	"rathausnetz/sso/upstream"
)

// chain is two portals, the network's provider, and oidc-provider behind it.
type chain struct {
	issuer   federation.EntityID
	provider *op.OP
	client   *http.Client

	mu      sync.Mutex // guards members
	members map[string]*op.Client
}

// Client implements op.Clients.
func (c *chain) Client(_ context.Context, id string) (*op.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.members[id]; m != nil {
		return m, nil
	}
	return nil, op.ErrUnknownClient
}

// Provider implements rp.Providers.
func (c *chain) Provider(_ context.Context, issuer federation.EntityID) (*rp.Provider, error) {
	if issuer != c.issuer {
		return nil, rp.ErrUnknownProvider
	}
	return rp.FromMetadata(c.provider.Metadata(), nil), nil
}

// Issuers implements rp.Providers.
func (c *chain) Issuers() []federation.EntityID { return []federation.EntityID{c.issuer} }

// Home implements rp.Providers.
func (c *chain) Home() federation.EntityID { return c.issuer }

func newChain(t *testing.T) *chain {
	t.Helper()
	mux := http.NewServeMux()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	c := &chain{issuer: federation.EntityID(listen(t, "127.0.0.5:0", mux)), members: map[string]*op.Client{}, client: &http.Client{Transport: tr}}
	back := op.ReturnURL(c.issuer, "fremd")
	script := peer(t, "op.mjs", map[string]any{"clients": []any{map[string]any{
		"client_id": "netz", "client_secret": "geheim", "redirect_uris": []string{back},
		"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "ES256",
	}}})
	var ready struct {
		Issuer string `json:"issuer"`
	}
	if err := script.Next(&ready); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	source := must(upstream.New(upstream.Config{
		ID: "fremd", Name: "Fremdes Konto", Issuer: ready.Issuer, ClientID: "netz", Secret: "geheim", RedirectURI: back,
		Max: federation.LevelSubstanziell, HTTP: c.client, Loopback: true, Log: log,
	}))(t)
	st := store.NewMemory(nil)
	c.provider = must(op.New(op.Config{
		Issuer: c.issuer, Name: "Landkreis Probe", Store: st, Clients: c, Upstreams: []op.Upstream{source}, Pages: pages{},
		Keys: &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(t)}},
		Salt: must(op.OpenSalt(t.Context(), st))(t), HTTP: c.client, Log: log,
	}))(t)
	for path, h := range c.provider.Handlers() {
		mux.Handle(path, h)
	}
	return c
}

// portal starts one member portal and makes it known to the provider.
func (c *chain) portal(t *testing.T, addr, name string) string {
	t.Helper()
	mux := http.NewServeMux()
	self := listen(t, addr, mux)
	st := store.NewMemory(nil)
	sessions := must(session.New(session.Config{Store: st}))(t)
	party := must(rp.New(rp.Config{
		Self: federation.EntityID(self), Name: name, Keys: &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(t)}},
		Sessions: sessions, Providers: c, HTTP: c.client, Store: st, Pages: pages{}, Scope: "openid profile",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))(t)
	mux.HandleFunc(rp.LoginPath, party.Login)
	mux.HandleFunc(rp.CallbackPath, party.Callback)
	mux.HandleFunc(rp.InitiatePath, party.Initiate)
	mux.HandleFunc(rp.BackchannelPath, party.BackchannelLogout)
	mux.HandleFunc(rp.LogoutPath, party.Logout)
	mux.HandleFunc("/antrag", func(w http.ResponseWriter, r *http.Request) {
		if s, ok := party.Require(w, r, federation.LevelSubstanziell, rp.LoginOptions{}); ok {
			_, _ = fmt.Fprintf(w, "antrag %s %s", s.Identity.Level, s.Identity.Subject)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s, err := sessions.Get(r)
		if err != nil {
			_, _ = fmt.Fprint(w, "nobody")
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s %s", s.Identity.Level, s.Identity.Subject, s.Identity.Claims.Name)
	})
	m, _, err := op.FromMember(federation.Member{ID: federation.EntityID(self), Name: name}, party.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[self] = m
	return self
}

// TestForeignUpstreamBehindOurOP: portals that are ours, a provider that is
// ours, and accounts that are somebody else's.
func TestForeignUpstreamBehindOurOP(t *testing.T) {
	if _, err := foreign.Dir(); errors.Is(err, foreign.ErrMissing) && !foreign.Required() {
		t.Skip(err)
	}
	c := newChain(t)
	a, d := c.portal(t, "127.0.0.2:0", "Gemeinde A"), c.portal(t, "127.0.0.3:0", "Gemeinde D")
	b := newBrowser(t)
	source := map[string]string{"upstream": "fremd"}

	body, at := b.get(t, a+"/anmelden?zurueck=/x")
	body, at = b.arrive(t, body, at, a, source)
	first := strings.Fields(body)
	if at != a+"/x" || len(first) != 4 || first[0] != "niedrig" || first[2] != "Erika" {
		t.Fatalf("login at A arrived at %s: %s", at, body)
	}

	b.hops = nil
	q := url.Values{"iss": {string(c.issuer)}, "target_link_uri": {d + "/y"}}
	body, at = b.get(t, d+rp.InitiatePath+"?"+q.Encode())
	body, at = b.arrive(t, body, at, d, nil) // by the information page
	second := strings.Fields(body)
	if at != d+"/y" || len(second) != 4 || second[2] != "Erika" {
		t.Fatalf("sign-on at D arrived at %s: %s", at, body)
	}
	if slices.ContainsFunc(b.hops, func(h string) bool {
		return strings.HasPrefix(h, "/interaction/") || strings.HasPrefix(h, "/op/rueckkehr")
	}) {
		t.Errorf("the account source was asked again: %v", b.hops)
	}
	if first[1] == second[1] {
		t.Error("E56: one subject at two portals")
	}

	body, at = b.get(t, d+"/antrag")
	body, at = b.arrive(t, body, at, d, source)
	if body != "antrag substanziell "+second[1] || at != d+"/antrag" {
		t.Fatalf("step-up arrived at %s: %s", at, body)
	}

	body, at = b.get(t, d+"/abmelden")
	body, _ = b.submit(t, body, at, nil)
	if !strings.Contains(body, "{Gemeinde A true}") || !strings.Contains(body, "{Gemeinde D true}") {
		t.Errorf("the result per portal is %q", body)
	}
	for _, portal := range []string{a, d} {
		if body, _ := b.get(t, portal+"/"); body != "nobody" {
			t.Errorf("still signed in at %s: %s", portal, body)
		}
	}
	if body, _ := b.get(t, a+"/anmelden"); !strings.Contains(body, "<form") {
		t.Errorf("after the logout the provider still knows the person: %s", body)
	}
}

// arrive submits the provider's forms, at most three, until a page of portal
// is reached.
func (b *browser) arrive(t *testing.T, body, at, portal string, answers map[string]string) (string, string) {
	t.Helper()
	for range 3 {
		if strings.HasPrefix(at, portal) {
			break
		}
		body, at = b.submit(t, body, at, answers)
	}
	return body, at
}
