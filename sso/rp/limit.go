package rp

import (
	"net/netip"
	"sync"
	"time"
)

// maxBuckets bounds the memory of the limiter: about 1 MB.
const maxBuckets = 10000

// limiter allows each address a number of logins per minute, with as many at
// once. Addresses are kept in memory only, for about a minute.
type limiter struct {
	perMinute float64
	now       func() time.Time

	mu      sync.Mutex // guards the fields below
	buckets map[netip.Prefix]bucket
	swept   time.Time
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{perMinute: float64(perMinute), now: now, buckets: map[netip.Prefix]bucket{}}
}

// allow takes one login from the allowance of remote ("host:port").
func (l *limiter) allow(remote string) bool {
	key := prefixOf(remote)
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[key]
	if !known {
		if len(l.buckets) >= maxBuckets && !l.sweep(now) {
			return false
		}
		b.left = l.perMinute
	} else {
		b = l.filled(b, now)
	}
	b.at = now
	ok := b.left >= 1
	if ok {
		b.left--
	}
	l.buckets[key] = b
	return ok
}

func (l *limiter) filled(b bucket, now time.Time) bucket {
	since := max(now.Sub(b.at), 0) // a clock set back gives nothing
	b.left = min(b.left+since.Minutes()*l.perMinute, l.perMinute)
	return b
}

// sweep forgets addresses whose allowance is whole again and reports whether
// there is room now. It runs once a second at most: a flood must not make
// every request look at every address.
func (l *limiter) sweep(now time.Time) bool {
	if since := now.Sub(l.swept); since >= 0 && since < time.Second {
		return false
	}
	l.swept = now
	for k, b := range l.buckets {
		if l.filled(b, now).left >= l.perMinute {
			delete(l.buckets, k)
		}
	}
	return len(l.buckets) < maxBuckets
}

// prefixOf returns the IPv4 address or the IPv6 /64 of remote; everything that
// is no address shares one allowance.
func prefixOf(remote string) netip.Prefix {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	a := ap.Addr().Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
