package testnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/roster"
	"rathausnetz/portal"
)

// ledger writes down what the nodes of a network serve, and objects when
// something older replaces something newer [DESIGN §8].
type ledger struct {
	t *testing.T

	mu     sync.Mutex
	served map[[2]string]uint64 // by node and member; guarded by mu
}

func keepLedger(t *testing.T, nw *Network) *ledger {
	l := &ledger{t: t, served: map[[2]string]uint64{}}
	stop := nw.Watch(func(e Event) {
		if e.What != portal.Pulled {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		k := [2]string{e.Node, e.Peer}
		if e.Serial < l.served[k] {
			t.Errorf("%s: serial %d of %s replaces %d", e.Node, e.Serial, e.Peer, l.served[k])
		}
		l.served[k] = e.Serial
	})
	t.Cleanup(stop)
	return l
}

// sound waits until all nodes hold the same manifests and checks on each what
// must never happen.
func (nw *Network) sound(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
	if err := Await(ctx, nw.agree); err != nil {
		t.Fatal(err)
	}
	c := NewCitizen(nw.Transport())
	for _, m := range nw.Members() {
		if m.Node() == nil {
			continue
		}
		if err := c.Open(ctx, m.Entity.URL("/readyz")); err != nil || c.Status() != 200 {
			t.Errorf("%s is not ready: %d %v", m.Name, c.Status(), err)
		}
		for _, copy := range m.Node().Copies() {
			if copy.Catalogue != nil {
				m.inScope(t, copy)
			}
		}
		for _, v := range m.Node().Status().Verdicts {
			if copy := m.copyOf(v.ID); v.State == roster.StateRevoked && copy.Catalogue != nil {
				t.Errorf("%s shows offers of %s, which is revoked", m.Name, v.ID)
			}
		}
	}
}

func (m *Member) copyOf(id federation.EntityID) mirror.Copy {
	for _, c := range m.Node().Copies() {
		if c.Member.ID == id {
			return c
		}
	}
	return mirror.Copy{}
}

// inScope objects to claims outside the granted scope.
func (m *Member) inScope(t *testing.T, c mirror.Copy) {
	t.Helper()
	for i := range c.Catalogue.Offers {
		o := &c.Catalogue.Offers[i]
		for _, z := range o.Zustaendigkeiten {
			if !c.Member.Scope.CoversArea(z.Area) {
				t.Errorf("%s shows %s of %s for %s, outside its scope", m.Name, o.ID, c.Member.ID, z.Area)
			}
		}
	}
}

var errDiffer = errors.New("testnet: nodes hold different manifests")

// agree reports whether all running nodes hold one and the same manifest of
// every running member.
func (nw *Network) agree() error {
	for _, of := range nw.Members() {
		if of.Node() == nil || of.body.files == nil || of.left.Load() {
			continue
		}
		want := of.copyOf(of.Entity)
		for _, m := range nw.Members() {
			if m.Node() == nil || m.left.Load() || m.circle() != of.circle() {
				continue
			}
			if got := m.copyOf(of.Entity); got.Digest != want.Digest || got.Serial != want.Serial {
				return fmt.Errorf("%w: %s has serial %d of %s, itself %d", errDiffer, m.Name, got.Serial, of.Name, want.Serial)
			}
		}
	}
	return nil
}

// end stops the network and looks for what it has left: goroutines of this
// module and files half written.
func (nw *Network) end(t *testing.T) {
	t.Helper()
	for _, m := range nw.Members() {
		if err := m.Stop(); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	err := filepath.WalkDir(nw.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && (strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".tmp")) {
			t.Errorf("left over: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := nw.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	if err := Await(ctx, noGoroutine); err != nil {
		t.Error(err)
	}
}

var errLeft = errors.New("testnet: a goroutine is left")

// noGoroutine looks for goroutines of this module other than those of tests.
func noGoroutine() error {
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		return err
	}
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		ours := slices.ContainsFunc(strings.Split(stack, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "rathausnetz/")
		})
		if ours && !strings.Contains(stack, "testing.tRunner") && !strings.Contains(stack, "testing.(*M)") {
			return fmt.Errorf("%w: %s", errLeft, stack)
		}
	}
	return nil
}
