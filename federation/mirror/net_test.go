package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

const testAnchor = federation.EntityID("https://kreis.example")

var errRevoked = errors.New("revoked")

// testNet is a roster, a clock and some members with HTTP servers.
type testNet struct {
	t      testing.TB
	client *http.Client
	wire   atomic.Int64 // bytes read by all clients from their connections

	mu     sync.Mutex
	now    time.Time
	chains map[federation.EntityID]*trust.Chain
	reason map[federation.EntityID]error
}

func newNet(t testing.TB) *testNet {
	n := &testNet{t: t, now: time.Now(), chains: make(map[federation.EntityID]*trust.Chain), reason: make(map[federation.EntityID]error)}
	dialer := &net.Dialer{}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 8,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			c, err := dialer.DialContext(ctx, network, "127.0.0.1:"+port)
			return &countedConn{Conn: c, n: &n.wire}, err
		},
	}
	n.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return n
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func (n *testNet) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *testNet) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// Chain and Members make testNet the Members of every mirror.
func (n *testNet) Chain(id federation.EntityID) (*trust.Chain, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.reason[id]; err != nil {
		return nil, err
	}
	if c := n.chains[id]; c != nil {
		return c, nil
	}
	return nil, errRevoked
}

func (n *testNet) Members() []federation.Member {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []federation.Member
	for id, c := range n.chains {
		if m, err := c.Member(); err == nil && n.reason[id] == nil {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b federation.Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

func (n *testNet) grant(id federation.EntityID, keys trust.JWKS, areas ...string) {
	scope := federation.Scope{}
	for _, a := range areas {
		scope.Areas = append(scope.Areas, region.MustArea(a))
	}
	claims := trust.MarkClaims{Issuer: testAnchor, Subject: id, Type: trust.MarkType(testAnchor), ID: "mark-1", LegalName: string(id), Kind: federation.KindGemeinde}
	claims.SetScope(scope)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.chains[id] = &trust.Chain{Leaf: id, Anchor: testAnchor, Superior: testAnchor, Keys: keys, Expires: n.now.Add(24 * time.Hour),
		Marks: []trust.Mark{{Type: trust.MarkType(testAnchor), Claims: claims, Issuer: testAnchor}}}
}

func (n *testNet) revoke(id federation.EntityID, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reason[id] = err
}

// peer is one member with its mirror and server.
type peer struct {
	*Mirror
	net    *testNet
	id     federation.EntityID
	key    *trust.Key
	dir    string
	server *httptest.Server
	cancel context.CancelFunc
	done   chan struct{}

	// fault answers a request in place of the handlers if it returns true.
	fault    atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	requests atomic.Int64
	mirror   atomic.Pointer[Mirror]

	mu      sync.Mutex
	shown   map[federation.EntityID][]Copy
	dropped []federation.EntityID
	doubts  []Equivocation
}

func (n *testNet) member(name string) *peer {
	n.t.Helper()
	key, err := trust.KeyFromSeed([]byte(name))
	if err != nil {
		n.t.Fatal(err)
	}
	p := &peer{net: n, key: key, dir: n.t.TempDir(), shown: make(map[federation.EntityID][]Copy)}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	u, err := url.Parse(p.server.URL)
	if err != nil {
		n.t.Fatal(err)
	}
	p.id = federation.EntityID("http://" + name + ".localhost:" + u.Port())
	n.grant(p.id, key.Public(), sampleArea)
	n.t.Cleanup(func() { p.stop(); p.server.Close() })
	return p
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	if f := p.fault.Load(); f != nil && (*f)(w, r) {
		return
	}
	p.answer(w, r)
}

// answer answers without faults.
func (p *peer) answer(w http.ResponseWriter, r *http.Request) {
	m := p.mirror.Load()
	switch {
	case m == nil:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case r.URL.Path == catalogPath:
		m.CatalogHandler().ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, chunkPath):
		m.ChunkHandler().ServeHTTP(w, r)
	default:
		m.MirrorHandler().ServeHTTP(w, r)
	}
}

func (p *peer) setFault(f func(http.ResponseWriter, *http.Request) bool) { p.fault.Store(&f) }

// down makes every request fail.
func (p *peer) down(yes bool) {
	p.setFault(func(w http.ResponseWriter, _ *http.Request) bool {
		if yes {
			http.Error(w, "down", http.StatusServiceUnavailable)
		}
		return yes
	})
}

func (p *peer) config() Config {
	return Config{
		Dir: p.dir, Self: p.id, HTTP: p.net.client, Members: p.net, Now: p.net.Now,
		CheckEvery: time.Hour, RetryAfter: 20 * time.Millisecond, HintEvery: 20 * time.Millisecond,
		OnChange: func(c Copy) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.shown[c.Member.ID] = append(p.shown[c.Member.ID], c)
		},
		OnDrop: func(id federation.EntityID) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.dropped = append(p.dropped, id)
		},
		OnEquivocation: func(e Equivocation) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.doubts = append(p.doubts, e)
		},
	}
}

