package foreign_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/foreign"
	"rathausnetz/sso/rp"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// peer starts a script of testnet/foreign, or skips the test.
func peer(t *testing.T, script string, config any) *foreign.Peer {
	t.Helper()
	p, err := foreign.Start(context.Background(), script, config, t.Output())
	if errors.Is(err, foreign.ErrMissing) && !foreign.Required() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// pages writes in one line what a page would say.
type pages struct{}

func (pages) LoginPage(w http.ResponseWriter, _ *http.Request, status int, p sso.LoginPage) {
	w.WriteHeader(status)
	if !p.Accounts && len(p.Upstreams) > 0 {
		_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input type="hidden" name="csrf" value="%s"><input type="hidden" name="handle" value="%s">
<input type="hidden" name="upstream" value="%s"></form> mistake=%s`, p.Action, p.CSRF, p.Handle, p.Upstreams[0].ID, p.Mistake)
		return
	}
	_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input type="hidden" name="csrf" value="%s"><input type="hidden" name="handle" value="%s">
<input name="username"><input type="password" name="password"></form> mistake=%s`, p.Action, p.CSRF, p.Handle, p.Mistake)
}

func (pages) ConfirmPage(w http.ResponseWriter, _ *http.Request, p sso.ConfirmPage) {
	_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input type="hidden" name="csrf" value="%s"><input type="hidden" name="handle" value="%s">
<input type="hidden" name="decision" value="yes"></form>`, p.Action, p.CSRF, p.Handle)
}

func (pages) LinkPage(w http.ResponseWriter, _ *http.Request, p sso.LinkPage) {
	_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input type="hidden" name="csrf" value="%s"><input type="hidden" name="handle" value="%s">
<input type="hidden" name="decision" value="yes"></form> link %s %s`, p.Action, p.CSRF, p.Handle, p.Person, p.Upstream)
}

func (pages) LogoutPage(w http.ResponseWriter, _ *http.Request, p sso.LogoutPage) {
	if p.Done {
		_, _ = fmt.Fprintf(w, "logged out %v return=%s", p.Results, p.Return)
		return
	}
	_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input type="hidden" name="csrf" value="%s"><input type="hidden" name="handle" value="%s"></form>`, p.Action, p.CSRF, p.Handle)
}

func (pages) FailPage(w http.ResponseWriter, _ *http.Request, p sso.FailPage) {
	w.WriteHeader(p.Status)
	_, _ = fmt.Fprintf(w, "fail %s", p.Code)
}

// network knows the one foreign provider.
type network struct{ p *rp.Provider }

func (n *network) Provider(_ context.Context, issuer federation.EntityID) (*rp.Provider, error) {
	if n.p == nil || string(issuer) != n.p.Issuer {
		return nil, rp.ErrUnknownProvider
	}
	return n.p, nil
}

func (n *network) Issuers() []federation.EntityID {
	if n.p == nil {
		return nil
	}
	return []federation.EntityID{n.Home()}
}

func (n *network) Home() federation.EntityID { return federation.EntityID(n.p.Issuer) }

// listen serves h on its own loopback address, so that cookies do not mix.
func listen(t *testing.T, addr string, h http.Handler) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	l := must(net.Listen("tcp", addr))(t)
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL
}

// browser keeps cookies, follows redirects and submits the forms a citizen
// would submit, with the given answers.
type browser struct {
	c    *http.Client
	hops []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	b := &browser{}
	b.c = &http.Client{Jar: must(cookiejar.New(nil))(t), Transport: tr, Timeout: 20 * time.Second}
	b.c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		b.hops = append(b.hops, r.URL.Path)
		if len(via) > 12 {
			return errors.New("too many redirects")
		}
		return nil
	}
	return b
}

func (b *browser) read(t *testing.T, res *http.Response) (string, string) {
	t.Helper()
	body := must(io.ReadAll(res.Body))(t)
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(body), res.Request.URL.String()
}

func (b *browser) get(t *testing.T, u string) (body, at string) {
	t.Helper()
	return b.read(t, must(b.c.Get(u))(t))
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*name="([^"]*)"[^>]*?(?:value="([^"]*)")?\s*/?>`)
)

// submit sends the first form of a page.
func (b *browser) submit(t *testing.T, body, at string, answers map[string]string) (string, string) {
	t.Helper()
	m := formTag.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no form at %s: %.300s", at, body)
	}
	f := url.Values{}
	for _, in := range inputTag.FindAllStringSubmatch(m[2], -1) {
		f.Set(in[1], in[2])
	}
	for k, v := range answers {
		f.Set(k, v)
	}
	target := must(must(url.Parse(at))(t).Parse(strings.ReplaceAll(m[1], "&amp;", "&")))(t)
	return b.read(t, must(b.c.PostForm(target.String(), f))(t))
}

