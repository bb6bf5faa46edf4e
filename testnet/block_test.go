package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/anchor"
	"rathausnetz/portal"
)

const (
	blockedHost  = "boese.example"
	idCardLeika  = "99008001012000"
	leafletLink  = "https://merkblatt." + blockedHost + "/ausweis"
	blockedNote  = "Merkblatt (Link gesperrt)"
	blockedForm  = "Den Online-Antrag bei " + blockedHost + " zeigen wir nicht. Der Verbund hat diese Adresse gesperrt."
	blockReason  = "Unter der Adresse ist jetzt ein Betrug zu finden"
	unblockAgain = "Die Adresse gehört wieder dem Amt"
)

// TestBlock plants a link and an online form at a host, blocks the host at the
// hub, and measures until every portal has stopped linking there. A portal
// that was away learns it when it comes back, and every one still knows it
// after a restart. Then the host is opened again.
func TestBlock(t *testing.T) {
	nw := startNetwork(t, Spec{})
	ctx := within(t, 90*time.Second)
	home, away := nw.Member("bissendorf"), nw.Member("melle")
	plantLinks(t, home)
	everywhere := func(condition func(*Citizen, *Member) error) error {
		for _, m := range nw.Members() {
			if m.Node() == nil {
				continue
			}
			c := NewCitizen(nw.Transport())
			if err := Await(ctx, func() error { return condition(c, m) }); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		return nil
	}
	if err := everywhere(linked(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := away.Kill(); err != nil {
		t.Fatal(err)
	}
	hub := nw.Hub().Node()
	if _, err := home.Node().Block(ctx, portal.BlockRequest{By: "melle", Host: blockedHost, Reason: blockReason}); !errors.Is(err, portal.ErrNoHub) {
		t.Errorf("a member has blocked a host: %v", err)
	}
	if _, err := hub.Block(ctx, portal.BlockRequest{By: "hub", Host: home.Entity.Host(), Reason: blockReason}); !errors.Is(err, anchor.ErrBlockMember) {
		t.Errorf("the host of a member: %v", err)
	}
	begin := time.Now()
	if _, err := hub.Block(ctx, portal.BlockRequest{By: "hub", Host: blockedHost, Reason: blockReason}); err != nil {
		t.Fatal(err)
	}
	if err := everywhere(unlinked(ctx)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("%d portals had stopped linking to the host after %v", len(nw.Members())-1, took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if err := away.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := home.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := home.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := everywhere(unlinked(ctx)); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	if _, err := hub.Unblock(ctx, portal.BlockRequest{By: "hub", Host: blockedHost, Reason: unblockAgain}); err != nil {
		t.Fatal(err)
	}
	if err := everywhere(linked(ctx)); err != nil {
		t.Fatalf("after it was opened again: %v", err)
	}
}

// plantLinks publishes a leaflet and an online form at the host.
func plantLinks(t *testing.T, m *Member) {
	t.Helper()
	for file, change := range map[string][2]string{
		"leistungen.xml":    {"<p>Ab 16 Jahren brauchen Sie", `<p><a href="` + leafletLink + `">Merkblatt</a></p><p>Ab 16 Jahren brauchen Sie`},
		"onlinedienste.xml": {string(m.Entity) + "/antrag/hund-anmelden", "https://" + blockedHost + "/hund"},
	} {
		b, err := os.ReadFile(m.dir("catalog", file))
		if err != nil || !strings.Contains(string(b), change[0]) {
			t.Fatalf("%s has changed: %v", file, err)
		}
		if err := os.WriteFile(m.dir("catalog", file), []byte(strings.Replace(string(b), change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Node().Publish(t.Context(), portal.PublishRequest{}); err != nil {
		t.Fatal(err)
	}
}

func linked(ctx context.Context) func(*Citizen, *Member) error {
	return func(c *Citizen, m *Member) error {
		if err := c.Open(ctx, m.Entity.URL("/leistung/"+idCardLeika+"/"+bissendorfArea)); err != nil {
			return err
		}
		if !strings.Contains(c.body, leafletLink) || c.Sees(blockedNote) {
			return fmt.Errorf("%w: there is no link to %s", ErrPage, leafletLink)
		}
		if err := c.Open(ctx, m.Entity.URL("/leistung/"+dogLeika+"/"+bissendorfArea)); err != nil {
			return err
		}
		if c.Sees(blockedForm) {
			return fmt.Errorf("%w: the form is blocked", ErrPage)
		}
		return c.Expect("Online beantragen")
	}
}

func unlinked(ctx context.Context) func(*Citizen, *Member) error {
	return func(c *Citizen, m *Member) error {
		if err := c.Open(ctx, m.Entity.URL("/leistung/"+idCardLeika+"/"+bissendorfArea)); err != nil {
			return err
		}
		if strings.Contains(c.body, blockedHost+"/") {
			return fmt.Errorf("%w: a link to %s", errShown, blockedHost)
		}
		if err := c.Expect(blockedNote, "Einen Link zu "+blockedHost+" zeigen wir nicht."); err != nil {
			return err
		}
		if err := c.Open(ctx, m.Entity.URL("/leistung/"+dogLeika+"/"+bissendorfArea)); err != nil {
			return err
		}
		if strings.Contains(c.body, blockedHost+"/") || c.Sees("Online beantragen") {
			return fmt.Errorf("%w: the form at %s", errShown, blockedHost)
		}
		return c.Expect(blockedForm)
	}
}
