package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

const typ = "test+jwt"

func TestOpen(t *testing.T) {
	k := trusttest.Key("a")
	s := sign(t, k, typ, map[string]any{"sub": "x", "n": 1})
	tok, err := trust.Open(s, typ, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Sub string `json:"sub"`
		N   int    `json:"n"`
	}
	if err := tok.Into(&c); err != nil || c.Sub != "x" || c.N != 1 {
		t.Errorf("%+v %v", c, err)
	}
	if tok.Header.KeyID != k.ID() || tok.Header.Algorithm != "ES256" || tok.Header.Type != typ || tok.Compact != s {
		t.Errorf("%+v", tok.Header)
	}
	if _, err := trust.Open(s, typ, trusttest.Key("b").Public()); !errors.Is(err, trust.ErrUnknownKey) {
		t.Errorf("other key: %v", err)
	}
	if _, err := trust.Open(s, "other+jwt", k.Public()); !errors.Is(err, trust.ErrType) {
		t.Errorf("other typ: %v", err)
	}
	again, err := trust.SignWith(k, typ, map[string]any{"trust_chain": []string{"a", "b"}}, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	if tok, err = trust.Open(again, typ, k.Public()); err != nil || len(tok.Header.TrustChain) != 2 {
		t.Errorf("%+v %v", tok, err)
	}
	for _, h := range []string{"typ", "kid", "alg"} {
		if _, err := trust.SignWith(k, typ, map[string]any{h: "x"}, map[string]any{}); err == nil {
			t.Errorf("header %s can be replaced", h)
		}
	}
	if _, err := trust.Sign(k, typ, []int{1}); err == nil {
		t.Error("claims that are no object were signed")
	}
}

// forge signs payload bytes as they are, with any header.
func forge(t testing.TB, header map[string]any, payload string) string {
	t.Helper()
	// The derivation of KeyFromSeed, because trust gives no private key away.
	sum := sha256.Sum256([]byte("rn\x00trusttest a"))
	priv, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	opts := &jose.SignerOptions{}
	h := map[string]any{"typ": typ, "kid": trusttest.Key("a").ID()}
	maps.Copy(h, header)
	for name, v := range h {
		opts.WithHeader(jose.HeaderKey(name), v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: priv}, opts)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	s, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJ140_RefusedBySizeOrShape(t *testing.T) {
	keys := trusttest.Key("a").Public()
	good := forge(t, nil, `{}`)
	parts := strings.Split(good, ".")
	head := func(h map[string]any) string {
		all := map[string]any{"alg": "ES256", "typ": typ, "kid": trusttest.Key("a").ID()}
		maps.Copy(all, h)
		return b64(all) + "." + parts[1] + "." + parts[2]
	}
	for name, s := range map[string]string{
		"100,000 dots":       strings.Repeat(".", 100_000),
		"2 MB header":        strings.Repeat("e", 2<<20) + "." + parts[1] + "." + parts[2],
		"200 KiB header":     head(map[string]any{"x": strings.Repeat("a", 200<<10)}),
		"JWE compact":        "eyJhbGciOiJkaXIifQ....." + parts[2],
		"five parts":         "e30.e30.e30.e30.e30",
		"JWS JSON":           `{"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]}`,
		"detached payload":   parts[0] + ".." + parts[2],
		"no signature":       parts[0] + "." + parts[1] + ".",
		"empty":              "",
		"b64 false":          head(map[string]any{"b64": false, "crit": []string{"b64"}}),
		"zip":                head(map[string]any{"zip": "DEF"}),
		"p2c":                head(map[string]any{"p2c": 1e9}),
		"crit":               head(map[string]any{"crit": []string{"exp"}, "exp": 1}),
		"line break inside":  parts[0] + "." + parts[1] + "\n." + parts[2],
		"space before":       " " + good,
		"padding":            parts[0] + "." + parts[1] + "=." + parts[2],
		"header twice alg":   base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","alg":"none","typ":"`+typ+`","kid":"x"}`)) + "." + parts[1] + "." + parts[2],
		"header not object":  "W10." + parts[1] + "." + parts[2],
		"standard alphabet":  strings.ReplaceAll(good, "-", "+") + "+/",
		"trailing bits":      good[:len(good)-1] + "B",
		"header kid a list":  head(map[string]any{"kid": []string{"x"}}),
		"header without kid": head(map[string]any{"kid": ""}),
	} {
		if _, err := trust.Open(s, typ, keys); !errors.Is(err, trust.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, alg := range map[string]any{"none": "none", "None": "None", "HS256": "HS256", "RS256": "RS256", "ES512": "ES512", "empty": "", "dir": "dir"} {
		if _, err := trust.Open(head(map[string]any{"alg": alg}), typ, keys); !errors.Is(err, trust.ErrAlgorithm) {
			t.Errorf("alg %s: %v", name, err)
		}
	}
	// An operator who allows more still never gets none and HMAC.
	for _, alg := range []string{"none", "HS256"} {
		d := trust.Door{Algorithms: []string{"ES256", "none", "HS256"}}
		if _, err := d.Open(head(map[string]any{"alg": alg}), []string{typ}, keys); !errors.Is(err, trust.ErrAlgorithm) {
			t.Errorf("alg %s allowed by configuration: %v", alg, err)
		}
	}
}

func TestJ141_ClaimsThatTwoParsersReadDifferently(t *testing.T) {
	keys := trusttest.Key("a").Public()
	for name, claims := range map[string]string{
		"member twice":      `{"sub":"a","sub":"b"}`,
		"twice in depth":    `{"a":[{"b":{"c":1,"c":2}}]}`,
		"twice by escape":   `{"sub":"a","\u0073ub":"b"}`,
		"Sub besides sub":   `{"sub":"a","Sub":"b"}`,
		"trailing garbage":  `{"sub":"a"}x`,
		"second object":     `{"sub":"a"}{"sub":"b"}`,
		"invalid UTF-8":     "{\"sub\":\"\xff\"}",
		"lone surrogate":    `{"sub":"\ud800"}`,
		"exp a string":      `{"exp":"1700000000"}`,
		"exp 1e400":         `{"exp":1e400}`,
		"exp negative":      `{"exp":-5}`,
		"exp an object":     `{"exp":{}}`,
		"iat a list":        `{"iat":[1]}`,
		"nbf true":          `{"nbf":true}`,
		"array":             `[]`,
		"string":            `"a"`,
		"nothing":           ` `,
		"deep":              strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
		"comment":           `{"a":1/*x*/}`,
		"NaN":               `{"a":NaN}`,
		"byte order mark":   "\ufeff{}",
		"control in string": "{\"a\":\"\x01\"}",
		"unterminated":      `{"a":1`,
		"leading zero":      `{"exp":0123456789}`,
		"single quotes":     `{'a':1}`,
		"array in depth":    strings.Repeat(`[`, 100),
	} {
		if _, err := trust.Open(forge(t, nil, claims), typ, keys); !errors.Is(err, trust.ErrClaims) {
			t.Errorf("Open %s: %v", name, err)
		}
		var v map[string]any
		if strings.Contains(name, "exp") || strings.Contains(name, "iat") || strings.Contains(name, "nbf") {
			continue // times are judged in tokens only
		}
		if err := trust.Decode([]byte(claims), &v); !errors.Is(err, trust.ErrClaims) {
			t.Errorf("Decode %s: %v", name, err)
		}
	}
	// A lone Sub is not sub.
	tok, err := trust.Open(forge(t, nil, `{"Sub":"a"}`), typ, keys)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Sub string `json:"sub"`
	}
	if err := tok.Into(&c); err != nil || c.Sub != "" {
		t.Errorf("%q %v", c.Sub, err)
	}
}

func TestJ142_KeyMaterialInHeadersIsIgnored(t *testing.T) {
	n := newNetwork(t)
	asked := 0
	n.Change(func() {
		n.kreis.Serve = func(w http.ResponseWriter, r *http.Request) bool { asked++; return false }
	})
	other := trusttest.Key("b")
	jwk, err := other.Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(jwk, &set); err != nil {
		t.Fatal(err)
	}
	headers := map[string]any{"jku": n.kreis.ID.URL("/jwks"), "x5u": n.kreis.ID.URL("/x5u"), "jwk": set.Keys[0]}
	s := forge(t, headers, `{"sub":"a"}`)
	if _, err := trust.Open(s, typ, trusttest.Key("a").Public()); err != nil {
		t.Errorf("with the known key: %v", err)
	}
	if _, err := trust.Open(s, typ, other.Public()); !errors.Is(err, trust.ErrUnknownKey) {
		t.Errorf("with the key of the header only: %v", err)
	}
	if asked != 0 {
		t.Errorf("%d requests", asked)
	}
}

func TestJ148_ClockMovedBackAndForth(t *testing.T) {
	start := time.Now()
	now := start
	f := trusttest.New(func() time.Time { return now })
	defer f.Close()
	land := f.AddAnchor("land", federation.Scope{})
	melle := f.AddMember("melle", land, "034590024024")
	r := f.Resolver(land)
	c, err := r.Resolve(t.Context(), melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.Change(func() { melle.Blocked = true })
	now = start.Add(61 * time.Minute) // the chain lives an hour
	if c.Valid(now) {
		t.Error("valid after its end")
	}
	if _, err := r.Resolve(t.Context(), melle.ID); err == nil {
		t.Error("resolved after its end")
	}
	old := c.Compacts()
	if _, err := r.VerifyChain(t.Context(), old); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("handed over after its end: %v", err)
	}
	now = start.Add(-time.Hour)
	if _, err := r.VerifyChain(t.Context(), old); !errors.Is(err, trust.ErrNotYet) {
		t.Errorf("clock an hour back: %v", err)
	}
	// Back at the true time: what was refused after expiry is not in the cache.
	now = start.Add(61 * time.Minute)
	if _, ok := r.Cached(melle.ID); ok {
		t.Error("an expired chain came back")
	}
	k := trusttest.Key("a")
	for _, d := range []struct {
		iat, exp time.Duration
		want     error
	}{{0, time.Minute, nil}, {59 * time.Second, time.Hour, nil}, {62 * time.Second, time.Hour, trust.ErrNotYet}, {-time.Hour, 0, trust.ErrExpired}, {-time.Hour, -time.Second, trust.ErrExpired}} {
		tok, err := trust.Open(sign(t, k, typ, map[string]any{"iat": start.Add(d.iat).Unix(), "exp": start.Add(d.exp).Unix()}), typ, k.Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := tok.Check(start); !errors.Is(err, d.want) {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

func TestAnnouncement(t *testing.T) {
	k := trusttest.Key("a")
	a := federation.Announcement{Member: "https://melle.example", Serial: 7, Manifest: federation.Sum([]byte("m"))}
	if err := k.SignAnnouncement(&a); err != nil {
		t.Fatal(err)
	}
	got, err := federation.DecodeAnnouncement(a.Encode())
	if err != nil {
		t.Fatal(err)
	}
	both := trusttest.Key("b").Public().Union(k.Public())
	if err := trust.VerifyAnnouncement(got, both); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*federation.Announcement){
		"serial":    func(a *federation.Announcement) { a.Serial++ },
		"member":    func(a *federation.Announcement) { a.Member = "https://other.example" },
		"digest":    func(a *federation.Announcement) { a.Manifest[0]++ },
		"signature": func(a *federation.Announcement) { a.Signature[5]++ },
		"zeros":     func(a *federation.Announcement) { a.Signature = [64]byte{} },
	} {
		b := got
		change(&b)
		if err := trust.VerifyAnnouncement(b, both); !errors.Is(err, trust.ErrSignature) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	if err := trust.VerifyAnnouncement(got, trusttest.Key("b").Public()); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("other key: %v", err)
	}
}

func TestJWKSRoundTrip(t *testing.T) {
	set := trusttest.Key("a").Public().Union(trusttest.Key("b").Public(), trusttest.Key("a").Public())
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(`"d"`)) {
		t.Error("private member in a public set")
	}
	back, err := trust.ParseJWKS(b)
	if err != nil || back.Keys() != 2 || !back.Equal(set) || fmt.Sprint(back.IDs()) != fmt.Sprint(set.IDs()) {
		t.Errorf("%v %v", back.IDs(), err)
	}
	if w := set.Words(); len(w) != 8 || fmt.Sprint(w) == fmt.Sprint(trusttest.Key("b").Public().Words()) {
		t.Errorf("words %v", w)
	}
	// Keys for encryption and of unknown kinds are left out, not refused.
	mixed := strings.Replace(string(b), `{"keys":[`, `{"keys":[{"kty":"PQ","kid":"q"},{"kty":"RSA","use":"enc","kid":"e","n":"AQAB","e":"AQAB"},`, 1)
	if back, err = trust.ParseJWKS([]byte(mixed)); err != nil || back.Keys() != 2 {
		t.Errorf("%v %v", back.IDs(), err)
	}
}

// TestI137_NobodyElseCanGiveASealedDocumentASecondForm: with n-s for s an ECDSA
// signature stays valid. If that were accepted, any member could make a second
// manifest with one serial of another and have it frozen for equivocation.
func TestI137_NobodyElseCanGiveASealedDocumentASecondForm(t *testing.T) {
	k := trusttest.Key("a")
	claims := map[string]any{"iss": "https://a.example", "serial": 7}
	good := sign(t, k, trust.TypeManifest, claims)
	if again := sign(t, k, trust.TypeManifest, claims); again != good {
		t.Error("the same document sealed twice has two forms")
	}
	second := func(compact string) string {
		i := strings.LastIndexByte(compact, '.')
		sig, err := base64.RawURLEncoding.DecodeString(compact[i+1:])
		if err != nil {
			t.Fatal(err)
		}
		s := new(big.Int).SetBytes(sig[32:])
		s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
		return compact[:i+1] + base64.RawURLEncoding.EncodeToString(sig)
	}
	if _, err := trust.Open(good, trust.TypeManifest, k.Public()); err != nil {
		t.Error(err)
	}
	if _, err := trust.Open(second(good), trust.TypeManifest, k.Public()); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("second form: %v", err)
	}
	// What foreign software may have signed is accepted in both forms.
	other := sign(t, k, typ, claims)
	if _, err := trust.Open(second(other), typ, k.Public()); err != nil {
		t.Error(err)
	}
}
