package portal

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"rathausnetz/portal/systemd"
)

// statusEvery is how often the service manager is told how the node is.
const statusEvery = 10 * time.Second

// manage tells the service manager that the node answers, and feeds its
// watchdog for as long as that is true. A node whose locks or handlers hang
// says nothing more and is restarted; a store or a peer that is down is no
// reason for that.
func (n *Node) manage(ctx context.Context, m *systemd.Manager) error {
	n.say(m.Ready(n.oneLine()))
	every := statusEvery
	if w := m.WatchdogEvery(); w > 0 {
		every = min(every, w)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		line := n.oneLine()
		if !n.answers(ctx) {
			continue
		}
		n.say(m.Alive())
		n.say(m.Status(line))
	}
}

// say notes that the service manager could not be told.
func (n *Node) say(err error) {
	if err != nil {
		n.log.Warn("the service manager was not told", "err", err)
	}
}

// answers asks the node's own handler.
func (n *Node) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/healthz", nil)
	if err != nil {
		return false
	}
	req.RemoteAddr = "127.0.0.1:0"
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	n.handler.ServeHTTP(rec, req)
	return rec.status == http.StatusOK
}

// oneLine is the state of the node in one line.
func (n *Node) oneLine() string {
	s := n.Status()
	line := fmt.Sprintf("%s: %s", s.Entity, s.State)
	if s.State == "alone" || s.State == "waiting" {
		return line
	}
	fresh := 0
	for _, m := range s.Members {
		if m.Copy == "fresh" {
			fresh++
		}
	}
	return fmt.Sprintf("%s, %d members, %d nodes alive, %d catalogues fresh", line, len(s.Members), s.Alive, fresh)
}
