package portal

import (
	"context"
	"errors"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/office"
	"rathausnetz/portal/visits"
)

// maxImportFindings is how many findings of an import the pages show.
const maxImportFindings = 200

// Imported is what became of the last import or publication.
type Imported struct {
	At       time.Time
	Err      error // nil: it was good
	Report   PublishReport
	Findings []catalog.Finding // at most 200, the worst first
	More     int
}

// noteImport keeps what the operator pages tell of the last import. One that
// found nothing to do because nothing is configured is none.
func (n *Node) noteImport(r PublishRequest, rep PublishReport, err error) {
	if r.DryRun || errors.Is(err, ErrNoSource) {
		return
	}
	in := &Imported{At: n.now(), Err: err, Report: rep}
	if rep.Import != nil {
		for _, severity := range []catalog.Severity{catalog.Invalid, catalog.Block, catalog.Warn} {
			for _, f := range rep.Import.Findings {
				switch {
				case f.Severity != severity:
				case len(in.Findings) < maxImportFindings:
					in.Findings = append(in.Findings, f)
				default:
					in.More++
				}
			}
		}
	}
	n.imported.Store(in)
}

func (n *Node) openVisits() error {
	n.visits = visits.New(n.store, n.now, n.log)
	return nil
}

// officeSections are the pages for the editors of this node.
func (n *Node) officeSections() []admin.Section {
	o := office.New(office.Config{
		Self: n.cfg.Entity, Home: n.began.Home, Directory: n.directory, Register: n.register, Catalogue: n.published, Loopback: n.cfg.LoopbackHTTP,
		Gates: n.gates, Links: n.links, Reports: n.reports, Visits: n.visits, Brand: n.branding, Web: n.web, Store: n.store,
		Blocked: &n.blocks.list, Members: func() []federation.Member { return members{n}.Members() }, Hub: n.hub,
		Table: n.officeTable, Import: n.officeImport, ImportNow: n.officeImportNow, Now: n.now, Log: n.log,
	})
	return o.Sections()
}

func (n *Node) officeTable(ctx context.Context, name string, table []byte, apply bool) (office.Table, error) {
	rep, err := n.ApplySheet(ctx, SheetRequest{Name: name, Table: table, Apply: apply})
	out := office.Table{OK: rep.OK, Changes: rep.Changes, Findings: rep.Findings, ReadOnly: rep.ReadOnly != ""}
	if rep.Publication != nil {
		out.Serial = rep.Publication.Serial
	}
	if errors.Is(err, ErrNothing) {
		err = office.ErrNothing
	}
	return out, err
}

func (n *Node) officeImport() office.Import {
	cfg := n.current().cfg.Catalog
	out := office.Import{Source: cfg.Source, Every: cfg.Every}
	if in := n.imported.Load(); in != nil {
		out.At, out.Err, out.Findings, out.More = in.At, in.Err, in.Findings, in.More
		out.Published, out.Serial, out.Offers, out.Diff = in.Report.Published, in.Report.Serial, in.Report.Offers, in.Report.Diff
	}
	return out
}

func (n *Node) officeImportNow(ctx context.Context) error {
	_, err := n.Publish(ctx, PublishRequest{})
	switch {
	case errors.Is(err, ErrNoSource):
		return office.ErrNothing
	case errors.Is(err, ErrGates):
		return nil // the page shows the findings
	}
	return err
}
