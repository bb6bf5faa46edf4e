package testnet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"rathausnetz/portal"
)

// soak is one randomised run.
type soak struct {
	t        *testing.T
	ctx      context.Context
	nw       *Network
	r        *rand.Rand
	cut      bool
	newcomer *Member
	done     map[string]int
}

// TestSoak publishes, kills, restarts, cuts, heals, admits and revokes at
// random; then everything that was broken is mended, and all nodes must agree
// and keep the invariants of DESIGN §8. RATHAUSNETZ_SOAK says how long;
// RATHAUSNETZ_SEED repeats a run.
func TestSoak(t *testing.T) {
	span := 30 * time.Second // of faults; start, mending and end come on top
	if d, err := time.ParseDuration(os.Getenv("RATHAUSNETZ_SOAK")); err == nil {
		span = d
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("RATHAUSNETZ_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; repeat with RATHAUSNETZ_SEED=%d", seed, seed)
	nw := startAlone(t, Spec{})
	ctx, cancel := context.WithTimeout(t.Context(), span+5*time.Minute)
	defer cancel()
	keepLedger(t, nw)
	s := &soak{t: t, ctx: ctx, nw: nw, r: rand.New(rand.NewPCG(seed, 0)), done: map[string]int{}}
	for end := time.Now().Add(span); time.Now().Before(end) && !t.Failed(); {
		if err := s.step(); err != nil {
			t.Fatal(err)
		}
	}
	s.mend()
	nw.sound(ctx, t)
	t.Logf("done: %v", s.done)
	if s.newcomer != nil {
		if err := s.revoke(); err != nil {
			t.Fatal(err)
		}
		nw.sound(ctx, t)
	}
	nw.end(t)
}

// pick draws one of the members that are running, or stopped; nil if there is none.
func (s *soak) pick(running bool) *Member {
	var some []*Member
	for _, m := range s.nw.Members()[1:] {
		if (m.Node() != nil) == running && m != s.newcomer {
			some = append(some, m)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[s.r.IntN(len(some))]
}

func (s *soak) step() error {
	kinds := []struct {
		name string
		go_  func() (bool, error)
	}{{"publish", s.publish}, {"publish", s.publish}, {"publish", s.publish}, {"kill", s.kill}, {"stop", s.stop}, {"restart", s.restart}, {"restart", s.restart},
		{"partition", s.partition}, {"heal", s.heal}, {"admit", s.admit}, {"revoke", func() (bool, error) { return s.newcomer != nil, s.revoke() }}, {"pause", s.pause}}
	k := kinds[s.r.IntN(len(kinds))]
	did, err := k.go_()
	if did {
		s.done[k.name]++
	}
	if err != nil {
		return fmt.Errorf("%s: %w", k.name, err)
	}
	return nil
}

func (s *soak) publish() (bool, error) {
	m := s.pick(true)
	if m == nil || m.Node().OwnSerial() == 0 || m.admitted() != nil { // just restarted
		return false, nil
	}
	if err := m.retitle(); err != nil {
		return false, err
	}
	_, err := m.Node().Publish(s.ctx, portal.PublishRequest{})
	return true, err
}

func (s *soak) kill() (bool, error) {
	m := s.pick(true)
	if m == nil {
		return false, nil
	}
	return true, m.Kill()
}

func (s *soak) stop() (bool, error) {
	m := s.pick(true)
	if m == nil {
		return false, nil
	}
	return true, m.Stop()
}

func (s *soak) restart() (bool, error) {
	m := s.pick(false)
	if m == nil {
		return false, nil
	}
	return true, m.Restart(s.ctx)
}

func (s *soak) partition() (bool, error) {
	if s.cut {
		return false, nil
	}
	s.cut = true
	members := s.nw.Members()
	s.r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	s.nw.Partition(members[:len(members)/3]...)
	return true, nil
}

func (s *soak) heal() (bool, error) {
	was := s.cut
	s.cut = false
	s.nw.Heal()
	return was, nil
}

// admit has somebody new join, if the hub can be reached.
func (s *soak) admit() (bool, error) {
	if s.newcomer != nil || s.cut {
		return false, nil
	}
	m, err := s.nw.add(s.nw.newcomer())
	if err != nil {
		return false, err
	}
	s.newcomer = m
	return true, m.Join(s.ctx)
}

// revoke ends the membership of who came last. The notice has to reach every
// node, also those that are cut off or down now.
func (s *soak) revoke() error {
	m := s.newcomer
	if m == nil {
		return nil
	}
	s.newcomer = nil
	m.left.Store(true)
	if err := s.nw.Hub().Node().Revoke(s.ctx, operatorName, m.Entity, "end of its time here"); err != nil {
		return err
	}
	return s.nw.remove(m)
}

// pause lets things happen for a moment.
func (s *soak) pause() (bool, error) {
	wait := time.NewTimer(time.Duration(s.r.IntN(500)) * time.Millisecond)
	defer wait.Stop()
	select {
	case <-s.ctx.Done():
		return false, s.ctx.Err()
	case <-wait.C:
		return true, nil
	}
}

// mend puts the cable back and starts whoever is down.
func (s *soak) mend() {
	s.t.Helper()
	if _, err := s.heal(); err != nil {
		s.t.Fatal(err)
	}
	for _, m := range s.nw.Members() {
		if m.Node() == nil {
			if err := m.Restart(s.ctx); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}
