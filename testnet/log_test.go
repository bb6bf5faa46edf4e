package testnet

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer may be written to by many.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestNothingPersonalInTheLog makes all journeys, a search with words of its
// own, a failed login and a request that fails, with everything logged that
// can be, and looks for what must never be in a log [DESIGN §8].
func TestNothingPersonalInTheLog(t *testing.T) {
	var log lockedBuffer
	nw := startNetwork(t, Spec{Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	settled(t, nw)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, r := range nw.Check(ctx) {
		if r.Error != "" {
			t.Errorf("%s: %s", r.Name, r.Error)
		}
	}
	m := nw.Member("bissendorf")
	client := &http.Client{Transport: nw.Transport(), Timeout: 20 * time.Second}
	for _, path := range []string{"/suche?q=Quittenmarmelade", "/leistung/99000000000000/034590012012?note=Quittenmarmelade", "/nirgends/Quittenmarmelade",
		"/anmelden?zurueck=/konto%3Fx%3DQuittenmarmelade", "/op/authorize?client_id=Quittenmarmelade", "/api/v1/search?q=Quittenmarmelade"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Entity.URL(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "203.0.113.99")
		req.Header.Set("Cookie", "rn=Quittenmarmelade")
		req.Header.Set("User-Agent", "Quittenmarmelade")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	c := NewCitizen(nw.Transport())
	if err := c.Open(ctx, m.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
		t.Fatal(err)
	}
	if err := c.Submit(ctx, map[string]string{"username": "quittenmarmelade", "password": "Quittenmarmelade"}); err == nil {
		t.Log("the failed login was answered with a page") // 401 or a form again, as the page decides
	}

	said := log.String()
	for _, want := range []string{`"msg":"signed in"`, `"trace":"`, `"msg":"request"`, `"level":"WARN"`, `"event":"login failed"`} {
		if !strings.Contains(said, want) {
			t.Errorf("%s is not in the log: nothing was looked at", want)
		}
	}
	// Where a node itself connects to another one, the system's error names the
	// other's address, and gossip names where nodes are: no visitor is in either.
	machines := regexp.MustCompile(`(?:dial|read|write) (?:tcp|udp)[46]? [^ ]*|(?:127\.0\.0\.1:[0-9]+)->[^ ]*`)
	address := regexp.MustCompile(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b`)
	never := regexp.MustCompile(`(?i)quittenmarmelade|203\.0\.113\.99|eyJ[A-Za-z0-9_-]{10}|code=|id_token=|code_verifier|Bearer [A-Za-z0-9]|RN1-|` +
		regexp.QuoteMeta(DemoName) + `|` + regexp.QuoteMeta(DemoUser) + `\b|` + regexp.QuoteMeta(DemoPassword))
	seen := map[string]bool{}
	for line := range strings.SplitSeq(said, "\n") {
		if bad := never.FindString(line); bad != "" && !seen[bad] {
			seen[bad] = true
			t.Errorf("%q is in the log: %s", bad, line)
		}
		if bad := address.FindString(machines.ReplaceAllString(line, "")); bad != "" && !seen[line[:40]] && len(seen) < 20 {
			seen[line[:40]] = true
			t.Errorf("the address %s is in the log: %s", bad, line)
		}
	}
}
