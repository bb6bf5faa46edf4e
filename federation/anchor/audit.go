package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Record is one entry of the audit trail. It names operators, members and
// reasons; never codes, tokens or citizens.
type Record struct {
	Seq      uint64            `json:"seq"`
	At       time.Time         `json:"at"`
	By       string            `json:"by"`
	Action   string            `json:"action"`
	Subject  string            `json:"subject,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Previous federation.Digest `json:"prev"` // of the record before, zero for the first
}

// head is the signed end of the trail: without it the last records could be
// cut off unseen. It may lag behind by what is being written right now.
type head struct {
	Issuer   federation.EntityID `json:"iss"`
	IssuedAt trust.Seconds       `json:"iat"`
	Seq      uint64              `json:"seq"`
	Digest   federation.Digest   `json:"digest"`
}

const (
	auditPrefix = "anchor/audit/"
	auditHead   = "anchor/audit-head"
	typeHead    = "audit-head+jwt"
)

func auditKey(seq uint64) string { return fmt.Sprintf("%s%020d", auditPrefix, seq) }

// Note appends to the audit trail: also what happened elsewhere in the node.
// Creating the record under its number is the one atomic step, so replicas
// append in one order.
func (a *Anchor) Note(ctx context.Context, by, action, subject, reason string) error {
	seq, digest, err := a.end(ctx)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	for range 1000 {
		rec := Record{
			Seq: seq + 1, At: a.cfg.Now().UTC(), By: short(by), Action: short(action),
			Subject: short(subject), Reason: short(reason), Previous: digest,
		}
		b, err := json.Marshal(rec)
		if err != nil {
			return fmt.Errorf("audit %s: %w", action, err)
		}
		err = a.cfg.Store.Create(ctx, auditKey(rec.Seq), b, 0)
		if err == nil {
			return a.moveHead(ctx, rec.Seq, federation.Sum(b))
		}
		if !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("audit %s: %w", action, err)
		}
		// Somebody else was faster: go behind it.
		b, err = a.cfg.Store.Get(ctx, auditKey(rec.Seq))
		if err != nil {
			return fmt.Errorf("audit %s: %w", action, err)
		}
		seq, digest = rec.Seq, federation.Sum(b)
	}
	return fmt.Errorf("audit %s: %w: no free number", action, ErrAudit)
}

// short bounds what goes into a record.
func short(s string) string {
	const most = 400
	if len(s) > most {
		return s[:most]
	}
	return s
}

// end returns the last number and digest that the head names; zero for an
// empty trail.
func (a *Anchor) end(ctx context.Context) (uint64, federation.Digest, error) {
	b, err := a.cfg.Store.Get(ctx, auditHead)
	if errors.Is(err, store.ErrNotFound) {
		return 0, federation.Digest{}, nil
	}
	if err != nil {
		return 0, federation.Digest{}, err
	}
	h, err := a.readHead(string(b))
	return h.Seq, h.Digest, err
}

func (a *Anchor) readHead(compact string) (head, error) {
	var h head
	keys := a.cfg.Keys()
	t, err := trust.Open(compact, typeHead, keys.FederationJWKS())
	if errors.Is(err, trust.ErrUnknownKey) {
		t, err = trust.AuditVerify(compact, typeHead, keys.History)
	}
	if err != nil {
		return h, fmt.Errorf("%w: head: %w", ErrAudit, err)
	}
	if err := t.Into(&h); err != nil || h.Issuer != a.cfg.Self {
		return h, fmt.Errorf("%w: head is not of this hub", ErrAudit)
	}
	return h, nil
}

// moveHead signs the new end unless another replica has gone further.
func (a *Anchor) moveHead(ctx context.Context, seq uint64, digest federation.Digest) error {
	key, err := a.signer()
	if err != nil {
		return err
	}
	compact, err := trust.Sign(key, typeHead, head{Issuer: a.cfg.Self, IssuedAt: trust.At(a.cfg.Now()), Seq: seq, Digest: digest})
	if err != nil {
		return err
	}
	return a.cfg.Store.Update(ctx, auditHead, func(old []byte) ([]byte, time.Duration, error) {
		if old != nil {
			if h, err := a.readHead(string(old)); err == nil && h.Seq > seq {
				return old, 0, nil
			}
		}
		return []byte(compact), 0, nil
	})
}

// Audit returns up to limit records from number seq on, oldest first.
func (a *Anchor) Audit(ctx context.Context, seq uint64, limit int) ([]Record, error) {
	var out []Record
	var broken error
	err := a.cfg.Store.Scan(ctx, auditPrefix, func(key string, b []byte) bool {
		var rec Record
		if broken = json.Unmarshal(b, &rec); broken != nil {
			return false
		}
		if rec.Seq >= seq {
			out = append(out, rec)
		}
		return len(out) < limit
	})
	if err := errors.Join(err, broken); err != nil {
		return nil, fmt.Errorf("audit trail: %w", err)
	}
	return out, nil
}

// VerifyAudit checks the whole chain against its signed end and returns the
// number of records. A record that was removed, changed or added outside wraps
// ErrAudit and names its number.
func (a *Anchor) VerifyAudit(ctx context.Context) (uint64, error) {
	end, endDigest, err := a.end(ctx)
	if err != nil {
		return 0, err
	}
	var n uint64
	var previous federation.Digest
	var broken error
	err = a.cfg.Store.Scan(ctx, auditPrefix, func(key string, b []byte) bool {
		var rec Record
		switch jerr := json.Unmarshal(b, &rec); {
		case jerr != nil:
			broken = fmt.Errorf("%w: record %d is not readable", ErrAudit, n+1)
		case key != auditKey(n+1) || rec.Seq != n+1:
			broken = fmt.Errorf("%w: record %d is missing", ErrAudit, n+1)
		case rec.Previous != previous:
			broken = fmt.Errorf("%w: record %d was changed", ErrAudit, n)
		}
		if broken != nil {
			return false
		}
		n, previous = n+1, federation.Sum(b)
		if n == end && previous != endDigest {
			broken = fmt.Errorf("%w: record %d was changed", ErrAudit, n)
		}
		return broken == nil
	})
	if err := errors.Join(err, broken); err != nil {
		return n, err
	}
	if n > 1 && end == 0 {
		return n, fmt.Errorf("%w: the signed end is missing", ErrAudit)
	}
	if n < end {
		return n, fmt.Errorf("%w: records %d to %d are missing at the end", ErrAudit, n+1, end)
	}
	return n, nil
}
