package discovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
)

// fakeWeb answers requests to entity IDs by their host name, in memory.
type fakeWeb struct {
	mu    sync.Mutex
	hosts map[string]http.Handler
}

func (w *fakeWeb) set(id federation.EntityID, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[id.Host()] = h
}

// client reaches the handlers through one real server, so that cancelling
// a request is seen by its handler.
func (w *fakeWeb) client(t testing.TB) *http.Client {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		h := w.hosts[strings.Split(r.Host, ":")[0]]
		w.mu.Unlock()
		if h == nil {
			http.Error(rw, "down", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	addr := strings.TrimPrefix(server.URL, "http://")
	return &http.Client{Transport: plainHTTP{&http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}}}
}

// plainHTTP makes https URLs of entity IDs plain for the fake web.
type plainHTTP struct{ http.RoundTripper }

func (p plainHTTP) RoundTrip(r *http.Request) (*http.Response, error) {
	c := r.Clone(r.Context())
	c.URL.Scheme = "http"
	return p.RoundTripper.RoundTrip(c)
}

// follow starts a follower of the nodes.
func (n *testNet) follow(web *fakeWeb, id federation.EntityID, sources ...*testNode) (*Follower, *testNode, func()) {
	n.t.Helper()
	cfg, node := n.config(id, "a")
	f, err := NewFollower(FollowerConfig{
		Self: id, HTTP: web.client(n.t), RetryAfter: 20 * time.Millisecond,
		Sources: func() (out []federation.EntityID) {
			for _, s := range sources {
				out = append(out, s.id)
			}
			return out
		},
		VerifyAnnouncement: cfg.VerifyAnnouncement, OnAnnouncement: cfg.OnAnnouncement, OnNotice: cfg.OnNotice, OnReachable: cfg.OnReachable,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			n.t.Errorf("run: %v", err)
		}
	})
	n.t.Cleanup(stop)
	return f, node, stop
}

func TestFollowerHearsAndIsHeard(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	nodes := n.grow(3)
	web := &fakeWeb{hosts: map[string]http.Handler{}}
	web.set(nodes[0].id, nodes[0].FollowHandler())
	web.set(nodes[1].id, nodes[1].FollowHandler())
	n.admit(entity(8), true)
	before := announcement(nodes[2].id, 1)
	nodes[2].Announce(before)
	f, heard, _ := n.follow(web, entity(8), nodes[0], nodes[1])
	await(t, "what was announced before", func() bool { return heard.has(before) })
	await(t, "who is up", func() bool { return f.Reachable(nodes[0].id) && f.Reachable(nodes[1].id) && f.Reachable(nodes[2].id) })
	own := announcement(entity(8), 1)
	f.Announce(own)
	await(t, "its own is gossiped", all(nodes, func(x *testNode) bool { return x.has(own) }))

	after := announcement(nodes[1].id, 1)
	start := time.Now()
	nodes[1].Announce(after)
	await(t, "what is announced later", func() bool { return heard.has(after) })
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a long poll took %s", took)
	}
	if err := nodes[1].Notify("revoked"); err != nil {
		t.Fatal(err)
	}
	await(t, "a notice", func() bool {
		heard.mu.Lock()
		defer heard.mu.Unlock()
		return len(heard.notices) == 1
	})
	nodes[2].stop()
	await(t, "who has gone", func() bool { return !f.Reachable(nodes[2].id) })

	web.set(nodes[0].id, nil) // its source fails: the next one is asked
	nodes[0].stop()
	again := announcement(nodes[1].id, 2)
	nodes[1].Announce(again)
	await(t, "from the other source", func() bool { return heard.has(again) && f.Reachable(nodes[1].id) })
	await(t, "the failed one is down", func() bool { return !f.Reachable(nodes[0].id) })
	web.set(nodes[1].id, nil)
	nodes[1].stop()
	await(t, "nobody answers: nobody is up", func() bool { return !f.Reachable(nodes[1].id) })
	if err := f.Notify("x"); !errors.Is(err, ErrFollower) {
		t.Errorf("Notify: %v", err)
	}
}

