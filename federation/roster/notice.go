package roster

import (
	"errors"
	"fmt"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Notice takes a signed notice from anywhere, from gossip or from the hub: a
// decision about a host, see trust.Block, or a revocation. A genuine
// revocation ends the membership at once, also of everybody below a
// hub that it names. A notice that is forged, not from a superior of its
// subject, or about a former membership is ignored and the reason returned
// (trust.ErrSignature, trust.ErrNotSuperior, trust.ErrOldNotice, ErrNotMember).
func (r *Roster) Notice(compact string) error {
	claims, err := trust.PeekNotice(compact)
	if errors.Is(err, trust.ErrType) {
		return r.block(compact)
	}
	if err != nil {
		return err
	}
	chain, known, err := r.concerned(claims)
	if err != nil || known {
		return err
	}
	n, err := chain.Notice(compact, r.cfg.Now())
	if err != nil {
		return err
	}
	r.end(n)
	r.save()
	if r.cfg.OnNotice != nil {
		r.cfg.OnNotice(n, compact)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return nil
}

// concerned returns the last verified chain of the subject; known reports that
// the notice, or a later one, was taken before.
func (r *Roster) concerned(n trust.Notice) (chain *trust.Chain, known bool, err error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e, ok := r.ended[n.Subject]; ok && n.Generation <= e.Generation {
		return nil, true, nil
	}
	if e, ok := r.entries[n.Subject]; ok && e.chain != nil {
		return e.chain, false, nil
	}
	// A hub further up: its statement is in the chains of those below.
	if c, ok := r.cfg.Resolver.Cached(n.Subject); ok {
		return c, false, nil
	}
	return nil, false, fmt.Errorf("%s: %w: a notice about somebody unknown", n.Subject, ErrNotMember)
}

// end makes the roster stricter.
func (r *Roster) end(n trust.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[n.Subject] = ended{Generation: n.Generation, Reason: n.Reason, Until: n.Expires.Time()}
	r.cfg.Resolver.Forget(n.Subject)
	for id, e := range r.entries {
		if e.chain == nil || e.verdict.State == StateRevoked {
			continue
		}
		if why, over := r.endedBy(e.chain); over {
			r.judge(id, e, StateRevoked, why)
			r.cfg.Resolver.Forget(id)
			if len(r.queue) < maxMembers {
				r.queue[id] = true // it may be a member again already, with another scope
			}
		}
	}
	r.signal()
}

func (r *Roster) takeQueueSet() map[federation.EntityID]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queue
	r.queue = make(map[federation.EntityID]bool)
	return q
}

func (r *Roster) takeQueue() []federation.EntityID {
	q := r.takeQueueSet()
	out := make([]federation.EntityID, 0, len(q))
	for id := range q {
		out = append(out, id)
	}
	return out
}
