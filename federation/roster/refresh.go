package roster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

const (
	maxMembers  = 20000
	maxAnswer   = 4 << 20 // bytes of a list or of notices
	hubTimeout  = 10 * time.Second
	parallelism = 8
)

// Refresh asks the hub for the list and the notices, and resolves whoever is
// new, was refused before, or has statements of some age. If the hub does not
// answer, everything stays as it is until it expires and the error says so.
func (r *Roster) Refresh(ctx context.Context) error {
	ids, err := r.list(ctx)
	if err != nil {
		return err
	}
	ids[r.cfg.Hub] = true
	for _, issuer := range r.noticeIssuers() {
		for _, compact := range r.notices(ctx, issuer) {
			// Old and foreign ones are expected here; each node judges for itself.
			if err := r.Notice(compact); err != nil {
				r.cfg.Log.Debug("notice ignored", "peer", issuer, "err", err)
			}
		}
	}
	due := r.takeListed(ids)
	for id := range r.takeQueueSet() {
		if !due[id] {
			due[id] = true
		}
	}
	list := make([]federation.EntityID, 0, len(due))
	for id := range due {
		list = append(list, id)
	}
	// The hub first: its chain serves all others.
	if due[r.cfg.Hub] {
		r.resolveAll(ctx, []federation.EntityID{r.cfg.Hub})
	}
	r.resolveAll(ctx, list)
	r.save()
	return ctx.Err()
}

// takeListed drops who is not listed any more and returns who is to be resolved.
func (r *Roster) takeListed(ids map[federation.EntityID]bool) map[federation.EntityID]bool {
	now := r.cfg.Now()
	due := make(map[federation.EntityID]bool)
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for id, e := range r.entries {
		if !ids[id] && e.verdict.State != StateRevoked {
			changed = r.judge(id, e, StateRevoked, "not listed by the hub any more") || changed
			r.cfg.Resolver.Forget(id)
		}
	}
	for id := range ids {
		e := r.entries[id]
		if e == nil || now.Sub(e.tried) >= patience(e.failures) && (e.verdict.State != StateMember || now.Sub(e.verified) >= r.age(e)) {
			due[id] = true
		}
	}
	if changed {
		r.signal()
	}
	return due
}

// age is how old e's statements may become before they are fetched again: half
// their life, at most MemberEvery.
func (r *Roster) age(e *entry) time.Duration {
	return min(r.cfg.MemberEvery, e.chain.Expires.Sub(e.verified)/2)
}

// RefreshMember resolves one entity afresh: after a hint, or when somebody is
// not known yet. Who has another superior than the hub of this roster is not a
// member here.
func (r *Roster) RefreshMember(ctx context.Context, id federation.EntityID) error {
	c, err := r.cfg.Resolver.Fresh(ctx, id)
	err = r.admit(id, c, err)
	if err == nil {
		r.save()
	}
	return err
}

// resolveAll resolves ids, a few at a time.
func (r *Roster) resolveAll(ctx context.Context, ids []federation.EntityID) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallelism)
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c, err := r.cfg.Resolver.Fresh(ctx, id)
			if err := r.admit(id, c, err); err != nil {
				r.cfg.Log.Warn("member not verified", "peer", id, "err", err)
			}
		})
	}
	wg.Wait()
}

