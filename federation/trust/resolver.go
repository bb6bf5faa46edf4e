package trust

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"rathausnetz/federation"
)

// Anchor is a trust anchor with its federation keys, obtained out of band.
type Anchor struct {
	ID   federation.EntityID
	Keys JWKS
}

// Limits bound one resolution. Zero fields take the default [SSO.md §2].
type Limits struct {
	Depth       int           // entities of one chain; default 8
	Hints       int           // authority_hints of one statement; default 10
	Bytes       int64         // of one answer, decoded; default 512 KiB
	Timeout     time.Duration // of one resolution; default 10 s
	Fetches     int           // per resolution; default 50
	Lifetime    time.Duration // longer statements are cut; default 7 days
	NegativeTTL time.Duration // how long a failure is remembered; default 10 s
	HubTTL      time.Duration // how long a hub's chain is used without asking again; default 5 min
	Cached      int           // chains kept; default 4096
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	life := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Depth, 8)
	def(&l.Hints, maxHints)
	def(&l.Fetches, 50)
	def(&l.Cached, 4096)
	life(&l.Timeout, 10*time.Second)
	life(&l.Lifetime, 7*24*time.Hour)
	life(&l.NegativeTTL, 10*time.Second)
	life(&l.HubTTL, 5*time.Minute)
	if l.Bytes <= 0 {
		l.Bytes = MaxToken
	}
	return l
}

// ResolverConfig configures a Resolver.
type ResolverConfig struct {
	HTTP          *http.Client // its transport should be guarded, see GuardTransport
	Anchors       []Anchor
	Limits        Limits
	Algorithms    []string // accepted signature algorithms; nil means ES256
	AllowLoopback bool     // plain http and addresses of loopback names
	// Reuse lets Fresh return a chain that was verified at most so long ago: for
	// many nodes of one process that share a resolver. 0 verifies each time.
	Reuse time.Duration
	Now   func() time.Time
	Log   *slog.Logger
}

// Resolver builds and verifies trust chains [OIDF §10]. It is safe for
// concurrent use.
type Resolver struct {
	cfg     ResolverConfig
	client  *http.Client
	anchors atomic.Pointer[map[federation.EntityID]JWKS] // replaced, never changed
	cache   *chainCache
	flights singleflight.Group
}

// NewResolver checks the configuration; it does no I/O.
func NewResolver(cfg ResolverConfig) (*Resolver, error) {
	if cfg.HTTP == nil || len(cfg.Anchors) == 0 {
		return nil, fmt.Errorf("%w: a resolver needs an HTTP client and at least one anchor", ErrNoAnchor)
	}
	r := &Resolver{cfg: cfg, client: noRedirects(cfg.HTTP)}
	anchors := make(map[federation.EntityID]JWKS, len(cfg.Anchors))
	for _, a := range cfg.Anchors {
		if _, err := federation.ParseEntityID(string(a.ID), cfg.AllowLoopback); err != nil {
			return nil, fmt.Errorf("trust anchor: %w", err)
		}
		if a.Keys.Keys() == 0 {
			return nil, fmt.Errorf("%w: trust anchor %s without keys", ErrAnchorKeys, a.ID)
		}
		anchors[a.ID] = a.Keys
	}
	r.anchors.Store(&anchors)
	if r.cfg.Now == nil {
		r.cfg.Now = time.Now
	}
	if r.cfg.Log == nil {
		r.cfg.Log = slog.New(slog.DiscardHandler)
	}
	r.cfg.Limits = cfg.Limits.withDefaults()
	r.cache = newChainCache(r.cfg.Limits.Cached)
	return r, nil
}

// At returns a resolver with the same anchors that judges as of one moment of
// the past and knows nobody yet. It is for Restore only: what it finds held
// then, not now.
func (r *Resolver) At(moment time.Time) *Resolver {
	cfg := r.cfg
	cfg.Now = func() time.Time { return moment }
	old := &Resolver{cfg: cfg, client: r.client, cache: newChainCache(cfg.Limits.Cached)}
	old.anchors.Store(r.anchors.Load())
	return old
}

