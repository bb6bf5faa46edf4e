package trust

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Limits of one token, in bytes.
const (
	MaxToken  = 512 << 10 // the whole compact form
	maxHeader = 128 << 10 // a trust_chain header carries whole statements
)

// clockSkew is how far ahead of ours another clock may be. Expiry has no
// grace: an expired token is expired [SSO.md §10 148].
const clockSkew = 60 * time.Second

// es256Only is the algorithm list of this network [SSO.md §0.7].
var es256Only = [...]string{"ES256"}

// Header is what the protected header of a token says. Key material and URLs
// in headers (jwk, jku, x5u, x5c) are ignored, never followed.
type Header struct {
	Type       string   `json:"typ"`
	KeyID      string   `json:"kid"`
	Algorithm  string   `json:"alg"`
	TrustChain []string `json:"trust_chain,omitempty"`
	PeerChain  []string `json:"peer_trust_chain,omitempty"`
}

// Token is a compact JWS that passed Open, or one that only passed Peek.
type Token struct {
	Header  Header
	Claims  json.RawMessage // one strict JSON object
	Compact string          // exactly the bytes that were signed
}

// Door is the one way into the project for JOSE objects. The zero value takes
// ES256 and 512 KiB.
type Door struct {
	Algorithms []string // allowed alg values; nil means ES256
	MaxBytes   int      // of the compact form; 0 means MaxToken
}

// Open verifies a compact JWS of this network [SSO.md §0.8]: at most 512 KiB,
// three parts, typ exactly as given, kid that names one of keys, ES256, valid
// signature, claims that are one strict JSON object. Times are not judged;
// see Token.Check. Errors wrap ErrToken, ErrType, ErrAlgorithm, ErrUnknownKey,
// ErrSignature or ErrClaims.
func Open(compact, typ string, keys JWKS) (*Token, error) {
	return Door{}.Open(compact, []string{typ}, keys)
}

// Peek makes every check of Open except the one that counts: THE SIGNATURE IS
// NOT VERIFIED. Use it only to learn whose keys to fetch.
func Peek(compact, typ string) (*Token, error) { return Door{}.Peek(compact, []string{typ}) }

// Open is the function Open with the limits of d and several allowed typ
// values. An empty string among typs accepts a token without typ, for client
// assertions of foreign software [RFC 7523 §3].
func (d Door) Open(compact string, typs []string, keys JWKS) (*Token, error) {
	t, err := d.Peek(compact, typs)
	if err != nil {
		return nil, err
	}
	if err := t.verify(keys); err != nil {
		return nil, err
	}
	return t, nil
}

// verify checks the signature of a token that passed Peek.
func (t *Token) verify(keys JWKS) error {
	k, ok := keys.find(t.Header.KeyID)
	if !ok {
		return fmt.Errorf("%w: kid %q", ErrUnknownKey, clip(t.Header.KeyID))
	}
	if k.Algorithm != "" && k.Algorithm != t.Header.Algorithm {
		return fmt.Errorf("%w: the key is for %s, the token says %s", ErrAlgorithm, clip(k.Algorithm), t.Header.Algorithm)
	}
	jws, err := jose.ParseSignedCompact(t.Compact, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(t.Header.Algorithm)})
	if err != nil {
		return fmt.Errorf("%w: %s", ErrToken, clip(err.Error()))
	}
	if t.Header.Type == TypeManifest && !canonical(jws.Signatures[0].Signature) {
		return fmt.Errorf("%w: not in the one form that a sealed document may have", ErrSignature)
	}
	payload, err := jws.Verify(k.Key)
	if err != nil {
		return fmt.Errorf("%w: kid %q", ErrSignature, clip(t.Header.KeyID))
	}
	if !bytes.Equal(payload, t.Claims) {
		return fmt.Errorf("%w: two readings of the claims", ErrToken)
	}
	return nil
}

// TypeManifest is the typ of sealed catalogues. They are named by the digest of
// their sealed bytes, and two with one serial are held against their member:
// so nobody else may be able to give one a second valid form. ECDSA would
// allow it, with n-s for s; only the smaller is accepted here.
const TypeManifest = "catalog-manifest+jwt"

func canonical(signature []byte) bool {
	return len(signature) == 64 && smallS(new(big.Int).SetBytes(signature[32:]))
}

