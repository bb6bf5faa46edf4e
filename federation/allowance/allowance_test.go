package allowance_test

import (
	"testing"
	"time"

	"rathausnetz/federation/allowance"
	"rathausnetz/federation/clocktest"
)

func TestAllowance(t *testing.T) {
	c := clocktest.At(time.Unix(1700000000, 0))
	a := allowance.New[string](2, time.Minute, c.Now)
	take := func(taker string, want bool, why string) {
		t.Helper()
		if a.Take(taker) != want {
			t.Errorf("%s: %v, want %v", why, !want, want)
		}
	}
	take("a", true, "first")
	take("a", true, "second at once")
	take("a", false, "third")
	take("b", true, "another taker")
	c.Add(29 * time.Second)
	take("a", false, "before half the time")
	c.Add(2 * time.Second)
	take("a", true, "after half the time")
	take("a", false, "only one was regained")
	c.Add(time.Hour)
	take("a", true, "much later")
	take("a", true, "much later, second")
	take("a", false, "no more than all is saved up")
	c.Add(-time.Hour)
	take("a", false, "a clock set back")
}

// A flood of takers neither grows the memory without end nor lets everybody
// through, and ends by itself.
func TestAllowanceIsBounded(t *testing.T) {
	c := clocktest.At(time.Unix(1700000000, 0))
	a := allowance.New[int](1, time.Minute, c.Now)
	let := 0
	for i := range allowance.MaxTakers + 500 {
		if a.Take(i) {
			let++
		}
	}
	if let != allowance.MaxTakers {
		t.Errorf("%d were let through, want %d", let, allowance.MaxTakers)
	}
	if a.Take(0) {
		t.Error("a taker that has used its allowance was forgotten in the flood")
	}
	c.Add(2 * time.Minute)
	if !a.Take(-1) {
		t.Error("after the flood nobody new is let in")
	}
}
