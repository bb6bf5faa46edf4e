package blocklist

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rathausnetz/federation"
)

// MaxDecisions bounds what one issuer may have decided and a node remembers.
const MaxDecisions = 500

// Decision is what a hub has said about one host.
type Decision struct {
	Issuer     federation.EntityID `json:"issuer"`
	Host       string              `json:"host"`
	Blocked    bool                `json:"blocked"` // false: not any more
	Generation uint64              `json:"generation"`
	Reason     string              `json:"reason,omitempty"`
	At         time.Time           `json:"at"`
}

// key names what a decision is about.
type key struct {
	issuer federation.EntityID
	host   string
}

// List holds the newest decision of each issuer about each host. A host is
// blocked if any issuer blocks it. It is safe for concurrent use; readers take
// no lock. The zero value is an empty list.
type List struct {
	mu    sync.Mutex // held by writers; guards known
	known map[key]Decision

	blocked atomic.Pointer[map[string]Decision] // by host; replaced, never changed
	version atomic.Uint64
}

// Take notes a decision and reports whether it is news: one that is older than
// what is known, or the same, changes nothing, so that an old notice that is
// played again has no effect.
func (l *List) Take(d Decision) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key{d.Issuer, d.Host}
	if have, ok := l.known[k]; ok && d.Generation <= have.Generation {
		return false
	} else if !ok && !l.room(d.Issuer) {
		return false
	}
	if l.known == nil {
		l.known = map[key]Decision{}
	}
	l.known[k] = d
	l.publish()
	return true
}

// room makes room for one more decision of an issuer: the oldest one that was
// taken back goes first. The caller holds mu.
func (l *List) room(issuer federation.EntityID) bool {
	n := 0
	var oldest *Decision
	for k, d := range l.known {
		if k.issuer != issuer {
			continue
		}
		n++
		if !d.Blocked && (oldest == nil || d.At.Before(oldest.At)) {
			oldest = &d
		}
	}
	if n < MaxDecisions {
		return true
	}
	if oldest == nil {
		return false
	}
	delete(l.known, key{issuer, oldest.Host})
	return true
}

// Knows reports whether a decision of at least this generation is known.
func (l *List) Knows(issuer federation.EntityID, host string, generation uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	have, ok := l.known[key{issuer, host}]
	return ok && generation <= have.Generation
}

// Keep forgets the decisions of everybody of whom mine says no: a node that
// has changed its hub obeys the new one alone. It reports whether that changed
// anything.
func (l *List) Keep(mine func(federation.EntityID) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.known)
	for k := range l.known {
		if !mine(k.issuer) {
			delete(l.known, k)
		}
	}
	if len(l.known) == before {
		return false
	}
	l.publish()
	return true
}

// publish makes what readers see; the caller holds mu.
func (l *List) publish() {
	next := map[string]Decision{}
	for _, d := range l.known {
		if have, ok := next[d.Host]; d.Blocked && (!ok || d.At.Before(have.At)) {
			next[d.Host] = d
		}
	}
	l.blocked.Store(&next)
	l.version.Add(1)
}

// Version grows with each change; zero is an empty list.
func (l *List) Version() uint64 { return l.version.Load() }

func (l *List) now() map[string]Decision {
	if m := l.blocked.Load(); m != nil {
		return *m
	}
	return nil
}

// Blocked reports whether address leads to a blocked host, and by which
// decision. Any address without a host is not blocked.
func (l *List) Blocked(address string) (Decision, bool) {
	blocked := l.now()
	if len(blocked) == 0 {
		return Decision{}, false
	}
	return find(blocked, hostOf(address))
}

func find(blocked map[string]Decision, host string) (Decision, bool) {
	for host != "" {
		if d, ok := blocked[host]; ok {
			return d, true
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return Decision{}, false
}

// All returns every decision, also those that were taken back, sorted by host
// and issuer. The caller owns the slice.
func (l *List) All() []Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Decision, 0, len(l.known))
	for _, d := range l.known {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Issuer, b.Issuer))
	})
	return out
}
