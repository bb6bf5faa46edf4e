package report

import (
	"sync"
	"time"
)

// maxPayers bounds the memory of an allowance.
const maxPayers = 10000

// allowance lets each payer do something a number of times an hour, with as
// many at once. Payers are kept in memory only.
type allowance struct {
	perHour float64
	now     func() time.Time

	mu    sync.Mutex // guards what follows
	purse map[string]purse
}

type purse struct {
	left float64
	at   time.Time
}

func newAllowance(perHour int, now func() time.Time) *allowance {
	return &allowance{perHour: float64(perHour), now: now, purse: map[string]purse{}}
}

func (a *allowance) take(payer string) bool {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	p, known := a.purse[payer]
	if !known {
		if len(a.purse) >= maxPayers && !a.sweep(now) {
			return false
		}
		p = purse{left: a.perHour, at: now}
	}
	p = a.filled(p, now)
	ok := p.left >= 1
	if ok {
		p.left--
	}
	a.purse[payer] = p
	return ok
}

func (a *allowance) filled(p purse, now time.Time) purse {
	since := max(now.Sub(p.at), 0) // a clock set back gives nothing
	return purse{left: min(p.left+since.Hours()*a.perHour, a.perHour), at: now}
}

// sweep forgets payers whose allowance is whole again.
func (a *allowance) sweep(now time.Time) bool {
	for k, p := range a.purse {
		if a.filled(p, now).left >= a.perHour {
			delete(a.purse, k)
		}
	}
	return len(a.purse) < maxPayers
}