// Peek is the function Peek with the limits of d.
func (d Door) Peek(compact string, typs []string) (*Token, error) {
	header, payload, err := d.split(compact)
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	if !contains(typs, h.Type) {
		return nil, fmt.Errorf("%w: %q instead of %q", ErrType, clip(h.Type), strings.Join(typs, " or "))
	}
	if h.KeyID == "" {
		return nil, fmt.Errorf("%w: no kid in the header", ErrToken)
	}
	algs := d.Algorithms
	if algs == nil {
		algs = es256Only[:]
	}
	if !contains(algs, h.Algorithm) || h.Algorithm == "none" || strings.HasPrefix(h.Algorithm, "HS") {
		return nil, fmt.Errorf("%w: %q", ErrAlgorithm, clip(h.Algorithm))
	}
	if err := CheckJSON(payload); err != nil {
		return nil, err
	}
	if err := checkTimes(payload); err != nil {
		return nil, err
	}
	return &Token{Header: h, Claims: payload, Compact: compact}, nil
}

// split checks size and shape before anything is parsed.
func (d Door) split(compact string) (header, payload []byte, err error) {
	most := d.MaxBytes
	if most <= 0 {
		most = MaxToken
	}
	if len(compact) > most {
		return nil, nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrToken, len(compact), most)
	}
	if n := strings.Count(compact, "."); n != 2 {
		return nil, nil, fmt.Errorf("%w: %d dots where a compact JWS has two", ErrToken, n)
	}
	first := strings.IndexByte(compact, '.')
	last := strings.LastIndexByte(compact, '.')
	if base64.RawURLEncoding.DecodedLen(first) > maxHeader {
		return nil, nil, fmt.Errorf("%w: header of more than %d bytes", ErrToken, maxHeader)
	}
	strict := base64.RawURLEncoding.Strict()
	parts := [...]string{compact[:first], compact[first+1 : last], compact[last+1:]}
	var raw [3][]byte
	for i, p := range parts {
		// The decoder would skip line breaks.
		if p == "" || strings.ContainsAny(p, "\r\n") {
			return nil, nil, fmt.Errorf("%w: part %d is empty or broken", ErrToken, i+1)
		}
		if raw[i], err = strict.DecodeString(p); err != nil {
			return nil, nil, fmt.Errorf("%w: part %d is not base64url", ErrToken, i+1)
		}
	}
	return raw[0], raw[1], nil
}

// forbiddenHeaders change how a token is read; this profile has no use for any.
var forbiddenHeaders = [...]string{"crit", "b64", "zip", "enc", "p2c", "p2s", "epk"}

func parseHeader(b []byte) (Header, error) {
	var h Header
	if err := CheckJSON(b); err != nil {
		return h, fmt.Errorf("%w: header: %w", ErrToken, err)
	}
	var members map[string]json.RawMessage
	if err := decode(b, &members); err != nil {
		return h, fmt.Errorf("%w: header: %w", ErrToken, err)
	}
	for _, m := range forbiddenHeaders {
		if _, there := members[m]; there {
			return h, fmt.Errorf("%w: header %q", ErrToken, m)
		}
	}
	if err := decode(b, &h); err != nil {
		return h, fmt.Errorf("%w: header: %w", ErrToken, err)
	}
	return h, nil
}

// Into decodes the claims into v: member names must match exactly, numbers
// must fit. Errors wrap ErrClaims.
func (t *Token) Into(v any) error { return decode(t.Claims, v) }

// Check judges the times of a token at now: exp must be there and in the
// future, iat and nbf may be at most 60 s ahead. Errors wrap ErrExpired,
// ErrNotYet or ErrClaims.
func (t *Token) Check(now time.Time) error {
	var c struct {
		IssuedAt  *Seconds `json:"iat"`
		NotBefore *Seconds `json:"nbf"`
		Expires   *Seconds `json:"exp"`
	}
	if err := t.Into(&c); err != nil {
		return err
	}
	if c.Expires == nil {
		return fmt.Errorf("%w: exp missing", ErrClaims)
	}
	if !now.Before(c.Expires.Time()) {
		return fmt.Errorf("%w: exp %s", ErrExpired, c.Expires.Time().UTC().Format(time.RFC3339))
	}
	for _, s := range []*Seconds{c.IssuedAt, c.NotBefore} {
		if s != nil && s.Time().After(now.Add(clockSkew)) {
			return fmt.Errorf("%w: %s", ErrNotYet, s.Time().UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func contains(set []string, s string) bool {
	for _, x := range set {
		if x == s {
			return true
		}
	}
	return false
}
