package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/sso/rp/rptest"
)

func newClient(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	c := Config{HTTP: &http.Client{Transport: tr}, ClientID: "us", Secret: "s", Loopback: true}
	for _, f := range change {
		f(&c)
	}
	cl, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

func newOP(t *testing.T) *rptest.OP {
	t.Helper()
	op, err := rptest.Start(rptest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(op.Close)
	return op
}

func instead(op *rptest.OP, path string, h http.HandlerFunc) {
	op.Change(func(o *rptest.OP) { o.Faults.Instead = map[string]http.HandlerFunc{path: h} })
}

const wellKnown = "/.well-known/openid-configuration"

func TestDiscover(t *testing.T) {
	t.Run("oidcc-client-test-discovery-openid-config", func(t *testing.T) {
		op := newOP(t)
		m, err := newClient(t).Discover(context.Background(), op.Issuer)
		if err != nil || m.TokenEndpoint != op.Issuer+"/token" || !m.SendsIss || len(m.Algorithms) != 2 {
			t.Errorf("metadata %+v, %v", m, err)
		}
	})
	for name, spoil := range map[string]func(m map[string]any, op *rptest.OP){
		"oidcc-client-test-discovery-issuer-mismatch": func(m map[string]any, _ *rptest.OP) { m["issuer"] = "https://other.example" },
		"issuer with slash":                           func(m map[string]any, op *rptest.OP) { m["issuer"] = op.Issuer + "/" },
		"issuer missing":                              func(m map[string]any, _ *rptest.OP) { delete(m, "issuer") },
		"G99 endpoint on another origin":              func(m map[string]any, _ *rptest.OP) { m["token_endpoint"] = "https://other.example/token" },
		"keys on another origin":                      func(m map[string]any, _ *rptest.OP) { m["jwks_uri"] = "https://other.example/jwks" },
		"only symmetric algorithms": func(m map[string]any, _ *rptest.OP) {
			m["id_token_signing_alg_values_supported"] = []string{"HS256", "none"}
		},
		"no token endpoint": func(m map[string]any, _ *rptest.OP) { delete(m, "token_endpoint") },
		"doubled member":    func(m map[string]any, op *rptest.OP) { m["Issuer"] = op.Issuer },
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			instead(op, wellKnown, func(w http.ResponseWriter, _ *http.Request) {
				b, err := json.Marshal(op.Metadata())
				if err != nil {
					t.Error(err)
				}
				var m map[string]any
				if err := json.Unmarshal(b, &m); err != nil {
					t.Error(err)
				}
				spoil(m, op)
				w.Header().Set("Content-Type", "application/json")
				if err := json.NewEncoder(w).Encode(m); err != nil {
					t.Error(err)
				}
			})
			if _, err := newClient(t).Discover(context.Background(), op.Issuer); !errors.Is(err, ErrMetadata) {
				t.Errorf("got %v, want ErrMetadata", err)
			}
		})
	}
	for name, h := range map[string]http.HandlerFunc{
		"404":      http.NotFound,
		"HTML":     func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			instead(op, wellKnown, h)
			if _, err := newClient(t).Discover(context.Background(), op.Issuer); !errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v, want ErrUnreachable", err)
			}
			if op.Seen("/other") != 0 {
				t.Error("the redirect was followed")
			}
		})
	}
	t.Run("extra origin allowed by the operator", func(t *testing.T) {
		m := &Metadata{Issuer: "https://a.example", AuthorizationEndpoint: "https://login.a.example/", TokenEndpoint: "https://a.example/t", JWKSURI: "https://a.example/j"}
		if err := m.Check(false); !errors.Is(err, ErrMetadata) {
			t.Errorf("without leave: %v", err)
		}
		m.Origins = []string{"https://login.a.example"}
		if err := m.Check(false); err != nil {
			t.Errorf("with leave: %v", err)
		}
	})
	t.Run("plain http", func(t *testing.T) {
		op := newOP(t)
		c := newClient(t, func(c *Config) { c.Loopback = false })
		if _, err := c.Discover(context.Background(), op.Issuer); !errors.Is(err, ErrMetadata) || op.Seen(wellKnown) != 0 {
			t.Errorf("got %v, want ErrMetadata without a request", err)
		}
	})
}

func TestKeySetSingleFlight(t *testing.T) {
	op := newOP(t)
	c := newClient(t)
	m, err := c.Discover(context.Background(), op.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 50 {
		token, err := op.LogoutToken("us", nil)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := c.LogoutToken(context.Background(), m, token); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := op.Seen("/jwks"); n != 1 {
		t.Errorf("%d fetches for 50 tokens at once, want 1", n)
	}
}

func TestKeySetCallerGivesUp(t *testing.T) {
	op := newOP(t)
	c := newClient(t)
	m, err := c.Discover(context.Background(), op.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	token, err := op.LogoutToken("us", nil)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.LogoutToken(gone, m, token); err == nil {
		t.Fatal("a cancelled call succeeded")
	}
	if _, err := c.LogoutToken(context.Background(), m, token); err != nil {
		t.Errorf("the next caller pays for it: %v", err)
	}
}

func TestKeysOfMetadataNeedNoFetch(t *testing.T) {
	op := newOP(t)
	b, err := op.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := trust.ParseJWKS(b)
	if err != nil {
		t.Fatal(err)
	}
	m := &Metadata{Issuer: op.Issuer, AuthorizationEndpoint: op.Issuer + "/authorize", TokenEndpoint: op.Issuer + "/token", Keys: keys}
	token, err := op.LogoutToken("us", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t).LogoutToken(context.Background(), m, token); err != nil || op.Seen("/jwks") != 0 {
		t.Errorf("got %v after %d fetches", err, op.Seen("/jwks"))
	}
}

func TestErrorCode(t *testing.T) {
	for in, want := range map[string]string{"invalid_grant": "invalid_grant", "<b>": "", "A": "", "a b": "", strings.Repeat("a", 65): "", "": ""} {
		if got := ErrorCode(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	key, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no HTTP":        {ClientID: "x", Secret: "s"},
		"no client":      {HTTP: http.DefaultClient, Secret: "s"},
		"no secret":      {HTTP: http.DefaultClient, ClientID: "x"},
		"key and secret": {HTTP: http.DefaultClient, ClientID: "x", Secret: "s", Key: func(time.Time) *trust.Key { return key }},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzAudience(f *testing.F) {
	for _, s := range []string{`"a"`, `["a","b"]`, `[]`, `null`, `{}`, `"a","b"`, `[1]`, `["a"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a audience
		if err := a.UnmarshalJSON([]byte(s)); err != nil {
			return
		}
		if !json.Valid([]byte(s)) {
			t.Errorf("%q is no JSON and gave %v", s, a)
		}
	})
}

func FuzzUserinfoText(f *testing.F) {
	f.Add(`"Erika"`)
	f.Add("\"\\u0000\\u202e\"")
	f.Add(`7`)
	f.Fuzz(func(t *testing.T, s string) {
		got := Userinfo{"name": json.RawMessage(s)}.Text("name")
		if len([]rune(got)) > 200 || strings.ContainsAny(got, "\x00\r\n\u202e") {
			t.Errorf("%q gave %q", s, got)
		}
	})
}
