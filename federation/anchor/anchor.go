package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/audit"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// What can go wrong between a hub and an applicant. Each has a sentence of its
// own for people; they survive the way over HTTP.
var (
	ErrConfig      = errors.New("anchor: configuration not usable")
	ErrCodeForm    = errors.New("anchor: this is not an invitation code; copy it completely, it begins with RN1")
	ErrCodeTypo    = errors.New("anchor: the invitation code has a typing error or is not complete; copy it again")
	ErrCodeUnknown = errors.New("anchor: the hub does not know this invitation code")
	ErrCodeUsed    = errors.New("anchor: this invitation code was used already; ask the hub for a new one")
	ErrCodeExpired = errors.New("anchor: this invitation code has expired; ask the hub for a new one")
	ErrFingerprint = errors.New("anchor: the hub shows another key than the invitation names; nothing was sent, call the hub")
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
	ErrAudit       = audit.ErrBroken
)

// Config configures the hub's side of a node.
type Config struct {
	Self  federation.EntityID
	Owner Invitation         // the hub as a member: name, kind, seat, scope
	Keys  func() *trust.Keys // as they hold now; called for each signature
	Store store.Store
	// Above says where an intermediate stands now; nil makes a trust anchor.
	// Until its superior has approved it, Above returns ErrNotApproved and
	// the hub admits nobody.
	Above    func() (Place, error)
	Resolver *trust.Resolver // of a trust anchor, for the resolve endpoint; may be nil
	HTTP     *http.Client    // fetches applicants' entity configurations; guarded

	Policy json.RawMessage // metadata_policy of subordinate statements; nil: DefaultPolicy

	Lifetime     time.Duration // of statements and marks; default 24 h
	CodeLifetime time.Duration // of invitations; default 24 h
	GossipLead   time.Duration // a new gossip key is known this long before it is used; default 1 min
	GossipGrace  time.Duration // and the old one is kept this long after; default 1 h
	RecheckEvery time.Duration // how often Run looks at members' own configurations; default 1 h

	// Probe looks at a member from outside; nil: the hub offers no such thing.
	Probe func(context.Context, Member) Reach

	AllowLoopback bool
	OnNotice      func(compact string)      // hands a signed notice to gossip; may be nil
	OnReadmit     func(federation.EntityID) // somebody is a member again; may be nil
	Now           func() time.Time
	Log           *slog.Logger
}

// Place is where a hub stands in the federation.
type Place struct {
	Superior    federation.EntityID // authority hint; "" for a trust anchor
	TrustAnchor federation.EntityID
	AnchorKeys  trust.JWKS       // of TrustAnchor; handed to the hub's members
	Scope       federation.Scope // bounds what the hub may hand out
	Resolver    *trust.Resolver  // believes TrustAnchor; may be nil
}

// Anchor is the hub. It is safe for concurrent use and by several replicas
// over one store.
type Anchor struct {
	cfg    Config
	client *http.Client
	trail  *audit.Trail
	read   atomic.Pointer[map[string]entry] // what List has read, by key

	mu      sync.Mutex
	issued  map[string]issued // by kind and subject, guarded by mu
	changes uint64            // guarded by mu
}

// New checks the configuration; it does no I/O.
func New(cfg Config) (*Anchor, error) {
	if cfg.Self == "" || cfg.Keys == nil || cfg.Store == nil || cfg.HTTP == nil {
		return nil, fmt.Errorf("%w: entity ID, keys, store and HTTP client are required", ErrConfig)
	}
	if cfg.Owner.Name == "" {
		return nil, fmt.Errorf("%w: the hub needs a legal name", ErrConfig)
	}
	if cfg.Policy == nil {
		cfg.Policy = DefaultPolicy()
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{
		{&cfg.Lifetime, 24 * time.Hour}, {&cfg.CodeLifetime, 24 * time.Hour},
		{&cfg.GossipLead, time.Minute}, {&cfg.GossipGrace, time.Hour},
		{&cfg.RecheckEvery, time.Hour},
	} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	client := *cfg.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	trail := audit.New(audit.Config{Self: cfg.Self, Keys: cfg.Keys, Store: cfg.Store, Prefix: "anchor/audit", Now: cfg.Now})
	a := &Anchor{cfg: cfg, client: &client, trail: trail, issued: make(map[string]issued)}
	a.read.Store(&map[string]entry{})
	return a, nil
}

// Run carries out what was planned for a day, and takes over what members announce
// about themselves (new keys, other roles) until ctx ends, and returns nil then. A member's new key must have
// been announced for longer than RecheckEvery before it signs.
func (a *Anchor) Run(ctx context.Context) error {
	tick := time.NewTicker(a.cfg.RecheckEvery)
	defer tick.Stop()
	plans := time.NewTicker(plansEvery)
	defer plans.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-plans.C:
			if err := a.CarryOut(ctx); err != nil && ctx.Err() == nil {
				a.cfg.Log.Error("planned grants are not in force", "err", err)
			}
			continue
		case <-tick.C:
		}
		members, err := a.List(ctx, Filter{State: StateActive})
		if err != nil {
			a.cfg.Log.Error("members not rechecked", "err", err)
		}
		for _, m := range members {
			if err := a.Recheck(ctx, m.ID); err != nil && ctx.Err() == nil {
				a.cfg.Log.Warn("member not rechecked", "peer", m.ID, "err", err)
			}
		}
	}
}

// signer returns the key that signs now.
func (a *Anchor) signer() (*trust.Key, error) {
	k := a.cfg.Keys()
	if k == nil || len(k.Federation) == 0 {
		return nil, fmt.Errorf("%w: no federation key", ErrConfig)
	}
	return k.Federation[0], nil
}

// IsTrustAnchor reports whether nobody stands above this hub.
func (a *Anchor) IsTrustAnchor() bool { return a.cfg.Above == nil }

// place says where this hub stands now; ErrNotApproved if its superior has not
// admitted it yet.
func (a *Anchor) place() (Place, error) {
	if a.cfg.Above != nil {
		return a.cfg.Above()
	}
	keys := a.cfg.Keys()
	if keys == nil {
		return Place{}, fmt.Errorf("%w: no federation key", ErrConfig)
	}
	return Place{TrustAnchor: a.cfg.Self, AnchorKeys: keys.FederationJWKS(), Scope: a.cfg.Owner.Scope, Resolver: a.cfg.Resolver}, nil
}

// markType is the type of membership mark this hub issues.
func (a *Anchor) markType() (string, error) {
	p, err := a.place()
	return trust.MarkType(p.TrustAnchor), err
}

// Changes counts what was decided about members here since the start: an
// entity configuration made at another count is out of date.
func (a *Anchor) Changes() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changes
}