func TestFollowerBelievesNoSource(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	n.admit(entity(1), true)
	forged := announcement(entity(1), 9)
	forged.Signature[0] ^= 1
	real := announcement(entity(1), 2)
	web := &fakeWeb{hosts: map[string]http.Handler{}}
	bodies := []any{
		"not an object",
		map[string]any{"since": strings.Repeat("x", 200)},
		followAnswer{Since: "a-1", Announcements: [][]byte{{1, 2, 3}, forged.Encode()}, Notices: []followNotice{{Text: "forged", Until: time.Now().Add(time.Hour)}}, Up: []federation.EntityID{"HTTP://Odd"}},
		followAnswer{Since: "a-2", Announcements: [][]byte{real.Encode()}},
	}
	var mu sync.Mutex
	asked := 0
	web.set(entity(1), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		i := min(asked, len(bodies)-1)
		asked++
		late := asked > len(bodies)
		mu.Unlock()
		if late {
			<-r.Context().Done()
			return
		}
		if err := json.NewEncoder(w).Encode(bodies[i]); err != nil {
			t.Error(err)
		}
	}))
	f, heard, stop := n.follow(web, entity(8), &testNode{id: entity(1)})
	await(t, "the real one", func() bool { return heard.has(real) })
	await(t, "the others refused", func() bool { return f.Stats().Refused >= 2 })
	stop()
	heard.mu.Lock()
	defer heard.mu.Unlock()
	if heard.count != 1 || len(heard.notices) != 0 {
		t.Errorf("%d announcements, %d notices", heard.count, len(heard.notices))
	}
	if len(f.Peers()) != 1 {
		t.Errorf("peers %v", f.Peers())
	}
}

func TestFollowHandlerRefuses(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	d := n.grow(1)[0]
	h := d.FollowHandler()
	for name, c := range map[string]struct {
		method, target, body string
		status               int
	}{
		"other method":  {http.MethodDelete, FollowPath, "", http.StatusMethodNotAllowed},
		"too long":      {http.MethodPost, FollowPath, strings.Repeat("x", 300), http.StatusRequestEntityTooLarge},
		"no shape":      {http.MethodPost, FollowPath, "xyz", http.StatusBadRequest},
		"announcement":  {http.MethodPost, FollowPath, string(announcement(entity(3), 1).Encode()), http.StatusAccepted},
		"no since":      {http.MethodGet, FollowPath, "", http.StatusOK},
		"foreign since": {http.MethodGet, FollowPath + "?since=abc-7", "", http.StatusOK},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.target, strings.NewReader(c.body)))
		if w.Code != c.status || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	await(t, "an announcement of a stranger is refused", func() bool { return d.Stats().Refused > 0 })
	var first followAnswer
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, FollowPath, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &first); err != nil || !first.All {
		t.Fatalf("%s, %v", w.Body, err)
	}
	d.Discovery.mu.Lock()
	d.waiting = maxFollowers
	d.Discovery.mu.Unlock()
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, FollowPath+"?since="+first.Since, nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("too many waiting: %d", w.Code)
	}
	d.Discovery.mu.Lock()
	d.waiting = 0
	d.Discovery.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, FollowPath+"?since="+first.Since, nil).WithContext(ctx))
	}()
	await(t, "it waits", func() bool { d.Discovery.mu.Lock(); defer d.Discovery.mu.Unlock(); return d.waiting == 1 })
	cancel()
	<-done
	d.ReleaseFollowers()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, FollowPath+"?since="+first.Since, nil))
}

func TestFollowerConfigIsChecked(t *testing.T) {
	if _, err := NewFollower(FollowerConfig{}); !errors.Is(err, ErrConfig) {
		t.Errorf("empty: %v", err)
	}
}

func FuzzFollowAnswer(f *testing.F) {
	b, err := json.Marshal(followAnswer{Since: "a-1", Announcements: [][]byte{announcement(entity(1), 1).Encode()}, Up: []federation.EntityID{entity(1)}, Down: []federation.EntityID{entity(2)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"since":"x","all":true,"notices":[{"text":"a","until":"2026-01-01T00:00:00Z"}]}`))
	fo, err := NewFollower(FollowerConfig{Self: entity(0), HTTP: http.DefaultClient, Sources: func() []federation.EntityID { return nil },
		VerifyAnnouncement: func(federation.Announcement) error { return errNoMember }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a followAnswer
		if json.NewDecoder(bytes.NewReader(b)).Decode(&a) == nil {
			fo.take(entity(1), a)
			fo.core.dispatch()
		}
		if len(fo.Peers()) > maxPeers || len(fo.Announcements()) > 0 {
			t.Error("believed too much")
		}
	})
}
