package trust_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// refused checks that resolving e fails for the wanted reason, with a refusal
// that names statement and rule, and without a server error on the way.
func (n *network) refused(t *testing.T, e *trusttest.Entity, want error) {
	t.Helper()
	_, err := n.resolve(e.ID)
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	var r *trust.Refusal
	if !errors.As(err, &r) || r.Statement == "" || r.Rule == "" {
		t.Fatalf("%v names no statement and rule", err)
	}
}

// bend changes what e signs.
func (n *network) bend(e *trusttest.Entity, what string, change func(claims map[string]any)) {
	n.Change(func() {
		e.Bend = func(w string, claims map[string]any) {
			if w == what {
				change(claims)
			}
		}
	})
}

// raw makes e answer with this token as its entity configuration.
func (n *network) raw(e *trusttest.Entity, compact func() string) {
	n.Change(func() {
		e.Serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/.well-known/openid-federation" {
				return false
			}
			w.Header().Set("Content-Type", "application/entity-statement+jwt")
			_, _ = w.Write([]byte(compact()))
			return true
		}
	})
}

func b64(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func ownClaims(e *trusttest.Entity) map[string]any {
	now := time.Now()
	return map[string]any{"iss": e.ID, "sub": e.ID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jwks": e.Key.Public(), "authority_hints": e.Hints, "metadata": e.Metadata}
}

func sign(t testing.TB, k *trust.Key, typ string, claims any) string {
	t.Helper()
	s, err := trust.Sign(k, typ, claims)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestH105_TypMissingOrWrong(t *testing.T) {
	for name, typ := range map[string]string{"JWT": "JWT", "trust mark": trust.TypeMark, "upper case": "Entity-Statement+JWT", "with application": "application/entity-statement+jwt"} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.raw(n.melle, func() string { return sign(t, n.melle.Key, typ, ownClaims(n.melle)) })
			n.refused(t, n.melle, trust.ErrType)
		})
	}
	t.Run("missing", func(t *testing.T) {
		n := newNetwork(t)
		header := b64(map[string]any{"alg": "ES256", "kid": n.melle.Key.ID()})
		n.raw(n.melle, func() string { return header + "." + b64(ownClaims(n.melle)) + ".AAAA" })
		n.refused(t, n.melle, trust.ErrType)
	})
	t.Run("trust mark offered as statement", func(t *testing.T) {
		n := newNetwork(t)
		n.raw(n.melle, func() string { return n.kreis.Mark(n.melle) })
		n.refused(t, n.melle, trust.ErrType)
	})
}

func TestH106_KeyWithoutKidDoubledOrPrivate(t *testing.T) {
	pub, err := trusttest.Key("melle").Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(pub, &set); err != nil {
		t.Fatal(err)
	}
	with := func(change func(map[string]any)) map[string]any {
		k := maps.Clone(set.Keys[0])
		change(k)
		return k
	}
	same := with(func(map[string]any) {})
	for name, keys := range map[string][]any{
		"key without kid":     {with(func(k map[string]any) { delete(k, "kid") })},
		"two with one kid":    {same, same},
		"private":             {with(func(k map[string]any) { k["d"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE" })},
		"symmetric":           {same, map[string]any{"kty": "oct", "kid": "x", "k": "c2VjcmV0"}},
		"point off curve":     {with(func(k map[string]any) { k["x"] = k["y"] })},
		"too many":            manyKeys(same, 40),
		"none":                {},
		"not an object":       {"key"},
		"kid of wrong type":   {with(func(k map[string]any) { k["kid"] = 7 })},
		"key in other case D": {with(func(k map[string]any) { k["D"] = "AAAA"; k["d"] = "AAAA" })},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.bend(n.melle, "configuration", func(c map[string]any) { c["jwks"] = map[string]any{"keys": keys} })
			want := trust.ErrKey
			if strings.Contains(name, "case D") {
				want = trust.ErrClaims
			}
			n.refused(t, n.melle, want)
		})
	}
	t.Run("kid missing in header", func(t *testing.T) {
		n := newNetwork(t)
		header := b64(map[string]any{"alg": "ES256", "typ": trust.TypeStatement})
		n.raw(n.melle, func() string { return header + "." + b64(ownClaims(n.melle)) + ".AAAA" })
		n.refused(t, n.melle, trust.ErrToken)
	})
}

func manyKeys(k map[string]any, count int) []any {
	var out []any
	for i := range count {
		c := maps.Clone(k)
		c["kid"] = fmt.Sprint(i)
		out = append(out, c)
	}
	return out
}

func TestH107_ConfigurationAboutSomebodyElse(t *testing.T) {
	other := "https://other.example"
	for name, change := range map[string]func(map[string]any){
		"iss differs":     func(c map[string]any) { c["iss"] = other },
		"sub differs":     func(c map[string]any) { c["sub"] = other },
		"both are others": func(c map[string]any) { c["iss"], c["sub"] = other, other },
		"iss missing":     func(c map[string]any) { delete(c, "iss") },
		"not an entity":   func(c map[string]any) { c["iss"], c["sub"] = "melle", "melle" },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.bend(n.melle, "configuration", change)
			n.refused(t, n.melle, trust.ErrStatement)
		})
	}
	t.Run("other key", func(t *testing.T) {
		n := newNetwork(t)
		n.raw(n.melle, func() string { return sign(t, trusttest.Key("mallory"), trust.TypeStatement, ownClaims(n.melle)) })
		n.refused(t, n.melle, trust.ErrUnknownKey)
	})
	t.Run("key that the hub does not state", func(t *testing.T) {
		n := newNetwork(t)
		k := trusttest.Key("mallory")
		n.raw(n.melle, func() string {
			c := ownClaims(n.melle)
			c["jwks"] = k.Public()
			return sign(t, k, trust.TypeStatement, c)
		})
		n.refused(t, n.melle, trust.ErrUnknownKey)
	})
}

