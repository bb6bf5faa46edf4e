package trust

import (
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Reasons for which a historical key ended [OIDF §8.7.3].
const (
	ReasonUnspecified = "unspecified"
	ReasonCompromised = "compromised"
	ReasonSuperseded  = "superseded"
)

// historicalJWK is one key of the historical keys response [OIDF §8.7.2].
type historicalJWK struct {
	JWK     json.RawMessage `json:"jwk"`
	Issued  Seconds         `json:"iat,omitempty"`
	Expires Seconds         `json:"exp"`
	Revoked *revocation     `json:"revoked,omitempty"`
}

type revocation struct {
	At     Seconds `json:"revoked_at"`
	Reason string  `json:"reason,omitempty"`
}

func ecKey(j jose.JSONWebKey) (*ecdsa.PrivateKey, bool) {
	p, ok := j.Key.(*ecdsa.PrivateKey)
	return p, ok && p.Curve.Params().BitSize == 256
}

func (h historicalJWK) key() (HistoricalKey, error) {
	set, err := ParseJWKS([]byte(`{"keys":[` + string(h.JWK) + `]}`))
	if err != nil {
		return HistoricalKey{}, err
	}
	out := HistoricalKey{Public: set, IssuedAt: h.Issued.Time(), Expires: h.Expires.Time()}
	if h.Revoked != nil {
		out.RevokedAt, out.Reason = h.Revoked.At.Time(), h.Revoked.Reason
	}
	return out, nil
}

func (h HistoricalKey) jwk() (historicalJWK, error) {
	if h.Public.Keys() != 1 {
		return historicalJWK{}, fmt.Errorf("%w: a historical entry holds one key", ErrKey)
	}
	b, err := h.Public.keys[0].MarshalJSON()
	if err != nil {
		return historicalJWK{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	out := historicalJWK{JWK: b, Expires: At(h.Expires)}
	if !h.IssuedAt.IsZero() {
		out.Issued = At(h.IssuedAt)
	}
	if !h.RevokedAt.IsZero() {
		out.Revoked = &revocation{At: At(h.RevokedAt), Reason: h.Reason}
	}
	return out, nil
}

// HistoryOf verifies a historical keys response of issuer [OIDF §8.7] with its
// present keys. Errors are those of Open.
func HistoryOf(compact string, present JWKS, now time.Time) ([]HistoricalKey, error) {
	return nil, fmt.Errorf("%w: not read", ErrClaims)
}