// TestForeignOPForOurRP: login, single sign-on, step-up and logout with back
// channel, against oidc-provider with PAR and private_key_jwt.
func TestForeignOPForOurRP(t *testing.T) {
	if _, err := foreign.Dir(); errors.Is(err, foreign.ErrMissing) && !foreign.Required() {
		t.Skip(err)
	}
	mux := http.NewServeMux()
	self := listen(t, "127.0.0.2:0", mux)
	keys := &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(t)}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	st := store.NewMemory(nil)
	sessions := must(session.New(session.Config{Store: st}))(t)
	net := &network{}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	party := must(rp.New(rp.Config{
		Self: federation.EntityID(self), Name: "Gemeinde Probe", Keys: keys, Sessions: sessions, Providers: net,
		HTTP: client, Store: st, Pages: pages{}, Log: log,
	}))(t)

	// The provider must know the callback, which names the provider: so it is
	// started on an address of our choosing.
	issuer := "http://" + free(t, "127.0.0.1")
	net.p = &rp.Provider{Issuer: issuer}
	m := party.Metadata()
	op := peer(t, "op.mjs", map[string]any{
		"port": must(url.Parse(issuer))(t).Port(), "pushed": true,
		"clients": []any{map[string]any{
			"client_id": self, "redirect_uris": m.RedirectURIs, "response_types": m.ResponseTypes, "grant_types": m.GrantTypes,
			"token_endpoint_auth_method": m.TokenEndpointAuthMethod, "token_endpoint_auth_signing_alg": "ES256", "jwks": m.JWKS,
			"id_token_signed_response_alg": m.IDTokenSignedResponseAlg, "require_pushed_authorization_requests": m.RequirePAR,
			"post_logout_redirect_uris": m.PostLogoutRedirectURIs, "backchannel_logout_uri": m.BackchannelLogoutURI,
			"backchannel_logout_session_required": true, "scope": "openid profile",
		}},
	})
	var ready struct {
		Issuer string `json:"issuer"`
	}
	if err := op.Next(&ready); err != nil {
		t.Fatal(err)
	}
	own := must(provider.New(provider.Config{HTTP: client, ClientID: self, Key: func(time.Time) *trust.Key { return keys.Protocol[0] }, Loopback: true}))(t)
	net.p = must(own.Discover(t.Context(), ready.Issuer))(t)
	net.p.Algorithms = nil // ES256 only, as our own metadata says

	mux.HandleFunc(rp.LoginPath, party.Login)
	mux.HandleFunc(rp.CallbackPath, party.Callback)
	mux.HandleFunc(rp.InitiatePath, party.Initiate)
	mux.HandleFunc(rp.BackchannelPath, party.BackchannelLogout)
	mux.HandleFunc(rp.LogoutPath, party.Logout)
	mux.HandleFunc("/antrag", func(w http.ResponseWriter, r *http.Request) {
		if s, ok := party.Require(w, r, federation.LevelSubstanziell, rp.LoginOptions{Return: "/antrag"}); ok {
			_, _ = fmt.Fprintf(w, "antrag %s %s", s.Identity.Level, s.Identity.Claims.Name)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s, err := sessions.Get(r)
		if err != nil {
			_, _ = fmt.Fprint(w, "nobody")
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s %s", s.Identity.Level, s.Identity.Claims.Name, s.Identity.AMR)
	})

	b := newBrowser(t)
	if body, at := b.get(t, self+"/anmelden?niveau=niedrig&zurueck=/x"); body != "niedrig Erika Mustermann [eid]" || at != self+"/x" {
		t.Fatalf("login arrived at %s: %s", at, body)
	}
	t.Run("step-up", func(t *testing.T) {
		if body, at := b.get(t, self+"/antrag"); body != "antrag substanziell Erika Mustermann" || at != self+"/antrag" {
			t.Errorf("arrived at %s: %s", at, body)
		}
	})
	t.Run("single sign-on", func(t *testing.T) {
		// The portal forgets the session; the provider does not ask again.
		second := newBrowser(t)
		second.c.Jar = keepOnly(t, b.c.Jar, issuer)
		second.hops = nil
		if body, _ := second.get(t, self+"/anmelden?niveau=niedrig"); !strings.HasPrefix(body, "substanziell Erika") {
			t.Errorf("arrived at %s", body)
		}
		for _, h := range second.hops {
			if strings.HasPrefix(h, "/interaction/") {
				t.Error("the provider asked again")
			}
		}
	})
	t.Run("logout by the provider's back channel", func(t *testing.T) {
		body, at := b.get(t, self+"/abmelden")
		body, at = b.submit(t, body, at, nil)
		if !strings.HasPrefix(at, issuer) {
			t.Fatalf("the logout led to %s", at)
		}
		// oidc-provider asks once more; its buttons stand outside the form.
		other := newBrowser(t)
		other.c.Jar = keepOnly(t, b.c.Jar, issuer)
		if body, _ := other.get(t, self+"/anmelden"); body == "nobody" {
			t.Fatal("no second session")
		}
		body, at = b.submit(t, body, at, map[string]string{"logout": "yes"})
		if at != self+"/abmelden" || !strings.HasPrefix(body, "logged out") {
			t.Errorf("came back to %s: %s", at, body)
		}
		if body, _ := other.get(t, self+"/"); body != "nobody" {
			t.Errorf("the other browser of the same login is still signed in: %s", body)
		}
	})
	t.Run("refused by the citizen", func(t *testing.T) {
		q := url.Values{"iss": {issuer}, "target_link_uri": {self + "/x"}, "login_hint": {"deny"}}
		if body, at := newBrowser(t).get(t, self+rp.InitiatePath+"?"+q.Encode()); body != "fail access_denied" {
			t.Errorf("arrived at %s: %s", at, body)
		}
	})
}

// keepOnly copies the cookies of one origin.
func keepOnly(t *testing.T, jar http.CookieJar, origin string) http.CookieJar {
	t.Helper()
	u := must(url.Parse(origin))(t)
	out := must(cookiejar.New(nil))(t)
	out.SetCookies(u, jar.Cookies(u))
	return out
}

// free returns an address nobody listens on.
func free(t *testing.T, host string) string {
	t.Helper()
	l := must(net.Listen("tcp", host+":0"))(t)
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().String()
}
