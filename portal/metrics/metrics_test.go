package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
)

func snapshot() Snapshot {
	return Snapshot{
		State: "member", Peers: map[string]int{"alive": 3, "dead": 1}, Copies: map[string]int{"fresh": 3, "stale": 1}, Age: 90 * time.Second,
		Offers: 5, Serial: 7, Expires: time.Unix(2000000000, 0), Certificate: time.Unix(2100000000, 0), DiskFree: 1 << 30, GossipBytes: 11, GossipRefused: 2,
	}
}

// everything makes a node's metrics with something in each.
func everything(t *testing.T) *Metrics {
	t.Helper()
	m := New(Config{Build: Build{Version: "1.0", Go: "go1"}, Snapshot: snapshot, Process: true})
	m.Refused("seal")
	m.Published(ResultOK)
	m.Reloaded(ResultRefused)
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "12345") }))
	defer peer.Close()
	client := m.Client("catalogue", peer.Client())
	resp, err := client.Get(peer.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	peer.Close()
	if _, err := client.Get(peer.URL); err == nil {
		t.Fatal("a peer that is gone answers")
	}
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	for _, h := range []http.Handler{m.Route("/leistung/{leika}", status(404), nil), m.Logins(status(303)), m.Logins(status(403)), m.Tokens(status(503))} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/leistung/99036026017000?q=secret", nil))
	}
	return m
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(everything(t).Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestScrape(t *testing.T) {
	rec := httptest.NewRecorder()
	everything(t).Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	page := rec.Body.String()
	for _, want := range []string{
		`rathausnetz_build_info{goversion="go1",revision="",version="1.0"} 1`,
		`rathausnetz_http_requests_total{method="other",route="/leistung/{leika}",status="4xx"} 1`,
		`rathausnetz_http_request_duration_seconds_count{route="/leistung/{leika}"} 1`,
		`rathausnetz_outbound_requests_total{purpose="catalogue",result="2xx"} 1`,
		`rathausnetz_outbound_requests_total{purpose="catalogue",result="unreachable"} 1`,
		`rathausnetz_outbound_received_bytes_total{purpose="catalogue"} 5`,
		`rathausnetz_logins_total{result="ok"} 1`, `rathausnetz_logins_total{result="refused"} 1`, `rathausnetz_logins_total{result="failed"} 0`,
		`rathausnetz_tokens_total{result="failed"} 1`, `rathausnetz_refusals_total{kind="seal"} 1`,
		`rathausnetz_node_state{state="member"} 1`, `rathausnetz_node_state{state="hub"} 0`,
		`rathausnetz_peers{state="alive"} 3`, `rathausnetz_copies{state="stale"} 1`, `rathausnetz_copy_age_seconds 90`,
		`rathausnetz_membership_expiry_timestamp_seconds 2e+09`, `rathausnetz_gossip_refused_total 2`, `rathausnetz_config_reloads_total{result="refused"} 1`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if m := regexp.MustCompile(`99036026017000|secret|127\.0\.0\.1`).FindString(page); m != "" {
		t.Errorf("the page says %q", m)
	}
}

// broken is a store that does not answer.
type broken struct{ store.Store }

func (broken) Get(context.Context, string) ([]byte, error) { return nil, store.ErrUnavailable }

func TestStore(t *testing.T) {
	m := New(Config{})
	storetest.Run(t, func(*testing.T) storetest.Subject {
		var ms atomic.Int64
		ms.Store(1_800_000_000_000)
		return storetest.Subject{
			Store:  m.Store(store.NewMemory(func() time.Time { return time.UnixMilli(ms.Load()) })),
			Elapse: func(d time.Duration) { ms.Add(d.Milliseconds()) },
		}
	})
	m = New(Config{})
	if _, err := m.Store(broken{}).Get(context.Background(), "a/b"); !errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`rathausnetz_store_errors_total{operation="get"} 1`, `rathausnetz_store_errors_total{operation="put"} 0`, `rathausnetz_store_operation_duration_seconds_count{operation="get"} 1`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
}
