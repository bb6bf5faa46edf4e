package foreign_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/upstream"
)

// TestForeignOPAsUpstream: oidc-provider as source of accounts, once with a
// secret and plain requests, once with private_key_jwt and PAR.
func TestForeignOPAsUpstream(t *testing.T) {
	const redirect = "http://127.0.0.2:1/op/quelle"
	key := must(trust.NewKey())(t)
	for name, c := range map[string]struct {
		metadata map[string]any
		config   upstream.Config
	}{
		"client_secret_basic": {
			map[string]any{"token_endpoint_auth_method": "client_secret_basic", "client_secret": "ein Geheimnis: &=+%"},
			upstream.Config{Secret: "ein Geheimnis: &=+%"},
		},
		"private_key_jwt": {
			map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": key.Public(), "require_pushed_authorization_requests": true},
			upstream.Config{Key: func(time.Time) *trust.Key { return key }},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.metadata["client_id"], c.metadata["redirect_uris"] = "netz", []string{redirect}
			c.metadata["id_token_signed_response_alg"] = "ES256"
			op := peer(t, "op.mjs", map[string]any{"clients": []any{c.metadata}})
			var ready struct {
				Issuer string `json:"issuer"`
			}
			if err := op.Next(&ready); err != nil {
				t.Fatal(err)
			}
			tr := &http.Transport{}
			t.Cleanup(tr.CloseIdleConnections)
			c.config.ID, c.config.Name, c.config.Issuer, c.config.ClientID = "fremd", "Fremdes Konto", ready.Issuer, "netz"
			c.config.RedirectURI, c.config.Max = redirect, federation.LevelSubstanziell
			c.config.HTTP, c.config.Loopback = &http.Client{Transport: tr}, true
			u := must(upstream.New(c.config))(t)
			b := newBrowser(t)
			login := func(r upstream.Request) (*upstream.Person, error) {
				t.Helper()
				location, p, err := u.Begin(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				return u.Finish(t.Context(), p, b.until(t, location, redirect))
			}

			p, err := login(upstream.Request{Level: federation.LevelNiedrig})
			if err != nil {
				t.Fatal(err)
			}
			want := sso.Claims{Name: "Erika Mustermann", GivenName: "Erika", FamilyName: "Mustermann", Email: "erika@example.test"}
			if p.Subject != "erika" || p.Level != federation.LevelNiedrig || p.Claims != want || p.AuthTime.IsZero() || len(p.AMR) != 1 {
				t.Errorf("person %+v", p)
			}
			if p, err := login(upstream.Request{Level: federation.LevelSubstanziell}); err != nil || p.Level != federation.LevelSubstanziell {
				t.Errorf("step-up at the source: %+v, %v", p, err)
			}
			if p, err := login(upstream.Request{Level: federation.LevelSubstanziell, Fresh: true}); err != nil || p.Level != federation.LevelSubstanziell {
				t.Errorf("fresh login: %+v, %v", p, err)
			}
			var denied *upstream.DeniedError
			stranger := newBrowser(t)
			b = stranger
			if _, err := login(upstream.Request{Hint: "deny"}); !errors.As(err, &denied) || denied.Code != "access_denied" {
				t.Errorf("refused by the citizen: %v", err)
			}
		})
	}
}

// until follows redirects and returns the parameters of the one that leads to
// stop, without opening it.
func (b *browser) until(t *testing.T, from, stop string) url.Values {
	t.Helper()
	c := *b.c
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	at := must(url.Parse(from))(t)
	for range 12 {
		res := must(c.Get(at.String()))(t)
		body, _ := b.read(t, res)
		location := res.Header.Get("Location")
		if location == "" {
			t.Fatalf("%s answered %d: %.300s", at.Path, res.StatusCode, body)
		}
		at = must(at.Parse(location))(t)
		if at.Scheme+"://"+at.Host+at.Path == stop {
			return at.Query()
		}
	}
	t.Fatal("too many redirects")
	return nil
}
