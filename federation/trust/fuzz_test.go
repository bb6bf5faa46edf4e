package trust_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// FuzzOpen: whatever Open accepts was signed, and reads the same again.
func FuzzOpen(f *testing.F) {
	k := trusttest.Key("a")
	f.Add(sign(f, k, typ, map[string]any{"sub": "x", "exp": 1}))
	f.Add(sign(f, k, typ, map[string]any{}))
	f.Add("a.b.c")
	f.Add(strings.Repeat(".", 10))
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := trust.Open(s, typ, k.Public())
		if err != nil {
			return
		}
		if tok.Header.KeyID != k.ID() || tok.Compact != s || trust.CheckJSON(tok.Claims) != nil {
			t.Errorf("%+v", tok)
		}
	})
}

// FuzzClaims: what passes CheckJSON decodes, and no name is in it twice.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":{"a":[1,2,{"c":null}]}}`))
	f.Add([]byte(`{"a":1,"A":2}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"x"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if trust.CheckJSON(b) != nil {
			return
		}
		var v map[string]any
		if err := trust.Decode(b, &v); err != nil && !strings.Contains(err.Error(), "range") {
			t.Errorf("%q: %v", b, err)
		}
		_, _ = trust.ParseJWKS(b)
	})
}

// FuzzStatement: claims of every shape, signed well, lead to a verdict.
func FuzzStatement(f *testing.F) {
	k := trusttest.Key("a")
	const id = "https://a.example"
	f.Add(`"iss":"https://a.example","sub":"https://a.example","iat":1,"exp":2`)
	f.Add(`"iss":"https://a.example","sub":"https://a.example","metadata":{"x":null},"authority_hints":[]`)
	f.Add(`"constraints":{"max_path_length":-1},"metadata_policy":{"a":{"b":{"value":null}}}`)
	jwks, err := k.Public().MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, members string) {
		claims := rawObject(`{"jwks":` + string(jwks) + `,` + members + `}`)
		compact, err := trust.Sign(k, trust.TypeStatement, claims)
		if err != nil {
			return
		}
		s, err := trust.OpenConfiguration(compact, id, false, now)
		if err == nil && (s.Subject != id || !now.Before(s.Expires) || s.Keys.Keys() == 0) {
			t.Errorf("%+v", s)
		}
	})
}

// rawObject is JSON that goes into a token as it is.
type rawObject string

func (o rawObject) MarshalJSON() ([]byte, error) { return []byte(o), nil }

// paperNetwork is a federation on paper: the statements of a Land, a Kreis and
// a Gemeinde at a fixed time, and a resolver that can ask nobody. Fuzzing
// needs the same bytes to mean the same in every process.
func paperNetwork(f *testing.F) (*trust.Resolver, [][]string) {
	f.Helper()
	now := time.Unix(1_700_000_000, 0)
	const land, kreis, melle = federation.EntityID("https://land.example"), federation.EntityID("https://kreis.example"), federation.EntityID("https://melle.example")
	typ := trust.MarkType(land)
	key := func(id federation.EntityID) *trust.Key { return trusttest.Key(string(id)) }
	mark := func(issuer, sub federation.EntityID) trust.MarkRef {
		c := trust.MarkClaims{Issuer: issuer, Subject: sub, Type: typ, IssuedAt: trust.At(now), Expires: trust.At(now.Add(time.Hour)), ID: string(sub), LegalName: string(sub), Kind: federation.KindGemeinde, Generation: 1}
		c.SetScope(federation.Scope{Subtree: []region.Area{region.MustArea("03459")}})
		s, err := trust.IssueMark(key(issuer), c)
		if err != nil {
			f.Fatal(err)
		}
		return trust.MarkRef{Type: typ, Mark: s}
	}
	config := func(id federation.EntityID, superior federation.EntityID) string {
		in := trust.ConfigurationInput{Self: id, Key: key(id), Now: now, Metadata: trust.Metadata{trust.TypeEntity: {"federation_fetch_endpoint": id.URL("/f")}}}
		if superior != "" {
			in.AuthorityHints = []federation.EntityID{superior}
			in.Marks = []trust.MarkRef{mark(superior, id)}
		} else {
			in.MarkIssuers = map[string][]federation.EntityID{typ: {land, kreis}}
		}
		s, err := trust.Configuration(in)
		if err != nil {
			f.Fatal(err)
		}
		return s
	}
	about := func(issuer, sub federation.EntityID) string {
		s, err := trust.Subordinate(trust.SubordinateInput{Issuer: issuer, Subject: sub, Key: key(issuer), Keys: key(sub).Public(), Generation: 1, Now: now})
		if err != nil {
			f.Fatal(err)
		}
		return s
	}
	chains := [][]string{
		{config(land, "")},
		{config(kreis, land), about(land, kreis), config(land, "")},
		{config(melle, kreis), about(kreis, melle), about(land, kreis), config(land, "")},
	}
	r, err := trust.NewResolver(trust.ResolverConfig{
		HTTP: &http.Client{Transport: nobody{}}, Anchors: []trust.Anchor{{ID: land, Keys: key(land).Public()}}, Now: func() time.Time { return now },
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range chains {
		if _, err := r.Restore(c); err != nil {
			f.Fatal(err)
		}
	}
	return r, chains
}

// nobody answers no request.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody there")
}

// FuzzChain: whatever is accepted consists of statements that their issuers
// have signed, and leads to the configured anchor.
func FuzzChain(f *testing.F) {
	r, chains := paperNetwork(f)
	for _, c := range chains {
		f.Add(strings.Join(c, "~"))
		f.Add(strings.Join(append(c[:len(c):len(c)], c...), "~"))
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := r.VerifyChain(t.Context(), strings.Split(s, "~"))
		if err != nil {
			return
		}
		if c.Anchor != "https://land.example" {
			t.Errorf("anchor %s", c.Anchor)
		}
		if _, err := trust.Open(c.Statements[0].Compact, trust.TypeStatement, trusttest.Key(string(c.Leaf)).Public()); err != nil {
			t.Errorf("accepted %q: %v", s, err)
		}
	})
}

// FuzzMark: a mark that is not the issuer's is not accepted.
func FuzzMark(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	k := trusttest.Key("kreis")
	good, err := trust.IssueMark(k, trust.MarkClaims{Issuer: "https://kreis.example", Subject: "https://melle.example", Type: "t", IssuedAt: trust.At(now), Expires: trust.At(now) + 9, ID: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-4])
	f.Add(sign(f, k, trust.TypeMark, map[string]any{"iss": 1}))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := trust.OpenMark(s, k.Public(), now)
		if err == nil && (c.Subject == "" || c.Issuer == "" || c.Type == "") {
			t.Errorf("%+v", c)
		}
	})
}

// FuzzNotice: only the superior's notice is taken.
func FuzzNotice(f *testing.F) {
	r, chains := paperNetwork(f)
	now := time.Unix(1_700_000_000, 0)
	c, err := r.Restore(chains[2])
	if err != nil {
		f.Fatal(err)
	}
	n := trust.Notice{Issuer: "https://kreis.example", Subject: "https://melle.example", IssuedAt: trust.At(now), Expires: trust.At(now) + 9, ID: "x", Generation: 1, Reason: "revoked"}
	good, err := trust.IssueNotice(trusttest.Key("https://kreis.example"), n)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := c.Notice(good, now); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(sign(f, trusttest.Key("https://melle.example"), trust.TypeNotice, n))
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := c.Notice(s, now); err == nil && got != n {
			t.Errorf("accepted %+v", got)
		}
	})
}

// FuzzAnnouncement: decoding never fails badly, and only the signed one verifies.
func FuzzAnnouncement(f *testing.F) {
	k := trusttest.Key("a")
	a := federation.Announcement{Member: "https://melle.example", Serial: 7}
	if err := k.SignAnnouncement(&a); err != nil {
		f.Fatal(err)
	}
	f.Add(a.Encode())
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := federation.DecodeAnnouncement(b)
		if err != nil {
			return
		}
		if err := trust.VerifyAnnouncement(got, k.Public()); err == nil && (got.Member != a.Member || got.Serial != a.Serial || got.Manifest != a.Manifest) {
			t.Errorf("%+v", got)
		}
	})
}