func TestH109_Times(t *testing.T) {
	now := time.Now()
	for _, what := range []string{"configuration", "statement"} {
		for name, c := range map[string]struct {
			change func(map[string]any)
			want   error
		}{
			"exp missing":   {func(c map[string]any) { delete(c, "exp") }, trust.ErrStatement},
			"iat missing":   {func(c map[string]any) { delete(c, "iat") }, trust.ErrStatement},
			"exp past":      {func(c map[string]any) { c["exp"] = now.Add(-time.Second).Unix() }, trust.ErrExpired},
			"iat in future": {func(c map[string]any) { c["iat"] = now.Add(90 * time.Second).Unix() }, trust.ErrNotYet},
			"ten years":     {func(c map[string]any) { c["exp"] = now.AddDate(10, 0, 0).Unix() }, trust.ErrStatement},
			"exp a string":  {func(c map[string]any) { c["exp"] = fmt.Sprint(now.Add(time.Hour).Unix()) }, trust.ErrClaims},
			"exp negative":  {func(c map[string]any) { c["exp"] = -1 }, trust.ErrClaims},
			"exp after all": {func(c map[string]any) { c["exp"] = 1e300 }, trust.ErrClaims},
		} {
			t.Run(what+" "+name, func(t *testing.T) {
				n := newNetwork(t)
				e := n.melle
				if what == "statement" {
					e = n.kreis
				}
				n.bend(e, what, c.change)
				n.refused(t, n.melle, c.want)
			})
		}
	}
	t.Run("a long life is cut", func(t *testing.T) {
		n := newNetwork(t)
		for _, e := range []*trusttest.Entity{n.land, n.kreis, n.melle} {
			n.Change(func() { e.Lifetime = 300 * 24 * time.Hour })
		}
		c, err := n.resolve(n.melle.ID)
		if err != nil {
			t.Fatal(err)
		}
		if most := now.Add(7*24*time.Hour + time.Minute); c.Expires.After(most) {
			t.Errorf("expires %s, cut at %s expected", c.Expires, most)
		}
	})
	t.Run("skew of 30 s", func(t *testing.T) {
		n := newNetwork(t)
		n.bend(n.melle, "configuration", func(c map[string]any) { c["iat"] = now.Add(30 * time.Second).Unix() })
		if _, err := n.resolve(n.melle.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestH110_LoopsDepthAndHints(t *testing.T) {
	t.Run("loop", func(t *testing.T) {
		n := newNetwork(t)
		a := n.AddHub("schleife-a", n.land, federation.Scope{})
		b := n.AddHub("schleife-b", n.land, federation.Scope{})
		n.Change(func() {
			a.Hints, b.Hints = []federation.EntityID{b.ID}, []federation.EntityID{a.ID}
		})
		n.refused(t, a, trust.ErrLimit)
	})
	t.Run("chain of nine", func(t *testing.T) {
		n := newNetwork(t)
		above := n.land
		for i := range 7 {
			above = n.AddHub(fmt.Sprintf("stufe-%d", i), above, federation.Scope{})
		}
		leaf := n.AddMember("unten", above, "034590024024")
		n.refused(t, leaf, trust.ErrLimit)
		r := n.Resolver(n.land)
		if _, err := r.Resolve(t.Context(), above.ID); err != nil {
			t.Errorf("eight are allowed: %v", err)
		}
		if _, err := r.Resolve(t.Context(), leaf.ID); !errors.Is(err, trust.ErrLimit) {
			t.Errorf("nine, with the eight verified before: %v", err)
		}
	})
	t.Run("loop through a chain verified before", func(t *testing.T) {
		n := newNetwork(t)
		oben := n.AddHub("oben", n.land, federation.Scope{})
		unten := n.AddHub("unten", oben, federation.Scope{})
		r := n.Resolver(n.land)
		if _, err := r.Resolve(t.Context(), unten.ID); err != nil {
			t.Fatal(err)
		}
		// From now on the upper one calls the lower one its superior.
		n.Change(func() {
			oben.Hints = []federation.EntityID{unten.ID}
			unten.Serve = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/federation/fetch" {
					return false
				}
				w.Header().Set("Content-Type", "application/entity-statement+jwt")
				_, _ = w.Write([]byte(unten.Statement(oben)))
				return true
			}
		})
		if _, err := r.Fresh(t.Context(), oben.ID); !errors.Is(err, trust.ErrLimit) {
			t.Error(err)
		}
	})
	t.Run("thousand hints", func(t *testing.T) {
		n := newNetwork(t)
		var hints []federation.EntityID
		for i := range 1000 {
			hints = append(hints, federation.EntityID(fmt.Sprintf("https://h%d.example", i)))
		}
		n.Change(func() { n.melle.Hints = hints })
		n.refused(t, n.melle, trust.ErrLimit)
		if got := n.AllRequests(); got != 1 {
			t.Errorf("%d requests", got)
		}
	})
	t.Run("same hint thousand times", func(t *testing.T) {
		n := newNetwork(t)
		var hints []federation.EntityID
		for range 1000 {
			hints = append(hints, n.kreis.ID)
		}
		n.Change(func() { n.melle.Hints = hints })
		n.refused(t, n.melle, trust.ErrLimit)
	})
	t.Run("fan-out ends at 50 requests and is remembered", func(t *testing.T) {
		n := newNetwork(t)
		bottom := n.fan(t)
		start := time.Now()
		r := n.Resolver(n.land)
		if _, err := r.Resolve(t.Context(), bottom.ID); !errors.Is(err, trust.ErrLimit) {
			t.Fatal(err)
		}
		if got := n.AllRequests(); got > 50 {
			t.Errorf("%d requests", got)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		before := n.AllRequests()
		if _, err := r.Resolve(t.Context(), bottom.ID); !errors.Is(err, trust.ErrLimit) {
			t.Error(err)
		}
		if got := n.AllRequests() - before; got != 0 {
			t.Errorf("%d requests in spite of the negative cache", got)
		}
	})
}

// fan makes three layers of ten hubs, each of which names all ten above.
func (n *network) fan(t *testing.T) *trusttest.Entity {
	t.Helper()
	var above []federation.EntityID
	for layer := range 3 {
		var here []federation.EntityID
		for i := range 10 {
			e := n.AddHub(fmt.Sprintf("f%d-%d", layer, i), n.land, federation.Scope{})
			n.Change(func() {
				if layer > 0 {
					e.Hints = above
				} else {
					e.Hints = nil // leads nowhere
				}
			})
			here = append(here, e.ID)
		}
		above = here
	}
	bottom := n.AddMember("unten", n.kreis, "034590024024")
	n.Change(func() { bottom.Hints = above })
	return bottom
}

func TestH113_AnchorShowsOtherKeys(t *testing.T) {
	n := newNetwork(t)
	r := n.Resolver(n.land)
	good, err := r.Resolve(t.Context(), n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	n.Change(func() { n.land.Key = trusttest.Key("mallory") })
	if _, err := r.Fresh(t.Context(), n.land.ID); !errors.Is(err, trust.ErrAnchorKeys) {
		t.Errorf("anchor with foreign keys: %v", err)
	}
	// The last good state holds until it expires.
	if c, err := r.Resolve(t.Context(), n.melle.ID); err != nil || c != good {
		t.Errorf("member: %v", err)
	}
	if _, err := r.Resolve(t.Context(), n.land.ID); err != nil {
		t.Errorf("anchor's last good chain: %v", err)
	}
	if _, err := n.Resolver(n.land).Resolve(t.Context(), n.melle.ID); err != nil {
		t.Errorf("a resolver configured with the new keys: %v", err)
	}
	old := trust.Anchor{ID: n.land.ID, Keys: trusttest.Key("land").Public()}
	fresh, err := trust.NewResolver(trust.ResolverConfig{HTTP: n.Client(), Anchors: []trust.Anchor{old}, AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Resolve(t.Context(), n.melle.ID); !errors.Is(err, trust.ErrAnchorKeys) {
		t.Errorf("a node that starts now: %v", err)
	}
}

func TestH121_Null(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"metadata":    func(c map[string]any) { c["metadata"] = nil },
		"role object": func(c map[string]any) { c["metadata"] = map[string]any{trust.TypeRP: nil} },
		"parameter":   func(c map[string]any) { c["metadata"] = map[string]any{trust.TypeRP: map[string]any{"scope": nil}} },
		"hints":       func(c map[string]any) { c["authority_hints"] = nil },
		"jwks":        func(c map[string]any) { c["jwks"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.bend(n.melle, "configuration", change)
			n.refused(t, n.melle, trust.ErrStatement)
		})
	}
	for name, policy := range map[string]any{
		"policy":           nil,
		"policy of a role": map[string]any{trust.TypeRP: nil},
		"policy on null":   map[string]any{trust.TypeRP: map[string]any{"scope": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.bend(n.kreis, "statement", func(c map[string]any) { c["metadata_policy"] = policy })
			n.refused(t, n.melle, trust.ErrStatement)
		})
	}
}

func TestH122_LeafThatWouldBeHub(t *testing.T) {
	zero := map[string]any{"max_path_length": 0}
	t.Run("leaf with fetch endpoint", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() {
			n.kreis.Constraints = zero
			n.melle.Metadata[trust.TypeEntity]["federation_fetch_endpoint"] = n.melle.ID.URL("/federation/fetch")
		})
		n.refused(t, n.melle, trust.ErrConstraint)
	})
	t.Run("member below a leaf", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.kreis.Constraints = zero })
		sub := n.AddHub("heimlich", n.kreis, federation.Scope{Subtree: []region.Area{region.MustArea("034590024024")}})
		n.refused(t, n.AddMember("darunter", sub, "034590024024"), trust.ErrConstraint)
	})
	t.Run("anchor with authority_hints", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.land.Hints = []federation.EntityID{"https://bund.example"} })
		n.refused(t, n.melle, trust.ErrStatement)
	})
}

func TestH_PolicyOnlyFromSuperiors(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"policy in own configuration":     func(c map[string]any) { c["metadata_policy"] = map[string]any{} },
		"constraint in own configuration": func(c map[string]any) { c["constraints"] = map[string]any{} },
		"crit":                            func(c map[string]any) { c["crit"] = []string{"area"} },
		"empty authority_hints":           func(c map[string]any) { c["authority_hints"] = []string{} },
		"itself as authority":             func(c map[string]any) { c["authority_hints"] = []any{c["sub"]} },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.bend(n.melle, "configuration", change)
			n.refused(t, n.melle, trust.ErrStatement)
		})
	}
	t.Run("hints in a subordinate statement", func(t *testing.T) {
		n := newNetwork(t)
		n.bend(n.kreis, "statement", func(c map[string]any) { c["authority_hints"] = []any{n.land.ID} })
		n.refused(t, n.melle, trust.ErrStatement)
	})
	t.Run("statement about somebody else", func(t *testing.T) {
		n := newNetwork(t)
		n.bend(n.kreis, "statement", func(c map[string]any) { c["sub"] = "https://other.example" })
		n.refused(t, n.melle, trust.ErrStatement)
	})
}
