package discovery

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation"
)

// A gossip name is NAME~INSTANCE~ENTITY: the configured name, the start time
// in milliseconds (base 36) and eight hex digits of the entity ID's hash. With
// the instance in it, a restarted node is a new one: it needs no quarrel with
// its own past over address and incarnation.
type gossipName struct {
	name     string
	instance uint64
	entity   string
}

func newGossipName(id federation.EntityID, name string, start time.Time) gossipName {
	return gossipName{name: name, instance: uint64(max(start.UnixMilli(), 0)), entity: entityTag(id)}
}

func (g gossipName) String() string {
	return g.name + "~" + strconv.FormatUint(g.instance, 36) + "~" + g.entity
}

func parseGossipName(s string) (gossipName, error) {
	parts := strings.Split(s, "~")
	if len(parts) != 3 || !validName(parts[0]) || len(parts[2]) != 8 {
		return gossipName{}, fmt.Errorf("%w: gossip name", errWire)
	}
	n, err := strconv.ParseUint(parts[1], 36, 64)
	if err != nil || strconv.FormatUint(n, 36) != parts[1] {
		return gossipName{}, fmt.Errorf("%w: instance in gossip name", errWire)
	}
	return gossipName{name: parts[0], instance: n, entity: parts[2]}, nil
}

func entityTag(id federation.EntityID) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:4])
}

func validName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// binding is what a node signs: that this gossip name at this address speaks
// for the entity. With the address in it, a copied signature is of no use to
// another host.
func binding(id federation.EntityID, name string, addr netip.AddrPort) []byte {
	return []byte("rathausnetz gossip node 1\n" + string(id) + "\n" + name + "\n" + addr.String())
}

// bindingCache remembers verified bindings, so that a signature is checked
// once and not at each of the many repetitions of an alive message, and
// refused ones for a while, so that a liar costs no more than one check.
type bindingCache struct {
	verify func(federation.EntityID, []byte, []byte) error
	now    func() time.Time

	mu      sync.Mutex
	verdict map[[sha256.Size]byte]bindingVerdict // guarded by mu
	seen    map[string]seenBinding               // by gossip name, verified ones only; guarded by mu
}

// seenBinding is what an alive message said when its binding was verified.
type seenBinding struct {
	entity federation.EntityID
	addr   netip.AddrPort
	head   []byte // of the metadata, up to and with the signature
}

// familiar reports whether a node says of itself just what was verified
// before. memberlist asks about every alive message, and each is heard some
// dozen times, so this way has to be short.
func (c *bindingCache) familiar(name string, addr netip.AddrPort, meta []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.seen[name]
	return ok && s.addr == addr && len(meta) >= len(s.head) &&
		meta[0] == s.head[0] && bytes.Equal(meta[2:len(s.head)], s.head[2:]) // flags may differ
}

type bindingVerdict struct {
	entity federation.EntityID
	err    error
	until  time.Time // zero: until cleared
}

const (
	maxVerdicts     = 4 * maxPeers
	refusedBindings = 5 * time.Second
)

func newBindingCache(verify func(federation.EntityID, []byte, []byte) error, now func() time.Time) *bindingCache {
	return &bindingCache{verify: verify, now: now, verdict: make(map[[sha256.Size]byte]bindingVerdict), seen: make(map[string]seenBinding)}
}

// check verifies the binding of a node by its gossip name, address and
// metadata. Errors wrap ErrBinding.
func (c *bindingCache) check(name string, addr netip.AddrPort, m nodeMeta) error {
	g, err := parseGossipName(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBinding, err)
	}
	if g.entity != entityTag(m.Entity) {
		return fmt.Errorf("%w: name of another entity", ErrBinding)
	}
	b := binding(m.Entity, name, addr)
	h := sha256.New()
	h.Write(b)
	h.Write([]byte{0})
	h.Write(m.Signature)
	key := [sha256.Size]byte(h.Sum(nil))
	now := c.now()
	c.mu.Lock()
	v, ok := c.verdict[key]
	c.mu.Unlock()
	if ok && (v.until.IsZero() || now.Before(v.until)) {
		return v.err
	}
	v = bindingVerdict{entity: m.Entity}
	if err := c.verify(m.Entity, b, m.Signature); err != nil {
		v.err, v.until = fmt.Errorf("%w: %w", ErrBinding, err), now.Add(refusedBindings)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.verdict) >= maxVerdicts {
		clear(c.verdict)
		clear(c.seen)
	}
	c.verdict[key] = v
	if v.err == nil {
		c.seen[name] = seenBinding{entity: m.Entity, addr: addr, head: nodeMeta{Entity: m.Entity, Signature: m.Signature}.encode()}
	}
	return v.err
}

// clear forgets the verdicts about nodes of these entities: whether they are
// members, or their keys, have changed.
func (c *bindingCache) clear(of func(federation.EntityID) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.verdict, func(_ [sha256.Size]byte, v bindingVerdict) bool { return of(v.entity) })
	maps.DeleteFunc(c.seen, func(_ string, s seenBinding) bool { return of(s.entity) })
}
