package roster

import (
	"fmt"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/trust"
)

// Blocks is what the hubs of this node have decided about hosts.
func (r *Roster) Blocks() *blocklist.List { return r.cfg.Blocks }

// block takes a decision about a host. One of the own hub, or of a hub above
// it, counts as long as nothing newer is heard; one that is known, or older
// than what is known, is no error and no news.
func (r *Roster) block(compact string) error {
	claims, err := trust.PeekBlock(compact)
	if err != nil {
		return err
	}
	host, err := blocklist.ParseHost(claims.Host)
	if err != nil || host != claims.Host {
		return fmt.Errorf("%w: block of a host: %w", trust.ErrClaims, err)
	}
	if r.cfg.Blocks.Knows(claims.Issuer, host, claims.Generation) {
		return nil
	}
	hub := r.hubChain()
	if hub == nil {
		return fmt.Errorf("%s: %w: the hub is not verified yet", r.cfg.Hub, ErrNotMember)
	}
	b, err := hub.Block(compact, r.cfg.Now())
	if err != nil {
		return err
	}
	if !r.cfg.Blocks.Take(blocklist.Decision{Issuer: b.Issuer, Host: b.Host, Blocked: b.Blocked, Generation: b.Generation, Reason: b.Reason, At: b.Decided.Time()}) {
		return fmt.Errorf("%w: more than %d decisions of %s about hosts", trust.ErrLimit, blocklist.MaxDecisions, b.Issuer)
	}
	r.cfg.Log.Info("decision about a host", "peer", b.Issuer, "url", b.Host, "blocked", b.Blocked)
	r.save()
	r.signal()
	if r.cfg.OnBlock != nil {
		r.cfg.OnBlock(b, compact)
	}
	return nil
}

// hubChain is the last verified chain of the hub, nil before the first.
func (r *Roster) hubChain() *trust.Chain {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e := r.entries[r.cfg.Hub]; e != nil {
		return e.chain
	}
	return nil
}

// obey forgets the decisions of hubs that are not this node's any more.
func (r *Roster) obey(hub *trust.Chain) {
	if r.cfg.Blocks.Keep(func(id federation.EntityID) bool { return id == hub.Leaf || hub.Above(id) }) {
		r.signal()
	}
}
