package rptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// Key signs tokens with ES256 or RS256.
type Key struct {
	ID string
	ec *ecdsa.PrivateKey
	rs *rsa.PrivateKey
}

// NewES256 makes a P-256 key.
func NewES256(id string) (*Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("rptest: make key: %w", err)
	}
	return &Key{ID: id, ec: k}, nil
}

// NewRS256 makes an RSA key of 2048 bits.
func NewRS256(id string) (*Key, error) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("rptest: make key: %w", err)
	}
	return &Key{ID: id, rs: k}, nil
}

// Algorithm returns ES256 or RS256.
func (k *Key) Algorithm() string {
	if k.ec != nil {
		return "ES256"
	}
	return "RS256"
}

// JWK returns the public key as JWK members.
func (k *Key) JWK() (map[string]any, error) {
	j := map[string]any{"kid": k.ID, "use": "sig", "alg": k.Algorithm()}
	if k.ec == nil {
		j["kty"] = "RSA"
		j["n"] = b64(k.rs.N.Bytes())
		j["e"] = b64(big.NewInt(int64(k.rs.E)).Bytes())
		return j, nil
	}
	point, err := k.ec.PublicKey.Bytes() // 4 || x || y
	if err != nil {
		return nil, fmt.Errorf("rptest: public key: %w", err)
	}
	j["kty"], j["crv"] = "EC", "P-256"
	j["x"], j["y"] = b64(point[1:33]), b64(point[33:])
	return j, nil
}

// Token makes a compact JWS. The header says what is done: alg none leaves the
// signature empty, HS256 signs with the public key as secret (the classic
// confusion), everything else signs with the key, whatever alg says.
func (k *Key) Token(header, claims map[string]any) (string, error) {
	c, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("rptest: claims: %w", err)
	}
	return k.Raw(header, c)
}

// Raw is Token over bytes that need not be JSON.
func (k *Key) Raw(header map[string]any, c []byte) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("rptest: header: %w", err)
	}
	input := b64(h) + "." + b64(c)
	var sig []byte
	switch header["alg"] {
	case "none":
	case "HS256":
		j, err := k.JWK()
		if err != nil {
			return "", err
		}
		secret, err := json.Marshal(j)
		if err != nil {
			return "", fmt.Errorf("rptest: secret: %w", err)
		}
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(input))
		sig = m.Sum(nil)
	default:
		if sig, err = k.sign(input); err != nil {
			return "", err
		}
	}
	return input + "." + b64(sig), nil
}

func (k *Key) sign(input string) ([]byte, error) {
	sum := sha256.Sum256([]byte(input))
	if k.ec == nil {
		return rsa.SignPKCS1v15(rand.Reader, k.rs, crypto.SHA256, sum[:])
	}
	r, s, err := ecdsa.Sign(rand.Reader, k.ec, sum[:])
	if err != nil {
		return nil, fmt.Errorf("rptest: sign: %w", err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig, nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
