package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
)

// Why a source's answer is refused. Errors of sso/rp/provider and
// federation/trust are passed on, wrapped.
var (
	ErrState     = errors.New("upstream: answer belongs to no pending login")
	ErrMixUp     = errors.New("upstream: answer of another issuer")
	ErrACR       = errors.New("upstream: unknown acr")
	ErrOverstate = errors.New("upstream: source vouches for more than it may")
	ErrLevel     = errors.New("upstream: source vouches for less than was asked")
	ErrCannot    = errors.New("upstream: source cannot reach this level")
	ErrLate      = errors.New("upstream: pending login is too old")
)

// DeniedError is an error answer of the source's authorization endpoint.
type DeniedError struct{ Code string } // e.g. access_denied; "" if malformed

// Error implements error.
func (e *DeniedError) Error() string { return "upstream: source answered " + e.Code }

// Config describes one source.
type Config struct {
	ID   string // short, in URLs and records; never changed later
	Name string // for the button

	Issuer   string
	Origins  []string // origins besides the issuer's for its endpoints
	ClientID string
	// Key signs for private_key_jwt at a moment: a node changes its keys.
	Key    func(now time.Time) *trust.Key
	Secret string // client_secret_basic, without Key
	Scope  string // "": "openid profile email"
	// RedirectURI is used for this source alone [RFC 9700 §4.4.2].
	RedirectURI string

	// Levels translates acr values. nil: the eIDAS values and this network's
	// own for basis. An acr that is not in it is refused.
	Levels map[string]federation.Level
	// Max is the highest level this source may vouch for; an answer above it
	// is refused, not lowered: a source that overstates is broken or hostile.
	Max federation.Level
	// Claims names the source's claim for each of ours (name, given_name,
	// family_name, email, locale) where it differs.
	Claims map[string]string
	// Places are the areas whose people usually have an account here; empty
	// means everywhere.
	Places []region.Area

	HTTP     *http.Client
	Loopback bool             // plain http on loopback names
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: discard
}

// EIDAS is the default table from acr to Level [SSO.md §6].
func EIDAS() map[string]federation.Level {
	t := map[string]federation.Level{}
	for l := federation.LevelBasis; l <= federation.LevelHoch; l++ {
		t[l.ACR()] = l
	}
	return t
}

// STORK is the table for a source that passes BundID's levels through. Level 1
// is the Basisregistrierung, an unchecked password account: it is basis and
// never eIDAS low [SSO.md §6].
func STORK() map[string]federation.Level {
	return map[string]federation.Level{
		"STORK-QAA-Level-1": federation.LevelBasis,
		"STORK-QAA-Level-2": federation.LevelNiedrig,
		"STORK-QAA-Level-3": federation.LevelSubstanziell,
		"STORK-QAA-Level-4": federation.LevelHoch,
	}
}

// Upstream is one source of accounts. It is safe for concurrent use.
type Upstream struct {
	c      Config
	client *provider.Client
	one    chan struct{} // capacity 1: whoever holds it may discover

	mu    sync.Mutex // guards the fields below
	meta  *provider.Metadata
	found time.Time // when meta was read
	tried time.Time // last attempt
}

// New checks the configuration. It does no I/O: the source is discovered at
// the first login and may be down until then.
func New(c Config) (*Upstream, error) {
	if !shortID(c.ID) || c.Name == "" || c.Issuer == "" || c.RedirectURI == "" {
		return nil, fmt.Errorf("upstream %q: ID (letters, digits, -), Name, Issuer and RedirectURI are needed", c.ID)
	}
	if c.Max < federation.LevelBasis || c.Max > federation.LevelHoch {
		return nil, fmt.Errorf("upstream %q: Max must be a level from basis to hoch", c.ID)
	}
	if c.Levels == nil {
		c.Levels = EIDAS()
	}
	for acr, l := range c.Levels {
		if acr == "" || l < federation.LevelBasis || l > federation.LevelHoch {
			return nil, fmt.Errorf("upstream %q: Levels maps %q to %s", c.ID, acr, l)
		}
	}
	for ours := range c.Claims {
		if !slices.Contains(claimNames[:], ours) {
			return nil, fmt.Errorf("upstream %q: Claims has %q, known are %v", c.ID, ours, claimNames)
		}
	}
	if c.Scope == "" {
		c.Scope = "openid profile email"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	client, err := provider.New(provider.Config{
		HTTP: c.HTTP, ClientID: c.ClientID, Key: c.Key, Secret: c.Secret, Loopback: c.Loopback, Now: c.Now, Log: c.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", c.ID, err)
	}
	return &Upstream{c: c, client: client, one: make(chan struct{}, 1)}, nil
}

// ID returns the short name of Config.
func (u *Upstream) ID() string { return u.c.ID }

// Name returns the text of the button.
func (u *Upstream) Name() string { return u.c.Name }

// Choice returns ID and Name for a login page.
func (u *Upstream) Choice() sso.UpstreamChoice {
	return sso.UpstreamChoice{ID: u.c.ID, Name: u.c.Name}
}

// Reaches reports whether the source can vouch for level.
func (u *Upstream) Reaches(level federation.Level) bool { return len(u.acrs(level)) > 0 }

// acrs returns the acr values that are good for at least level, weakest first.
func (u *Upstream) acrs(level federation.Level) []string {
	out := slices.Sorted(maps.Keys(u.c.Levels))
	out = slices.DeleteFunc(out, func(acr string) bool { return u.c.Levels[acr] < level || u.c.Levels[acr] > u.c.Max })
	slices.SortStableFunc(out, func(a, b string) int { return int(u.c.Levels[a]) - int(u.c.Levels[b]) })
	return out
}

// How long a discovery document is used, and how soon it is asked for again
// after a failure.
const (
	metadataMaxAge = time.Hour
	metadataRetry  = 5 * time.Second
)

// metadata returns the source's metadata, the last good one if it cannot be
// read again.
func (u *Upstream) metadata(ctx context.Context) (*provider.Metadata, error) {
	if m, fresh := u.cached(); fresh {
		return m, nil
	}
	select {
	case u.one <- struct{}{}:
		defer func() { <-u.one }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", provider.ErrUnreachable, ctx.Err())
	}
	if m, fresh := u.cached(); fresh {
		return m, nil
	}
	m, err := u.client.Discover(ctx, u.c.Issuer, u.c.Origins...)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tried = u.c.Now()
	if err == nil {
		u.meta, u.found = m, u.tried
		return m, nil
	}
	if u.meta == nil {
		if ctx.Err() != nil {
			u.tried = time.Time{} // the caller gave up; the source is not to blame
		}
		return nil, err
	}
	u.c.Log.Error("source of accounts not discovered, last good metadata kept", "peer", u.c.Issuer, "err", err)
	return u.meta, nil
}

// cached returns what is known and whether it must do for now.
func (u *Upstream) cached() (*provider.Metadata, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.c.Now()
	if u.meta == nil {
		return nil, false
	}
	young := now.Sub(u.found) < metadataMaxAge && !now.Before(u.found)
	return u.meta, young || (now.Sub(u.tried) < metadataRetry && !now.Before(u.tried))
}

func shortID(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