func (r *Resolver) reader(now time.Time) reader {
	l := r.cfg.Limits
	return reader{
		door: Door{Algorithms: r.cfg.Algorithms, MaxBytes: int(l.Bytes)}, now: now,
		lifetime: l.Lifetime, hints: l.Hints, loopback: r.cfg.AllowLoopback,
	}
}

// Resolve returns the chain of id: from the cache while it is valid, otherwise
// fetched and verified. A failure is remembered for Limits.NegativeTTL.
func (r *Resolver) Resolve(ctx context.Context, id federation.EntityID) (*Chain, error) {
	if e, ok := r.cache.get(id, r.cfg.Now()); ok {
		return e.chain, e.err
	}
	return r.Fresh(ctx, id)
}

// Cached returns the chain of id if it is known and valid now; it never asks
// anyone.
func (r *Resolver) Cached(id federation.EntityID) (*Chain, bool) {
	e, ok := r.cache.get(id, r.cfg.Now())
	return e.chain, ok && e.chain != nil
}

// Fresh is Resolve without looking into the cache for id itself. Concurrent
// calls for one id share one resolution.
func (r *Resolver) Fresh(ctx context.Context, id federation.EntityID) (*Chain, error) {
	v, err, _ := r.flights.Do(string(id), func() (any, error) {
		if c := r.reusable(id); c != nil {
			return c, nil
		}
		// The resolution is shared: it must not end with the first caller.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Limits.Timeout)
		defer cancel()
		c, err := r.walk().resolve(ctx, id)
		if err != nil {
			r.cache.fail(id, err, r.cfg.Now(), r.cfg.Limits.NegativeTTL)
			return nil, err
		}
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*Chain), nil
}

// reusable returns the chain of a member that was verified within Reuse. One
// that shows no mark yet is on the way to become a member.
func (r *Resolver) reusable(id federation.EntityID) *Chain {
	e, ok := r.cache.recent(id, r.cfg.Now(), r.cfg.Reuse)
	if !ok || r.cfg.Reuse <= 0 || e.chain == nil {
		return nil
	}
	if _, member := e.chain.Membership(); !member {
		return nil
	}
	return e.chain
}

// Explain resolves id afresh and returns every step that was taken, also when
// it fails. The chain is nil then.
func (r *Resolver) Explain(ctx context.Context, id federation.EntityID) (*Chain, []Step, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Limits.Timeout)
	defer cancel()
	w := r.walk()
	w.fresh = true
	c, err := w.resolve(ctx, id)
	return c, w.trace.steps, err
}

// Forget drops what the cache holds about id.
func (r *Resolver) Forget(id federation.EntityID) { r.cache.drop(id) }

// Believe replaces the keys of a configured trust anchor, which has announced
// new ones under a key that was believed before [OIDF §11.2]. Chains that were
// verified already stay valid until they expire. Another anchor than the
// configured ones wraps ErrNoAnchor. Safe for concurrent use with every other
// method, not with itself.
func (r *Resolver) Believe(id federation.EntityID, keys JWKS) error {
	now := *r.anchors.Load()
	if _, ok := now[id]; !ok {
		return fmt.Errorf("%w: %s is not one that is believed", ErrNoAnchor, clip(string(id)))
	}
	if keys.Keys() == 0 {
		return fmt.Errorf("%w: trust anchor %s without keys", ErrAnchorKeys, id)
	}
	next := maps.Clone(now)
	next[id] = keys
	r.anchors.Store(&next)
	return nil
}

// anchorKeys returns the keys of a trust anchor, if id is one.
func (r *Resolver) anchorKeys(id federation.EntityID) (JWKS, bool) {
	keys, ok := (*r.anchors.Load())[id]
	return keys, ok
}

// Anchors returns the IDs of the configured trust anchors.
func (r *Resolver) Anchors() []federation.EntityID {
	ids := make([]federation.EntityID, 0, len(r.cfg.Anchors))
	for _, a := range r.cfg.Anchors {
		ids = append(ids, a.ID)
	}
	return ids
}
