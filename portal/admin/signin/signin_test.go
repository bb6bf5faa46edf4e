package signin_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/portal/admin/signin"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/rp/rptest"
)

const (
	redirect = "https://rathaus.example" + signin.CallbackPath
	client   = "verwaltung"
)

type fixture struct {
	*signin.SignIn
	op *rptest.OP
}

func open(t *testing.T) *fixture {
	t.Helper()
	op, err := rptest.Start(rptest.Config{NoPAR: true, Clients: []rptest.Client{{ID: client, RedirectURIs: []string{redirect}, Secret: "geheim"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(op.Close)
	op.Change(func(o *rptest.OP) {
		o.Subject, o.Claims = "42", map[string]any{"name": "A. Muster", "groups": []string{"portal-leitung", "alle"}}
	})
	c, err := provider.New(provider.Config{HTTP: http.DefaultClient, ClientID: client, Secret: "geheim", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	src := signin.Source{ID: "haus", Name: "Haus", Client: c, ClientID: client, Claim: "groups",
		Metadata: func(ctx context.Context) (*provider.Metadata, error) { return c.Discover(ctx, op.Issuer) }}
	return &fixture{signin.New(store.NewMemory(time.Now), redirect, nil, src), op}
}

// visit goes to the provider and returns the query of its answer.
func (f *fixture) visit(t *testing.T, to string) string {
	t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := c.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	back, err := r.Location()
	if err != nil {
		t.Fatalf("%s: %d", to, r.StatusCode)
	}
	return back.RawQuery
}

func TestSignIn(t *testing.T) {
	f := open(t)
	to, err := f.Begin(t.Context(), "browser", "haus", signin.Purpose{Invitation: "i", Return: "/verwaltung/x"})
	if err != nil {
		t.Fatal(err)
	}
	q := f.visit(t, to)
	if _, _, err := f.Finish(t.Context(), "other browser", q); !errors.Is(err, signin.ErrState) {
		t.Errorf("another browser: %v", err)
	}
	id, p, err := f.Finish(t.Context(), "browser", q)
	if err != nil {
		t.Fatal(err)
	}
	if id.Issuer != f.op.Issuer || id.Subject != "42" || id.Name != "A. Muster" || !slices.Equal(id.Groups, []string{"portal-leitung", "alle"}) {
		t.Errorf("%+v", id)
	}
	if p.Invitation != "i" || p.Return != "/verwaltung/x" {
		t.Errorf("%+v", p)
	}
	if _, _, err := f.Finish(t.Context(), "browser", q); !errors.Is(err, signin.ErrState) {
		t.Errorf("the same answer twice: %v", err)
	}
	last := f.op.Last()
	if last.Get("prompt") != "login" || last.Get("code_challenge_method") != "S256" || last.Get("nonce") == "" || last.Get("redirect_uri") != redirect {
		t.Errorf("asked with %v", last)
	}
	if _, err := f.Begin(t.Context(), "browser", "nowhere", signin.Purpose{}); !errors.Is(err, signin.ErrSource) {
		t.Error(err)
	}
}

func TestHostileAnswers(t *testing.T) {
	for what, c := range map[string]struct {
		faults rptest.Faults
		age    time.Duration
		query  func(url.Values)
		want   error
	}{
		"wrong nonce":      {faults: rptest.Faults{IDToken: func(_, c map[string]any) { c["nonce"] = "x" }}, want: provider.ErrNonce},
		"another audience": {faults: rptest.Faults{IDToken: func(_, c map[string]any) { c["aud"] = "other" }}, want: signin.ErrAnswer},
		"another issuer":   {faults: rptest.Faults{Answer: func(v url.Values) { v.Set("iss", "https://evil.example") }}, want: signin.ErrAnswer},
		"old login":        {age: time.Hour, want: provider.ErrAuthTime},
		"denied":           {query: func(v url.Values) { v.Set("error", "access_denied"); v.Del("code") }, want: signin.ErrDenied},
		"no code":          {query: func(v url.Values) { v.Del("code") }, want: signin.ErrDenied},
		"unknown state":    {query: func(v url.Values) { v.Set("state", "x") }, want: signin.ErrState},
		"state twice":      {query: func(v url.Values) { v.Add("state", "x") }, want: signin.ErrState},
		"too long":         {query: func(v url.Values) { v.Set("x", strings.Repeat("x", 9<<10)) }, want: signin.ErrState},
		"other subject":    {faults: rptest.Faults{Userinfo: func(c map[string]any) { c["sub"] = "1" }}, want: signin.ErrAnswer},
	} {
		t.Run(what, func(t *testing.T) {
			f := open(t)
			f.op.Change(func(o *rptest.OP) { o.Faults, o.AuthAge = c.faults, c.age })
			to, err := f.Begin(t.Context(), "b", "haus", signin.Purpose{})
			if err != nil {
				t.Fatal(err)
			}
			q, err := url.ParseQuery(f.visit(t, to))
			if err != nil {
				t.Fatal(err)
			}
			if c.query != nil {
				c.query(q)
			}
			if _, _, err := f.Finish(t.Context(), "b", q.Encode()); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestProviderIsDown(t *testing.T) {
	f := open(t)
	f.op.Close()
	_, err := f.Begin(t.Context(), "b", "haus", signin.Purpose{})
	if !errors.Is(err, provider.ErrUnreachable) || signin.IsFault(err) {
		t.Error(err)
	}
}
