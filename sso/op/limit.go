package op

import (
	"sync"
	"time"
)

// Limits on what somebody who has proven nothing can make us remember: logins
// begun by plain requests, and logouts that are asked about.
const (
	beginBurst   = 120
	beginEvery   = time.Second // one more
	maxAddresses = 10_000      // then the quiet ones are forgotten
)

// limiter counts in memory, per address stand-in, by the time at which an
// address will have its whole allowance again.
type limiter struct {
	mu   sync.Mutex // guards full
	full map[string]time.Time
}

// allow takes one from the allowance. The empty address is this machine.
func (l *limiter) allow(address string, now time.Time) bool {
	if address == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full == nil {
		l.full = map[string]time.Time{}
	}
	at, known := l.full[address]
	if !known && len(l.full) >= maxAddresses && !l.forget(now) {
		return false
	}
	if at.Before(now) {
		at = now
	}
	if at = at.Add(beginEvery); at.Sub(now) > beginBurst*beginEvery {
		return false
	}
	l.full[address] = at
	return true
}

// forget drops addresses with a whole allowance and reports whether it found any.
func (l *limiter) forget(now time.Time) bool {
	before := len(l.full)
	for address, at := range l.full {
		if !at.After(now) {
			delete(l.full, address)
		}
	}
	return len(l.full) < before
}
