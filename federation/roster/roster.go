package roster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/trust"
)

// Why a chain is not given out.
var (
	ErrConfig    = errors.New("roster: configuration not usable")
	ErrNotMember = errors.New("roster: not a member")
	ErrRevoked   = errors.New("roster: membership revoked")
	ErrExpired   = errors.New("roster: verified statements expired")
	ErrHub       = errors.New("roster: the hub did not answer as expected")
)

// Config configures a Roster.
type Config struct {
	Resolver     *trust.Resolver
	Hub          federation.EntityID // lists the members
	Self         federation.EntityID // its own membership is looked after with louder words
	HTTP         *http.Client        // guarded
	Dir          string              // keeps verified statements across restarts; "" keeps nothing
	RefreshEvery time.Duration       // of the hub's list; default 1 min
	MemberEvery  time.Duration       // of one member's statements; default 1 h
	// OnNotice is called for each notice that held, without locks; may be nil.
	OnNotice func(n trust.Notice, compact string)
	// OnBlock is the same for each decision about a host that was news.
	OnBlock func(b trust.Block, compact string)
	// Blocks is where those decisions are kept; nil makes an own list.
	Blocks *blocklist.List
	Now    func() time.Time
	Log    *slog.Logger
}

// Roster is safe for concurrent use.
type Roster struct {
	cfg     Config
	client  *http.Client
	changed chan struct{}
	wake    chan struct{} // Run should look at the queue
	loaded  atomic.Bool   // what Dir holds has been read

	saving sync.Mutex        // held while the file is written
	saved  federation.Digest // of its content, guarded by saving

	mu      sync.RWMutex // guards what follows
	entries map[federation.EntityID]*entry
	ended   map[federation.EntityID]ended // by notice
	queue   map[federation.EntityID]bool  // to be resolved soon

	refreshes int // counted for aboveEvery

	good   kept                  // what was saved last while everything held; guarded by mu
	leaves []federation.EntityID // of good.Chains; guarded by mu
}

// entry is what is known about one entity.
type entry struct {
	chain    *trust.Chain // last verified one; nil if there never was one
	member   federation.Member
	verified time.Time // of chain
	verdict  Verdict
	failures int       // resolutions in a row that gave nothing
	tried    time.Time // the last one of them
}

// patience is how long to leave an entity alone after n failures: one that is
// gone for long must not hold up the others at every refresh.
func patience(n int) time.Duration {
	if n == 0 {
		return 0
	}
	return time.Second << min(n-1, 9)
}

// ended says that a membership ended up to a generation.
type ended struct {
	Generation uint64    `json:"generation"`
	Reason     string    `json:"reason"`
	Until      time.Time `json:"until"` // afterwards no statement of that generation can be valid
}

// State is what a Verdict says about one entity.
type State string

// The states.
const (
	StateMember  State = "member"
	StateRefused State = "refused" // listed by the hub, but not verifiable
	StateRevoked State = "revoked"
	StateExpired State = "expired"
)

// Verdict is the present judgement about one entity that the hub lists, has
// listed, or that a notice names.
type Verdict struct {
	ID     federation.EntityID `json:"id"`
	Name   string              `json:"name,omitempty"`
	State  State               `json:"state"`
	Reason string              `json:"reason,omitempty"` // why not a member; or what was left out
	Since  time.Time           `json:"since"`
	// Expires is when the verified statements end unless they are renewed;
	// zero if there never were any.
	Expires time.Time `json:"expires,omitzero"`
}

// New checks the configuration and returns a roster that knows nobody yet; it
// does no I/O.
func New(cfg Config) (*Roster, error) {
	if cfg.Resolver == nil || cfg.Hub == "" || cfg.HTTP == nil {
		return nil, fmt.Errorf("%w: resolver, hub and HTTP client are required", ErrConfig)
	}
	if cfg.RefreshEvery <= 0 {
		cfg.RefreshEvery = time.Minute
	}
	if cfg.MemberEvery <= 0 {
		cfg.MemberEvery = time.Hour
	}
	if cfg.Blocks == nil {
		cfg.Blocks = &blocklist.List{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	client := *cfg.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Roster{
		cfg: cfg, client: &client, changed: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		entries: make(map[federation.EntityID]*entry), ended: make(map[federation.EntityID]ended),
		queue: make(map[federation.EntityID]bool),
	}, nil
}

// Members returns the active members sorted by ID. Nothing in it is shared.
func (r *Roster) Members() []federation.Member {
	now := r.cfg.Now()
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]federation.Member, 0, len(r.entries))
	for _, e := range r.entries {
		if e.verdict.State == StateMember && e.chain.Valid(now) {
			out = append(out, copyMember(e.member))
		}
	}
	slices.SortFunc(out, func(a, b federation.Member) int { return compareID(a.ID, b.ID) })
	return out
}

