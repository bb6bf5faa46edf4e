package testnet

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"rathausnetz/portal"
)

// TestAwayAndBack: what is away is back soon after it returns.
func TestAwayAndBack(t *testing.T) {
	nw := startNetwork(t, Spec{Members: 3})
	t.Run("suspended", func(t *testing.T) { testReadmit(t, nw) })
	t.Run("hub", func(t *testing.T) { testHubAway(t, nw) })
}

// testReadmit: a member that is suspended disappears everywhere at once, and
// is back everywhere soon after it was admitted again, without waiting for the
// minute's refresh.
func testReadmit(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	hub, victim := nw.Hub(), nw.Member("melle")
	decide := func(verb string) {
		t.Helper()
		d, err := json.Marshal(portal.Decision{ID: victim.Entity, By: operatorName, Reason: "test"})
		if err == nil {
			_, err = hub.Node().Verbs()[verb](ctx, d)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	await := func(member bool) {
		t.Helper()
		if err := Await(ctx, func() error {
			for _, m := range nw.Members() {
				is := false
				for _, s := range m.Node().Status().Members {
					is = is || s.Member == victim.Entity && (!member || s.Offers > 0)
				}
				if is != member {
					return fmt.Errorf("%s: member %t", m.Name, is)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	decide("suspend")
	await(false)
	began := time.Now()
	decide("readmit")
	await(true)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	} else {
		t.Logf("back everywhere after %s", took.Round(10*time.Millisecond))
	}
}
