package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// catchUpTime bounds CatchUp: a node must not wait long for others before it
// publishes.
const catchUpTime = 5 * time.Second

// OwnCopy returns what Self has published, as its membership judges it now.
// Unlike Copy it does not depend on how far Run is.
func (m *Mirror) OwnCopy(ctx context.Context) (Copy, error) {
	if err := m.Load(ctx); err != nil {
		return Copy{}, err
	}
	m.judge(m.cfg.Self)
	c, _ := m.Copy(m.cfg.Self)
	return c, nil
}

// CatchUp asks some others what they hold of Self and takes over what is newer
// than what is held here. After a restore from a backup this keeps a member
// from sealing a serial a second time, which everybody would have to take for
// an equivocation. It returns nil if somebody has answered, and an error that
// wraps ErrEquivocates if it is too late.
func (m *Mirror) CatchUp(ctx context.Context) error {
	if err := m.Load(ctx); err != nil {
		return err
	}
	m.judge(m.cfg.Self)
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	var faults []error
	answered := false
	for _, source := range m.sources(m.cfg.Self)[1:] {
		err := m.pullFrom(ctx, source, m.cfg.Self, nil)
		switch {
		case errors.Is(err, ErrEquivocates):
			return fmt.Errorf("catch up: %w", err)
		case err == nil, errors.Is(err, ErrRollback), errors.Is(err, errStatus): // holds the same, something older, or nothing
			answered = true
		default:
			faults = append(faults, err)
		}
	}
	if answered || len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("catch up: %w", errors.Join(faults...))
}
