package anchor

import (
	"context"
	"crypto/rand"
	"fmt"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

const (
	noticePrefix = "anchor/notice/"
	maxNotices   = 1000
)

// notify signs a revocation notice, keeps it for nodes that were away and
// hands it to gossip.
func (a *Anchor) notify(ctx context.Context, id federation.EntityID, generation uint64, reason string) error {
	key, err := a.signer()
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	life := 2 * a.cfg.Lifetime // longer than any statement of that generation
	n := trust.Notice{
		Issuer: a.cfg.Self, Subject: id, IssuedAt: trust.At(now), Expires: trust.At(now.Add(life)),
		ID: rand.Text(), Generation: generation, Reason: reason,
	}
	compact, err := trust.IssueNotice(key, n)
	if err != nil {
		return err
	}
	k := fmt.Sprintf("%s%020d/%s", noticePrefix, now.UnixNano(), n.ID)
	if err := a.cfg.Store.Put(ctx, k, []byte(compact), life); err != nil {
		return fmt.Errorf("notice about %s: %w", id, err)
	}
	if a.cfg.OnNotice != nil {
		a.cfg.OnNotice(compact)
	}
	return nil
}

// Notices returns the signed notices that still matter: the revocations,
// oldest first, at most the last 1000, and every decision about a host.
func (a *Anchor) Notices(ctx context.Context) ([]string, error) {
	out := []string{}
	err := a.cfg.Store.Scan(ctx, noticePrefix, func(_ string, b []byte) bool {
		out = append(out, string(b))
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	if len(out) > maxNotices {
		out = out[len(out)-maxNotices:]
	}
	blocks, err := a.blockNotices(ctx)
	return append(out, blocks...), err
}
