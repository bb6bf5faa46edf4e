package anchor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Report is what one member has seen of another: two documents with one
// serial, an older serial, a claim outside the scope. The hub decides nothing
// by it; an operator does, and the audit trail shows it.
type Report struct {
	Subject federation.EntityID `json:"sub"`
	Kind    string              `json:"kind"`             // e.g. equivocation, replay, scope
	Reason  string              `json:"reason,omitempty"` // one sentence
	// Evidence are sealed documents of the subject, in their compact form with
	// the typ EvidenceType, at most four.
	Evidence     []string `json:"evidence,omitempty"`
	EvidenceType string   `json:"evidence_type,omitempty"`
}

const (
	maxReport     = 400 << 10 // bytes
	maxEvidence   = 4
	sameReportFor = 24 * time.Hour // a repetition is not written down again
)

// Report tells the hub what this member has seen of another.
func (c *Client) Report(ctx context.Context, t Ticket, r Report) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	_, err := c.post(ctx, t, pathReports, typeReport, requestClaims{Report: &r})
	return err
}

// serveReport takes a report of an active member about another one.
func (a *Anchor) serveReport(w http.ResponseWriter, r *http.Request) error {
	t, c, err := a.readRequest(w, r, maxReport, typeReport)
	if err != nil {
		return err
	}
	m, err := a.known(r.Context(), t, c)
	if err != nil {
		return err
	}
	if m.State != StateActive {
		return fmt.Errorf("%s is %s: %w", m.ID, m.State, ErrNotMember)
	}
	if c.Report == nil || c.Report.Kind == "" || len(c.Report.Kind) > 40 || len(c.Report.Evidence) > maxEvidence {
		return fmt.Errorf("%w: a report needs a kind and at most %d documents", ErrRequest, maxEvidence)
	}
	subject, err := a.Show(r.Context(), c.Report.Subject)
	if err != nil {
		return err
	}
	if err := a.noteReport(r.Context(), m, subject, *c.Report); err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, map[string]bool{"noted": true})
	return nil
}

// noteReport writes a report into the audit trail, once a day for the same.
// It says of each document whether the subject's keys verify it: a report with
// genuine documents proves itself.
func (a *Anchor) noteReport(ctx context.Context, by, subject Member, r Report) error {
	sum := sha256.New()
	for _, s := range append([]string{string(by.ID), string(subject.ID), r.Kind}, r.Evidence...) {
		fmt.Fprintf(sum, "%d %s\n", len(s), s)
	}
	err := a.cfg.Store.Create(ctx, "anchor/report/"+hex.EncodeToString(sum.Sum(nil)), []byte{1}, sameReportFor)
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	if err != nil {
		return err
	}
	genuine := 0
	for _, e := range r.Evidence {
		if _, err := trust.Open(e, r.EvidenceType, subject.Keys); err == nil {
			genuine++
		}
	}
	a.cfg.Log.Warn("member reported", "peer", subject.ID, "kind", r.Kind)
	return a.Note(ctx, string(by.ID), "report-"+r.Kind, string(subject.ID),
		fmt.Sprintf("%s (%d of %d documents signed by the member)", r.Reason, genuine, len(r.Evidence)))
}
