package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/trust"
)

// Errors of blocking a host.
var (
	ErrBlockMember = errors.New("anchor: a member of the network lives there; suspend the member instead")
	ErrBlockReason = errors.New("anchor: a reason is needed; it stands in the audit trail and at every portal")
	ErrBlockState  = errors.New("anchor: nothing to change")
	ErrBlockLimit  = errors.New("anchor: too many hosts are blocked")
)

const (
	blockPrefix    = "anchor/block/"
	maxBlockReason = 200 // bytes: the notice has to fit into a gossip packet
	// keepUnblocked is how long a hub remembers that a host was blocked: who
	// is away for longer than that may go on blocking it.
	keepUnblocked = 400 * 24 * time.Hour
)

// Blocked is what the hub has decided about a host.
type Blocked struct {
	blocklist.Decision
	By string `json:"by"`
}

// Block makes every portal of the network stop linking to a host and to all
// hosts below it, within seconds where gossip reaches, at the next refresh
// elsewhere.
func (a *Anchor) Block(ctx context.Context, by, host, reason string) (Blocked, error) {
	host, err := blocklist.ParseHost(host)
	if err != nil {
		return Blocked{}, err
	}
	members, err := a.List(ctx, Filter{})
	if err != nil {
		return Blocked{}, err
	}
	for _, id := range append([]federation.EntityID{a.cfg.Self}, ids(members)...) {
		if blocklist.Covers(host, id.Host()) {
			return Blocked{}, fmt.Errorf("%w: %s", ErrBlockMember, id)
		}
	}
	return a.decideBlock(ctx, by, "block", host, reason, true)
}

// Unblock takes Block back for exactly this host.
func (a *Anchor) Unblock(ctx context.Context, by, host, reason string) (Blocked, error) {
	host, err := blocklist.ParseHost(host)
	if err != nil {
		return Blocked{}, err
	}
	return a.decideBlock(ctx, by, "unblock", host, reason, false)
}

func ids(members []Member) []federation.EntityID {
	out := make([]federation.EntityID, len(members))
	for i, m := range members {
		out[i] = m.ID
	}
	return out
}

func (a *Anchor) decideBlock(ctx context.Context, by, action, host, reason string, blocked bool) (Blocked, error) {
	if reason == "" || len(reason) > maxBlockReason {
		return Blocked{}, fmt.Errorf("%w; it has at most %d bytes", ErrBlockReason, maxBlockReason)
	}
	all, err := a.Blocks(ctx)
	if err != nil {
		return Blocked{}, err
	}
	if len(all) >= blocklist.MaxDecisions && blocked && !known(all, host) {
		return Blocked{}, fmt.Errorf("%w: %d decisions are kept", ErrBlockLimit, len(all))
	}
	var b Blocked
	err = a.cfg.Store.Update(ctx, blockPrefix+host, func(old []byte) ([]byte, time.Duration, error) {
		b = Blocked{Decision: blocklist.Decision{Issuer: a.cfg.Self, Host: host}}
		if old != nil {
			if err := json.Unmarshal(old, &b); err != nil {
				return nil, 0, fmt.Errorf("block of %s: %w", host, err)
			}
		}
		if b.Blocked == blocked {
			return nil, 0, fmt.Errorf("%w: %s is %s", ErrBlockState, host, map[bool]string{true: "blocked already", false: "not blocked"}[blocked])
		}
		now := a.cfg.Now().UTC()
		// By the clock too, so that a registry that was restored from a backup
		// does not fall behind what the members know.
		b.Generation = max(b.Generation+1, uint64(now.UnixMilli()))
		b.Blocked, b.Reason, b.At, b.By = blocked, reason, now.Truncate(time.Second), short(by)
		raw, err := json.Marshal(b)
		if blocked {
			return raw, 0, err
		}
		return raw, keepUnblocked, err
	})
	if err != nil {
		return Blocked{}, err
	}
	a.cfg.Log.Info("decided about a host", "url", host, "state", action)
	if err := a.Note(ctx, by, action, host, reason); err != nil {
		return b, err
	}
	compact, err := a.blockNotice(b)
	if err == nil && a.cfg.OnNotice != nil {
		a.cfg.OnNotice(compact)
	}
	return b, err
}

func known(all []Blocked, host string) bool {
	for _, b := range all {
		if b.Host == host {
			return true
		}
	}
	return false
}

// Blocks returns every decision about a host, also those that were taken back,
// sorted by host.
func (a *Anchor) Blocks(ctx context.Context) ([]Blocked, error) {
	var out []Blocked
	var broken error
	err := a.cfg.Store.Scan(ctx, blockPrefix, func(key string, value []byte) bool {
		var b Blocked
		if err := json.Unmarshal(value, &b); err != nil {
			broken = fmt.Errorf("%s: %w", key, err)
			return false
		}
		out = append(out, b)
		return true
	})
	if err := errors.Join(err, broken); err != nil {
		return nil, fmt.Errorf("blocked hosts: %w", err)
	}
	return out, nil
}

// blockNotice signs a decision; it is signed anew before it expires.
func (a *Anchor) blockNotice(b Blocked) (string, error) {
	return a.reuse("block "+b.Host, fmt.Sprint(b.Generation), func(key *trust.Key) (string, error) {
		now := a.cfg.Now()
		return trust.IssueBlock(key, trust.Block{
			Issuer: a.cfg.Self, IssuedAt: trust.At(now), Expires: trust.At(now.Add(2 * a.cfg.Lifetime)), Host: b.Host, Blocked: b.Blocked,
			Generation: b.Generation, Decided: trust.At(b.At), Reason: b.Reason,
		})
	})
}

// blockNotices are the decisions that nodes learn which were away.
func (a *Anchor) blockNotices(ctx context.Context) ([]string, error) {
	all, err := a.Blocks(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(all))
	for _, b := range all {
		compact, err := a.blockNotice(b)
		if err != nil {
			return nil, err
		}
		out = append(out, compact)
	}
	return out, nil
}
