package rp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/rp"
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

// forms draws the two forms of a login, and nothing else.
type forms struct{}

const formHTML = `<form action="%s"><input name="csrf" value="%s"><input name="handle" value="%s"></form>`

func (forms) LoginPage(w http.ResponseWriter, _ *http.Request, _ int, p sso.LoginPage) {
	_, _ = fmt.Fprintf(w, formHTML, p.Action, p.CSRF, p.Handle)
}

func (forms) ConfirmPage(w http.ResponseWriter, _ *http.Request, p sso.ConfirmPage) {
	_, _ = fmt.Fprintf(w, formHTML, p.Action, p.CSRF, p.Handle)
}

func (forms) LinkPage(http.ResponseWriter, *http.Request, sso.LinkPage) {}

func (forms) LogoutPage(http.ResponseWriter, *http.Request, sso.LogoutPage) {}

func (forms) FailPage(w http.ResponseWriter, _ *http.Request, p sso.FailPage) {
	w.WriteHeader(p.Status)
	_, _ = fmt.Fprint(w, p.Code)
}

// net2 is a network of one provider and two portals.
type net2 struct {
	issuer  federation.EntityID
	op      *op.OP
	client  *http.Client
	members map[string]*op.Client
}

func (n *net2) Client(_ context.Context, id string) (*op.Client, error) {
	if c := n.members[id]; c != nil {
		return c, nil
	}
	return nil, op.ErrUnknownClient
}

func (n *net2) Provider(_ context.Context, issuer federation.EntityID) (*rp.Provider, error) {
	if issuer != n.issuer {
		return nil, rp.ErrUnknownProvider
	}
	return rp.FromMetadata(n.op.Metadata(), nil), nil
}

func (n *net2) Issuers() []federation.EntityID { return []federation.EntityID{n.issuer} }
func (n *net2) Home() federation.EntityID      { return n.issuer }

func serve(b *testing.B, addr string, h http.Handler) string {
	b.Helper()
	srv := httptest.NewUnstartedServer(h)
	l := must(net.Listen("tcp", addr))(b)
	if err := srv.Listener.Close(); err != nil {
		b.Fatal(err)
	}
	srv.Listener = l
	srv.Start()
	b.Cleanup(srv.Close)
	return srv.URL
}

func (n *net2) start(b *testing.B, st store.Store) {
	b.Helper()
	mux := http.NewServeMux()
	n.issuer = federation.EntityID(serve(b, "127.0.0.1:0", mux))
	accounts := must(account.New(account.Config{Store: st}))(b)
	must(accounts.Add(b.Context(), account.NewAccount{
		Username: "erika", Password: "Waldi frisst gern Brot", Level: federation.LevelNiedrig, Claims: sso.Claims{Name: "Erika Mustermann"},
	}))(b)
	n.op = must(op.New(op.Config{
		Issuer: n.issuer, Keys: &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(b)}}, Store: st, Clients: n,
		Accounts: accounts, Pages: forms{}, Salt: must(op.OpenSalt(b.Context(), st))(b), HTTP: n.client,
	}))(b)
	for path, h := range n.op.Handlers() {
		mux.Handle(path, h)
	}
}

func (n *net2) portal(b *testing.B, addr string, st store.Store) string {
	b.Helper()
	mux := http.NewServeMux()
	self := serve(b, addr, mux)
	sessions := must(session.New(session.Config{Store: st}))(b)
	party := must(rp.New(rp.Config{
		Self: federation.EntityID(self), Keys: &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(b)}}, Sessions: sessions,
		Providers: n, HTTP: n.client, Store: st, Pages: forms{}, LoginsPerMinute: 1 << 30,
	}))(b)
	mux.HandleFunc(rp.LoginPath, party.Login)
	mux.HandleFunc(rp.CallbackPath, party.Callback)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s, err := sessions.Get(r); err == nil {
			_, _ = fmt.Fprint(w, "hello "+s.Identity.Claims.Name)
		}
	})
	m, _, err := op.FromMember(federation.Member{ID: federation.EntityID(self), Name: addr}, party.Metadata())
	if err != nil {
		b.Fatal(err)
	}
	n.members[self] = m
	return self
}

var formParts = regexp.MustCompile(`action="([^"]*)".*name="csrf" value="([^"]*)".*name="handle" value="([^"]*)"`)

// arrive follows a login and fills in its forms.
func arrive(b *testing.B, c *http.Client, target string) {
	b.Helper()
	res := must(c.Get(target))(b)
	for range 3 {
		body := string(must(io.ReadAll(res.Body))(b))
		if err := res.Body.Close(); err != nil {
			b.Fatal(err)
		}
		if body == "hello Erika Mustermann" {
			return
		}
		m := formParts.FindStringSubmatch(body)
		if m == nil {
			b.Fatalf("%s: %s", res.Request.URL, body)
		}
		res = must(c.PostForm(m[1], url.Values{
			"csrf": {m[2]}, "handle": {m[3]}, "username": {"erika"}, "password": {"Waldi frisst gern Brot"}, "decision": {"yes"},
		}))(b)
	}
	b.Fatal("the login did not end")
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWarmSignOn is a sign-on at the second portal of a person who is
// signed in and was there before: every redirect and every back-channel
// request of portal and provider, and the browser that drives them, in one
// process. cpu-ms/op is the time of all cores together.
func BenchmarkWarmSignOn(b *testing.B) {
	for _, kind := range []string{"memory", "bolt"} {
		b.Run(kind, func(b *testing.B) {
			open := func(name string) store.Store {
				if kind == "memory" {
					return store.NewMemory(nil)
				}
				st := must(store.OpenBolt(filepath.Join(b.TempDir(), name), nil))(b)
				b.Cleanup(func() {
					if err := st.Close(); err != nil {
						b.Error(err)
					}
				})
				return st
			}
			tr := &http.Transport{MaxIdleConnsPerHost: 8}
			b.Cleanup(tr.CloseIdleConnections)
			n := &net2{client: &http.Client{Transport: tr}, members: map[string]*op.Client{}}
			n.start(b, open("op"))
			first, second := n.portal(b, "127.0.0.2:0", open("a")), n.portal(b, "127.0.0.3:0", open("b"))
			jar := must(cookiejar.New(nil))(b)
			c := &http.Client{Jar: jar, Transport: tr}
			arrive(b, c, first+"/anmelden")
			arrive(b, c, second+"/anmelden")
			away := must(url.Parse(second))(b)
			start := cpu(b)
			for b.Loop() {
				// The portal forgets the browser; the provider does not.
				jar.SetCookies(away, []*http.Cookie{{Name: "rn", Path: "/", MaxAge: -1}})
				arrive(b, c, second+"/anmelden")
			}
			b.ReportMetric(float64((cpu(b)-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// TestBenchmarkPagesAreComplete keeps the benchmark honest: its browser must
// recognise the forms it is given.
func TestBenchmarkPagesAreComplete(t *testing.T) {
	w := httptest.NewRecorder()
	forms{}.LoginPage(w, nil, http.StatusOK, sso.LoginPage{Action: "/a", CSRF: "c", Handle: "h"})
	if m := formParts.FindStringSubmatch(strings.TrimSpace(w.Body.String())); len(m) != 4 || m[1] != "/a" || m[2] != "c" || m[3] != "h" {
		t.Errorf("parts %v", m)
	}
}
