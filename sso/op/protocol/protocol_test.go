package protocol_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op/protocol"
)

var now = time.Unix(1_800_000_000, 0)

func client() *protocol.Client {
	return &protocol.Client{ID: "https://melle.example", RedirectURIs: []string{"https://melle.example/cb"}}
}

func TestDecide(t *testing.T) {
	low := protocol.State{
		Level: federation.LevelNiedrig, AuthTime: now.Add(-time.Hour), Subject: "s", Reachable: federation.LevelHoch,
		Known: true, Granted: []string{"name"}, Available: []string{"name", "email"},
	}
	with := func(f func(*protocol.State)) protocol.State { s := low; f(&s); return s }
	hochOnly := with(func(s *protocol.State) { s.Level = federation.LevelNone })
	for name, c := range map[string]struct {
		q    protocol.Request
		s    protocol.State
		step protocol.Step
		code string
	}{
		"nobody":                        {protocol.Request{MaxAge: -1}, protocol.State{Reachable: federation.LevelHoch}, protocol.Login, ""},
		"nobody, none":                  {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{None: true}}, protocol.State{Reachable: federation.LevelHoch}, protocol.Refuse, "login_required"},
		"known":                         {protocol.Request{MaxAge: -1, Claims: []string{"name"}}, low, protocol.Issue, ""},
		"known, none":                   {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{None: true}}, low, protocol.Issue, ""},
		"more claims":                   {protocol.Request{MaxAge: -1, Claims: []string{"name", "email"}}, low, protocol.Confirm, ""},
		"more claims, none":             {protocol.Request{MaxAge: -1, Claims: []string{"email"}, Prompt: protocol.Prompt{None: true}}, low, protocol.Refuse, "consent_required"},
		"claims nobody has":             {protocol.Request{MaxAge: -1, Claims: []string{"locale"}}, low, protocol.Issue, ""},
		"first time":                    {protocol.Request{MaxAge: -1}, with(func(s *protocol.State) { s.Known = false }), protocol.Confirm, ""},
		"consent again":                 {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{Consent: true}}, low, protocol.Confirm, ""},
		"consent given":                 {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{Consent: true}}, with(func(s *protocol.State) { s.Confirmed = true }), protocol.Issue, ""},
		"higher":                        {protocol.Request{MaxAge: -1, Level: federation.LevelSubstanziell}, low, protocol.Login, ""},
		"too high":                      {protocol.Request{MaxAge: -1, Level: federation.LevelHoch}, with(func(s *protocol.State) { s.Reachable = federation.LevelSubstanziell }), protocol.Refuse, "unmet_authentication_requirements"},
		"unknown essential acr":         {protocol.Request{MaxAge: -1, Unmet: true}, low, protocol.Refuse, "unmet_authentication_requirements"},
		"prompt login":                  {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{Login: true}}, low, protocol.Login, ""},
		"prompt login, done":            {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{Login: true}}, with(func(s *protocol.State) { s.Fresh, s.FreshLevel = true, federation.LevelNiedrig }), protocol.Issue, ""},
		"max_age passed":                {protocol.Request{MaxAge: 3599}, low, protocol.Login, ""},
		"max_age holds":                 {protocol.Request{MaxAge: 3600}, low, protocol.Issue, ""},
		"max_age 0":                     {protocol.Request{MaxAge: 0}, with(func(s *protocol.State) { s.AuthTime = now }), protocol.Login, ""},
		"somebody else":                 {protocol.Request{MaxAge: -1}, with(func(s *protocol.State) { s.Asked = "t" }), protocol.Login, ""},
		"somebody else, none":           {protocol.Request{MaxAge: -1, Prompt: protocol.Prompt{None: true}}, with(func(s *protocol.State) { s.Asked = "t" }), protocol.Refuse, "login_required"},
		"somebody else signed in":       {protocol.Request{MaxAge: -1}, with(func(s *protocol.State) { s.Asked, s.Fresh, s.FreshLevel = "t", true, federation.LevelNiedrig }), protocol.Refuse, "login_required"},
		"after hoch, for another":       {protocol.Request{MaxAge: -1}, hochOnly, protocol.Login, ""},
		"hoch, fresh":                   {protocol.Request{MaxAge: -1, Level: federation.LevelHoch}, with(func(s *protocol.State) { s.Fresh, s.FreshLevel = true, federation.LevelHoch }), protocol.Issue, ""},
		"hoch, fresh below":             {protocol.Request{MaxAge: -1, Level: federation.LevelHoch}, with(func(s *protocol.State) { s.Fresh, s.FreshLevel = true, federation.LevelSubstanziell }), protocol.Refuse, "unmet_authentication_requirements"},
		"a session that claims hoch":    {protocol.Request{MaxAge: -1}, with(func(s *protocol.State) { s.Level = federation.LevelHoch }), protocol.Login, ""},
		"hoch by a session claims hoch": {protocol.Request{MaxAge: -1, Level: federation.LevelHoch}, with(func(s *protocol.State) { s.Level = federation.LevelHoch }), protocol.Login, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := protocol.Decide(&c.q, c.s, now)
			if d.Step != c.step || c.code != "" && (d.Refusal == nil || d.Refusal.Code != c.code || !d.Refusal.Back) {
				t.Fatalf("got %+v %v", d, d.Refusal)
			}
		})
	}
}

func TestE65_BasisIsNeverLow(t *testing.T) {
	q := protocol.Request{MaxAge: -1, Level: federation.LevelNiedrig}
	s := protocol.State{Level: federation.LevelBasis, AuthTime: now, Known: true, Reachable: federation.LevelHoch}
	if d := protocol.Decide(&q, s, now); d.Step != protocol.Login || !d.StepUp {
		t.Fatalf("%+v", d)
	}
	s.Fresh, s.FreshLevel = true, federation.LevelBasis
	if d := protocol.Decide(&q, s, now); d.Step != protocol.Refuse || d.Refusal.Code != protocol.UnmetRequirements {
		t.Fatalf("%+v", d)
	}
}

