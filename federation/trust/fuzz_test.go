package trust_test

import (
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// seeds returns one genuine chain, mark and notice.
func seeds(f *testing.F) (n *network, chain *trust.Chain) {
	f.Helper()
	n = newNetwork(f)
	c, err := n.Resolver(n.land).Resolve(f.Context(), n.melle.ID)
	if err != nil {
		f.Fatal(err)
	}
	return n, c
}

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

// FuzzChain: a changed chain is refused, an unchanged one holds.
func FuzzChain(f *testing.F) {
	n, c := seeds(f)
	r := n.Resolver(n.land)
	good := strings.Join(c.Compacts(), "~")
	f.Add(good)
	f.Add(strings.Join(c.Compacts()[:2], "~"))
	f.Add(strings.Join(append(c.Compacts(), c.Compacts()...), "~"))
	f.Fuzz(func(t *testing.T, s string) {
		got, err := r.VerifyChain(t.Context(), strings.Split(s, "~"))
		if err == nil && !knownStatements(got, c) {
			t.Errorf("accepted %q", s)
		}
	})
}

func knownStatements(got, want *trust.Chain) bool {
	all := strings.Join(want.Compacts(), "~")
	for _, s := range got.Statements {
		if !strings.Contains(all, s.Compact) && s.Subject != want.Anchor && s.Subject != want.Superior {
			return false
		}
	}
	return true
}

// FuzzMark: a mark that is not the issuer's is not accepted.
func FuzzMark(f *testing.F) {
	n, _ := seeds(f)
	good := n.kreis.Mark(n.melle)
	f.Add(good)
	f.Add(good[:len(good)-4])
	f.Add(sign(f, n.kreis.Key, trust.TypeMark, map[string]any{"iss": 1}))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := trust.OpenMark(s, n.kreis.Key.Public(), time.Now())
		if err == nil && (c.Subject == "" || c.Issuer == "") {
			t.Errorf("%+v", c)
		}
	})
}

// FuzzNotice: as FuzzMark, for notices.
func FuzzNotice(f *testing.F) {
	n, c := seeds(f)
	now := time.Now()
	good, err := trust.IssueNotice(n.kreis.Key, trust.Notice{Issuer: n.kreis.ID, Subject: n.melle.ID, IssuedAt: trust.At(now), Expires: trust.At(now.Add(time.Hour)), ID: "x", Generation: 1, Reason: "revoked"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(sign(f, n.melle.Key, trust.TypeNotice, map[string]any{"iss": n.melle.ID, "sub": n.melle.ID, "exp": now.Unix() + 9, "generation": 1}))
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := c.Notice(s, now); err == nil && s != good {
			t.Errorf("accepted %q", s)
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
