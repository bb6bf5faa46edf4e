package anchor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
)

// invitation is what the store keeps about a code. The secret itself is not
// kept, only its hash as key.
type invitation struct {
	Invitation
	By      string              `json:"by"`
	Expires time.Time           `json:"expires"`
	Used    time.Time           `json:"used,omitzero"`
	UsedBy  federation.EntityID `json:"used_by,omitempty"`
}

// rememberCodes is how long a used or expired code is known, so that it gets
// its own sentence.
const rememberCodes = 30 * 24 * time.Hour

func inviteKey(secret []byte) string {
	sum := sha256.Sum256(secret)
	return "anchor/invite/" + hex.EncodeToString(sum[:])
}

// Invite makes a one-time code. by names the operator for the audit trail.
// A scope wider than the hub's own is refused with ErrScope.
func (a *Anchor) Invite(ctx context.Context, by string, inv Invitation) (Code, error) {
	if strings.TrimSpace(inv.Name) == "" || len(inv.Name) > 200 || inv.Kind == federation.KindUnknown {
		return Code{}, fmt.Errorf("invite: %w: a legal name of at most 200 bytes and a kind are required", ErrRequest)
	}
	if err := a.within(inv.Scope); err != nil {
		return Code{}, fmt.Errorf("invite %s: %w", inv.Name, err)
	}
	key, err := a.signer()
	if err != nil {
		return Code{}, err
	}
	print, err := key.Public().Fingerprint(key.ID())
	if err != nil {
		return Code{}, err
	}
	code := Code{
		Hub: a.cfg.Self, Fingerprint: print[:fingerprintBytes], Secret: make([]byte, secretBytes),
		Expires: a.cfg.Now().Add(a.cfg.CodeLifetime).UTC(),
	}
	rand.Read(code.Secret) // never fails
	b, err := json.Marshal(invitation{Invitation: inv, By: by, Expires: code.Expires})
	if err != nil {
		return Code{}, fmt.Errorf("invite %s: %w", inv.Name, err)
	}
	if err := a.cfg.Store.Create(ctx, inviteKey(code.Secret), b, a.cfg.CodeLifetime+rememberCodes); err != nil {
		return Code{}, fmt.Errorf("invite %s: %w", inv.Name, err)
	}
	return code, a.Note(ctx, by, "invite", inv.Name, "")
}

// within refuses a scope that this hub does not hold itself. Verifiers would
// reject its mark anyway (attenuation, [SSO.md §3]).
func (a *Anchor) within(s federation.Scope) error {
	p, err := a.place()
	if err != nil {
		return fmt.Errorf("this hub and its superior: %w", err)
	}
	own := p.Scope
	if len(own.Areas)+len(own.Subtree) == 0 && a.IsTrustAnchor() {
		return nil // an anchor that names no scope of its own bounds nothing
	}
	if !s.Within(own) {
		return ErrScope
	}
	return nil
}

// lookUp checks a secret without using it up.
func (a *Anchor) lookUp(ctx context.Context, secret []byte) error {
	b, err := a.cfg.Store.Get(ctx, inviteKey(secret))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("invitation: %w", err)
	}
	_, err = a.usable(b)
	return err
}

// redeem uses a secret up: of many callers exactly one succeeds.
func (a *Anchor) redeem(ctx context.Context, secret []byte, id federation.EntityID) (Invitation, error) {
	var inv Invitation
	err := a.cfg.Store.Update(ctx, inviteKey(secret), func(old []byte) ([]byte, time.Duration, error) {
		rec, err := a.usable(old)
		if err != nil {
			return nil, 0, err
		}
		inv = rec.Invitation
		rec.Used, rec.UsedBy = a.cfg.Now().UTC(), id
		b, err := json.Marshal(rec)
		return b, rememberCodes, err
	})
	return inv, err
}

func (a *Anchor) usable(b []byte) (invitation, error) {
	var rec invitation
	if b == nil {
		return rec, ErrCodeUnknown
	}
	if err := json.Unmarshal(b, &rec); err != nil {
		return rec, fmt.Errorf("invitation: %w", err)
	}
	switch {
	case !rec.Used.IsZero():
		return rec, ErrCodeUsed
	case !a.cfg.Now().Before(rec.Expires):
		return rec, ErrCodeExpired
	}
	return rec, nil
}
