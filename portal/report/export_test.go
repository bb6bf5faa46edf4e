package report

import "context"

// DeliverWaiting is one round of Run.
func (d *Desk) DeliverWaiting(ctx context.Context) { d.deliverWaiting(ctx) }
