package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Key is one ES256 private key with its life: from when it may sign, until
// when it is shown, and whether it was revoked. It is immutable and safe for
// concurrent use.
type Key struct {
	private   *ecdsa.PrivateKey
	id        string
	public    JWKS
	created   time.Time
	notBefore time.Time // signs from here on; zero: at once
}

// NewKey makes a key from the system's randomness.
func NewKey() (*Key, error) {
	p, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return newKey(p)
}

// KeyFromSeed derives a key from seed: the same seed gives the same key. It is
// for the demonstration network and for tests only, where keys are no secret.
func KeyFromSeed(seed []byte) (*Key, error) {
	n := elliptic.P256().Params().N
	for i := byte(0); ; i++ {
		sum := sha256.Sum256(append([]byte{'r', 'n', i}, seed...))
		d := new(big.Int).SetBytes(sum[:])
		if d.Sign() == 0 || d.Cmp(n) >= 0 {
			continue
		}
		p, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		return newKey(p)
	}
}

func newKey(p *ecdsa.PrivateKey) (*Key, error) {
	id, err := thumbprint(&p.PublicKey)
	if err != nil {
		return nil, err
	}
	pub := jose.JSONWebKey{Key: &p.PublicKey, KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}
	return &Key{private: p, id: id, public: JWKS{keys: []jose.JSONWebKey{pub}}}, nil
}

// thumbprint returns the RFC 7638 SHA-256 thumbprint in base64url.
func thumbprint(public any) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("%w: thumbprint: %w", ErrKey, err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// ID returns the kid: the RFC 7638 thumbprint in base64url, 43 characters.
func (k *Key) ID() string { return k.id }

// Public returns a set with this one public key.
func (k *Key) Public() JWKS { return k.public }
