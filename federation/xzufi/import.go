package xzufi

import (
	"errors"
	"fmt"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// Errors of Import. The report holds the findings behind them.
var (
	ErrInvalid    = errors.New("xzufi: the catalogue would be invalid")
	ErrBlocked    = errors.New("xzufi: a publish gate is closed")
	ErrMassDelete = errors.New("xzufi: the import would delete more than a fifth of the stock")
)

// ImportOptions say how a batch changes a catalogue.
type ImportOptions struct {
	Member federation.EntityID // whose catalogue it is; used if there is no current one
	// Update keeps what the batch does not mention. Without it the batch is
	// the whole catalogue, and what it does not mention goes.
	Update bool
	// AllowMassDelete lets more than 20 % of the offers or units go.
	AllowMassDelete bool
	// Gates, if set, must be open as well.
	Gates *catalog.GateInput
}

// Import applies a batch to the current catalogue, which may be nil, and
// returns a new one with the same serial; current is not changed. It is all
// or nothing: with an error no catalogue is returned. The error wraps
// ErrEmpty, ErrInvalid, ErrBlocked or ErrMassDelete. The report is returned
// in every case, the batch's own included. [DESIGN §8]
func Import(current *catalog.Catalogue, b *Batch, opt ImportOptions) (*catalog.Catalogue, *Report, error) {
	rep := &Report{}
	rep.add(&b.Report)
	if len(b.Records) == 0 {
		return nil, rep, fmt.Errorf("%w: nothing was changed", ErrEmpty)
	}
	member, serial := opt.Member, uint64(0)
	if current != nil {
		member, serial = current.Member, current.Serial
	}
	var base *catalog.Catalogue
	if opt.Update && current != nil {
		base = current.Clone()
	}
	s := explode(base, rep)
	s.apply(b)
	next := s.assemble(member, serial)
	findings := catalog.Validate(next)
	if opt.Gates != nil {
		findings = append(findings, catalog.Gates(next, *opt.Gates)...)
	}
	invalid, blocked := s.locate(findings)
	removed, stock, exceeded := catalog.MassDelete(current, next)
	d := catalog.Compare(current, next)
	rep.Deleted = len(d.Offers.Removed) + len(d.Units.Removed) + len(d.Delegations.Removed)
	for _, c := range []catalog.Changes{d.Offers, d.Units, d.Delegations} {
		rep.Written += len(c.Added) + len(c.Changed)
	}
	switch {
	case invalid > 0:
		return nil, rep, fmt.Errorf("%w: %d findings, nothing was changed", ErrInvalid, invalid)
	case blocked > 0:
		return nil, rep, fmt.Errorf("%w: %d findings, nothing was changed", ErrBlocked, blocked)
	case exceeded && !opt.AllowMassDelete:
		return nil, rep, fmt.Errorf("%w: %d of %d records, nothing was changed", ErrMassDelete, removed, stock)
	}
	return next, rep, nil
}

// locate adds findings about the result to the report, with the file and line
// their record came from, and counts those that stop the import.
func (s *state) locate(list []catalog.Finding) (invalid, blocked int) {
	for _, f := range list {
		for _, k := range [...]Klasse{Leistung, Spezialisierung, Organisationseinheit, Zustaendigkeit} {
			if r, ok := s.records[key{k, f.Record}]; ok {
				f.File, f.Line = r.File, r.Line
				break
			}
		}
		switch f.Severity {
		case catalog.Invalid:
			invalid++
		case catalog.Block:
			blocked++
		case catalog.Warn:
		}
		s.rep.find(f)
	}
	return invalid, blocked
}
