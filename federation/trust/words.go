package trust

import (
	"encoding/base64"
	"fmt"
)

// Words returns the RFC 7638 thumbprint of the first key of the set as eight
// German words, one for each of its first eight bytes: 64 bits that can be
// compared over the telephone. Nil for an empty set.
func (s JWKS) Words() []string {
	if len(s.keys) == 0 {
		return nil
	}
	sum, err := s.Fingerprint(s.keys[0].KeyID)
	if err != nil {
		return nil
	}
	out := make([]string, 0, 8)
	for _, b := range sum[:min(8, len(sum))] {
		out = append(out, wordList[b])
	}
	return out
}

// Fingerprint returns the RFC 7638 SHA-256 thumbprint of the key with this
// kid, 32 bytes.
func (s JWKS) Fingerprint(kid string) ([]byte, error) {
	k, ok := s.find(kid)
	if !ok {
		return nil, fmt.Errorf("%w: kid %q", ErrUnknownKey, clip(kid))
	}
	t, err := thumbprint(k.Key)
	if err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.DecodeString(t)
}
