package portal

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/config"
	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/neighbour/relay"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// What signatures in the gossip of hubs are made for: none of them proves
// anything in the gossip of a Landkreis, and the other way round.
const (
	purposePoolNode         = "pool node"
	purposePoolAnnouncement = "pool announcement"
)

// poolParameter is a hub's address in the gossip of hubs, in its
// federation_entity metadata.
const poolParameter = "rathausnetz_pool"

const (
	knowEvery  = time.Second // a hub looks whether it knows something new
	maxKeyFile = 4096

	poolKeyBytes = 32
)

// pool is a hub's part among the hubs of other Landkreise.
type pool struct {
	own    region.Area
	keys   [][]byte // from the key file; nil: the superior's
	serial atomic.Uint64
	poke   chan struct{} // capacity 1: somebody unknown has knocked

	mu       sync.Mutex
	gossip   *discovery.Discovery               // nil until it runs; guarded by mu
	standing map[federation.EntityID]*standing  // guarded by mu
	heard    map[federation.EntityID]relay.News // guarded by mu
	dropped  map[federation.EntityID]time.Time  // by notice, until vouched for anew after that; guarded by mu
}

func (n *Node) openPool() (*pool, error) {
	p := &pool{own: n.cfg.Hub.Area, poke: make(chan struct{}, 1), standing: map[federation.EntityID]*standing{},
		heard: map[federation.EntityID]relay.News{}, dropped: map[federation.EntityID]time.Time{}}
	if file := n.cfg.Hub.Pool.KeyFile; file != "" {
		var err error
		if p.keys, err = readPoolKeys(file); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// readPoolKeys reads a file with one key in base64 on each line; the first one
// encrypts. To rotate: add the new key last everywhere, then move it first
// everywhere, then drop the old one.
func readPoolKeys(path string) ([][]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("hub.pool.key_file: %w", err)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("hub.pool.key_file: %s has %d bytes, at most %d are read", path, info.Size(), maxKeyFile)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("hub.pool.key_file: %s can be read by others; use: chmod 600 %s", path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("hub.pool.key_file: %w", err)
	}
	var keys [][]byte
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(k) != poolKeyBytes {
			return nil, fmt.Errorf("hub.pool.key_file: %s: each line is one key of 32 bytes in base64; make one with: rathausnetz neighbour key", path)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("hub.pool.key_file: %s holds no key; make one with: rathausnetz neighbour key", path)
	}
	return keys, nil
}

// hubScope is where this hub answers for its Landkreis.
func (n *Node) hubScope() federation.Scope {
	return federation.Scope{Subtree: []region.Area{n.cfg.Hub.Area}}
}

// runPool takes part among the hubs until ctx ends.
func (n *Node) runPool(ctx context.Context, net *network) error {
	if err := n.loadList(n.cfg.Entity, n.keys.FederationJWKS()); err != nil {
		n.log.Warn("kept list of other Landkreise not usable", "err", err)
	}
	n.pool.remember(n.neighbours.list.Load())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.keepVouching(ctx, net) })
	g.Go(func() error {
		if err := n.joinPool(ctx); err != nil {
			return err
		}
		g.Go(func() error { return n.tellPool(ctx) })
		return n.pool.running().Run(ctx)
	})
	return g.Wait()
}

// joinPool makes the node of this hub in the gossip of hubs, as soon as there
// are keys for it.
func (n *Node) joinPool(ctx context.Context) error {
	for {
		keys := n.poolKeys()
		if len(keys) > 0 {
			d, err := n.newPoolDiscovery(keys)
			if err != nil {
				return err
			}
			n.pool.mu.Lock()
			n.pool.gossip = d
			n.pool.mu.Unlock()
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollApproval):
		}
	}
}

// poolKeys are those of the key file, else the superior's.
func (n *Node) poolKeys() [][]byte {
	if n.pool.keys != nil {
		return n.pool.keys
	}
	return n.member.get().Pool
}

