package testnet

import (
	"testing"
	"time"
)

func TestNeighbourSmoke(t *testing.T) {
	nw := startNetwork(t, Spec{Neighbour: true})
	ctx := within(t, 30*time.Second)
	err := Await(ctx, func() error {
		for _, m := range nw.Members() {
			l := m.Node().Neighbours()
			if len(l) != 1 {
				return errShown
			}
		}
		return nil
	})
	for _, m := range nw.Members() {
		t.Logf("%s: %+v", m.Name, m.Node().Neighbours())
	}
	if err != nil {
		t.Fatal(err)
	}
}
