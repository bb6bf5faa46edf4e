package allowance

import (
	"sync"
	"time"
)

// MaxTakers bounds the memory of one allowance: about 1 MB.
const MaxTakers = 10000

// sweepEvery is how often forgotten takers are looked for at most: a flood of
// new ones must not make every call look at all of them.
const sweepEvery = time.Second

// Allowance allows each taker most times in any span of length per, all of
// them at once if it likes. It is safe for concurrent use.
type Allowance[K comparable] struct {
	most float64
	per  time.Duration
	now  func() time.Time

	mu      sync.Mutex // guards the fields below
	buckets map[K]bucket
	swept   time.Time
}

type bucket struct {
	left float64
	at   time.Time
}

// New makes an allowance in which every taker starts with all of it.
func New[K comparable](most int, per time.Duration, now func() time.Time) *Allowance[K] {
	return &Allowance[K]{most: float64(most), per: per, now: now, buckets: map[K]bucket{}}
}

// Take reports whether taker may do it once more, and counts that. While
// MaxTakers others are remembered, nobody new may.
func (a *Allowance[K]) Take(taker K) bool {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	b, known := a.buckets[taker]
	if !known {
		if len(a.buckets) >= MaxTakers && !a.sweep(now) {
			return false
		}
		b = bucket{left: a.most, at: now}
	}
	b = a.filled(b, now)
	ok := b.left >= 1
	if ok {
		b.left--
	}
	a.buckets[taker] = b
	return ok
}

func (a *Allowance[K]) filled(b bucket, now time.Time) bucket {
	since := max(now.Sub(b.at), 0) // a clock set back gives nothing
	return bucket{left: min(b.left+a.most*float64(since)/float64(a.per), a.most), at: now}
}

// sweep forgets takers whose allowance is whole again and reports whether
// there is room now.
func (a *Allowance[K]) sweep(now time.Time) bool {
	if since := now.Sub(a.swept); since >= 0 && since < sweepEvery {
		return false
	}
	a.swept = now
	for k, b := range a.buckets {
		if a.filled(b, now).left >= a.most {
			delete(a.buckets, k)
		}
	}
	return len(a.buckets) < MaxTakers
}
