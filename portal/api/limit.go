package api

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

const (
	defaultPerMinute = 6000
	maxClients       = 1 << 16 // remembered in one minute
)

// limiter counts the requests of each client in the running minute. Clients
// are forgotten with the minute; addresses are never written anywhere.
type limiter struct {
	most   int      // negative: no limit
	limit  []string // most as a header value, shared by all responses
	client func(*http.Request) netip.Addr
	now    func() time.Time

	mu     sync.Mutex
	minute int64              // guarded by mu
	counts map[netip.Addr]int // guarded by mu
}

func newLimiter(perMinute int, client func(*http.Request) netip.Addr, now func() time.Time) *limiter {
	if perMinute == 0 {
		perMinute = defaultPerMinute
	}
	if client == nil {
		client = remote
	}
	return &limiter{most: perMinute, limit: []string{strconv.Itoa(perMinute)}, client: client, now: now, counts: map[netip.Addr]int{}}
}

// remote is the address of the connection; of IPv6 the network of 64 bits,
// because one subscriber has all of it.
func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := ap.Addr().Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// allow counts a request, writes the RateLimit headers and reports whether
// it may go on. If more clients come in a minute than are remembered, the
// further ones are let through uncounted: the limit protects against one,
// not against many.
func (l *limiter) allow(w http.ResponseWriter, r *http.Request) bool {
	if l.most < 0 {
		return true
	}
	now := l.now().Unix()
	count := l.count(l.client(r), now/60)
	h := w.Header()
	values := [2]string{strconv.Itoa(max(0, l.most-count)), strconv.FormatInt(60-now%60, 10)}
	h["Ratelimit-Limit"] = l.limit
	h["Ratelimit-Remaining"], h["Ratelimit-Reset"] = values[:1:1], values[1:]
	if count > l.most {
		h["Retry-After"] = h["Ratelimit-Reset"]
		return false
	}
	return true
}

func (l *limiter) count(addr netip.Addr, minute int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.minute != minute {
		clear(l.counts)
		l.minute = minute
	}
	if _, known := l.counts[addr]; !known && len(l.counts) >= maxClients {
		return 1
	}
	l.counts[addr]++
	return l.counts[addr]
}
