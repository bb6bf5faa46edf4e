package testnet

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/federation/mirror"
	"rathausnetz/portal"
)

// TestFaults lets the faults happen one after the other to one network, each of
// which has to leave it sound for the next; in the end nothing of it is left.
func TestFaults(t *testing.T) {
	nw := startAlone(t, Spec{})
	keepLedger(t, nw)
	for _, fault := range []struct {
		name string
		test func(*testing.T, *Network)
	}{
		{"PartitionOfAThird", testPartitionOfAThird},
		{"ClockOffByAnHour", testClockOffByAnHour},
		{"FloodFromOneMember", testFloodFromOneMember},
		{"AllRestartedAtOnce", testAllRestartedAtOnce},
		{"HubDownForAnHour", testHubDownForAnHour},
	} {
		t.Run(fault.name, func(t *testing.T) {
			ctx := within(t, 2*time.Minute)
			fault.test(t, nw)
			nw.sound(ctx, t)
		})
	}
	nw.end(t)
}

// testPartitionOfAThird pulls the cable between a third of the nodes and the
// others, for gossip and for HTTP. Both sides publish; each knows its own news
// and labels the other side. With the cable back all agree.
func testPartitionOfAThird(t *testing.T, nw *Network) {
	ctx := within(t, 2*time.Minute)
	members := nw.Members()
	third := members[len(members)-len(members)/3:]
	nw.Partition(third...)
	here, there := members[1], third[0]
	if err := Await(ctx, func() error {
		for _, m := range members {
			for _, s := range m.Node().Status().Members {
				o := nw.byEntity(s.Member)
				if m.separated(o) != (s.Gossip == "dead") {
					return fmt.Errorf("%s sees %s as %s", m.Name, o.Name, s.Gossip)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	before := map[*Member]uint64{}
	for _, m := range []*Member{here, there} {
		before[m] = m.serial()
		if err := m.retitle(); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Node().Publish(ctx, portal.PublishRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := Await(ctx, func() error {
		for _, m := range members {
			for _, of := range []*Member{here, there} {
				want := before[of] + 1
				if m.separated(of) {
					want = before[of]
				}
				if got := m.Node().Serving(of.Entity); got != want {
					return fmt.Errorf("%s serves serial %d of %s, not %d", m.Name, got, of.Name, want)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	nw.Heal()
}

// testHubDownForAnHour: the hub dies, and every clock goes on by an hour. The
// others show everything, take new publications over and believe each other.
func testHubDownForAnHour(t *testing.T, nw *Network) {
	ctx := within(t, 2*time.Minute)
	hub, members := nw.Hub(), nw.Members()[1:]
	if err := hub.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, m := range nw.Members() {
		m.SetClock(time.Hour)
	}
	if err := members[0].Stop(); err != nil { // a start without the hub, an hour later
		t.Fatal(err)
	}
	if err := members[0].Restart(ctx); err != nil {
		t.Fatal(err)
	}
	nw.sound(ctx, t)
	if _, err := nw.publishOnce(ctx, members[1]); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if c := m.copyOf(hub.Entity); c.Catalogue == nil || c.State != mirror.StateFresh {
			t.Errorf("%s holds the catalogue of the hub as %s", m.Name, c.State)
		}
	}
	if err := hub.Restart(ctx); err != nil {
		t.Fatal(err)
	}
}

// testClockOffByAnHour: one node's clock is an hour ahead, another one's an
// hour behind. What the first seals is not believed before its time, and
// nothing good is lost; with the clocks right everything arrives.
func testClockOffByAnHour(t *testing.T, nw *Network) {
	ctx := within(t, 2*time.Minute)
	ahead, behind, witness := nw.Members()[1], nw.Members()[2], nw.Members()[3]
	ahead.SetClock(time.Hour)
	behind.SetClock(-time.Hour)
	before := ahead.serial()
	if err := ahead.retitle(); err != nil {
		t.Fatal(err)
	}
	if _, err := ahead.Node().Publish(ctx, portal.PublishRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := Await(ctx, func() error {
		c := witness.copyOf(ahead.Entity)
		if c.Err == nil || c.Serial != before || c.Catalogue == nil {
			return fmt.Errorf("%s serves serial %d, %v", witness.Name, c.Serial, c.Err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ahead.SetClock(0)
	behind.SetClock(0)
	for _, m := range []*Member{ahead, behind} {
		if _, err := nw.publishOnce(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
}

// testAllRestartedAtOnce: all members stop and start again at the same moment,
// as after a power cut.
func testAllRestartedAtOnce(t *testing.T, nw *Network) {
	ctx := within(t, 2*time.Minute)
	restartAll(ctx, t, nw)
}

// TestSoakAllRestarted is the same with RATHAUSNETZ_RESTARTED members, 200 for
// example, which takes minutes.
func TestSoakAllRestarted(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("RATHAUSNETZ_RESTARTED"))
	if err != nil {
		t.Skip("set RATHAUSNETZ_RESTARTED to a number of members")
	}
	limit := 5*time.Minute + time.Duration(count)*10*time.Second
	ctx := within(t, limit)
	nw, err := Start(ctx, Spec{Members: count})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nw.Close(); err != nil {
			t.Error(err)
		}
	})
	keepLedger(t, nw)
	restartAll(ctx, t, nw)
	nw.sound(ctx, t)
	nw.end(t)
}

func restartAll(ctx context.Context, t *testing.T, nw *Network) {
	t.Helper()
	members := nw.Members()[1:]
	for _, step := range []func(*Member) error{(*Member).Kill, func(m *Member) error { return m.Restart(ctx) }} {
		var g errgroup.Group
		for _, m := range members {
			g.Go(func() error { return step(m) })
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d members agree again %s after all were restarted at once", len(members), time.Since(begin).Round(time.Millisecond))
	if _, err := nw.publishOnce(ctx, members[0]); err != nil {
		t.Fatal(err)
	}
}

// testFloodFromOneMember: a member publishes as fast as it can. It is capped
// and named; what another publishes meanwhile arrives, and in the end the
// newest of the flood, too.
func testFloodFromOneMember(t *testing.T, nw *Network) {
	ctx := within(t, 2*time.Minute)
	flooder, other := nw.Members()[1], nw.Members()[2]
	stop := make(chan struct{})
	flood := make(chan error, 1)
	go func() {
		for round := 1; ; round++ {
			select {
			case <-stop:
				flood <- nil
				return
			default:
			}
			err := flooder.retitle()
			if err == nil {
				_, err = flooder.Node().Publish(ctx, portal.PublishRequest{})
			}
			if err != nil {
				flood <- err
				return
			}
		}
	}()
	_, err := nw.publishOnce(ctx, other)
	if err == nil {
		err = Await(ctx, func() error {
			for _, m := range nw.Members() {
				if m == flooder {
					continue
				}
				for _, s := range m.Node().Status().Members {
					if (s.Member == flooder.Entity) != (s.Capped > 0) {
						return fmt.Errorf("%s has held back %d announcements of %s", m.Name, s.Capped, s.Name)
					}
				}
			}
			return nil
		})
	}
	close(stop)
	if ferr := <-flood; ferr != nil {
		t.Fatal(ferr)
	}
	if err != nil {
		t.Fatal(err)
	}
}
