package trust

import (
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rathausnetz/federation"
)

// Reasons for which a historical key ended [OIDF §8.7.3].
const (
	ReasonUnspecified = "unspecified"
	ReasonCompromised = "compromised"
	ReasonSuperseded  = "superseded"
)

// HistoricalKey is a federation key whose time is over.
type HistoricalKey struct {
	Public    JWKS      // one key
	IssuedAt  time.Time // zero if not known
	Expires   time.Time // when it stopped to be used
	RevokedAt time.Time // zero if it was never revoked
	Reason    string    // unspecified, compromised or superseded
}

// revocation is the revoked member of a historical key.
type revocation struct {
	At     Seconds `json:"revoked_at"`
	Reason string  `json:"reason,omitempty"`
}

func ecKey(j jose.JSONWebKey) (*ecdsa.PrivateKey, bool) {
	p, ok := j.Key.(*ecdsa.PrivateKey)
	return p, ok && p.Curve.Params().BitSize == 256
}

// MarshalJSON implements json.Marshaler: the JWK with exp and revoked.
func (h HistoricalKey) MarshalJSON() ([]byte, error) {
	if h.Public.Keys() != 1 {
		return nil, fmt.Errorf("%w: a historical entry holds one key", ErrKey)
	}
	b, err := h.Public.keys[0].MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	var m map[string]any
	if err := decode(b, &m); err != nil {
		return nil, err
	}
	m["exp"] = At(h.Expires)
	if !h.IssuedAt.IsZero() {
		m["iat"] = At(h.IssuedAt)
	}
	if !h.RevokedAt.IsZero() {
		m["revoked"] = revocation{At: At(h.RevokedAt), Reason: h.Reason}
	}
	return json.Marshal(m)
}

// UnmarshalJSON implements json.Unmarshaler; exp is required.
func (h *HistoricalKey) UnmarshalJSON(b []byte) error {
	var life struct {
		Issued  Seconds     `json:"iat"`
		Expires Seconds     `json:"exp"`
		Revoked *revocation `json:"revoked"`
	}
	if err := Decode(b, &life); err != nil {
		return err
	}
	if life.Expires == 0 {
		return fmt.Errorf("%w: historical key without exp [OIDF §8.7.2]", ErrClaims)
	}
	var key map[string]json.RawMessage
	if err := decode(b, &key); err != nil {
		return err
	}
	maps.DeleteFunc(key, func(name string, _ json.RawMessage) bool {
		return name == "iat" || name == "exp" || name == "revoked" || name == "nbf"
	})
	clean, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	set, err := ParseJWKS(clean)
	if err != nil {
		return err
	}
	*h = HistoricalKey{Public: set, IssuedAt: life.Issued.Time(), Expires: life.Expires.Time()}
	if life.Revoked != nil {
		h.RevokedAt, h.Reason = life.Revoked.At.Time(), life.Revoked.Reason
	}
	return nil
}

// historyClaims is the historical keys response [OIDF §8.7.2].
type historyClaims struct {
	Issuer   federation.EntityID `json:"iss"`
	IssuedAt Seconds             `json:"iat"`
	Keys     []HistoricalKey     `json:"keys"`
}

// SignHistory builds the historical keys response.
func SignHistory(k *Key, issuer federation.EntityID, keys []HistoricalKey, now time.Time) (string, error) {
	if keys == nil {
		keys = []HistoricalKey{}
	}
	return Sign(k, TypeJWKSet, historyClaims{Issuer: issuer, IssuedAt: At(now), Keys: keys})
}

// OpenHistory verifies a historical keys response of issuer with its present
// keys. Errors are those of Open.
func OpenHistory(compact string, issuer federation.EntityID, present JWKS) ([]HistoricalKey, error) {
	t, err := Open(compact, TypeJWKSet, present)
	if err != nil {
		return nil, err
	}
	var c historyClaims
	if err := t.Into(&c); err != nil {
		return nil, err
	}
	if c.Issuer != issuer || len(c.Keys) > 1000 {
		return nil, fmt.Errorf("%w: historical keys of %s", ErrClaims, clip(string(c.Issuer)))
	}
	return c.Keys, nil
}

// AuditVerify checks a token of the past for an audit: it was signed with a
// key that is historical now, while that key was in use, and the key was not
// compromised or revoked without reason. It says nothing about the present; no
// other code accepts historical keys. Errors wrap ErrUnknownKey, ErrKey,
// ErrExpired or those of Open.
func AuditVerify(compact, typ string, history []HistoricalKey) (*Token, error) {
	t, err := Peek(compact, typ)
	if err != nil {
		return nil, err
	}
	for _, h := range history {
		if !h.Public.Has(t.Header.KeyID) {
			continue
		}
		if !h.RevokedAt.IsZero() && h.Reason != ReasonSuperseded {
			return nil, fmt.Errorf("%w: kid %q was revoked (%s)", ErrKey, clip(t.Header.KeyID), clip(h.Reason))
		}
		if err := t.verify(h.Public); err != nil {
			return nil, err
		}
		var c struct {
			IssuedAt Seconds `json:"iat"`
		}
		if err := t.Into(&c); err != nil {
			return nil, err
		}
		if c.IssuedAt == 0 || c.IssuedAt.Time().After(h.Expires) {
			return nil, fmt.Errorf("%w: signed after its key had ended", ErrExpired)
		}
		return t, nil
	}
	return nil, fmt.Errorf("%w: kid %q is not historical either", ErrUnknownKey, clip(t.Header.KeyID))
}
