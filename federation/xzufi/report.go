package xzufi

import (
	"maps"
	"slices"

	"rathausnetz/federation/catalog"
)

// maxFindings bounds a report: a hostile file could otherwise fill memory
// with complaints about itself.
const maxFindings = 2000

// Report says what an import has read and done.
type Report struct {
	Files    []string          `json:"files"`
	Bytes    int64             `json:"bytes"`
	Read     map[Klasse]int    `json:"read"`              // schreibe, by class
	Written  int               `json:"written"`           // records that are new or differ
	Deleted  int               `json:"deleted"`           // records that are gone
	Skipped  map[string]int    `json:"skipped,omitempty"` // elements that were not understood, by name
	Orphans  []catalog.ID      `json:"orphans,omitempty"` // records without the record they belong to
	Findings []catalog.Finding `json:"findings,omitempty"`
	Omitted  int               `json:"omitted,omitempty"` // findings beyond the first 2,000
}

func (r *Report) read(k Klasse) {
	if r.Read == nil {
		r.Read = map[Klasse]int{}
	}
	r.Read[k]++
}

func (r *Report) skip(name string) {
	if r.Skipped == nil {
		r.Skipped = map[string]int{}
	}
	if _, ok := r.Skipped[name]; !ok && len(r.Skipped) >= 500 {
		name = "…"
	}
	r.Skipped[name]++
}

func (r *Report) find(f catalog.Finding) {
	// What stops the import is said even after many warnings.
	if n := len(r.Findings); n >= 2*maxFindings || (n >= maxFindings && f.Severity == catalog.Warn) {
		r.Omitted++
		return
	}
	r.Findings = append(r.Findings, f)
}

// SkippedNames returns the names of Skipped in order.
func (r *Report) SkippedNames() []string { return slices.Sorted(maps.Keys(r.Skipped)) }

// add takes over what another report says: of a file that was read aside.
func (r *Report) add(o *Report) {
	r.Files = append(r.Files, o.Files...)
	r.Bytes += o.Bytes
	for k, n := range o.Read {
		if r.Read == nil {
			r.Read = map[Klasse]int{}
		}
		r.Read[k] += n
	}
	for _, name := range o.SkippedNames() {
		for range o.Skipped[name] {
			r.skip(name)
		}
	}
	for _, f := range o.Findings {
		r.find(f)
	}
	r.Orphans = append(r.Orphans, o.Orphans...)
	r.Omitted += o.Omitted
}
