package trust

import (
	"fmt"
	"time"

	"rathausnetz/federation"
)

// Notice says that a membership has ended up to and including a generation.
// The standard has no revocation besides expiry [OIDF §11.3]; this is the
// network's own, and it can only make a node stricter [SSO.md §2]. Every
// admission and every change of scope gives a member the next generation,
// which its statement and its mark carry: a notice that is played again after
// a re-admission names an older one and has no effect.
type Notice struct {
	Issuer     federation.EntityID `json:"iss"`
	Subject    federation.EntityID `json:"sub"`
	IssuedAt   Seconds             `json:"iat"`
	Expires    Seconds             `json:"exp"` // when every statement of that generation has expired by itself
	ID         string              `json:"jti"`
	Generation uint64              `json:"generation"`
	Reason     string              `json:"reason"` // revoked, suspended, rescoped or key
}

// MaxNotice is the longest notice, in bytes of its compact form: it has to fit
// into a gossip packet.
const MaxNotice = 1100

// IssueNotice signs a notice.
func IssueNotice(k *Key, n Notice) (string, error) {
	if n.Issuer == "" || n.Subject == "" || n.Expires <= n.IssuedAt || n.ID == "" || n.Reason == "" {
		return "", fmt.Errorf("issue notice about %s: %w: incomplete", n.Subject, ErrStatement)
	}
	compact, err := Sign(k, TypeNotice, n)
	if err == nil && len(compact) > MaxNotice {
		err = fmt.Errorf("issue notice about %s: %w: %d bytes", n.Subject, ErrLimit, len(compact))
	}
	return compact, err
}

// PeekNotice reads a notice WITHOUT verifying it, to learn whom it concerns.
func PeekNotice(compact string) (Notice, error) {
	t, err := Door{MaxBytes: MaxNotice}.Peek(compact, []string{TypeNotice})
	if err != nil {
		return Notice{}, err
	}
	return readNotice(t)
}

// Notice verifies a notice against c, the chain of its subject: it must be
// signed by an entity above the subject, with the keys the chain states for
// it, and concern the present generation or a later one. Errors wrap
// ErrNotSuperior, ErrOldNotice or those of Open.
func (c *Chain) Notice(compact string, now time.Time) (Notice, error) {
	t, err := Door{MaxBytes: MaxNotice}.Peek(compact, []string{TypeNotice})
	if err != nil {
		return Notice{}, refuse(err, "notice", "JOSE [SSO.md §0.8]", nil)
	}
	n, err := readNotice(t)
	if err != nil {
		return Notice{}, refuse(err, "notice", "claims", nil)
	}
	label := "notice of " + string(n.Issuer) + " about " + string(n.Subject)
	if n.Subject != c.Leaf || !c.Above(n.Issuer) {
		return Notice{}, refuse(ErrNotSuperior, label, "issued by a superior of its subject [SSO.md §10 128]", n.Issuer)
	}
	if n.Generation < c.Generation {
		return Notice{}, refuse(ErrOldNotice, label, "concerns the present membership [SSO.md §10 128]", n.Generation)
	}
	keys, ok := c.keysOf(n.Issuer)
	if !ok {
		return Notice{}, refuse(ErrNotSuperior, label, "keys of the issuer in the chain", n.Issuer)
	}
	if err := t.verify(keys); err != nil {
		return Notice{}, refuse(err, label, "signature of the superior", t.Header.KeyID)
	}
	if err := t.Check(now); err != nil {
		return Notice{}, refuse(err, label, "times", nil)
	}
	return n, nil
}

func readNotice(t *Token) (Notice, error) {
	var n Notice
	if err := t.Into(&n); err != nil {
		return n, err
	}
	if n.Issuer == "" || n.Subject == "" || n.Generation == 0 || n.Expires == 0 {
		return n, fmt.Errorf("%w: iss, sub, exp and generation are required", ErrClaims)
	}
	return n, nil
}
