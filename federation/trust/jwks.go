package trust

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// maxKeys is how many keys one set may hold.
const maxKeys = 32

// JWKS is a set of public signature keys [RFC 7517 §5], each with a kid of its
// own. The zero value is empty. It is immutable and safe for concurrent use.
type JWKS struct{ keys []jose.JSONWebKey }

// ParseJWKS reads a key set of at most 32 keys. A private or symmetric key, a
// key without kid and two keys with one kid are refused (ErrKey); keys of an
// unknown kty or for encryption are left out.
func ParseJWKS(b []byte) (JWKS, error) {
	if err := CheckJSON(b); err != nil {
		return JWKS{}, err
	}
	return parseJWKS(b)
}

// parseJWKS is ParseJWKS for bytes that CheckJSON has passed.
func parseJWKS(b []byte) (JWKS, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := decode(b, &raw); err != nil {
		return JWKS{}, fmt.Errorf("%w: jwks: %w", ErrKey, err)
	}
	if len(raw.Keys) > maxKeys {
		return JWKS{}, fmt.Errorf("%w: %d keys in one set, at most %d are allowed", ErrKey, len(raw.Keys), maxKeys)
	}
	var set JWKS
	for i, r := range raw.Keys {
		k, use, err := parseJWK(r)
		if err != nil {
			return JWKS{}, fmt.Errorf("%w (key %d)", err, i+1)
		}
		if !use {
			continue
		}
		if _, twice := set.find(k.KeyID); twice {
			return JWKS{}, fmt.Errorf("%w: two keys with kid %q", ErrKey, clip(k.KeyID))
		}
		set.keys = append(set.keys, k)
	}
	return set, nil
}

// privateMembers are the JWK members that only private or symmetric keys have
// [RFC 7518 §6].
var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

func parseJWK(b []byte) (k jose.JSONWebKey, use bool, err error) {
	var members map[string]json.RawMessage
	if err := decode(b, &members); err != nil || members == nil {
		return k, false, fmt.Errorf("%w: a key must be an object", ErrKey)
	}
	for _, m := range privateMembers {
		if _, there := members[m]; there {
			return k, false, fmt.Errorf("%w: private key material (member %q) in a public set", ErrKey, m)
		}
	}
	var head struct {
		Kty string `json:"kty"`
		Kid string `json:"kid"`
		Use string `json:"use"`
	}
	if err := decode(b, &head); err != nil {
		return k, false, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if head.Kid == "" {
		return k, false, fmt.Errorf("%w: key without kid", ErrKey)
	}
	switch head.Kty {
	case "EC", "RSA", "OKP":
	default:
		return k, false, nil
	}
	if head.Use != "" && head.Use != "sig" {
		return k, false, nil
	}
	// Certificates and certificate URLs have no meaning here and are not parsed.
	for _, m := range []string{"x5c", "x5u", "x5t", "x5t#S256"} {
		delete(members, m)
	}
	clean, err := json.Marshal(members)
	if err != nil {
		return k, false, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := k.UnmarshalJSON(clean); err != nil || !k.Valid() || !k.IsPublic() {
		return k, false, fmt.Errorf("%w: kid %q is not a valid public key", ErrKey, clip(head.Kid))
	}
	return k, true, nil
}

// Keys returns the number of keys.
func (s JWKS) Keys() int { return len(s.keys) }

// IDs returns the kids in the order of the set.
func (s JWKS) IDs() []string {
	ids := make([]string, len(s.keys))
	for i, k := range s.keys {
		ids[i] = k.KeyID
	}
	return ids
}

// Has reports whether a key with this kid is in the set.
func (s JWKS) Has(kid string) bool {
	_, ok := s.find(kid)
	return ok
}

// Thumbprints returns the RFC 7638 thumbprint of each key: unlike the kid it
// cannot be chosen by whoever publishes the set.
func (s JWKS) Thumbprints() []string {
	out := make([]string, 0, len(s.keys))
	for _, k := range s.keys {
		if t, err := thumbprint(k.Key); err == nil {
			out = append(out, t)
		}
	}
	return out
}

func (s JWKS) find(kid string) (jose.JSONWebKey, bool) {
	for _, k := range s.keys {
		if k.KeyID == kid {
			return k, true
		}
	}
	return jose.JSONWebKey{}, false
}

// Union returns the keys of s followed by those of others whose kid is new.
func (s JWKS) Union(others ...JWKS) JWKS {
	out := JWKS{keys: append([]jose.JSONWebKey(nil), s.keys...)}
	for _, o := range others {
		for _, k := range o.keys {
			if !out.Has(k.KeyID) {
				out.keys = append(out.keys, k)
			}
		}
	}
	return out
}

// Only returns the set with just the key of this kid; empty if it is not there.
func (s JWKS) Only(kid string) JWKS {
	if k, ok := s.find(kid); ok {
		return JWKS{keys: []jose.JSONWebKey{k}}
	}
	return JWKS{}
}

// Without returns the set less the keys with these kids.
func (s JWKS) Without(kids ...string) JWKS {
	var out JWKS
next:
	for _, k := range s.keys {
		for _, id := range kids {
			if k.KeyID == id {
				continue next
			}
		}
		out.keys = append(out.keys, k)
	}
	return out
}

// Equal reports whether both sets hold the same keys, in any order and under
// whatever kid.
func (s JWKS) Equal(o JWKS) bool { return s.within(o) && o.within(s) }

// sameKey reports whether both sets hold one and the same single key; empty
// sets do not.
func (s JWKS) sameKey(o JWKS) bool {
	if len(s.keys) != 1 || len(o.keys) != 1 {
		return false
	}
	return equalKeys(s.keys[0], o.keys[0]) && s.keys[0].Algorithm == o.keys[0].Algorithm
}

// equalKeys compares the public keys alone. Every kind that ParseJWKS takes has
// an Equal method.
func equalKeys(a, b jose.JSONWebKey) bool {
	k, ok := a.Key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b.Key)
}

// within reports whether every key of s is in o.
func (s JWKS) within(o JWKS) bool {
	for _, k := range s.keys {
		if !slices.ContainsFunc(o.keys, func(h jose.JSONWebKey) bool { return equalKeys(k, h) }) {
			return false
		}
	}
	return true
}

// MarshalJSON implements json.Marshaler: {"keys":[…]}, never null.
func (s JWKS) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"keys":[`)
	for i, k := range s.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		j, err := k.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		b.Write(j)
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler with the rules of ParseJWKS.
func (s *JWKS) UnmarshalJSON(b []byte) error {
	v, err := ParseJWKS(b)
	if err != nil {
		return err
	}
	*s = v
	return nil
}