func TestAlive(t *testing.T) {
	for l, limit := range map[federation.Level][2]time.Duration{
		federation.LevelBasis: {12 * time.Hour, time.Hour}, federation.LevelNiedrig: {12 * time.Hour, time.Hour},
		federation.LevelSubstanziell: {2 * time.Hour, 30 * time.Minute}, federation.LevelHoch: {30 * time.Minute, 5 * time.Minute},
	} {
		if !protocol.Alive(l, now.Add(-limit[0]+time.Second), now.Add(-limit[1]+time.Second), now) {
			t.Errorf("%s ended early", l)
		}
		if protocol.Alive(l, now.Add(-limit[0]), now, now) || protocol.Alive(l, now, now.Add(-limit[1]), now) {
			t.Errorf("%s lives too long", l)
		}
	}
}

func TestBackURLKeepsRegisteredBytes(t *testing.T) {
	q := &protocol.Request{RedirectURI: "https://a.example/cb?x=%2F", State: "a&b=c"}
	got := q.BackURL("https://op.example", "c0de", nil)
	if want := "https://a.example/cb?x=%2F&code=c0de&state=a%26b%3Dc&iss=https%3A%2F%2Fop.example"; got != want {
		t.Fatalf("%s", got)
	}
}

func TestNamesKeepApart(t *testing.T) {
	n := protocol.Names{Salt: []byte("0123456789abcdef")}
	seen := map[string]bool{}
	for _, v := range []string{
		n.Subject("ab", "c"), n.Subject("a", "bc"), n.Subject("", "abc"), n.SID("ab", "c"), n.Form("ab", "c"),
		n.Address("ab"), protocol.Names{Salt: []byte("0123456789abcdeX")}.Subject("ab", "c"),
	} {
		if seen[v] || len(v) != 43 {
			t.Fatalf("%q", v)
		}
		seen[v] = true
	}
}

func TestClaimsParameter(t *testing.T) {
	p := protocol.Params{
		"redirect_uri": "https://melle.example/cb", "response_type": "code", "scope": "openid", "code_challenge": strings.Repeat("a", 43), "code_challenge_method": "S256",
		"claims": `{"id_token":{"acr":{"essential":true,"values":["http://eidas.europa.eu/LoA/substantial","http://eidas.europa.eu/LoA/high"]},"email":null},"userinfo":{"name":{"essential":true},"unknown":null}}`,
	}
	q, bad := protocol.Check(client(), p)
	if bad != nil || q.Level != federation.LevelSubstanziell || !slices.Equal(q.Claims, []string{"name", "email"}) {
		t.Fatalf("%+v %v", q, bad)
	}
}

func FuzzParseParams(f *testing.F) {
	for _, s := range []string{"a=b&c=d", "a=b&a=c", "a", "=", "%zz", "a=%00", "&&", "a=1;b=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, bad := protocol.ParseParams(raw)
		if bad != nil {
			return
		}
		v, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
		if err != nil {
			t.Fatalf("the standard library refuses %q: %v", raw, err)
		}
		for name, got := range p {
			if len(v[name]) != 1 || v[name][0] != got {
				t.Fatalf("%q: %q is %q here and %q there", raw, name, got, v[name])
			}
		}
	})
}

// FuzzObject: whatever a request object says, what comes out has a proven
// client, a jti and a near end.
func FuzzObject(f *testing.F) {
	key, err := trust.KeyFromSeed([]byte("fuzz"))
	if err != nil {
		f.Fatal(err)
	}
	c := client()
	c.Keys = key.Public()
	good, err := trust.Sign(key, "oauth-authz-req+jwt", map[string]any{
		"iss": c.ID, "client_id": c.ID, "aud": "https://op.example", "jti": "1", "exp": now.Add(time.Minute).Unix(), "scope": "openid", "claims": map[string]any{"userinfo": nil},
	})
	if err != nil {
		f.Fatal(err)
	}
	if _, _, bad := protocol.Object(c, good, "https://op.example", now); bad != nil {
		f.Fatal(bad)
	}
	for _, s := range []string{good, good + "x", "..", strings.Repeat(".", 50), "e30.e30.AA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, compact string) {
		p, used, bad := protocol.Object(c, compact, "https://op.example", now)
		if bad == nil && (compact != good || p["client_id"] != c.ID || used.JTI == "") {
			t.Fatalf("accepted %q", compact)
		}
		if _, bad := protocol.Assertion(c, compact, "https://op.example", now); bad == nil {
			t.Fatalf("accepted as assertion: %q", compact)
		}
		if _, bad := protocol.ReadHint(compact, "https://op.example", c.Keys); bad == nil {
			t.Fatalf("accepted as hint: %q", compact)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add("openid", "none", "{}", "0", "st")
	f.Add("openid profile", "login", `{"id_token":{"acr":{"value":1}}}`, "-1", "\r\n")
	f.Fuzz(func(t *testing.T, scope, prompt, claims, age, state string) {
		q, bad := protocol.Check(client(), protocol.Params{
			"redirect_uri": "https://melle.example/cb", "response_type": "code", "code_challenge": strings.Repeat("a", 43), "code_challenge_method": "S256",
			"scope": scope, "prompt": prompt, "claims": claims, "max_age": age, "state": state,
		})
		location := q.BackURL("https://op.example", "c", bad)
		if !strings.HasPrefix(location, "https://melle.example/cb?") || strings.ContainsAny(location, "\r\n\x00 <>\"") {
			t.Fatalf("leads to %q", location)
		}
	})
}