func compareID(a, b federation.EntityID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func copyMember(m federation.Member) federation.Member {
	s := &m.Scope
	s.Areas, s.Subtree, s.Except = slices.Clone(s.Areas), slices.Clone(s.Subtree), slices.Clone(s.Except)
	s.LeikaPrefixes = slices.Clone(s.LeikaPrefixes)
	return m
}

// Chain returns the verified chain of an active member, or an error that wraps
// ErrNotMember, ErrRevoked or ErrExpired and says why. It never asks anyone.
func (r *Roster) Chain(id federation.EntityID) (*trust.Chain, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.entries[id]
	if !ok {
		return nil, fmt.Errorf("%s: %w", id, ErrNotMember)
	}
	switch {
	case e.verdict.State == StateRevoked:
		return nil, fmt.Errorf("%s: %w: %s", id, ErrRevoked, e.verdict.Reason)
	case e.verdict.State == StateRefused:
		return nil, fmt.Errorf("%s: %w: %s", id, ErrNotMember, e.verdict.Reason)
	case !e.chain.Valid(r.cfg.Now()):
		return nil, fmt.Errorf("%s: %w at %s", id, ErrExpired, e.chain.Expires.UTC().Format(time.RFC3339))
	}
	return e.chain, nil
}

// Lapsed returns the last verified chain of a member whose statements have
// run out because the hub could not be asked, and nothing worse is known of
// it. It proves no membership: it says whose copies may be shown, as old.
func (r *Roster) Lapsed(id federation.EntityID) (*trust.Chain, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.entries[id]
	if !ok || e.chain == nil || e.verdict.State != StateMember || e.chain.Valid(r.cfg.Now()) {
		return nil, false
	}
	return e.chain, true
}

// LapsedMembers returns those for whom Lapsed gives a chain, in no order.
func (r *Roster) LapsedMembers() []federation.EntityID {
	now := r.cfg.Now()
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []federation.EntityID
	for id, e := range r.entries {
		if e.chain != nil && e.verdict.State == StateMember && !e.chain.Valid(now) {
			out = append(out, id)
		}
	}
	return out
}

// Changed signals that Members may have changed. It has capacity 1 and
// coalesces; it is for one reader.
func (r *Roster) Changed() <-chan struct{} { return r.changed }

func (r *Roster) signal() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Verdicts returns the judgement about every entity seen, sorted by ID.
func (r *Roster) Verdicts() []Verdict {
	now := r.cfg.Now()
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]Verdict, 0, len(r.entries))
	for _, e := range r.entries {
		v := e.verdict
		if e.chain != nil {
			v.Expires = e.chain.Expires
		}
		if v.State == StateMember && !e.chain.Valid(now) {
			v.State, v.Since = StateExpired, e.chain.Expires
			v.Reason = "statements expired before the hub could be asked"
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Verdict) int { return compareID(a.ID, b.ID) })
	return out
}

// judge sets the verdict of e and reports whether it is another one than
// before. The caller holds mu.
func (r *Roster) judge(id federation.EntityID, e *entry, state State, reason string) bool {
	v := Verdict{ID: id, Name: e.member.Name, State: state, Reason: reason, Since: e.verdict.Since}
	changed := e.verdict.State != state
	if changed {
		v.Since = r.cfg.Now()
		switch {
		case id == r.cfg.Self && e.verdict.State == StateMember:
			r.cfg.Log.Error("this node is not a member any more", "peer", id, "state", string(state), "err", reason)
		case e.verdict.State != "" || state != StateMember:
			r.cfg.Log.Info("member judged", "peer", id, "state", string(state), "err", reason)
		}
	}
	e.verdict = v
	return changed
}

// Run loads what Dir holds, then keeps the roster fresh until ctx ends. It
// returns nil when ctx ends.
func (r *Roster) Run(ctx context.Context) error {
	if !r.loaded.Load() {
		if err := r.Load(); err != nil {
			r.cfg.Log.Warn("kept statements not usable", "err", err)
		}
	}
	for ctx.Err() == nil {
		if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Log.Warn("hub not reached, members stay until their statements expire", "peer", r.cfg.Hub, "err", err)
		}
		r.wait(ctx)
	}
	return nil
}

// wait returns when the next refresh is due or ctx ends; in between it
// resolves what notices have put into the queue and signals expiries.
func (r *Roster) wait(ctx context.Context) {
	due := time.NewTimer(r.cfg.RefreshEvery)
	defer due.Stop()
	for {
		expiry := time.NewTimer(r.nextExpiry())
		select {
		case <-ctx.Done():
			expiry.Stop()
			return
		case <-due.C:
			expiry.Stop()
			return
		case <-expiry.C:
			r.signal()
		case <-r.wake:
			expiry.Stop()
			r.resolveAll(ctx, r.takeQueue())
			r.save()
		}
	}
}

// nextExpiry returns how long until the next chain expires, at least a second.
func (r *Roster) nextExpiry() time.Duration {
	now := r.cfg.Now()
	next := time.Hour
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, e := range r.entries {
		if e.verdict.State == StateMember {
			if d := e.chain.Expires.Sub(now); d > 0 && d < next {
				next = d
			}
		}
	}
	return max(next, time.Second)
}
