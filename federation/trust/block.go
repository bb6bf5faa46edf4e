package trust

import (
	"fmt"
	"time"

	"rathausnetz/federation"
)

// Block says that the portals of the network stop linking to a host, or may
// again. Like a Notice it is the network's own, travels the same ways and can
// only make a node stricter than its members' catalogues ask for. Each
// decision about a host has a higher generation than the one before: one that
// is played again has no effect.
type Block struct {
	Issuer     federation.EntityID `json:"iss"`
	IssuedAt   Seconds             `json:"iat"`
	Expires    Seconds             `json:"exp"` // of this notice, not of the decision
	Host       string              `json:"host"`
	Blocked    bool                `json:"blocked"`
	Generation uint64              `json:"generation"`
	Decided    Seconds             `json:"decided"`
	Reason     string              `json:"reason,omitempty"`
}

// IssueBlock signs a decision about a host; it fits into MaxNotice.
func IssueBlock(k *Key, b Block) (string, error) {
	if b.Issuer == "" || b.Host == "" || b.Expires <= b.IssuedAt || b.Generation == 0 || b.Decided == 0 {
		return "", fmt.Errorf("issue block of %s: %w: incomplete", b.Host, ErrStatement)
	}
	compact, err := Sign(k, TypeBlock, b)
	if err == nil && len(compact) > MaxNotice {
		err = fmt.Errorf("issue block of %s: %w: %d bytes", b.Host, ErrLimit, len(compact))
	}
	return compact, err
}

// PeekBlock reads a decision WITHOUT verifying it. It wraps ErrType for
// anything else, such as a revocation notice.
func PeekBlock(compact string) (Block, error) {
	t, err := Door{MaxBytes: MaxNotice}.Peek(compact, []string{TypeBlock})
	if err != nil {
		return Block{}, err
	}
	return readBlock(t)
}

// Block verifies a decision against c, the chain of a hub: it must be signed
// by that hub or an entity above it, with the keys the chain states for the
// issuer. Errors wrap ErrNotSuperior or those of Open.
func (c *Chain) Block(compact string, now time.Time) (Block, error) {
	t, err := Door{MaxBytes: MaxNotice}.Peek(compact, []string{TypeBlock})
	if err != nil {
		return Block{}, refuse(err, "block of a host", "JOSE [SSO.md §0.8]", nil)
	}
	b, err := readBlock(t)
	if err != nil {
		return Block{}, refuse(err, "block of a host", "claims", nil)
	}
	label := "block by " + string(b.Issuer)
	keys, ok := c.keysOf(b.Issuer)
	if !ok || b.Issuer != c.Leaf && !c.Above(b.Issuer) {
		return Block{}, refuse(ErrNotSuperior, label, "issued by the hub or above it [SSO.md §10 128]", b.Issuer)
	}
	if err := t.verify(keys); err != nil {
		return Block{}, refuse(err, label, "signature of the hub", t.Header.KeyID)
	}
	if err := t.Check(now); err != nil {
		return Block{}, refuse(err, label, "times", nil)
	}
	return b, nil
}

func readBlock(t *Token) (Block, error) {
	var b Block
	if err := t.Into(&b); err != nil {
		return b, err
	}
	if b.Issuer == "" || b.Host == "" || b.Generation == 0 || b.Expires == 0 || b.Decided == 0 {
		return b, fmt.Errorf("%w: iss, host, exp, decided and generation are required", ErrClaims)
	}
	return b, nil
}
