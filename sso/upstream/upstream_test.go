package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/rp/rptest"
)

const redirect = "http://127.0.0.2:1/op/quelle/konto"

type source struct {
	*Upstream
	op    *rptest.OP
	clock *clocktest.Clock
	http  *http.Client
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newSource(t *testing.T, change ...func(*Config, *rptest.Config)) *source {
	t.Helper()
	s := &source{clock: clocktest.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	s.http = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	o := rptest.Config{Now: s.clock.Now, Clients: []rptest.Client{{ID: "netz", Secret: "geheim&=+", RedirectURIs: []string{redirect}}}}
	c := Config{
		ID: "konto", Name: "Konto des Landes", ClientID: "netz", Secret: "geheim&=+", RedirectURI: redirect,
		Max: federation.LevelSubstanziell, HTTP: s.http, Loopback: true, Now: s.clock.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range change {
		f(&c, &o)
	}
	s.op = must(rptest.Start(o))(t)
	t.Cleanup(s.op.Close)
	c.Issuer = s.op.Issuer
	s.Upstream = must(New(c))(t)
	return s
}

// visit opens location as a browser would and returns the source's answer.
func (s *source) visit(t *testing.T, location string) url.Values {
	t.Helper()
	res := must(s.http.Get(location))(t)
	body := must(io.ReadAll(res.Body))(t)
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(res.Header.Get("Location"), redirect+"?") {
		t.Fatalf("the source answered %d %s", res.StatusCode, body)
	}
	return must(url.Parse(res.Header.Get("Location")))(t).Query()
}

func (s *source) login(t *testing.T, r Request) (*Person, error) {
	t.Helper()
	location, p, err := s.Begin(context.Background(), r)
	if err != nil {
		return nil, err
	}
	return s.Finish(context.Background(), p, s.visit(t, location))
}

func TestLoginAtASource(t *testing.T) {
	for name, f := range map[string]func(*Config, *rptest.Config){
		"oidcc-client-test-client-secret-basic": func(*Config, *rptest.Config) {},
		"without pushed requests":               func(_ *Config, o *rptest.Config) { o.NoPAR = true },
		"private_key_jwt": func(c *Config, o *rptest.Config) {
			k := must(trust.KeyFromSeed([]byte("op")))(t)
			c.Key, c.Secret = func(time.Time) *trust.Key { return k }, ""
			o.Clients[0].Keys, o.Clients[0].Secret = k.Public(), ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, f)
			p, err := s.login(t, Request{Level: federation.LevelNiedrig, Hint: "erika"})
			if err != nil {
				t.Fatal(err)
			}
			want := sso.Claims{Name: "Erika Mustermann", GivenName: "Erika", FamilyName: "Mustermann"}
			if p.Upstream != "konto" || p.Issuer != s.op.Issuer || p.Subject != "pairwise-erika" || p.Level != federation.LevelNiedrig ||
				p.Claims != want || !p.AuthTime.Equal(s.clock.Now()) || len(p.AMR) != 1 {
				t.Errorf("person %+v", p)
			}
			if last := s.op.Last(); last.Get("login_hint") != "erika" || last.Has("prompt") || last.Get("max_age") != "43200" {
				t.Errorf("request %v", last)
			}
		})
	}
}

func TestClaimsAreMapped(t *testing.T) {
	s := newSource(t, func(c *Config, _ *rptest.Config) {
		c.Claims = map[string]string{"given_name": "ba.bundid_prop_givenName", "family_name": "ba.bundid_prop_surname", "email": "missing"}
	})
	s.op.Change(func(o *rptest.OP) {
		o.Claims = map[string]any{"ba.bundid_prop_givenName": "Erika", "ba.bundid_prop_surname": "Mustermann", "given_name": "other", "email": "e@x", "name": 7}
	})
	p, err := s.login(t, Request{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (sso.Claims{GivenName: "Erika", FamilyName: "Mustermann"}); p.Claims != want {
		t.Errorf("claims %+v, want %+v", p.Claims, want)
	}
}

func TestE63_SourceAnswersLower(t *testing.T) {
	s := newSource(t)
	s.op.Change(func(o *rptest.OP) { o.ACR = federation.LevelNiedrig.ACR() })
	if _, err := s.login(t, Request{Level: federation.LevelSubstanziell}); !errors.Is(err, ErrLevel) {
		t.Errorf("got %v, want ErrLevel", err)
	}
}

func TestE64_SourceOverstatesOrIsUnknown(t *testing.T) {
	s := newSource(t)
	for acr, want := range map[string]error{
		federation.LevelHoch.ACR():       ErrOverstate,
		"https://example/gold":           ErrACR,
		"high":                           ErrACR,
		"HTTP://EIDAS.EUROPA.EU/LOA/LOW": ErrACR,
	} {
		s.op.Change(func(o *rptest.OP) { o.ACR = acr })
		if _, err := s.login(t, Request{}); !errors.Is(err, want) {
			t.Errorf("acr %q: %v, want %v", acr, err, want)
		}
	}
	s.op.Change(func(o *rptest.OP) {
		o.ACR = ""
		o.Faults.IDToken = func(_, c map[string]any) { delete(c, "acr") }
	})
	if _, err := s.login(t, Request{}); !errors.Is(err, ErrACR) {
		t.Errorf("no acr: %v, want ErrACR", err)
	}
}

func TestE62_SourceCannotReachTheLevel(t *testing.T) {
	s := newSource(t)
	if s.Reaches(federation.LevelHoch) || !s.Reaches(federation.LevelSubstanziell) {
		t.Error("Reaches ignores the cap")
	}
	if _, err := s.login(t, Request{Level: federation.LevelHoch}); !errors.Is(err, ErrCannot) {
		t.Errorf("got %v, want ErrCannot", err)
	}
	if s.op.Seen("/par") != 0 {
		t.Error("the source was asked")
	}
}

func TestE65_StorkLevel1IsNotEidasLow(t *testing.T) {
	s := newSource(t, func(c *Config, _ *rptest.Config) { c.Levels, c.Max = STORK(), federation.LevelHoch })
	s.op.Change(func(o *rptest.OP) { o.ACR = "STORK-QAA-Level-1" })
	p, err := s.login(t, Request{Level: federation.LevelBasis})
	if err != nil || p.Level != federation.LevelBasis || p.Level.ACR() == federation.LevelNiedrig.ACR() {
		t.Errorf("Basisregistrierung gives %+v, %v; want basis", p, err)
	}
	if _, err := s.login(t, Request{Level: federation.LevelNiedrig}); !errors.Is(err, ErrLevel) {
		t.Errorf("asked for niedrig: %v, want ErrLevel", err)
	}
	s.op.Change(func(o *rptest.OP) { o.ACR = federation.LevelNiedrig.ACR() })
	if _, err := s.login(t, Request{}); !errors.Is(err, ErrACR) {
		t.Errorf("eIDAS value from a STORK source: %v, want ErrACR", err)
	}
}

func TestFreshLogin(t *testing.T) {
	s := newSource(t)
	s.op.Change(func(o *rptest.OP) { o.AuthAge = 2 * time.Minute })
	if _, err := s.login(t, Request{}); err != nil {
		t.Errorf("an older login is good enough: %v", err)
	}
	if _, err := s.login(t, Request{MaxAge: time.Minute}); err != nil {
		t.Errorf("two minutes with a minute of skew: %v", err)
	}
	if _, err := s.login(t, Request{Fresh: true}); !errors.Is(err, provider.ErrAuthTime) {
		t.Errorf("got %v, want provider.ErrAuthTime", err)
	}
	if last := s.op.Last(); last.Get("prompt") != "login" || last.Get("max_age") != "0" {
		t.Errorf("fresh login asked with %q and %q", last.Get("prompt"), last.Get("max_age"))
	}
}

func TestAnswersRefused(t *testing.T) {
	s := newSource(t)
	other := newSource(t)
	for name, tt := range map[string]struct {
		spoil func(p *Pending, q url.Values)
		want  error
	}{
		"state wrong":    {func(_ *Pending, q url.Values) { q.Set("state", "x") }, ErrState},
		"state absent":   {func(_ *Pending, q url.Values) { q.Del("state") }, ErrState},
		"state empty":    {func(p *Pending, q url.Values) { p.State = ""; q.Set("state", "") }, ErrState},
		"code twice":     {func(_ *Pending, q url.Values) { q.Add("code", "x") }, ErrState},
		"code absent":    {func(_ *Pending, q url.Values) { q.Del("code") }, ErrState},
		"other source":   {func(p *Pending, _ url.Values) { p.Upstream = "bundid" }, ErrState},
		"iss absent":     {func(_ *Pending, q url.Values) { q.Del("iss") }, ErrMixUp},
		"iss of other":   {func(_ *Pending, q url.Values) { q.Set("iss", other.op.Issuer) }, ErrMixUp},
		"wrong nonce":    {func(p *Pending, _ url.Values) { p.Nonce = "x" }, provider.ErrNonce},
		"wrong verifier": {func(p *Pending, _ url.Values) { p.Verifier = "x" }, errAny},
		"stolen code":    {func(_ *Pending, q url.Values) { q.Set("code", "AAAA") }, errAny},
		"too late":       {func(*Pending, url.Values) { s.clock.Add(61 * time.Minute) }, ErrLate},
	} {
		t.Run(name, func(t *testing.T) {
			location, p, err := s.Begin(context.Background(), Request{})
			if err != nil {
				t.Fatal(err)
			}
			q := s.visit(t, location)
			tt.spoil(p, q)
			person, err := s.Finish(context.Background(), p, q)
			if err == nil || person != nil || tt.want != errAny && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("denied", func(t *testing.T) {
		location, p, err := s.Begin(context.Background(), Request{})
		if err != nil {
			t.Fatal(err)
		}
		q := s.visit(t, location)
		q.Del("code")
		q.Set("error", "access_denied")
		var denied *DeniedError
		if _, err := s.Finish(context.Background(), p, q); !errors.As(err, &denied) || denied.Code != "access_denied" {
			t.Errorf("got %v, want DeniedError", err)
		}
	})
}

var errAny = errors.New("any")

func TestG100_UserinfoOfAnotherSubjectAtASource(t *testing.T) {
	s := newSource(t)
	s.op.Change(func(o *rptest.OP) { o.Faults.Userinfo = func(c map[string]any) { c["sub"] = "x" } })
	if _, err := s.login(t, Request{}); !errors.Is(err, provider.ErrUserinfo) {
		t.Errorf("got %v, want provider.ErrUserinfo", err)
	}
}

func TestSourceDownAndBack(t *testing.T) {
	s := newSource(t)
	down := map[string]http.HandlerFunc{"/.well-known/openid-configuration": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }}
	s.op.Change(func(o *rptest.OP) { o.Faults.Instead = down })
	if _, err := s.login(t, Request{}); !errors.Is(err, provider.ErrUnreachable) {
		t.Fatalf("got %v, want provider.ErrUnreachable", err)
	}
	s.op.Change(func(o *rptest.OP) { o.Faults.Instead = nil })
	if _, err := s.login(t, Request{}); err != nil {
		t.Fatalf("back again: %v", err)
	}
	s.op.Change(func(o *rptest.OP) { o.Faults.Instead = down })
	s.clock.Add(2 * time.Hour)
	before := s.op.Seen("/.well-known/openid-configuration")
	for range 5 {
		if _, err := s.login(t, Request{}); err != nil {
			t.Fatalf("with the last good metadata: %v", err)
		}
	}
	if n := s.op.Seen("/.well-known/openid-configuration") - before; n != 1 {
		t.Errorf("%d tries within the pause, want 1", n)
	}
}

func TestSet(t *testing.T) {
	mk := func(id, name string, max federation.Level, places ...region.Area) *Upstream {
		return newSource(t, func(c *Config, _ *rptest.Config) {
			c.ID, c.Name, c.Max, c.Places, c.RedirectURI = id, name, max, places, redirect+id
		}).Upstream
	}
	area := func(s string) region.Area { return must(region.ParseArea(s))(t) }
	land, stadt, bund := mk("land", "Servicekonto Niedersachsen", federation.LevelSubstanziell, area("03")),
		mk("stadt", "Konto Köln", federation.LevelNiedrig, area("05315")), mk("bund", "BundID", federation.LevelHoch)
	s := must(NewSet(stadt, bund, land))(t)
	ids := func(c []sso.UpstreamChoice) string {
		out := ""
		for _, x := range c {
			out += x.ID + " "
		}
		return out
	}
	melle := area("03459")
	for _, tt := range []struct {
		level federation.Level
		place *region.Area
		words string
		want  string
	}{
		{federation.LevelBasis, nil, "", "bund stadt land "},
		{federation.LevelBasis, &melle, "", "land bund stadt "},
		{federation.LevelSubstanziell, &melle, "", "land bund "},
		{federation.LevelHoch, &melle, "", "bund "},
		{federation.LevelBasis, nil, "konto nieder", "land "},
		{federation.LevelBasis, &melle, "Melle", "land bund "},
		{federation.LevelHoch, &melle, "Melle", ""},
		{federation.LevelBasis, nil, "erika@koeln.example", ""},
	} {
		got := s.Choices(tt.level, tt.place)
		if tt.words != "" {
			var places []region.Area
			if tt.place != nil {
				places = append(places, *tt.place)
			}
			got = s.Search(tt.level, places, tt.words)
		}
		if ids(got) != tt.want {
			t.Errorf("%s %v %q: %q, want %q", tt.level, tt.place, tt.words, ids(got), tt.want)
		}
		for _, c := range got {
			if c.Near != (c.ID == "land" && tt.place != nil) {
				t.Errorf("%s %v: %+v", tt.level, tt.place, c)
			}
		}
	}
	if u, ok := s.Get("land"); !ok || u != land {
		t.Error("Get does not find a source")
	}
	if _, ok := s.Get("x"); ok {
		t.Error("Get finds what is not there")
	}
	if _, err := NewSet(land, land); err == nil {
		t.Error("two sources with one ID were accepted")
	}
	if _, err := NewSet(mk("a", "A", federation.LevelHoch), newSource(t, func(c *Config, _ *rptest.Config) { c.RedirectURI = redirect + "a" }).Upstream); err == nil {
		t.Error("two sources with one redirect URI were accepted: answers could be confused")
	}
	var none *Set
	if _, ok := none.Get("x"); ok || none.Choices(federation.LevelBasis, nil) != nil || none.Search(federation.LevelBasis, nil, "x") != nil {
		t.Error("a nil set is not empty")
	}
}

func TestConfigRefused(t *testing.T) {
	good := Config{ID: "a", Name: "A", Issuer: "https://a.example", ClientID: "c", Secret: "s", RedirectURI: "https://b.example/r", Max: federation.LevelNiedrig, HTTP: http.DefaultClient}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for i, f := range []func(*Config){
		func(c *Config) { c.ID = "" }, func(c *Config) { c.ID = "A/b" }, func(c *Config) { c.Name = "" }, func(c *Config) { c.Issuer = "" },
		func(c *Config) { c.RedirectURI = "" }, func(c *Config) { c.Max = federation.LevelNone }, func(c *Config) { c.Secret = "" },
		func(c *Config) { c.HTTP = nil }, func(c *Config) { c.Levels = map[string]federation.Level{"": federation.LevelHoch} },
		func(c *Config) { c.Claims = map[string]string{"sub": "email"} },
	} {
		c := good
		f(&c)
		if _, err := New(c); err == nil {
			t.Errorf("fault %d was accepted: %s", i, fmt.Sprint(c.ID))
		}
	}
}