// admit judges the outcome of a resolution.
func (r *Roster) admit(id federation.EntityID, c *trust.Chain, err error) error {
	var m federation.Member
	if err == nil {
		m, err = c.Member()
	}
	if err == nil && id != r.cfg.Hub && c.Superior != r.cfg.Hub {
		return fmt.Errorf("%s: %w: its hub is %s", id, ErrNotMember, c.Superior)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[id]
	if e == nil {
		if err != nil && errors.Is(err, trust.ErrNotFound) {
			return fmt.Errorf("%s: %w: %w", id, ErrNotMember, err)
		}
		if len(r.entries) >= maxMembers {
			return fmt.Errorf("%s: %w: more than %d members", id, ErrHub, maxMembers)
		}
		e = &entry{}
		r.entries[id] = e
	}
	if err != nil {
		return r.rejected(id, e, err)
	}
	if why, over := r.endedBy(c); over {
		r.judge(id, e, StateRevoked, why)
		return fmt.Errorf("%s: %w: %s", id, ErrRevoked, why)
	}
	renewed := e.chain == nil || e.member.MarkID != m.MarkID || e.chain.Generation != c.Generation
	e.chain, e.member, e.verified, e.failures = c, m, r.cfg.Now(), 0
	if r.judge(id, e, StateMember, dropped(c)) || renewed {
		r.signal()
	}
	if id == r.cfg.Hub {
		r.obey(c)
	}
	return nil
}

// dropped sums up what was left out of a chain that holds.
func dropped(c *trust.Chain) string {
	for _, s := range c.Steps {
		if s.Verdict == trust.VerdictDropped {
			return "left out: " + s.Rule + ": " + s.Detail
		}
	}
	return ""
}

// rejected keeps a member whose statements could not be renewed until they
// expire, unless its superior denies it or it shows something that does not
// verify. The caller holds mu.
func (r *Roster) rejected(id federation.EntityID, e *entry, err error) error {
	e.failures++
	e.tried = r.cfg.Now()
	unreachable := errors.Is(err, trust.ErrFetch) || errors.Is(err, trust.ErrAddress) || errors.Is(err, trust.ErrLimit) || errors.Is(err, trust.ErrAnchorKeys)
	switch {
	case errors.Is(err, trust.ErrNotFound):
		if r.judge(id, e, StateRevoked, "the hub answers that it is not a member") {
			r.signal()
		}
	case unreachable && e.verdict.State == StateMember && e.chain.Valid(r.cfg.Now()):
		e.verdict.Reason = "not renewed: " + err.Error()
	default:
		// Revoked stays revoked: it is the better reason.
		if e.verdict.State != StateRevoked && r.judge(id, e, StateRefused, err.Error()) {
			r.signal()
		}
		e.verdict.Reason = err.Error()
	}
	return err
}

// endedBy reports whether a notice has ended any membership on the way from
// the leaf to the anchor. The caller holds mu.
func (r *Roster) endedBy(c *trust.Chain) (why string, over bool) {
	for _, s := range c.Statements {
		if n, ok := r.ended[s.Subject]; ok && s.Issuer != s.Subject && s.Generation <= n.Generation {
			if s.Subject == c.Leaf {
				return "notice: " + n.Reason, true
			}
			return "notice about its hub " + string(s.Subject) + ": " + n.Reason, true
		}
	}
	return "", false
}

// list gets the hub's list of members.
func (r *Roster) list(ctx context.Context) (map[federation.EntityID]bool, error) {
	var raw []federation.EntityID
	if err := r.get(ctx, r.cfg.Hub.URL("/federation/list"), &raw); err != nil {
		return nil, err
	}
	if len(raw) > maxMembers {
		return nil, fmt.Errorf("%w: a list of %d members", ErrHub, len(raw))
	}
	ids := make(map[federation.EntityID]bool, len(raw)+1)
	for _, id := range raw {
		ids[id] = true // what is no entity ID will not resolve
	}
	return ids, nil
}

// aboveEvery is at how many refreshes a member asks the hubs above its own,
// too: a revoked hub may not tell its members. A hub asks at every refresh.
const aboveEvery = 5

// noticeIssuers returns whom to ask for notices this time.
func (r *Roster) noticeIssuers() []federation.EntityID {
	issuers := []federation.EntityID{r.cfg.Hub}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refreshes++
	hub := r.entries[r.cfg.Hub]
	if hub == nil || hub.chain == nil || r.cfg.Hub != r.cfg.Self && r.refreshes%aboveEvery != 0 {
		return issuers
	}
	for _, s := range hub.chain.Statements[1:] {
		if !slices.Contains(issuers, s.Issuer) {
			issuers = append(issuers, s.Issuer)
		}
	}
	return issuers
}

// notices gets the notices of a hub; one of another make has none.
func (r *Roster) notices(ctx context.Context, issuer federation.EntityID) []string {
	var out struct {
		Notices []string `json:"notices"`
	}
	if err := r.get(ctx, issuer.URL("/federation/notices"), &out); err != nil {
		r.cfg.Log.Debug("no notices", "peer", issuer, "err", err)
	}
	return out.Notices
}

func (r *Roster) get(ctx context.Context, address string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHub, err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHub, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s answered %d", ErrHub, address, res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHub, err)
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("%w: %s answered more than %d bytes", ErrHub, address, maxAnswer)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrHub, address, err)
	}
	return nil
}
