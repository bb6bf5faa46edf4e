package roster

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Why a chain is not given out.
var (
	ErrNotMember = errors.New("roster: not a member")
	ErrRevoked   = errors.New("roster: membership revoked")
	ErrExpired   = errors.New("roster: verified statements expired")
)

// Config configures a Roster.
type Config struct {
	Resolver     *trust.Resolver
	Hub          federation.EntityID // lists the members
	Self         federation.EntityID
	HTTP         *http.Client
	Dir          string        // keeps verified statements across restarts; "" keeps nothing
	RefreshEvery time.Duration // default 10 min
	Now          func() time.Time
	Log          *slog.Logger
}

// Roster is safe for concurrent use.
type Roster struct{ cfg Config }

// State is what a Verdict says about one entity.
type State string

// The states.
const (
	StateMember  State = "member"
	StateRefused State = "refused" // listed by the hub, but not verifiable
	StateRevoked State = "revoked"
	StateExpired State = "expired"
)

// Verdict is the present judgement about one entity the hub lists or a notice names.
type Verdict struct {
	ID     federation.EntityID `json:"id"`
	Name   string              `json:"name,omitempty"`
	State  State               `json:"state"`
	Reason string              `json:"reason,omitempty"`
	Since  time.Time           `json:"since"`
}

// New checks the configuration and returns a roster that knows nobody yet.
func New(cfg Config) (*Roster, error) { return &Roster{cfg: cfg}, nil }

// Run loads what Dir holds, then refreshes until ctx ends.
func (r *Roster) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Refresh asks the hub for the list and resolves each member once.
func (r *Roster) Refresh(ctx context.Context) error { return nil }

// RefreshMember resolves one entity afresh.
func (r *Roster) RefreshMember(ctx context.Context, id federation.EntityID) error { return nil }

// Members returns the active members sorted by ID. The slice belongs to the caller.
func (r *Roster) Members() []federation.Member { return nil }

// Chain returns the verified chain of an active member, or an error that wraps
// ErrNotMember, ErrRevoked or ErrExpired and says why.
func (r *Roster) Chain(id federation.EntityID) (*trust.Chain, error) { return nil, ErrNotMember }

// Notice takes a revocation notice from anywhere. A notice that is forged, not
// from a superior of its subject, or older than the present membership is
// ignored and the reason returned.
func (r *Roster) Notice(compact string) error { return ErrNotMember }

// Changed signals that Members may have changed. It has capacity 1 and
// coalesces; one reader.
func (r *Roster) Changed() <-chan struct{} { return nil }

// Verdicts returns the judgement about every entity seen, sorted by ID.
func (r *Roster) Verdicts() []Verdict { return nil }
