package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"

	"rathausnetz/federation"
)

// Sign returns a compact JWS over the JSON of claims with the headers typ, kid
// and alg ES256. claims must encode to a JSON object of at most 512 KiB. The
// result is deterministic: signing the same claims again gives the same bytes.
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
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: es256{k}}, opts)
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

// sign returns r || s, deterministic [RFC 6979] and with the smaller s: the
// same key and the same bytes give the same signature, so a document that is
// sealed twice has one digest.
func (k *Key) sign(hash [sha256.Size]byte) (out [64]byte, err error) {
	der, err := k.private.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		return out, err
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) > 0 {
		return out, fmt.Errorf("%w: signature form", ErrSignature)
	}
	if !smallS(sig.S) {
		sig.S.Sub(k.private.Params().N, sig.S)
	}
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}

// smallS reports whether s is the smaller of the two values that make a valid
// P-256 signature.
func smallS(s *big.Int) bool {
	return s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) <= 0
}

// es256 lets go-jose sign with Key.sign.
type es256 struct{ k *Key }

// Public implements jose.OpaqueSigner.
func (e es256) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: &e.k.private.PublicKey, KeyID: e.k.id, Algorithm: string(jose.ES256), Use: "sig"}
}

// Algs implements jose.OpaqueSigner.
func (e es256) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{jose.ES256} }

// SignPayload implements jose.OpaqueSigner.
func (e es256) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	sig, err := e.k.sign(sha256.Sum256(payload))
	return sig[:], err
}

// announcementContext keeps a signature over an announcement from being taken
// for anything else.
const announcementContext = "rathausnetz announcement v1\x00"

func announcementHash(a federation.Announcement) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(announcementContext), a.SigningInput()...))
}

// SignAnnouncement sets a.Signature [DESIGN §3].
func (k *Key) SignAnnouncement(a *federation.Announcement) error {
	sig, err := k.sign(announcementHash(*a))
	if err != nil {
		return fmt.Errorf("sign announcement: %w", err)
	}
	a.Signature = sig
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
