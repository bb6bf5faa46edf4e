package testnet

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// testHubAway: the hub is away for longer than its statements live, and
// a node is started then. It shows what it holds of the others, as old; nobody
// can sign in; with the hub back all is as before.
func testHubAway(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	hub, home, other := nw.Hub(), nw.Member("bissendorf"), nw.Member("melle")
	if err := hub.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := home.Stop(); err != nil {
		t.Fatal(err)
	}
	home.SetClock(30 * time.Hour)
	if err := home.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	c := NewCitizen(nw.Transport())
	q := url.Values{"q": {"Personalausweis"}, "ort": {other.Area.String()}}
	page := home.Entity.URL("/suche?" + q.Encode())
	if err := awaitPage(ctx, c, page, "Zuständig: "+other.Legal, "Angaben vom"); err != nil {
		t.Error(err)
	}
	if n := len(home.Node().Status().Members); n != 0 {
		t.Errorf("%d members without valid statements", n)
	}
	if err := c.Open(ctx, home.Entity.URL("/anmelden?zurueck=/konto")); err == nil && c.HasField("password") {
		t.Error("a login without valid statements")
	}
	if err := hub.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := home.Stop(); err != nil {
		t.Fatal(err)
	}
	home.SetClock(0) // the others never were in the next day
	if err := home.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := Await(ctx, func() error {
		if n := len(home.Node().Status().Members); n != len(nw.Members()) {
			return fmt.Errorf("%d members", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Error(err)
	}
}