func (n *Node) newPoolDiscovery(keys [][]byte) (*discovery.Discovery, error) {
	c := n.cfg.Hub.Pool
	return discovery.New(discovery.Config{
		Self: n.cfg.Entity, Name: nodeName(n.cfg.Entity, n.member.get().Replica), Bind: c.Bind, Advertise: c.Advertise,
		Keys: keys, PeersFile: n.path("pool.json"), Profile: n.opt.Profile, Block: n.opt.BlockPool, Now: n.now, Log: n.log,
		Seeds:    func() []string { return append(slices.Clone(c.Peers), n.pool.seeds()...) },
		SignNode: func(b []byte) ([]byte, error) { return n.keys.Federation[0].SignBytes(purposePoolNode, b) },
		VerifyNode: func(id federation.EntityID, b, sig []byte) error {
			keys, err := n.pool.keysOf(id)
			if err != nil {
				return err
			}
			return trust.VerifyBytes(keys, purposePoolNode, b, sig)
		},
		VerifyAnnouncement: func(a federation.Announcement) error {
			keys, err := n.pool.keysOf(a.Member)
			if err != nil {
				return err
			}
			return trust.VerifyBytes(keys, purposePoolAnnouncement, a.SigningInput(), a.Signature[:])
		},
		OnAnnouncement: func(a federation.Announcement) { n.pool.hear(a) },
		OnNotice:       func(string) error { return discovery.ErrNotice }, // hubs send none here
		OnReachable: func(id federation.EntityID, up bool) {
			n.pool.reach(id, up)
			if up {
				n.neighbours.client.Awake(id)
			}
		},
	})
}

// tellPool announces whenever this hub knows something new of its Landkreis:
// answers that neighbours keep are then out of date.
func (n *Node) tellPool(ctx context.Context) error {
	tick := time.NewTicker(knowEvery)
	defer tick.Stop()
	var last federation.Digest
	for {
		if now := n.knows(); now != last {
			last = now
			// Grows over restarts too, without anything on disk.
			n.pool.serial.Store(max(n.pool.serial.Load()+1, uint64(n.now().UnixMilli())))
			a := federation.Announcement{Member: n.cfg.Entity, Serial: n.pool.serial.Load(), Manifest: now}
			sig, err := n.keys.Federation[0].SignBytes(purposePoolAnnouncement, a.SigningInput())
			if err != nil {
				return err
			}
			copy(a.Signature[:], sig)
			n.pool.running().Announce(a)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// knows is a digest of the copies that this hub answers from.
func (n *Node) knows() federation.Digest {
	var b []byte
	for _, c := range n.mirror.Copies() {
		b = append(b, c.Member.ID...)
		b = append(b, 0)
		b = append(b, c.State...)
		b = binary.BigEndian.AppendUint64(b, c.Serial)
	}
	return federation.Sum(b)
}

func (p *pool) running() *discovery.Discovery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gossip
}

// setKeys takes over keys that the superior has rotated.
func (p *pool) setKeys(keys [][]byte) error {
	if p == nil || p.keys != nil || len(keys) == 0 {
		return nil
	}
	if d := p.running(); d != nil {
		return d.SetKeys(keys)
	}
	return nil
}

func (p *pool) hear(a federation.Announcement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.heard[a.Member]
	h.Serial = max(h.Serial, a.Serial)
	p.heard[a.Member] = h
}

func (p *pool) reach(id federation.EntityID, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.heard[id]
	h.State = relay.Down
	if up {
		h.State = relay.Up
	}
	p.heard[id] = h
}

func (p *pool) news(id federation.EntityID) relay.News {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[id]
}

// poolAddress is where other hubs reach this one in their gossip.
func poolAddress(c config.Config) string {
	if !c.Hub.Pool.Enabled() {
		return ""
	}
	return advertised(c.Hub.Pool.Bind, c.Hub.Pool.Advertise, c.Entity)
}
