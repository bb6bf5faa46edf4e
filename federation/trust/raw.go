package trust

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// SignBytes signs b for one purpose and returns r || s, 64 bytes. The purpose
// goes into the hash: a signature made for one thing proves nothing else.
func (k *Key) SignBytes(purpose string, b []byte) ([]byte, error) {
	sum := rawHash(purpose, b)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", purpose, err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig, nil
}

// VerifyBytes checks a signature of SignBytes with any ES256 key of the set;
// errors wrap ErrSignature.
func VerifyBytes(keys JWKS, purpose string, b, signature []byte) error {
	if len(signature) == 64 {
		sum := rawHash(purpose, b)
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		for _, k := range keys.keys {
			if p, ok := k.Key.(*ecdsa.PublicKey); ok && ecdsa.Verify(p, sum[:], r, s) {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: %w", purpose, ErrSignature)
}

func rawHash(purpose string, b []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte("rathausnetz "+purpose+"\x00"), b...))
}
