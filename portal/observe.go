package portal

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/mirror"
	"rathausnetz/portal/metrics"
	"rathausnetz/sso/op"
	"rathausnetz/sso/rp"
)

// What outbound requests are for, as the metrics name it.
const (
	forCatalogue   = "catalogue"
	forMembership  = "membership"
	forSignOn      = "signon"
	forReports     = "reports"
	forImport      = "import"
	forCertificate = "certificate"
)

// outbound is the one client for everything the node fetches, counted under
// what it is for.
func (n *Node) outbound(purpose string) *http.Client { return n.metrics.Client(purpose, n.http) }

// observe counts and times a route, and notes each request in the log: by
// pattern, because a path can say what somebody looked for.
func (n *Node) observe(pattern string, next http.Handler) http.Handler {
	switch pattern {
	case rp.CallbackPath + "{issuer}":
		next = n.metrics.Logins(next)
	case op.TokenPath:
		next = n.metrics.Tokens(next)
	}
	return n.metrics.Route(pattern, next, func(r *http.Request, status int, took time.Duration) {
		level := slog.LevelDebug
		if status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		if n.log.Enabled(r.Context(), level) {
			if !n.log.Enabled(r.Context(), level) { // arguments cost memory, also where nobody reads them
				return
			}
			n.log.Log(r.Context(), level, "request", "route", pattern, "status", status, "took", took)
		}
	})
}

// refusalKinds gives each rule a member can break a short name.
var refusalKinds = []struct {
	err  error
	kind string
}{
	{mirror.ErrSeal, "seal"}, {mirror.ErrIssuer, "issuer"}, {mirror.ErrRollback, "rollback"}, {mirror.ErrEquivocates, "equivocation"},
	{mirror.ErrExpired, "expired"}, {mirror.ErrNotYet, "future"}, {mirror.ErrContent, "content"}, {mirror.ErrTooLarge, "size"}, {mirror.ErrFull, "quota"},
	{mirror.ErrNotMember, "membership"}, {catalog.ErrInvalid, "content"},
}

func refusalKind(err error) string {
	for _, k := range refusalKinds {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	return "other"
}

// countPublication counts how an attempt to publish ended.
func (n *Node) countPublication(r PublishRequest, rep PublishReport, err error) {
	if !r.DryRun {
		why := text(err)
		if errors.Is(err, ErrNoSource) {
			why = ""
		}
		n.publication.Store(&why)
	}
	switch {
	case r.DryRun, errors.Is(err, ErrNoSource):
	case errors.Is(err, ErrGates):
		n.metrics.Published(metrics.ResultRefused)
	case err != nil:
		n.metrics.Published(metrics.ResultFailed)
	case rep.Published:
		n.metrics.Published(metrics.ResultOK)
	default:
		n.metrics.Published(metrics.ResultUnchanged)
	}
}

// snapshot is what the monitoring sees of this node.
func (n *Node) snapshot() metrics.Snapshot {
	s := n.Status()
	out := metrics.Snapshot{
		State: s.State, Certificate: n.certificateEnd(), DiskFree: freeBytes(n.cfg.Data), GossipRefused: s.Refused, GossipDropped: s.Dropped,
		Peers:  map[string]int{"alive": 0, "dead": 0, "left": 0, "unknown": 0, "follows": 0},
		Copies: map[string]int{string(mirror.StateFresh): 0, string(mirror.StateStale): 0, string(mirror.StateFrozen): 0, string(mirror.StateNone): 0},
	}
	for _, m := range s.Members {
		if m.Member == n.cfg.Entity {
			out.Offers, out.Serial = m.Offers, m.Serial
			continue
		}
		out.Peers[m.Gossip]++
		out.Copies[string(m.Copy)]++
		if !m.Checked.IsZero() {
			out.Age = max(out.Age, n.now().Sub(m.Checked))
		}
	}
	if net := n.network.Load(); net != nil {
		out.GossipBytes = net.discovery.Stats().Bytes
		if c, err := net.roster.Chain(n.cfg.Entity); err == nil {
			out.Expires = c.Expires
		}
	}
	return out
}

// freeBytes is what an ordinary user may still write below dir; -1 if that is
// not known.
func freeBytes(dir string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * st.Bsize
}
