package anchor

import (
	"context"

	"rathausnetz/federation/audit"
)

// Record is one entry of the audit trail.
type Record = audit.Record

// Trail is the hub's audit trail.
func (a *Anchor) Trail() *audit.Trail { return a.trail }

// Note appends to the audit trail: also what happened elsewhere in the node.
func (a *Anchor) Note(ctx context.Context, by, action, subject, reason string) error {
	return a.trail.Note(ctx, by, action, subject, reason)
}

// Audit returns up to limit records from number seq on, oldest first.
func (a *Anchor) Audit(ctx context.Context, seq uint64, limit int) ([]Record, error) {
	return a.trail.Read(ctx, seq, limit)
}

// VerifyAudit checks the whole chain against its signed end and returns the
// number of records. A record that was removed, changed or added outside wraps
// ErrAudit and names its number.
func (a *Anchor) VerifyAudit(ctx context.Context) (uint64, error) { return a.trail.Verify(ctx) }
