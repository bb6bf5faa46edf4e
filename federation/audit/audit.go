package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// ErrBroken is wrapped when the trail is not as it was written.
var ErrBroken = errors.New("audit: trail broken")

// Config says where a trail is kept and who signs its end. All fields but Now
// are required.
type Config struct {
	Self   federation.EntityID
	Keys   func() *trust.Keys // as they hold now; called for each signature
	Store  store.Store
	Prefix string           // of the keys in Store, without a slash at the end
	Now    func() time.Time // nil: time.Now
}

// Trail is one audit trail. It is safe for concurrent use and by several
// replicas over one store.
type Trail struct{ cfg Config }

// New returns the trail kept below cfg.Prefix. It does no I/O.
func New(cfg Config) *Trail {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Trail{cfg: cfg}
}

// Record is one entry of the audit trail.
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

const typeHead = "audit-head+jwt"

func (t *Trail) key(seq uint64) string { return fmt.Sprintf("%s/%020d", t.cfg.Prefix, seq) }

func (t *Trail) head() string { return t.cfg.Prefix + "-head" }

// Note appends to the audit trail: also what happened elsewhere in the node.
// Creating the record under its number is the one atomic step, so replicas
// append in one order.
func (t *Trail) Note(ctx context.Context, by, action, subject, reason string) error {
	seq, digest, err := t.end(ctx)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	for range 1000 {
		rec := Record{
			Seq: seq + 1, At: t.cfg.Now().UTC(), By: short(by), Action: short(action),
			Subject: short(subject), Reason: short(reason), Previous: digest,
		}
		b, err := json.Marshal(rec)
		if err != nil {
			return fmt.Errorf("audit %s: %w", action, err)
		}
		err = t.cfg.Store.Create(ctx, t.key(rec.Seq), b, 0)
		if err == nil {
			return t.moveHead(ctx, rec.Seq, federation.Sum(b))
		}
		if !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("audit %s: %w", action, err)
		}
		// Somebody else was faster: go behind it.
		b, err = t.cfg.Store.Get(ctx, t.key(rec.Seq))
		if err != nil {
			return fmt.Errorf("audit %s: %w", action, err)
		}
		seq, digest = rec.Seq, federation.Sum(b)
	}
	return fmt.Errorf("audit %s: %w: no free number", action, ErrBroken)
}

// short bounds what goes into a record.
func short(s string) string {
	const most = 400
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// end returns the last number and digest that the head names; zero for an
// empty trail.
func (t *Trail) end(ctx context.Context) (uint64, federation.Digest, error) {
	b, err := t.cfg.Store.Get(ctx, t.head())
	if errors.Is(err, store.ErrNotFound) {
		return 0, federation.Digest{}, nil
	}
	if err != nil {
		return 0, federation.Digest{}, err
	}
	h, err := t.readHead(string(b))
	return h.Seq, h.Digest, err
}

func (t *Trail) readHead(compact string) (head, error) {
	var h head
	keys := t.cfg.Keys()
	token, err := trust.Open(compact, typeHead, keys.FederationJWKS())
	if errors.Is(err, trust.ErrUnknownKey) {
		token, err = trust.AuditVerify(compact, typeHead, keys.History)
	}
	if err != nil {
		return h, fmt.Errorf("%w: head: %w", ErrBroken, err)
	}
	if err := token.Into(&h); err != nil || h.Issuer != t.cfg.Self {
		return h, fmt.Errorf("%w: head is of somebody else", ErrBroken)
	}
	return h, nil
}

// moveHead signs the new end unless another replica has gone further.
func (t *Trail) moveHead(ctx context.Context, seq uint64, digest federation.Digest) error {
	keys := t.cfg.Keys()
	if keys == nil || len(keys.Federation) == 0 {
		return fmt.Errorf("%w: no key to sign the end with", ErrBroken)
	}
	compact, err := trust.Sign(keys.Federation[0], typeHead, head{Issuer: t.cfg.Self, IssuedAt: trust.At(t.cfg.Now()), Seq: seq, Digest: digest})
	if err != nil {
		return err
	}
	return t.cfg.Store.Update(ctx, t.head(), func(old []byte) ([]byte, time.Duration, error) {
		if old != nil {
			if h, err := t.readHead(string(old)); err == nil && h.Seq > seq {
				return old, 0, nil
			}
		}
		return []byte(compact), 0, nil
	})
}

// Read returns up to limit records from number seq on, oldest first.
func (t *Trail) Read(ctx context.Context, seq uint64, limit int) ([]Record, error) {
	var out []Record
	var broken error
	err := t.cfg.Store.Scan(ctx, t.cfg.Prefix+"/", func(key string, b []byte) bool {
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

// Verify checks the whole chain against its signed end and returns the
// number of records. A record that was removed, changed or added outside wraps
// ErrBroken and names its number.
func (t *Trail) Verify(ctx context.Context) (uint64, error) {
	end, endDigest, err := t.end(ctx)
	if err != nil {
		return 0, err
	}
	var n uint64
	var previous federation.Digest
	var broken error
	err = t.cfg.Store.Scan(ctx, t.cfg.Prefix+"/", func(key string, b []byte) bool {
		var rec Record
		switch jerr := json.Unmarshal(b, &rec); {
		case jerr != nil:
			broken = fmt.Errorf("%w: record %d is not readable", ErrBroken, n+1)
		case key != t.key(n+1) || rec.Seq != n+1:
			broken = fmt.Errorf("%w: record %d is missing", ErrBroken, n+1)
		case rec.Previous != previous:
			broken = fmt.Errorf("%w: record %d was changed", ErrBroken, n)
		}
		if broken != nil {
			return false
		}
		n, previous = n+1, federation.Sum(b)
		if n == end && previous != endDigest {
			broken = fmt.Errorf("%w: record %d was changed", ErrBroken, n)
		}
		return broken == nil
	})
	if err := errors.Join(err, broken); err != nil {
		return n, err
	}
	if n > 1 && end == 0 {
		return n, fmt.Errorf("%w: the signed end is missing", ErrBroken)
	}
	if n < end {
		return n, fmt.Errorf("%w: records %d to %d are missing at the end", ErrBroken, n+1, end)
	}
	return n, nil
}