// open makes the mirror without running it.
func (p *peer) open(change ...func(*Config)) *peer {
	p.net.t.Helper()
	cfg := p.config()
	for _, f := range change {
		f(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		p.net.t.Fatal(err)
	}
	if err := m.Load(p.net.t.Context()); err != nil {
		p.net.t.Fatal(err)
	}
	p.Mirror = m
	p.mirror.Store(m)
	return p
}

// run opens the mirror and runs it until stop.
func (p *peer) run(change ...func(*Config)) *peer {
	p.net.t.Helper()
	p.open(change...)
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		if err := p.Mirror.Run(ctx); err != nil {
			p.net.t.Errorf("run: %v", err)
		}
	}()
	return p
}

func (p *peer) stop() {
	if p.cancel != nil {
		p.cancel()
		<-p.done
	}
	p.mirror.Store(nil)
}

// seal packs and seals a catalogue; change may falsify the manifest.
func (p *peer) seal(c *catalog.Catalogue, change ...func(*catalog.Manifest)) (string, map[federation.Digest][]byte) {
	p.net.t.Helper()
	packed, err := catalog.Pack(c)
	if err != nil {
		p.net.t.Fatal(err)
	}
	m := packed.Manifest
	m.IssuedAt, m.Expires = p.net.Now().Unix(), p.net.Now().Add(48*time.Hour).Unix()
	for _, f := range change {
		f(&m)
	}
	sealed, err := trust.Sign(p.key, catalog.ManifestType, m)
	if err != nil {
		p.net.t.Fatal(err)
	}
	return sealed, packed.Chunks
}

// publish publishes n offers at the next serial and returns the announcement.
func (p *peer) publish(n int) federation.Announcement {
	p.net.t.Helper()
	serial, previous := p.Own()
	sealed, chunks := p.seal(sampleCatalogue(p.id, serial+1, n, sampleArea), func(m *catalog.Manifest) { m.Previous = previous })
	if err := p.Publish(p.net.t.Context(), sealed, chunks); err != nil {
		p.net.t.Fatal(err)
	}
	return p.announce(serial+1, sealed)
}

func (p *peer) announce(serial uint64, sealed string) federation.Announcement {
	a := federation.Announcement{Member: p.id, Serial: serial, Manifest: federation.Sum([]byte(sealed))}
	if err := p.key.SignAnnouncement(&a); err != nil {
		p.net.t.Fatal(err)
	}
	return a
}

// holds reports whether p shows serial of other.
func (p *peer) holds(other *peer, serial uint64) bool {
	c, ok := p.Copy(other.id)
	return ok && c.Serial == serial && c.Catalogue != nil && c.Catalogue.Serial == serial
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Since(start) > time.Minute {
			t.Fatalf("not in time: %s", what)
		}
		<-tick.C
	}
}

func get(t testing.TB, n *testNet, u string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := n.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func offers(c Copy) string {
	if c.Catalogue == nil {
		return "none"
	}
	return fmt.Sprintf("%d offers at %d", len(c.Catalogue.Offers), c.Serial)
}

// running reports whether id is being pulled.
func (s *schedule) running(id federation.EntityID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks[id] != nil && s.tasks[id].running
}
