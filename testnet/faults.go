package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/federation/mirror"
	"rathausnetz/portal"
)

// ErrAwait is wrapped when a condition does not become true in time.
var ErrAwait = errors.New("testnet: did not happen in time")

// Stop ends the node in order and waits for it. It is idempotent.
func (m *Member) Stop() error {
	m.mu.Lock()
	stop, done, first := m.stop, m.done, m.first
	m.first = nil
	m.mu.Unlock()
	if first != nil { // it was never started
		return first.Close()
	}
	if stop == nil {
		return nil
	}
	stop()
	<-done
	m.mu.Lock()
	defer m.mu.Unlock()
	m.node, m.stop = nil, nil
	return m.runErr
}

// Kill takes the node away without a goodbye: its gossip is cut first, so the
// others have to notice by themselves.
func (m *Member) Kill() error {
	m.CutOff(true)
	m.net.say(Event{Node: m.Name, What: Killed})
	return m.Stop()
}

// Restart starts a stopped node again on its old data and address.
func (m *Member) Restart(ctx context.Context) error {
	m.CutOff(false)
	m.net.say(Event{Node: m.Name, What: Started})
	return m.start(ctx)
}

// CutOff drops all gossip to and from the node; HTTP still works.
func (m *Member) CutOff(cut bool) {
	m.cut.Store(cut)
	m.net.recount()
}

// SetClock makes the node's clock wrong by offset, negative for slow; zero
// makes it right again. Timers go on in real time.
func (m *Member) SetClock(offset time.Duration) { m.skew.Store(int64(offset)) }

func (m *Member) now() time.Time { return time.Now().Add(time.Duration(m.skew.Load())) }

// Close stops every node, the members at once and the hub last, and removes
// the temporary folder.
func (nw *Network) Close() error {
	var g errgroup.Group
	members := nw.Members()
	for _, m := range members[min(1, len(members)):] {
		g.Go(m.Stop)
	}
	errs := []error{g.Wait()}
	if len(members) > 0 {
		errs = append(errs, members[0].Stop())
	}
	errs = append(errs, nw.source.stop())
	if nw.ownDir {
		errs = append(errs, os.RemoveAll(nw.dir))
	}
	return errors.Join(errs...)
}

// Await asks condition until it returns nil or ctx ends; the error then says
// what was still missing.
func Await(ctx context.Context, condition func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrAwait, err)
		case <-tick.C:
		}
	}
}

// AwaitConverged waits until every running node holds a fresh copy of every
// running member's newest catalogue and sees it alive. With Spec.Anchors each
// Landkreis is looked at by itself.
func (nw *Network) AwaitConverged(ctx context.Context) error { return nw.awaitAmong(ctx, nw.Members) }

// awaitAmong is AwaitConverged for some of the members.
func (nw *Network) awaitAmong(ctx context.Context, of func() []*Member) error {
	at := 0 // whoever was not ready is asked first the next time
	return Await(ctx, func() error {
		members := of()
		for i := range members {
			next := (at + i) % len(members)
			if members[next].Node() == nil {
				continue
			}
			if err := members[next].complete(members); err != nil {
				at = next
				return err
			}
		}
		return nil
	})
}

// complete reports what of the catalogues of others a node does not hold yet.
func (m *Member) complete(others []*Member) error {
	held := map[string]portal.MemberStatus{}
	for _, s := range m.Node().Status().Members {
		held[string(s.Member)] = s
	}
	for _, o := range others {
		if o.Node() == nil || o.left.Load() || o.circle() != m.circle() {
			continue
		}
		s, ok := held[string(o.Entity)]
		switch {
		case !ok:
			return fmt.Errorf("%s does not know %s as a member", m.Name, o.Name)
		case s.Gossip != "alive" && s.Gossip != "self" && (s.Gossip != "follows" || !o.body.follows):
			return fmt.Errorf("%s sees %s as %s", m.Name, o.Name, s.Gossip)
		case o.body.files == nil:
		case s.Copy != mirror.StateFresh:
			return fmt.Errorf("%s holds %s as %s: %s", m.Name, o.Name, s.Copy, s.Error)
		}
		if own := o.serial(); s.Serial < own {
			return fmt.Errorf("%s holds serial %d of %s, which is at %d", m.Name, s.Serial, o.Name, own)
		}
	}
	return nil
}

// serial is what the member itself has published last.
func (m *Member) serial() uint64 { return m.Node().OwnSerial() }
