package report

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/allowance"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Errors of this package; the first ones are also what a hostile sender meets.
var (
	ErrTooLarge  = errors.New("report: too large; a remark has at most 4 KiB")
	ErrNotMember = errors.New("report: the sender is not a member")
	ErrRefused   = errors.New("report: not a valid remark for this member")
	ErrReplayed  = errors.New("report: this message was received before")
	ErrBusy      = errors.New("report: too many remarks, try again later")
	ErrUnknown   = errors.New("report: there is no remark with this reference")
	ErrNoHub     = errors.New("report: only a hub counts gaps")
)

// Paths below the entity ID, and the typ values of what is sent there.
const (
	Path    = "/federation/report"
	GapPath = "/federation/gap"

	typeReport = "rathausnetz-report+jwt"
	typeGap    = "rathausnetz-gap+jwt"
)

// Limits.
const (
	MaxClaims  = 4 << 10 // of the signed JSON, in bytes
	maxBody    = 8 << 10 // of its compact form
	maxText    = 2000    // characters
	maxAnswer  = 600     // characters
	messageFor = 5 * time.Minute
	keepOpen   = 365 * 24 * time.Hour // a received remark
	keepSent   = 90 * 24 * time.Hour  // a delivered one, to ask for its state
	tryFor     = 30 * 24 * time.Hour
	sendWithin = 5 * time.Second
	firstRetry = 5 * time.Second
	lastRetry  = time.Hour

	remarksPerHour = 60    // of one member, and of one address
	gapsPerHour    = 1000  // of one member
	maxWaiting     = 1000  // remarks not delivered yet
	maxGaps        = 50000 // that are listed
)

// Config is what a Desk works with. All fields but Now and Log are required.
type Config struct {
	Self  federation.EntityID
	Hub   func() federation.EntityID // "" before joining
	IsHub bool
	Area  region.Area // of the network
	Key   func() *trust.Key
	// Keys returns the federation keys of a verified member.
	Keys func(federation.EntityID) (trust.JWKS, error)
	// Known reports whether there is such a Leistung and such a place: of
	// anything else there is no gap.
	Known func(key leika.ID, place region.Area) bool
	HTTP  *http.Client
	Store store.Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Desk sends and takes remarks. It is safe for concurrent use.
type Desk struct {
	c        Config
	wake     chan struct{}                // capacity 1: something waits to be delivered
	members  *allowance.Allowance[string] // remarks by member
	visitors *allowance.Allowance[string] // remarks by address
	gapped   *allowance.Allowance[string] // gaps by member
	gaps     *gaps
}

// New checks nothing from outside and starts nothing.
func New(c Config) *Desk {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{
		c: c, wake: make(chan struct{}, 1), gaps: newGaps(), gapped: allowance.New[string](gapsPerHour, time.Hour, c.Now),
		members: allowance.New[string](remarksPerHour, time.Hour, c.Now), visitors: allowance.New[string](remarksPerHour, time.Hour, c.Now),
	}
}

// Remark is what a citizen found wrong.
type Remark struct {
	Owner federation.EntityID `json:"owner"`
	Offer catalog.ID          `json:"offer,omitempty"` // "": the portal itself
	Text  string              `json:"text"`
}

// State says how far a remark is.
type State string

// The states of a remark.
const (
	Waiting State = "waiting" // not delivered yet
	Open    State = "open"
	Done    State = "done"
	Left    State = "left" // its owner takes part no more
)

// Entry is a received remark, as its owner's operator sees it.
type Entry struct {
	Reference string              `json:"reference"`
	From      federation.EntityID `json:"from"` // the portal where it was written
	Offer     catalog.ID          `json:"offer,omitempty"`
	Text      string              `json:"text"`
	Received  time.Time           `json:"received"`
	State     State               `json:"state"`
	// Answer is what the owner tells whoever wrote it, "" for nothing.
	Answer string `json:"answer,omitempty"`
}

// Gap is a Leistung that nobody answers for in a place.
type Gap struct {
	Leika string    `json:"leika"`
	Area  string    `json:"area"`
	Count int       `json:"count"` // messages: each portal tells once a day
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// claims are what is signed. Reference, Offer and Text are of a remark, Leika
// and Area of a gap.
type claims struct {
	Issuer    federation.EntityID `json:"iss"`
	Audience  federation.EntityID `json:"aud"`
	IssuedAt  int64               `json:"iat"`
	Expires   int64               `json:"exp"`
	ID        string              `json:"jti"`
	Reference string              `json:"reference,omitempty"`
	Offer     catalog.ID          `json:"offer,omitempty"`
	Text      string              `json:"text,omitempty"`
	Leika     string              `json:"leika,omitempty"`
	Area      string              `json:"area,omitempty"`
}

var references = regexp.MustCompile(`^[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}$`)

// newReference has 60 random bits: who has not written the remark cannot guess
// it, and it can be read over the telephone.
func newReference() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails [crypto/rand]
	s := base32.StdEncoding.EncodeToString(b[:])
	return s[:4] + "-" + s[4:8] + "-" + s[8:12]
}

// Run delivers what waits until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	for {
		wait := d.deliverWaiting(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.wake:
		case <-time.After(wait):
		}
	}
}
