package trust

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"

	"rathausnetz/federation"
)

// Sign returns a compact JWS over the JSON of claims with the headers typ, kid
// and alg ES256. claims must encode to a JSON object of at most 512 KiB.
func Sign(k *Key, typ string, claims any) (string, error) { return SignWith(k, typ, nil, claims) }

// SignWith is Sign with more protected headers, such as trust_chain. They
// cannot replace typ, kid or alg.
func SignWith(k *Key, typ string, header map[string]any, claims any) (string, error) {
	if k == nil || typ == "" {
		return "", fmt.Errorf("%w: a key and a typ are needed to sign", ErrKey)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	if len(payload) == 0 || payload[0] != '{' {
		return "", fmt.Errorf("sign %s: %w: claims must be an object", typ, ErrClaims)
	}
	opts := &jose.SignerOptions{}
	for name, v := range header {
		if name == "typ" || name == "kid" || name == "alg" {
			return "", fmt.Errorf("sign %s: %w: header %q is set by Sign", typ, ErrToken, name)
		}
		opts.WithHeader(jose.HeaderKey(name), v)
	}
	opts.WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.ES256,
		Key:       jose.JSONWebKey{Key: k.private, KeyID: k.id},
	}, opts)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	if len(compact) > MaxToken {
		return "", fmt.Errorf("sign %s: %w: %d bytes, at most %d are allowed", typ, ErrToken, len(compact), MaxToken)
	}
	return compact, nil
}

// announcementContext keeps a signature over an announcement from being taken
// for anything else.
const announcementContext = "rathausnetz announcement v1\x00"

func announcementHash(a federation.Announcement) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(announcementContext), a.SigningInput()...))
}

// SignAnnouncement sets a.Signature [DESIGN §3].
func (k *Key) SignAnnouncement(a *federation.Announcement) error {
	sum := announcementHash(*a)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return fmt.Errorf("sign announcement: %w", err)
	}
	r.FillBytes(a.Signature[:32])
	s.FillBytes(a.Signature[32:])
	return nil
}

// VerifyAnnouncement checks the signature with any of the ES256 keys of the
// member's chain. It carries no kid, so each key is tried; errors wrap
// ErrSignature.
func VerifyAnnouncement(a federation.Announcement, keys JWKS) error {
	sum := announcementHash(a)
	r := new(big.Int).SetBytes(a.Signature[:32])
	s := new(big.Int).SetBytes(a.Signature[32:])
	for _, k := range keys.keys {
		if p, ok := k.Key.(*ecdsa.PublicKey); ok && ecdsa.Verify(p, sum[:], r, s) {
			return nil
		}
	}
	return fmt.Errorf("announcement of %s serial %d: %w", a.Member, a.Serial, ErrSignature)
}
