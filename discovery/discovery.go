package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"rathausnetz/federation"
)

// Errors of New and Run, wrapped with what is wrong.
var (
	ErrConfig  = errors.New("discovery: configuration")
	ErrBinding = errors.New("discovery: node is not bound to its entity")
	ErrNotice  = errors.New("discovery: not a notice")
)

// Limits on what one node keeps. They bound memory, not the network: what is
// dropped is repeated by the next push/pull.
const (
	maxName    = 40   // bytes of Config.Name
	maxNotice  = 1024 // bytes of a notice: it has to fit into one UDP packet
	maxNotices = 256
	maxPeers   = 4096
	maxInbox   = 1024 // messages waiting to be looked at
)

// Config is what New needs. Functions are called from goroutines of Run,
// never two at a time for the same field except VerifyNode, and must return
// soon; none of them may call back into Discovery except to read.
type Config struct {
	Self      federation.EntityID
	Name      string          // of this node: a–z, 0–9, dot, hyphen; at most 40 bytes; unique among the replicas of Self
	Bind      string          // host:port for UDP and TCP; port 0 takes a free one (see Addr)
	Advertise string          // host:port others reach this node at; empty: the bound address
	Keys      [][]byte        // gossip keys of 16, 24 or 32 bytes; the first one encrypts
	Seeds     func() []string // host:port of nodes to ask first; nil or empty: wait to be found
	PeersFile string          // where known nodes are kept across restarts; empty: nowhere

	// SignNode signs a binding with a federation key of Self; the signature
	// is opaque here and has at most 280 bytes. VerifyNode checks one with the
	// verified keys of id and refuses who is not a member; it is called under
	// memberlist's lock and must do no I/O.
	SignNode   func(binding []byte) ([]byte, error)
	VerifyNode func(id federation.EntityID, binding, signature []byte) error
	// VerifyAnnouncement checks the signature with the member's verified keys.
	VerifyAnnouncement func(federation.Announcement) error

	OnAnnouncement func(federation.Announcement) // newer than the last one of that member, or of equal serial with another digest
	OnNotice       func(notice string) error     // an error keeps the notice from being kept and passed on
	OnReachable    func(id federation.EntityID, up bool)

	Profile   Profile
	NoticeTTL time.Duration             // how long a notice is repeated; default 25 h, a statement's life and an hour
	Block     func(netip.AddrPort) bool // drops everything sent to an address: cuts a network in tests; nil: nothing
	Now       func() time.Time
	Log       *slog.Logger
}

// Discovery is one node of the gossip network. All methods are safe for
// concurrent use.
type Discovery struct {
	cfg       Config
	log       *slog.Logger
	now       func() time.Time
	ring      *memberlist.Keyring // nil in a Follower
	bindings  *bindingCache
	inbox     *inbox
	queue     *memberlist.TransmitLimitedQueue // nil in a Follower
	epoch     uint64                           // tells followers that a node has been restarted
	changed   chan struct{}                    // own announcement changed; capacity 1
	rechecked chan struct{}                    // members have changed; capacity 1
	outgoing  chan []byte                      // notices to be sent to every node
	alive     atomic.Int64                     // nodes alive, without this one
	ready     chan struct{}                    // closed once Run listens
	closing   chan struct{}                    // closed by release
	release   func()                           // makes followers wait no longer; idempotent

	ringMu sync.Mutex // serialises SetKeys

	// mu is taken inside memberlist's node lock by callbacks: while holding
	// it, never call memberlist.
	mu           sync.Mutex
	gossipName   string           // own, "" until Run listens
	addr         netip.AddrPort   // advertised
	meter        *atomic.Uint64   // bytes of the transport; nil until Run listens
	meta         nodeMeta         // own
	peers        map[string]*peer // by gossip name, without this node
	members      map[federation.EntityID]*member
	notices      map[federation.Digest]*notice
	refused      map[federation.Digest]time.Time // notices not to look at before
	refusedNodes map[string]stranger             // by gossip name
	seq          uint64                          // counts what followers are told
	news         chan struct{}                   // closed when seq grows
	waiting      int                             // followers waiting for news
	strangers    bucket                          // for checks of signatures of unknown origin
	stats        Stats
}

// Stats counts what a node has seen since its start.
type Stats struct {
	Alive         int    // nodes alive now, without this one
	Announcements uint64 // accepted
	Dropped       uint64 // messages dropped from a full queue
	Refused       uint64 // messages or nodes whose signature or shape was wrong
	Capped        uint64 // announcements held back because their member was too fast
	Joins         uint64 // successful contacts of the rejoin loop
	Bytes         uint64 // packets sent, and both ways of the streams begun by this node
}

