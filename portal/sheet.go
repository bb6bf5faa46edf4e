package portal

import (
	"bytes"
	"context"
	"errors"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/federation/xzufi"
)

// SheetRequest is a table that was exported from this node's catalogue and
// edited since. It carries the table itself: its file lies where the operator
// works, and the node's user may not read there.
type SheetRequest struct {
	Name  string `json:"name"` // for findings
	Table []byte `json:"table"`
	Apply bool   `json:"apply,omitempty"` // else a dry run
}

// SheetReport says line by line what a table would change or has changed.
type SheetReport struct {
	OK       bool              `json:"ok"` // no line is refused and no gate is closed
	Changes  []sheet.Change    `json:"changes"`
	Findings []catalog.Finding `json:"findings,omitempty"` // about lines of the table
	// ReadOnly says why the table cannot be applied on this node, "" if it can.
	ReadOnly string `json:"read_only,omitempty"`
	// Publication is set if the table was applied.
	Publication *PublishReport `json:"publication,omitempty"`
}

// ApplySheet reads a table against the published catalogue. With Apply the
// result is kept as the node's own source and published, if every line is good
// and every gate is open; refused lines are a result, not an error. A node
// with a configured source refuses Apply with ErrReadOnly.
func (n *Node) ApplySheet(ctx context.Context, r SheetRequest) (SheetReport, error) {
	var rep SheetReport
	if err := n.ownsCatalogue(); err != nil {
		if r.Apply {
			return rep, err
		}
		rep.ReadOnly = err.Error()
	}
	p := n.publisher
	p.mu.Lock()
	defer p.mu.Unlock()
	held, _ := p.held(ctx)
	if held == nil {
		return rep, ErrNothing
	}
	gates, err := n.gates()
	if err != nil {
		return rep, err
	}
	plan, err := sheet.Read(bytes.NewReader(r.Table), r.Name, held, n.now())
	if err != nil {
		return rep, err
	}
	rep.Changes, rep.Findings = plan.Changes, plan.Findings
	if rep.Changes == nil {
		rep.Changes = []sheet.Change{}
	}
	if plan.Next == nil {
		return rep, nil
	}
	next, report, err := xzufi.Import(held, batchOf(plan, r.Name), xzufi.ImportOptions{Member: n.cfg.Entity, Gates: gates})
	for _, f := range report.Findings {
		if f.Line > 0 || f.Severity != catalog.Warn {
			rep.Findings = append(rep.Findings, f)
		}
	}
	if errors.Is(err, xzufi.ErrBlocked) || errors.Is(err, xzufi.ErrInvalid) {
		return rep, nil
	}
	if err != nil {
		return rep, err
	}
	rep.OK = true
	if !r.Apply {
		return rep, nil
	}
	publication := p.now()
	rep.Publication = &publication
	return rep, p.take(ctx, next, false, true, &publication)
}

// batchOf is the catalogue after the table, with the lines of the table where
// it has changed an offer: what a gate says about it names the line.
func batchOf(plan *sheet.Plan, file string) *xzufi.Batch {
	lines := map[catalog.ID]int{}
	for _, c := range plan.Changes {
		lines[c.ID] = c.Line
	}
	b := xzufi.BatchOf(plan.Next, file)
	for i := range b.Records {
		if b.Records[i].Klasse == xzufi.Leistung {
			b.Records[i].Line = lines[b.Records[i].ID]
		}
	}
	return b
}
