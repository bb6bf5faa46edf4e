package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

const (
	outPrefix = "report/out/"
	inPrefix  = "report/in/"
)

// sent is a remark as the portal where it was written keeps it.
type sent struct {
	Remark
	Reference string    `json:"reference"`
	Written   time.Time `json:"written"`
	Delivered bool      `json:"delivered"`
	Tries     int       `json:"tries"`
	Next      time.Time `json:"next,omitzero"`
}

// Send takes a remark to its owner and returns its reference, and whether the
// owner has it already; otherwise it is kept and tried again. visitor is the
// address of whoever wrote it, for the allowance only: it is not kept.
func (d *Desk) Send(ctx context.Context, visitor string, r Remark) (reference string, delivered bool, err error) {
	r.Text = strings.TrimSpace(r.Text)
	s := sent{Remark: r, Reference: newReference(), Written: d.c.Now()}
	if n := utf8.RuneCountInString(r.Text); n == 0 || n > maxText {
		return "", false, fmt.Errorf("%w: %d characters", ErrTooLarge, n)
	}
	if b, err := json.Marshal(d.claims(s)); err != nil || len(b) > MaxClaims {
		return "", false, errors.Join(ErrTooLarge, err)
	}
	if !d.visitors.Take(visitor) {
		return "", false, ErrBusy
	}
	if r.Owner == d.c.Self {
		return s.Reference, true, d.keep(ctx, Entry{Reference: s.Reference, From: d.c.Self, Offer: r.Offer, Text: r.Text})
	}
	if _, err := d.c.Keys(r.Owner); err != nil {
		return "", false, fmt.Errorf("%w: %s: %w", ErrNotMember, r.Owner, err)
	}
	if n, err := d.waiting(ctx); err != nil || n >= maxWaiting {
		return "", false, errors.Join(ErrBusy, err)
	}
	s.Next = d.c.Now().Add(sendWithin)
	if err := d.put(ctx, s); err != nil { // before it is sent: it must not get lost
		return "", false, err
	}
	s = d.try(ctx, s)
	if !s.Delivered {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
	return s.Reference, s.Delivered, d.put(ctx, s)
}

// StateOf says how far a remark is that was written here, and what its owner
// answers. The owner is asked for the state of a delivered one.
func (d *Desk) StateOf(ctx context.Context, reference string) (State, string, error) {
	if !references.MatchString(reference) {
		return "", "", ErrUnknown
	}
	if e, err := d.entry(ctx, reference); err == nil {
		return e.State, e.Answer, nil
	}
	b, err := d.c.Store.Get(ctx, outPrefix+reference)
	if errors.Is(err, store.ErrNotFound) {
		return "", "", ErrUnknown
	}
	var s sent
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return "", "", err
	}
	if _, err := d.c.Keys(s.Owner); err != nil { // revoked since: nobody is asked who is not believed
		return Left, "", nil
	}
	if !s.Delivered {
		return Waiting, "", nil
	}
	return d.ask(ctx, s.Owner, reference)
}

// ask asks the owner of a remark for its state.
func (d *Desk) ask(ctx context.Context, owner federation.EntityID, reference string) (State, string, error) {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, owner.URL(Path)+"?reference="+url.QueryEscape(reference), nil)
	if err != nil {
		return "", "", err
	}
	resp, err := d.c.HTTP.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	var a told
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return "", "", ErrUnknown
	case resp.StatusCode != http.StatusOK:
		return "", "", fmt.Errorf("report: %s answers %d", owner, resp.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, MaxClaims)).Decode(&a); err != nil {
		return "", "", fmt.Errorf("report: %s: %w", owner, err)
	}
	if a.State != Open && a.State != Done {
		return "", "", fmt.Errorf("report: %s answers with an unknown state", owner)
	}
	return a.State, short(a.Answer), nil
}

// short bounds what another member answers.
func short(s string) string {
	if r := []rune(s); len(r) > maxAnswer {
		return string(r[:maxAnswer])
	}
	return s
}

func (d *Desk) claims(s sent) claims {
	return claims{Issuer: d.c.Self, Audience: s.Owner, ID: newReference(), Reference: s.Reference, Offer: s.Offer, Text: s.Text}
}

// try sends once and notes what became of it.
func (d *Desk) try(ctx context.Context, s sent) sent {
	err := d.post(ctx, Path, typeReport, d.claims(s))
	if err == nil {
		s.Delivered, s.Next = true, time.Time{}
		return s
	}
	wait := min(firstRetry<<min(s.Tries, 20), lastRetry)
	s.Tries++
	s.Next = d.c.Now().Add(wait)
	d.c.Log.Info("remark waits", "peer", s.Owner, "tries", s.Tries, "err", err)
	return s
}

// post signs c for its audience and sends it.
func (d *Desk) post(ctx context.Context, path, typ string, c claims) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	now := d.c.Now()
	c.IssuedAt, c.Expires = now.Unix(), now.Add(messageFor).Unix()
	compact, err := trust.Sign(d.c.Key(), typ, c)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Audience.URL(path), bytes.NewReader([]byte(compact)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/"+typ)
	resp, err := d.c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, MaxClaims)) // so that the connection can serve again
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("report: %s answers %d", c.Audience, resp.StatusCode)
	}
	return nil
}

func (d *Desk) put(ctx context.Context, s sent) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	ttl := keepSent
	if !s.Delivered {
		ttl = max(tryFor-d.c.Now().Sub(s.Written), time.Second)
	}
	return d.c.Store.Put(ctx, outPrefix+s.Reference, b, ttl)
}

func (d *Desk) each(ctx context.Context, do func(sent)) error {
	return d.c.Store.Scan(ctx, outPrefix, func(_ string, b []byte) bool {
		var s sent
		if json.Unmarshal(b, &s) == nil {
			do(s)
		}
		return ctx.Err() == nil
	})
}

func (d *Desk) waiting(ctx context.Context) (n int, err error) {
	err = d.each(ctx, func(s sent) {
		if !s.Delivered {
			n++
		}
	})
	return n, err
}

// deliverWaiting tries what is due and says when to look again.
func (d *Desk) deliverWaiting(ctx context.Context) time.Duration {
	var due []sent
	wait := time.Minute
	now := d.c.Now()
	err := d.each(ctx, func(s sent) {
		switch {
		case s.Delivered:
		case s.Next.After(now):
			wait = min(wait, s.Next.Sub(now))
		default:
			due = append(due, s)
		}
	})
	if err != nil {
		d.c.Log.Warn("waiting remarks were not read", "err", err)
	}
	for _, s := range due {
		s = d.try(ctx, s)
		if err := d.put(ctx, s); err != nil {
			d.c.Log.Warn("remark was not written", "err", err)
		}
		if !s.Delivered {
			wait = min(wait, s.Next.Sub(now))
		}
	}
	return max(wait, 100*time.Millisecond)
}