// New checks cfg and returns a stopped node; it does no I/O.
func New(cfg Config) (*Discovery, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	d := newCore(cfg)
	var err error
	if d.ring, err = memberlist.NewKeyring(cfg.Keys, cfg.Keys[0]); err != nil {
		return nil, fmt.Errorf("%w: gossip keys: %w", ErrConfig, err)
	}
	d.queue = &memberlist.TransmitLimitedQueue{
		RetransmitMult: cfg.Profile.RetransmitMult,
		NumNodes:       func() int { return int(d.alive.Load()) + 1 },
	}
	return d, nil
}

// newCore makes what a node in the gossip and a Follower have in common:
// everything that judges, keeps and hands on what was heard.
func newCore(cfg Config) *Discovery {
	d := &Discovery{
		cfg: cfg, log: cfg.Log, now: cfg.Now,
		bindings:     newBindingCache(cfg.VerifyNode, cfg.Now),
		inbox:        newInbox(maxInbox),
		changed:      make(chan struct{}, 1),
		outgoing:     make(chan []byte, 16),
		rechecked:    make(chan struct{}, 1),
		refusedNodes: make(map[string]stranger),
		ready:        make(chan struct{}),
		closing:      make(chan struct{}),
		meta:         nodeMeta{Entity: cfg.Self},
		peers:        make(map[string]*peer),
		members:      make(map[federation.EntityID]*member),
		notices:      make(map[federation.Digest]*notice),
		refused:      make(map[federation.Digest]time.Time),
		strangers:    newBucket(strangerBurst, strangerRate),
		epoch:        rand.Uint64(),
		news:         make(chan struct{}),
	}
	d.release = sync.OnceFunc(func() { close(d.closing) })
	return d
}

func (c *Config) check() error {
	c.defaults()
	switch {
	case c.Self == "":
		return fmt.Errorf("%w: Self is empty", ErrConfig)
	case !validName(c.Name):
		return fmt.Errorf("%w: node name %q: a–z, 0–9, dot and hyphen, 1 to %d bytes", ErrConfig, c.Name, maxName)
	case len(c.Keys) == 0:
		return fmt.Errorf("%w: no gossip key", ErrConfig)
	case c.SignNode == nil || c.VerifyNode == nil || c.VerifyAnnouncement == nil:
		return fmt.Errorf("%w: SignNode, VerifyNode and VerifyAnnouncement are needed", ErrConfig)
	}
	return nil
}

func (c *Config) defaults() {
	if c.Profile == (Profile{}) {
		c.Profile = LAN()
	}
	if c.NoticeTTL == 0 {
		c.NoticeTTL = 25 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
}

// Addr returns the address others are told, once Run listens; it waits for
// that until ctx ends.
func (d *Discovery) Addr(ctx context.Context) (netip.AddrPort, error) {
	select {
	case <-d.ready:
	case <-ctx.Done():
		return netip.AddrPort{}, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.addr, nil
}

// SetKeys replaces the gossip keys; the first one encrypts from now on, all
// decrypt. To rotate: add the new key last everywhere, then move it first
// everywhere, then drop the old one.
func (d *Discovery) SetKeys(keys [][]byte) error {
	if len(keys) == 0 {
		return fmt.Errorf("%w: no gossip key", ErrConfig)
	}
	for _, k := range keys {
		if err := memberlist.ValidateKey(k); err != nil {
			return fmt.Errorf("%w: gossip keys: %w", ErrConfig, err)
		}
	}
	d.ringMu.Lock()
	defer d.ringMu.Unlock()
	return rotate(d.ring, keys)
}

// Announce tells the network that Self has published; a serial not above the
// last one told is ignored. An announcement of another member is treated as
// if it had come from the network: verified, passed on, handed to
// OnAnnouncement. It never blocks and works before Run too.
func (d *Discovery) Announce(a federation.Announcement) {
	if a.Member != d.cfg.Self {
		d.inbox.message(announcementMessage(a))
		return
	}
	d.mu.Lock()
	newer := a.Serial > d.meta.Announcement.Serial
	if newer {
		d.meta.Announcement = a
		m := d.memberOf(a.Member)
		if a.Serial > m.newest.Serial {
			m.newest = a
		}
		m.changed = d.bump()
	}
	d.mu.Unlock()
	if !newer {
		return
	}
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Announcements returns the newest announcement of every member known, this
// one included, in no order.
func (d *Discovery) Announcements() []federation.Announcement {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []federation.Announcement
	for _, m := range d.members {
		if m.newest.Serial > 0 {
			out = append(out, m.newest)
		}
	}
	return out
}

func (d *Discovery) ownName() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gossipName
}
