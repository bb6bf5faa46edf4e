package anchor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rathausnetz/federation"
)

// decide moves a member from one of the states in from to the state to.
func (a *Anchor) decide(ctx context.Context, by, action string, id federation.EntityID, reason string, to State, from ...State) (Member, error) {
	m, err := a.update(ctx, id, func(m *Member) (*Member, error) {
		if m == nil {
			return nil, ErrNotMember
		}
		for _, s := range from {
			if m.State == s {
				m.State, m.By, m.Reason, m.Decided = to, by, short(reason), a.cfg.Now().UTC()
				if to == StateActive {
					m.Generation++
				}
				return m, nil
			}
		}
		return nil, fmt.Errorf("%w: %s, is %s", ErrState, action, m.State)
	})
	if err != nil {
		return m, err
	}
	a.forget(id)
	a.cfg.Log.Info("membership changed", "peer", id, "state", string(to))
	return m, a.Note(ctx, by, action, string(id), reason)
}

// Approve admits a pending applicant: from now on it gets statement, mark and
// gossip key.
func (a *Anchor) Approve(ctx context.Context, by string, id federation.EntityID) error {
	m, err := a.Show(ctx, id)
	if err != nil {
		return err
	}
	if err := a.within(m.Scope); err != nil {
		return fmt.Errorf("approve %s: %w", id, err)
	}
	_, err = a.decide(ctx, by, "approve", id, "", StateActive, StatePending)
	return err
}

// Refuse declines a pending applicant.
func (a *Anchor) Refuse(ctx context.Context, by string, id federation.EntityID, reason string) error {
	_, err := a.decide(ctx, by, "refuse", id, reason, StateRefused, StatePending)
	return err
}

// Suspend stops serving a member until Readmit and tells the network.
func (a *Anchor) Suspend(ctx context.Context, by string, id federation.EntityID, reason string) error {
	m, err := a.decide(ctx, by, "suspend", id, reason, StateSuspended, StateActive)
	if err != nil {
		return err
	}
	return a.notify(ctx, m.ID, m.Generation, "suspended")
}

// Readmit serves a suspended member again, as a new generation: notices about
// the former one have no effect any more.
func (a *Anchor) Readmit(ctx context.Context, by string, id federation.EntityID) error {
	_, err := a.decide(ctx, by, "readmit", id, "", StateActive, StateSuspended)
	if err == nil && a.cfg.OnReadmit != nil {
		a.cfg.OnReadmit(id)
	}
	return err
}

// Revoke ends a membership for good, tells the network and rotates the gossip
// key. Coming back needs a new invitation.
func (a *Anchor) Revoke(ctx context.Context, by string, id federation.EntityID, reason string) error {
	m, err := a.decide(ctx, by, "revoke", id, reason, StateRevoked, StateActive, StateSuspended)
	if err != nil {
		return err
	}
	return errors.Join(
		a.notify(ctx, m.ID, m.Generation, "revoked"),
		a.RotateGossipKeys(ctx, by, "revoked "+string(id)),
	)
}

// Rescope changes what a member may claim. The former mark ends at once by a
// notice; the member fetches the new one when it sees the notice.
func (a *Anchor) Rescope(ctx context.Context, by string, id federation.EntityID, scope federation.Scope) error {
	if err := a.within(scope); err != nil {
		return fmt.Errorf("rescope %s: %w", id, err)
	}
	return a.regrant(ctx, by, "rescope", id, scopeText(scope), func(m *Member) error {
		if m.State == StateRevoked || m.State == StateRefused {
			return fmt.Errorf("%w: rescope, is %s", ErrState, m.State)
		}
		m.Scope, m.By, m.Decided = scope, by, a.cfg.Now().UTC()
		return nil
	})
}

// regrant changes what the mark of a member says. The former mark ends by a
// notice, so that everybody asks for the new one at once.
func (a *Anchor) regrant(ctx context.Context, by, action string, id federation.EntityID, reason string, change func(*Member) error) error {
	var ended uint64
	var active bool
	_, err := a.update(ctx, id, func(m *Member) (*Member, error) {
		if m == nil {
			return nil, ErrNotMember
		}
		if err := change(m); err != nil {
			return nil, err
		}
		ended, active = m.Generation, m.State == StateActive
		if active {
			m.Generation++
		}
		return m, nil
	})
	if err != nil {
		return err
	}
	a.forget(id)
	if err := a.Note(ctx, by, action, string(id), reason); !active || err != nil {
		return err
	}
	return a.notify(ctx, id, ended, "rescoped")
}

func scopeText(s federation.Scope) string {
	return fmt.Sprintf("areas %v subtree %v except %v keys %v", s.Areas, s.Subtree, s.Except, s.LeikaPrefixes)
}

// forget drops what was issued or resolved about id, so that the next answer
// is made from the registry.
func (a *Anchor) forget(id federation.EntityID) {
	a.mu.Lock()
	delete(a.issued, "statement "+string(id))
	delete(a.issued, "mark "+string(id))
	a.changes++
	a.mu.Unlock()
	if p, err := a.place(); err == nil && p.Resolver != nil {
		p.Resolver.Forget(id)
	}
}

// short bounds what an operator writes about a member, in bytes.
func short(s string) string {
	const most = 400
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}
