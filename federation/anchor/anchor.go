package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// What can go wrong between a hub and an applicant. Each has a sentence of its
// own for people; they survive the way over HTTP.
var (
	ErrConfig      = errors.New("anchor: configuration not usable")
	ErrCodeForm    = errors.New("anchor: not an invitation code; copy it again completely")
	ErrCodeTypo    = errors.New("anchor: the invitation code has a typing error; copy it again completely")
	ErrCodeUnknown = errors.New("anchor: the hub does not know this invitation code")
	ErrCodeUsed    = errors.New("anchor: this invitation code was used already; ask the hub for a new one")
	ErrCodeExpired = errors.New("anchor: this invitation code has expired; ask the hub for a new one")
	ErrFingerprint = errors.New("anchor: the hub shows another key than the invitation names; nothing was sent, ask the hub by telephone")
	ErrNotApproved = errors.New("anchor: the hub has not approved the request yet")
	ErrRefused     = errors.New("anchor: the hub has refused the request")
	ErrNotMember   = errors.New("anchor: not a member of this hub")
	ErrMember      = errors.New("anchor: already a member of this hub")
	ErrState       = errors.New("anchor: not possible in this state")
	ErrScope       = errors.New("anchor: the scope is wider than the hub's own")
	ErrControl     = errors.New("anchor: the applicant's public address does not show the key that signed the request")
	ErrRequest     = errors.New("anchor: request not valid")
	ErrReplay      = errors.New("anchor: request was seen before")
	ErrHub         = errors.New("anchor: the hub did not answer as expected")
	ErrAudit       = errors.New("anchor: audit trail broken")
)

// Config configures the hub's side of a node.
type Config struct {
	Self        federation.EntityID
	TrustAnchor federation.EntityID   // equals Self for a trust anchor; "" means Self
	Superiors   []federation.EntityID // authority_hints; empty for a trust anchor
	Owner       Invitation            // the hub as a member: name, kind, seat, scope
	Keys        func() *trust.Keys    // as they hold now; called for each signature
	Store       store.Store
	Resolver    *trust.Resolver // for the resolve endpoint; may be nil
	HTTP        *http.Client    // fetches applicants' entity configurations; guarded

	Policy      json.RawMessage    // metadata_policy of subordinate statements; nil: the network's
	Constraints *trust.Constraints // nil: max_path_length 0 for an intermediate, 1 for an anchor

	Lifetime     time.Duration // of statements and marks; default 24 h
	CodeLifetime time.Duration // of invitations; default 24 h
	GossipLead   time.Duration // a new gossip key is known this long before it is used; default 1 min
	GossipGrace  time.Duration // and the old one is kept this long after; default 1 h

	AllowLoopback bool
	OnNotice      func(compact string) // hands a signed notice to gossip; may be nil
	Now           func() time.Time
	Log           *slog.Logger
}

// Invitation says who is invited and what it may claim.
type Invitation struct {
	Name         string           `json:"name"` // legal name
	ShortName    string           `json:"short_name,omitempty"`
	Kind         federation.Kind  `json:"kind"`
	AGS          string           `json:"ags,omitempty"`
	Seat         string           `json:"seat,omitempty"` // ARS; "" for a utility
	Scope        federation.Scope `json:"scope"`
	Intermediate bool             `json:"intermediate,omitempty"` // becomes a hub itself
}

// State of a member in the registry.
type State string

// The states. Only active members are served by any endpoint.
const (
	StatePending   State = "pending"
	StateActive    State = "active"
	StateSuspended State = "suspended"
	StateRefused   State = "refused"
	StateRevoked   State = "revoked"
)

// Member is one entry of the registry.
type Member struct {
	ID federation.EntityID `json:"id"`
	Invitation
	State      State      `json:"state"`
	Keys       trust.JWKS `json:"jwks"`  // federation keys
	Words      []string   `json:"words"` // the signing key's fingerprint, to read aloud
	Generation uint64     `json:"generation"`
	Requested  time.Time  `json:"requested"`
	Decided    time.Time  `json:"decided,omitzero"`
	By         string     `json:"by,omitempty"`
	Reason     string     `json:"reason,omitempty"`
}

// Filter selects members; the zero value selects all.
type Filter struct{ State State }

// Anchor is the hub. It is safe for concurrent use and by several replicas
// over one store.
type Anchor struct{ cfg Config }

// New checks the configuration; it does no I/O.
func New(cfg Config) (*Anchor, error) { return &Anchor{cfg: cfg}, nil }

// Contribute adds to an entity configuration what the hub's side knows: the
// federation endpoints, its own mark and, for a trust anchor, the mark issuers.
func (a *Anchor) Contribute(ctx context.Context, in *trust.ConfigurationInput) error { return nil }

// Invite makes a one-time code. by names the operator for the audit trail.
func (a *Anchor) Invite(ctx context.Context, by string, inv Invitation) (Code, error) {
	return Code{}, ErrConfig
}

// Approve admits a pending applicant.
func (a *Anchor) Approve(ctx context.Context, by string, id federation.EntityID) error { return nil }

// Refuse declines a pending applicant.
func (a *Anchor) Refuse(ctx context.Context, by string, id federation.EntityID, reason string) error {
	return nil
}

// Suspend stops serving a member until Readmit.
func (a *Anchor) Suspend(ctx context.Context, by string, id federation.EntityID, reason string) error {
	return nil
}

// Readmit serves a suspended member again.
func (a *Anchor) Readmit(ctx context.Context, by string, id federation.EntityID) error { return nil }

// Revoke ends a membership and rotates the gossip key.
func (a *Anchor) Revoke(ctx context.Context, by string, id federation.EntityID, reason string) error {
	return nil
}

// Rescope changes what a member may claim.
func (a *Anchor) Rescope(ctx context.Context, by string, id federation.EntityID, scope federation.Scope) error {
	return nil
}

// List returns the members sorted by ID.
func (a *Anchor) List(ctx context.Context, f Filter) ([]Member, error) { return nil, nil }

// Show returns one member, ErrNotMember if there is none.
func (a *Anchor) Show(ctx context.Context, id federation.EntityID) (Member, error) {
	return Member{}, ErrNotMember
}

// GossipKeys returns the gossip keys, 32 bytes each; the first one encrypts.
// The first call makes one.
func (a *Anchor) GossipKeys(ctx context.Context) ([][]byte, error) { return nil, nil }

// RotateGossipKeys makes a new gossip key; see Config.GossipLead.
func (a *Anchor) RotateGossipKeys(ctx context.Context, by, reason string) error { return nil }

// Notices returns the signed revocation notices that still matter.
func (a *Anchor) Notices(ctx context.Context) ([]string, error) { return nil, nil }

// Record is one entry of the audit trail.
type Record struct {
	Seq      uint64    `json:"seq"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Action   string    `json:"action"`
	Subject  string    `json:"subject,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Previous string    `json:"prev"` // digest of the record before
}

// Note appends to the audit trail what happened elsewhere in the node.
func (a *Anchor) Note(ctx context.Context, by, action, subject, reason string) error { return nil }

// Audit returns up to limit records from seq on, oldest first.
func (a *Anchor) Audit(ctx context.Context, seq uint64, limit int) ([]Record, error) { return nil, nil }

// VerifyAudit checks the whole chain and returns the number of records; a
// removed or changed record is an error that wraps ErrAudit.
func (a *Anchor) VerifyAudit(ctx context.Context) (uint64, error) { return 0, nil }

// Handlers returns the endpoints by path below the entity ID.
func (a *Anchor) Handlers() map[string]http.Handler { return nil }
