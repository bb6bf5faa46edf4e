package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// firewall drops the gossip of machine i in both directions; HTTPS stays open.
func (w *wires) firewall(i int) {
	w.t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		w.t.Skip("the firewall needs nft (nftables)")
	}
	cmd := exec.Command("ip", "netns", "exec", w.space(i), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(`table inet firewall {
	chain in { type filter hook input priority 0; meta l4proto { tcp, udp } th dport 7946 counter drop; }
	chain out { type filter hook output priority 0; meta l4proto { tcp, udp } th dport 7946 counter drop; }
}`)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Skipf("this machine has no firewall: %s", out)
	}
}

// TestFollowBehindFirewall: a member whose gossip port is closed both ways
// follows. It joins, hears of what others publish, tells of its own, and goes
// on hearing from another member when the hub is gone.
func TestFollowBehindFirewall(t *testing.T) {
	w := newWires(t, 3, "10.77.0.")
	w.firewall(3)
	bin := buildBinary(t)
	cert, key := w.certificate(3)
	hub := w.machine(1, bin, cert, key, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := w.machine(2, bin, cert, key, "melle", "Stadt Melle")
	essen := w.machine(3, bin, cert, key, "bad-essen", "Gemeinde Bad Essen")
	essen.env = append(essen.env, "RATHAUSNETZ_GOSSIP_FOLLOW=true")
	hub.serve()
	melle.join(hub, "Stadt Melle", "034590024024")
	essen.join(hub, "Gemeinde Bad Essen", "034590003003")
	want := map[string]uint64{hub.entity: 1, melle.entity: 1, essen.entity: 1}
	hub.await(func() error { return agree(want, hub, melle, essen) })

	melle.publishChange()
	essen.publishChange()
	want[melle.entity], want[essen.entity] = 2, 2
	began := time.Now()
	hub.await(func() error { return agree(want, hub, melle, essen) })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("agreed after %s", took)
	}

	hub.kill()
	essen.sees(hub, "dead")
	melle.publishChange()
	essen.await(func() error {
		s, err := essen.status()
		if err != nil {
			return err
		}
		for _, m := range s.Members {
			if string(m.Member) == melle.entity && m.Serial == 3 && m.Copy == "fresh" {
				return nil
			}
		}
		return fmt.Errorf("%+v", s.Members)
	})
}
