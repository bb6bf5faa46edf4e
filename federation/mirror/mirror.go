package mirror

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

// Reasons why a catalogue was not admitted, found in Copy.Err with errors.Is.
var (
	ErrNotMember = errors.New("mirror: not a member")
	// ErrUnpublished: the member answers that it has no catalogue, and nobody
	// holds one of it.
	ErrUnpublished = errors.New("mirror: nothing published yet")
	ErrUnreachable = errors.New("mirror: no source answered")
	ErrTooLarge    = errors.New("mirror: answer too large")
	ErrSeal        = errors.New("mirror: seal does not verify")
	ErrIssuer      = errors.New("mirror: issued by someone else")
	ErrRollback    = errors.New("mirror: older serial")
	ErrEquivocates = errors.New("mirror: two manifests with one serial")
	ErrExpired     = errors.New("mirror: manifest expired")
	ErrNotYet      = errors.New("mirror: manifest issued in the future")
	ErrContent     = errors.New("mirror: content does not fit its manifest")
	ErrFull        = errors.New("mirror: disk quota reached")
	ErrNotHeld     = errors.New("mirror: not held here")
)

// Members tells the mirror who takes part; roster.Roster satisfies it.
type Members interface {
	// Chain returns the verified chain of id, or an error that says why id is
	// not (or no longer) a member.
	Chain(id federation.EntityID) (*trust.Chain, error)
	// Members lists the active members; the slice is the caller's.
	Members() []federation.Member
}

// Limits bounds what the mirror takes from others, beside catalog.MaxManifest
// and catalog.MaxChunk. Zero fields take the value of DefaultLimits.
type Limits struct {
	CatalogueBytes int64         // all groups and chunks of one manifest as transferred
	DiskBytes      int64         // everything in Dir; what would exceed it is refused with ErrFull
	Pulls          int           // pulls at a time
	PerHost        int           // requests at a time to one entity
	RequestTimeout time.Duration // one request, answer included
	PullTimeout    time.Duration // one whole pull
}

// DefaultLimits suits a Landkreis: catalogues of up to 20,000 offers.
func DefaultLimits() Limits {
	return Limits{
		CatalogueBytes: 128 << 20, DiskBytes: 20 << 30,
		Pulls: 8, PerHost: 4, RequestTimeout: 20 * time.Second, PullTimeout: 3 * time.Minute,
	}
}

// Config is what New needs. Callbacks run on goroutines of Run or of the
// caller of Publish and Drop, one at a time; they must return soon and must
// not call back into the Mirror except to read.
type Config struct {
	Dir     string // created if missing, 0700
	Self    federation.EntityID
	HTTP    *http.Client // redirects are never followed, whatever it says
	Members Members
	Limits  Limits

	// Reachable reports whether a node of the member is believed to be up: the
	// unreachable are asked last. nil: all are.
	Reachable func(federation.EntityID) bool

	CheckEvery time.Duration // how often each member is asked without a hint; default 10 min, ± a quarter
	RetryAfter time.Duration // first pause after a failure, doubled up to CheckEvery; default 2 s
	HintEvery  time.Duration // least time between two pulls of one member for hints, beyond a burst of 5; default 2 s

	OnChange       func(Copy)                // a copy was loaded, replaced, relabelled or rescoped
	OnDrop         func(federation.EntityID) // a copy must no longer be shown
	OnEquivocation func(Equivocation)
	// OnRefused: the member itself has answered with what is refused. Called
	// once for each rule broken in a row; a source that does not answer or
	// answers for another member is only logged.
	OnRefused func(federation.EntityID, error)

	Now func() time.Time
	Log *slog.Logger
}

// State labels a copy.
type State string

// The states of a copy.
const (
	StateFresh  State = "fresh"
	StateStale  State = "stale"  // the last good one, past its validity
	StateFrozen State = "frozen" // the last good one before an equivocation
	StateNone   State = "none"   // nothing admitted yet, see Err
)

// Copy is what is held of one member. Catalogue is read-only and shared.
type Copy struct {
	Member    federation.Member
	Catalogue *catalog.Catalogue // inside the member's scope; nil for StateNone
	Serial    uint64
	Digest    federation.Digest // of the sealed manifest
	Bytes     int64             // of the chunks as transferred
	Fetched   time.Time         // when this serial was admitted
	Checked   time.Time         // last time the owner, or another holder, confirmed or replaced it
	Expires   time.Time         // of the manifest
	Source    federation.EntityID
	State     State
	Outside   int               // how much was left out because it is outside the scope
	Findings  []catalog.Finding // the first 20 of it; read-only
	// Whole is the catalogue as it was sealed, where Outside is not 0: others
	// may have delegated some of what is left out, see catalog.Admit.
	Whole *catalog.Catalogue
	// Err is why the last attempt changed nothing, or what the member itself
	// showed when another source had to help out; nil after a success.
	Err error
}

// Equivocation is the evidence that a member sealed two manifests with one
// serial: both as they were sealed.
type Equivocation struct {
	Member federation.EntityID
	Serial uint64
	Held   string
	Other  string
	Told   bool // by Evidence; otherwise seen here first
}

// Mirror holds the copies. All methods are safe for concurrent use.
type Mirror struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	fetch   *fetcher
	disk    *disk
	tasks   *schedule
	serving chan struct{} // slots for bundles being served
	members chan struct{} // Recheck was called; capacity 1
	loaded  sync.Once
	loadErr error // of the one load

	// change serialises everything that replaces a record or calls back, per
	// mirror and not per member: such steps take milliseconds.
	change  sync.Mutex
	ahead   map[federation.EntityID]ahead // guarded by change
	mu      sync.RWMutex
	records map[federation.EntityID]*record // guarded by mu; a record is never changed
}

// New checks cfg and returns a stopped mirror; it does no I/O.
func New(cfg Config) (*Mirror, error) {
	if cfg.Dir == "" || cfg.Self == "" || cfg.HTTP == nil || cfg.Members == nil {
		return nil, fmt.Errorf("mirror: configuration: Dir, Self, HTTP and Members are needed")
	}
	cfg.defaults()
	m := &Mirror{
		cfg: cfg, log: cfg.Log, now: cfg.Now,
		fetch:   newFetcher(cfg.HTTP, cfg.Limits),
		disk:    newDisk(cfg.Dir, cfg.Limits.DiskBytes),
		tasks:   newSchedule(cfg.HintEvery),
		serving: make(chan struct{}, servedBundles),
		members: make(chan struct{}, 1),
		records: make(map[federation.EntityID]*record),
		ahead:   make(map[federation.EntityID]ahead),
	}
	return m, nil
}

func (c *Config) defaults() {
	d := DefaultLimits()
	l := &c.Limits
	l.CatalogueBytes = or(l.CatalogueBytes, d.CatalogueBytes)
	l.DiskBytes = or(l.DiskBytes, d.DiskBytes)
	l.Pulls = or(l.Pulls, d.Pulls)
	l.PerHost = or(l.PerHost, d.PerHost)
	l.RequestTimeout = or(l.RequestTimeout, d.RequestTimeout)
	l.PullTimeout = or(l.PullTimeout, d.PullTimeout)
	c.CheckEvery = or(c.CheckEvery, 10*time.Minute)
	c.RetryAfter = or(c.RetryAfter, 2*time.Second)
	c.HintEvery = or(c.HintEvery, 2*time.Second)
	if c.Reachable == nil {
		c.Reachable = func(federation.EntityID) bool { return true }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
