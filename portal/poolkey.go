package portal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"rathausnetz/federation/trust"
)

// ErrPoolKey is wrapped when a key file for the gossip of hubs is not made.
var ErrPoolKey = errors.New("portal: key file not written")

// NewPoolKey returns one line of a key file for the gossip of hubs.
func NewPoolKey() string {
	k := make([]byte, poolKeyBytes)
	rand.Read(k) // never fails
	return base64.StdEncoding.EncodeToString(k)
}

// WritePoolKey makes a key file that only its owner can read; an existing one
// is not replaced.
func WritePoolKey(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPoolKey, err)
	}
	_, werr := f.WriteString(NewPoolKey() + "\n")
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPoolKey, path, err)
	}
	return nil
}

// Fingerprint is what the operator of another hub writes into
// hub.pool.neighbours: the RFC 7638 thumbprint of the key that signs.
func Fingerprint(keys *trust.Keys) (string, error) {
	if keys == nil || len(keys.Federation) == 0 {
		return "", trust.ErrKey
	}
	sum, err := keys.Federation[0].Public().Fingerprint(keys.Federation[0].ID())
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
