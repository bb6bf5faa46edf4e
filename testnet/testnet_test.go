package testnet

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// startNetwork runs the demonstration for one test beside others: most of its
// time a test waits for something to happen.
func startNetwork(t *testing.T, spec Spec) *Network {
	t.Helper()
	t.Parallel()
	return startAlone(t, spec)
}

// startAlone is startNetwork for a test that looks whether anything of its
// network is left in the process.
func startAlone(t *testing.T, spec Spec) *Network {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if spec.Log == nil {
		level := slog.LevelWarn
		if testing.Verbose() {
			level = slog.LevelInfo
		}
		spec.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
	}
	nw, err := Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nw.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(nw.dir); spec.Dir == "" && !os.IsNotExist(err) {
			t.Errorf("the temporary folder is left: %v", err)
		}
	})
	return nw
}

// TestJourneys makes the five journeys of DESIGN §5, each as a citizen or an
// operator makes it, over real HTTP, gossip and OpenID Connect.
func TestJourneys(t *testing.T) {
	nw := startNetwork(t, Spec{})
	for _, j := range Journeys() {
		t.Run(strings.ReplaceAll(j.Name, " ", "_"), func(t *testing.T) {
			if r := nw.Try(t.Context(), j); r.Error != "" {
				t.Error(r.Error)
			}
		})
	}
}

// TestJourneysOverTLS makes the same journeys on https with a CA in memory,
// where every second member is behind a firewall: it hears and tells the news
// by outbound HTTPS alone.
func TestJourneysOverTLS(t *testing.T) {
	nw := startNetwork(t, Spec{TLS: true, Follow: true})
	if home, other, err := nw.towns(); err != nil || !home.body.follows || !other.body.follows {
		t.Fatalf("the towns of the journeys do not follow: %v", err)
	}
	for _, r := range nw.Check(t.Context()) {
		if r.Error != "" {
			t.Errorf("%s: %s", r.Name, r.Error)
		}
	}
}
