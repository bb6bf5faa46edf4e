package testnet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// within is the patience of one fault.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// TestHubDown: without the hub every portal answers, also one that is started
// anew from its disk; the hub's own offers stay and say that its portal does
// not answer; a person who is signed in stays so. It heals without help.
func TestHubDown(t *testing.T) {
	nw := startNetwork(t, Spec{})
	ctx := within(t, time.Minute)
	home, other, err := nw.towns()
	if err != nil {
		t.Fatal(err)
	}
	c := NewCitizen(nw.Transport())
	if err := nw.findAndApply(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Open(ctx, home.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
		t.Fatal(err)
	}
	if err := nw.confirm(ctx, c); err != nil {
		t.Fatal(err)
	}
	hub := nw.Hub()
	if err := hub.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := home.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := home.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	search := home.Entity.URL("/suche?q=Auto+abmelden")
	if err := awaitPage(ctx, c, search, hub.Legal, "Ein Portal antwortet gerade nicht"); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(ctx, c, home.Entity.URL("/suche?q=Personalausweis&ort="+other.Area.String()), "Zuständig: "+other.Legal); err != nil {
		t.Fatal(err)
	}
	if err := c.Open(ctx, home.Entity.URL("/konto")); err != nil {
		t.Fatal(err)
	}
	if err := c.Expect(DemoName); err != nil {
		t.Errorf("the session did not survive hub and restart: %v", err)
	}
	if err := c.Open(ctx, search); err != nil {
		t.Fatal(err)
	}
	if err := c.ClickHref(ctx, "/leistung/"+carLeika+"/"); err != nil {
		t.Fatal(err)
	}
	if err := c.Click(ctx, applyText); err == nil && !c.Sees("gerade nicht erreichbar") {
		t.Errorf("applying at a portal that is down: %d at %s: %.300s", c.Status(), c.URL(), c.Text())
	}
	if err := hub.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
	if err := awaitGone(ctx, c, search, "Ein Portal antwortet gerade nicht"); err != nil {
		t.Error(err)
	}
}

// TestCutAndHeal: two members lose the gossip of everybody else; what they
// publish meanwhile is known everywhere soon after the cable is back.
func TestCutAndHeal(t *testing.T) {
	nw := startNetwork(t, Spec{})
	ctx := within(t, time.Minute)
	home, other, err := nw.towns()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Member{home, other} {
		m.CutOff(true)
	}
	if err := Await(ctx, func() error {
		for _, s := range nw.Hub().Node().Status().Members {
			if (s.Member == home.Entity || s.Member == other.Entity) && s.Gossip != "dead" {
				return fmt.Errorf("%s is seen as %s", s.Name, s.Gossip)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := publishJourneyWhileCut(ctx, home); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Member{home, other} {
		m.CutOff(false)
	}
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
}

// publishJourneyWhileCut renames an offer of m and publishes it.
func publishJourneyWhileCut(ctx context.Context, m *Member) error {
	path := m.dir("catalog", publishFile)
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return m.republish(ctx, path, bytes.ReplaceAll(before, []byte(publishWords), []byte(publishNew)))
}
