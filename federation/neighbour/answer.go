package neighbour

import (
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/trust"
)

// TypeAnswer is the typ of a sealed answer.
const TypeAnswer = "neighbour-answer+jwt"

const (
	// MaxAnswer is the longest sealed answer, in bytes of its compact form.
	MaxAnswer = 256 << 10
	// Fresh is how long an answer holds without asking again.
	Fresh = 10 * time.Minute
	// Keep is how long an answer may be shown, labelled as old, after it was
	// sealed.
	Keep = 7 * 24 * time.Hour
)

// NoticeSilent in an answer says that the neighbour named by Member does not
// answer, and nothing is held of it: the answer cannot be known now.
const NoticeSilent directory.NoticeKind = "neighbour-silent"

// Answer is what a neighbour says, verified.
type Answer struct {
	By       Neighbour
	Question Question
	At       time.Time // when it was sealed: what is said held then
	Expires  time.Time
	Serial   uint64
	Old      bool             // past its time; shown with its age because nothing newer is to be had
	Result   directory.Answer // to a LeiKa key
	Found    [][]directory.Hit
	Compact  string // the bytes that the neighbour has sealed
}

// Age marks everything in a as old.
func (a *Answer) Age() {
	if a.Old {
		return
	}
	a.Old = true
	mark := func(p *directory.Provider) { p.Stale, p.Reachable = true, false }
	for i := range a.Result.Providers {
		mark(&a.Result.Providers[i])
	}
	for _, hits := range a.Found {
		for i := range hits {
			mark(&hits[i].Provider)
		}
	}
}

// Open verifies that compact is n's answer to q, sealed with one of its keys,
// about a place of its own. One that is past its time is returned with Old
// until Keep is over. Errors wrap ErrLimit, ErrSeal, ErrQuestion, ErrArea,
// ErrExpired or ErrShape.
func Open(compact string, q Question, n Neighbour, loopback bool, now time.Time) (*Answer, error) {
	if len(compact) > MaxAnswer {
		return nil, fmt.Errorf("answer of %s: %w: %d bytes", n.ID, ErrLimit, len(compact))
	}
	if !n.Scope.CoversArea(q.Place) {
		return nil, fmt.Errorf("answer of %s: %w: %s", n.ID, ErrArea, q.Place)
	}
	t, err := trust.Open(compact, TypeAnswer, n.Keys)
	if err != nil {
		return nil, fmt.Errorf("answer of %s: %w: %w", n.ID, ErrSeal, err)
	}
	var c claims
	if err := t.Into(&c); err != nil {
		return nil, fmt.Errorf("answer of %s: %w: %w", n.ID, ErrShape, err)
	}
	switch {
	case c.Issuer != n.ID:
		return nil, fmt.Errorf("answer of %s: %w: issued by %s", n.ID, ErrSeal, c.Issuer)
	case !c.Question.same(q):
		return nil, fmt.Errorf("answer of %s: %w: about %s", n.ID, ErrQuestion, c.Question.Place)
	case c.IssuedAt == 0 || c.Expires <= c.IssuedAt:
		return nil, fmt.Errorf("answer of %s: %w: times", n.ID, ErrShape)
	}
	a := &Answer{By: n, Question: q, At: c.IssuedAt.Time(), Expires: c.Expires.Time(), Serial: c.Serial, Compact: compact}
	// A neighbour cannot make its word last longer than everybody's.
	if last := a.At.Add(Fresh); a.Expires.After(last) {
		a.Expires = last
	}
	if err := t.Check(now); err != nil && !errors.Is(err, trust.ErrExpired) {
		return nil, fmt.Errorf("answer of %s: %w: %w", n.ID, ErrSeal, err)
	}
	if now.Sub(a.At) > Keep {
		return nil, fmt.Errorf("answer of %s: %w: sealed %s", n.ID, ErrExpired, a.At.UTC().Format(time.RFC3339))
	}
	if err := a.read(&c, reader{place: q.Place, loopback: loopback}); err != nil {
		return nil, fmt.Errorf("answer of %s: %w", n.ID, err)
	}
	if !now.Before(a.Expires) || !now.Before(n.Until.Time()) {
		a.Age()
	}
	return a, nil
}

func (a *Answer) read(c *claims, r reader) error {
	q := a.Question
	if (c.Result == nil) == !q.Leika.IsZero() || len(c.Found) != len(q.Texts) {
		return fmt.Errorf("%w: not what was asked for", ErrShape)
	}
	var err error
	if c.Result != nil {
		a.Result, err = r.answer(q, c.Result)
		return err
	}
	a.Found = make([][]directory.Hit, len(c.Found))
	for i, list := range c.Found {
		if a.Found[i], err = r.hits(list); err != nil {
			return err
		}
	}
	return nil
}

// Unknown is the answer when nobody can be asked and nothing is held: not
// "nobody is responsible".
func Unknown(q Question, n Neighbour, now time.Time) directory.Answer {
	date, err := q.day()
	if err != nil || date.IsZero() {
		date = now.UTC().Truncate(24 * time.Hour)
	}
	return directory.Answer{Reason: directory.Unknown, Asked: q.Leika, Place: q.Place, Date: date,
		Notices: []directory.Notice{{Kind: NoticeSilent, Member: n.ID, Name: n.ShortName}}}
}

// Responder answers other Landkreise for the own one. It is safe for concurrent
// use.
type Responder struct {
	Self      federation.EntityID
	Directory *directory.Directory
	Scope     federation.Scope  // places it answers for
	Key       func() *trust.Key // signs
	Serial    func() uint64     // of what is known
	Now       func() time.Time
}

// Seal answers q. Errors wrap ErrAsked or ErrArea.
func (r *Responder) Seal(q Question) (string, error) {
	if err := q.Check(); err != nil {
		return "", err
	}
	if !r.Scope.CoversArea(q.Place) {
		return "", fmt.Errorf("%w: %s is not a place of this Landkreis", ErrArea, q.Place)
	}
	now := r.Now()
	c := claims{Issuer: r.Self, IssuedAt: trust.At(now), Expires: trust.At(now.Add(Fresh)), Serial: r.Serial(), Question: q}
	date, err := q.day()
	if err != nil {
		return "", err
	}
	if q.Leika.IsZero() {
		for _, text := range q.Texts {
			res := r.Directory.Search(directory.Query{Text: text, Place: q.Place, Lang: q.Lang, OnlyPlace: true, Literal: true, Limit: maxHits})
			c.Found = append(c.Found, wireHits(res.Hits))
		}
	} else {
		a := r.Directory.Resolve(directory.Request{Leika: q.Leika, Place: q.Place, Date: date})
		c.Result = wireResult(&a)
	}
	compact, err := trust.Sign(r.Key(), TypeAnswer, c)
	if err == nil && len(compact) > MaxAnswer {
		err = fmt.Errorf("%w: %d bytes", ErrLimit, len(compact))
	}
	return compact, err
}
