package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation"
)

// Errors of plans.
var (
	ErrPlanDay = errors.New("anchor: a plan is for a day to come, within ten years")
	ErrNoPlan  = errors.New("anchor: nothing is planned for this member")
)

// Plan is a grant that replaces the present one on a day: a responsibility is
// handed over, or municipalities merge. Everybody learns it beforehand, because
// it stands in the member's mark; nobody has to be awake when the day begins.
type Plan struct {
	federation.Planned
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	Made   time.Time `json:"made"`
}

const (
	plansEvery  = 30 * time.Second // how often Run looks for what is due
	furthestDay = 10 * 366 * 24 * time.Hour
)

// day is midnight UTC of t, as the directory counts days.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Plan says what a member may claim from a day on (midnight UTC). An empty
// scope takes everything away. A former plan for the member is replaced.
// Errors: ErrPlanDay, ErrScope, ErrState, ErrNotMember.
func (a *Anchor) Plan(ctx context.Context, by string, id federation.EntityID, p federation.Planned, reason string) error {
	now := a.cfg.Now()
	p.From = day(p.From)
	if !p.From.After(now) || p.From.After(now.Add(furthestDay)) {
		return fmt.Errorf("plan %s: %w", id, ErrPlanDay)
	}
	if err := a.within(p.Scope); err != nil {
		return fmt.Errorf("plan %s: %w", id, err)
	}
	text := p.From.Format(time.DateOnly) + ": " + scopeText(p.Scope)
	if reason != "" {
		text = reason + ", " + text
	}
	return a.regrant(ctx, by, "plan", id, text, func(m *Member) error {
		if m.State != StateActive {
			return fmt.Errorf("%w: plan, is %s", ErrState, m.State)
		}
		m.Next = &Plan{Planned: p, By: by, Reason: short(reason), Made: now.UTC()}
		return nil
	})
}

// Unplan takes a plan back. Errors: ErrNoPlan, ErrNotMember.
func (a *Anchor) Unplan(ctx context.Context, by string, id federation.EntityID) error {
	return a.regrant(ctx, by, "unplan", id, "", func(m *Member) error {
		if m.Next == nil {
			return fmt.Errorf("%s: %w", id, ErrNoPlan)
		}
		m.Next = nil
		return nil
	})
}

// CarryOut makes the grants of all plans whose day has begun the present ones.
// Run does it by itself; a plan missed while the hub was down is made up for.
func (a *Anchor) CarryOut(ctx context.Context) error {
	all, err := a.List(ctx, Filter{})
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range all {
		if m.Next == nil || a.cfg.Now().Before(m.Next.From) || m.State == StateRevoked || m.State == StateRefused {
			continue
		}
		by, text := m.Next.By, "as planned on "+m.Next.Made.Format(time.DateOnly)+": "+scopeText(m.Next.Scope)
		err := a.regrant(ctx, by, "plan-done", m.ID, text, func(m *Member) error {
			if m.Next == nil || a.cfg.Now().Before(m.Next.From) { // another replica was faster, or it was taken back
				return fmt.Errorf("%s: %w", m.ID, ErrNoPlan)
			}
			m.Scope, m.Next, m.By, m.Decided = m.Next.Scope, nil, by, a.cfg.Now().UTC()
			return nil
		})
		if err != nil && !errors.Is(err, ErrNoPlan) {
			errs = append(errs, err)
			continue
		}
		a.cfg.Log.Info("planned grant is in force", "peer", m.ID)
	}
	return errors.Join(errs...)
}
