package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation"
	"rathausnetz/federation/allowance"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Handlers are the paths at which other members reach this one.
func (d *Desk) Handlers() map[string]http.Handler {
	h := map[string]http.Handler{Path: http.HandlerFunc(d.serve)}
	if d.c.IsHub {
		h[GapPath] = http.HandlerFunc(d.serveGap)
	}
	return h
}

// serve takes a remark (POST), or tells the state of one (GET).
func (d *Desk) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		d.serveState(w, r)
		return
	}
	c, err := d.read(w, r, typeReport, d.members)
	if err == nil {
		err = d.receive(r.Context(), c)
	}
	d.answer(w, err)
}

func (d *Desk) receive(ctx context.Context, c claims) error {
	if !references.MatchString(c.Reference) || len(c.Offer) > 512 {
		return fmt.Errorf("%w: reference or offer", ErrRefused)
	}
	if n := utf8.RuneCountInString(c.Text); n == 0 || n > maxText {
		return fmt.Errorf("%w: %d characters", ErrRefused, n)
	}
	err := d.keep(ctx, Entry{Reference: c.Reference, From: c.Issuer, Offer: c.Offer, Text: c.Text})
	if errors.Is(err, store.ErrExists) {
		e, err := d.entry(ctx, c.Reference)
		if err == nil && e.From != c.Issuer {
			return fmt.Errorf("%w: the reference is another member's", ErrRefused)
		}
		return err // sent again because our answer got lost
	}
	return err
}

func (d *Desk) keep(ctx context.Context, e Entry) error {
	e.Received, e.State = d.c.Now(), Open
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := d.c.Store.Create(ctx, inPrefix+e.Reference, b, keepOpen); err != nil {
		return err
	}
	d.c.Log.Info("remark received", "peer", e.From)
	return nil
}

// serveState answers GET ?reference= with open or done and the owner's answer.
func (d *Desk) serveState(w http.ResponseWriter, r *http.Request) {
	e, err := d.entry(r.Context(), r.URL.Query().Get("reference"))
	if err != nil {
		d.answer(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(told{State: e.State, Answer: e.Answer}) // the reader has gone: nothing to do
}

func (d *Desk) entry(ctx context.Context, reference string) (e Entry, err error) {
	if !references.MatchString(reference) {
		return e, ErrUnknown
	}
	b, err := d.c.Store.Get(ctx, inPrefix+reference)
	if errors.Is(err, store.ErrNotFound) {
		return e, ErrUnknown
	}
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(b, &e)
}

// told is what the owner says about a remark.
type told struct {
	State  State  `json:"state"`
	Answer string `json:"answer,omitempty"`
}

// List returns the received remarks, the oldest first.
func (d *Desk) List(ctx context.Context) ([]Entry, error) {
	var out []Entry
	err := d.c.Store.Scan(ctx, inPrefix, func(_ string, b []byte) bool {
		var e Entry
		if json.Unmarshal(b, &e) == nil {
			out = append(out, e)
		}
		return true
	})
	slices.SortFunc(out, func(a, b Entry) int { return a.Received.Compare(b.Received) })
	return out, err
}

// Close says that a received remark is done; who wrote it can read that.
func (d *Desk) Close(ctx context.Context, reference string) (e Entry, err error) {
	return d.Answer(ctx, reference, "")
}

// Answer is Close with some words, of at most 600 characters, for whoever
// wrote the remark; ErrTooLarge for more.
func (d *Desk) Answer(ctx context.Context, reference, text string) (e Entry, err error) {
	if text = strings.TrimSpace(text); utf8.RuneCountInString(text) > maxAnswer {
		return e, fmt.Errorf("%w: an answer has at most %d characters", ErrTooLarge, maxAnswer)
	}
	if reference = strings.ToUpper(reference); !references.MatchString(reference) {
		return e, fmt.Errorf("%w: %q", ErrUnknown, reference)
	}
	err = d.c.Store.Update(ctx, inPrefix+reference, func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			return nil, 0, fmt.Errorf("%w: %s", ErrUnknown, reference)
		}
		if err := json.Unmarshal(old, &e); err != nil {
			return nil, 0, err
		}
		e.State = Done
		if text != "" {
			e.Answer = text
		}
		b, err := json.Marshal(e)
		return b, keepSent, err
	})
	return e, err
}

// read verifies a message: at most 8 KiB with claims of at most 4 KiB, signed
// by a member, for this member, of the last minutes, not seen before, within
// the sender's allowance. The allowance is taken after the signature was
// verified, so nobody can use up another's.
func (d *Desk) read(w http.ResponseWriter, r *http.Request, typ string, allowed *allowance.Allowance[string]) (c claims, err error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	peeked, err := trust.Peek(string(b), typ)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if len(peeked.Claims) > MaxClaims {
		return c, ErrTooLarge
	}
	if err := peeked.Into(&c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	keys, err := d.c.Keys(c.Issuer)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrNotMember, err)
	}
	token, err := trust.Open(string(b), typ, keys)
	if err == nil {
		err = token.Check(d.c.Now())
	}
	switch {
	case err != nil:
		return c, fmt.Errorf("%w: %w", ErrRefused, err)
	case c.Audience != d.c.Self:
		return c, fmt.Errorf("%w: it is for %q", ErrRefused, c.Audience)
	case c.ID == "" || len(c.ID) > 64 || strings.Trim(c.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-") != "":
		return c, fmt.Errorf("%w: jti", ErrRefused)
	case c.IssuedAt == 0 || c.Expires-c.IssuedAt > int64(messageFor/time.Second):
		return c, fmt.Errorf("%w: it holds for too long", ErrRefused)
	case !allowed.Take(string(c.Issuer)):
		return c, ErrBusy
	}
	err = d.c.Store.Create(r.Context(), "report/jti/"+federation.Sum([]byte(c.Issuer)).String()+"/"+typ+"/"+c.ID, []byte{1}, 2*messageFor)
	if errors.Is(err, store.ErrExists) {
		return c, ErrReplayed
	}
	return c, err
}

var statuses = []struct { // read only
	err    error
	status int
}{
	{ErrTooLarge, http.StatusRequestEntityTooLarge}, {ErrNotMember, http.StatusForbidden}, {ErrReplayed, http.StatusConflict},
	{ErrBusy, http.StatusTooManyRequests}, {ErrRefused, http.StatusBadRequest}, {ErrUnknown, http.StatusNotFound},
}

func (d *Desk) answer(w http.ResponseWriter, err error) {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			d.c.Log.Debug("remark refused", "err", err)
			http.Error(w, s.err.Error(), s.status)
			return
		}
	}
	d.c.Log.Warn("remark was not kept", "err", err)
	w.Header().Set("Retry-After", "60")
	http.Error(w, "report: try again later", http.StatusServiceUnavailable)
}
