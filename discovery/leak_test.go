package discovery

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// memberlist does not wait for its goroutines: a probe under way ends with its
// timeout. Ours have ended when Run returns.
func TestNothingIsLeftAfterRun(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	n := newNet(t)
	nodes := n.grow(4)
	nodes[0].Announce(announcement(nodes[0].id, 1))
	if err := nodes[1].Notify("x"); err != nil {
		t.Fatal(err)
	}
	n.stop()
	awaitFor(t, "no goroutine is left", 15*time.Second, func() bool { return goleak.Find(ignore, goleak.IgnoreAnyFunction("testing.(*T).Run")) == nil })
}
