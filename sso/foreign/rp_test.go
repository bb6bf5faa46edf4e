package foreign_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/foreign"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/upstream"
)

const (
	foreignClient   = "fachverfahren-hund"
	foreignSecret   = "ein langes Geheimnis: &=+% für Tests"
	foreignCallback = "http://127.0.0.4:9/cb"
	foreignReturn   = "http://127.0.0.4:9/ende"
	citizenPassword = "Waldi frisst gern Brot"
)

// result is one line of rp.mjs.
type result struct {
	Step     string         `json:"step"`
	Error    string         `json:"error"`
	Cause    string         `json:"cause"`
	Claims   map[string]any `json:"claims"`
	Userinfo map[string]any `json:"userinfo"`
	Pages    []string       `json:"pages"` // fields of the forms that were filled in
	Iss      string         `json:"iss"`
	At       string         `json:"at"`
	Status   int            `json:"status"`
	Page     string         `json:"page"`
}

// jwk is a private key for the script and its public half for the provider.
func jwk(t *testing.T) (private map[string]string, public trust.JWKS) {
	t.Helper()
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	point := must(k.PublicKey.Bytes())(t)
	b64 := base64.RawURLEncoding.EncodeToString
	m := map[string]string{"kty": "EC", "crv": "P-256", "kid": "client-1", "x": b64(point[1:33]), "y": b64(point[33:])}
	set := must(json.Marshal(map[string]any{"keys": []any{m}}))(t)
	public = must(trust.ParseJWKS(set))(t)
	m["d"] = b64(must(k.Bytes())(t))
	return m, public
}

// TestForeignRPAtOurOP: openid-client as static client, which knows us by
// discovery only.
func TestForeignRPAtOurOP(t *testing.T) {
	private, public := jwk(t)
	for name, c := range map[string]struct {
		client op.Client
		script map[string]any
	}{
		"client_secret_basic": {op.Client{SecretDigest: sha256.Sum256([]byte(foreignSecret))}, map[string]any{"secret": foreignSecret}},
		"private_key_jwt":     {op.Client{Keys: public}, map[string]any{"jwk": private}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := foreign.Dir(); errors.Is(err, foreign.ErrMissing) && !foreign.Required() {
				t.Skip(err)
			}
			issuer := ownOP(t, c.client)
			c.script["issuer"], c.script["client_id"], c.script["redirect_uri"] = issuer, foreignClient, foreignCallback
			c.script["post_logout_redirect_uri"] = foreignReturn
			c.script["username"], c.script["password"] = "erika", citizenPassword
			c.script["steps"] = []string{"none", "login", "again", "none", "unmet", "stepup", "fresh", "reuse", "revoke", "logout", "none"}
			checkForeignRP(t, issuer, peer(t, "rp.mjs", c.script))
		})
	}
}

// ownOP runs our provider with one account, one static client, and
// oidc-provider as source of accounts of a higher level.
func ownOP(t *testing.T, client op.Client) (issuer string) {
	t.Helper()
	mux := http.NewServeMux()
	issuer = listen(t, "127.0.0.2:0", mux)
	st := store.NewMemory(nil)
	accounts := must(account.New(account.Config{Store: st}))(t)
	must(accounts.Add(t.Context(), account.NewAccount{
		Username: "erika", Password: citizenPassword, Level: federation.LevelNiedrig,
		Claims: sso.Claims{Name: "Erika Mustermann", GivenName: "Erika", FamilyName: "Mustermann", Email: "erika@example.test"},
	}))(t)
	client.ID, client.Name = foreignClient, "Fachverfahren Hundesteuer"
	client.RedirectURIs, client.PostLogoutRedirectURIs = []string{foreignCallback}, []string{foreignReturn}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	back := op.ReturnURL(federation.EntityID(issuer), "fremd")
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
	source := must(upstream.New(upstream.Config{
		ID: "fremd", Name: "Fremdes Konto", Issuer: ready.Issuer, ClientID: "netz", Secret: "geheim", RedirectURI: back,
		Max: federation.LevelSubstanziell, HTTP: &http.Client{Transport: tr}, Loopback: true,
	}))(t)
	p := must(op.New(op.Config{
		Upstreams: []op.Upstream{source},
		Issuer:    federation.EntityID(issuer), Name: "Landkreis Probe", Store: st, Accounts: accounts, Pages: pages{},
		Keys: &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(t)}},
		Clients: op.ClientsFunc(func(_ context.Context, id string) (*op.Client, error) {
			if id != client.ID {
				return nil, op.ErrUnknownClient
			}
			return &client, nil
		}),
		Salt: must(op.OpenSalt(t.Context(), st))(t), HTTP: &http.Client{Transport: tr},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))(t)
	for path, h := range p.Handlers() {
		mux.Handle(path, h)
	}
	return issuer
}

func checkForeignRP(t *testing.T, issuer string, script interface{ Next(any) error }) {
	t.Helper()
	next := func(step string) result {
		t.Helper()
		var r result
		if err := script.Next(&r); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if r.Step != step {
			t.Fatalf("step %s where %s was expected", r.Step, step)
		}
		return r
	}
	passwords := func(r result) int {
		return len(slices.DeleteFunc(slices.Clone(r.Pages), func(p string) bool { return !strings.Contains(p, "password") }))
	}
	if r := next("none"); r.Error != "login_required" {
		t.Errorf("oidcc-prompt-none-not-logged-in: %+v", r)
	}
	first := next("login")
	sub, _ := first.Claims["sub"].(string)
	if first.Error != "" || sub == "" || first.Iss != issuer || passwords(first) != 1 || first.Claims["acr"] != federation.LevelNiedrig.ACR() {
		t.Fatalf("oidcc-server: %+v", first)
	}
	if first.Userinfo["sub"] != sub || first.Userinfo["given_name"] != "Erika" || first.Userinfo["email"] != "erika@example.test" {
		t.Errorf("oidcc-userinfo-get: %v", first.Userinfo)
	}
	if r := next("again"); r.Error != "" || r.Claims["sub"] != sub || len(r.Pages) != 0 || r.Claims["auth_time"] != first.Claims["auth_time"] {
		t.Errorf("signed in already: %+v", r)
	}
	if r := next("none"); r.Error != "" || r.Claims["sub"] != sub {
		t.Errorf("oidcc-prompt-none-logged-in: %+v", r)
	}
	if r := next("unmet"); r.Error != "unmet_authentication_requirements" {
		t.Errorf("level that no account has: %+v", r)
	}
	// The source has signed somebody in whom nobody knows yet: the person says
	// on the page that it is theirs, and stays who they were.
	if r := next("stepup"); r.Error != "" || passwords(r) != 0 || r.Claims["acr"] != federation.LevelSubstanziell.ACR() || r.Claims["sub"] != sub {
		t.Errorf("step-up: %+v", r)
	}
	if r := next("fresh"); r.Error != "" || passwords(r) != 1 || r.Claims["sub"] != sub {
		t.Errorf("oidcc-prompt-login: %+v", r)
	}
	if r := next("reuse"); r.Error != "invalid_grant" {
		t.Errorf("oidcc-codereuse: %+v", r)
	}
	if r := next("revoke"); r.Error == "" {
		t.Errorf("a revoked token still works: %+v", r)
	}
	if r := next("logout"); r.Error != "" || r.At != foreignReturn+"?state=after-logout" && !strings.Contains(r.Page, "return="+foreignReturn) {
		t.Errorf("oidcc-rp-initiated-logout: %+v", r)
	}
	if r := next("none"); r.Error != "login_required" {
		t.Errorf("after the logout: %+v", r)
	}
}
