package testnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
	"rathausnetz/portal"
)

// refusedWithin is how long the network may take to refuse what is hostile: one
// or two seconds, five at the most, and four times that on a machine that is
// busy with other tests under the race detector.
const refusedWithin = 20 * time.Second

// sealedCatalogue is what a member publishes: manifest and the bytes it names.
type sealedCatalogue struct {
	manifest  string
	content   catalog.Manifest
	catalogue *catalog.Catalogue
	chunks    map[federation.Digest][]byte
}

func (s sealedCatalogue) digest() federation.Digest { return federation.Sum([]byte(s.manifest)) }

// hostile is a member that lies. It has keys, address, entity configuration
// and gossip of a genuine member, whose node was stopped, and serves whatever
// the test wants.
type hostile struct {
	*Member
	t       *testing.T
	keys    *trust.Keys
	genuine sealedCatalogue // what the node had published last
	gossip  *discovery.Discovery

	mu     sync.Mutex
	asked  int                          // requests for the manifest so far
	answer func(asked int) string       // the manifest; guarded by mu
	chunks map[federation.Digest][]byte // guarded by mu
}

// takeOver stops a member's node and puts a hostile one in its place until the
// test ends. It returns when everybody sees that one alive.
func takeOver(t *testing.T, nw *Network, name string) *hostile {
	t.Helper()
	h := &hostile{Member: nw.Member(name), t: t, chunks: map[federation.Digest][]byte{}}
	configuration := fetch(t, nw, h.Entity.URL("/.well-known/openid-federation"))
	h.genuine = published(t, nw, h.Entity)
	h.serve(h.genuine)
	var err error
	if h.keys, err = trust.LoadKeys(h.dir("data", "keys")); err != nil {
		t.Fatal(err)
	}
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Restart(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h.listen(h.port, configuration)
	h.join(nw)
	await(t, 20*time.Second, func() error {
		for _, o := range h.others() {
			if s, _ := o.sees(h.Member); s.Gossip != "alive" {
				return fmt.Errorf("%s sees the hostile %s as %s", o.Name, h.Name, s.Gossip)
			}
		}
		return nil
	})
	return h
}

// fetch gets what a genuine node serves.
func fetch(t *testing.T, nw *Network, address string) []byte {
	t.Helper()
	status, b := get(t, nw, address)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", address, status, b)
	}
	return b
}

func get(t *testing.T, nw *Network, address string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, nw, req)
}

func do(t *testing.T, nw *Network, req *http.Request) (int, []byte) {
	t.Helper()
	tr := nw.Transport()
	defer tr.(*http.Transport).CloseIdleConnections()
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b
}

// published fetches the whole catalogue of a genuine member.
func published(t *testing.T, nw *Network, id federation.EntityID) sealedCatalogue {
	t.Helper()
	s := sealedCatalogue{manifest: string(fetch(t, nw, id.URL("/federation/catalog"))), chunks: map[federation.Digest][]byte{}}
	token, err := trust.Peek(s.manifest, catalog.ManifestType)
	if err == nil {
		err = token.Into(&s.content)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.catalogue, err = catalog.Unpack(s.content, func(d federation.Digest) ([]byte, error) {
		if s.chunks[d] == nil {
			s.chunks[d] = fetch(t, nw, id.URL("/federation/chunk/"+d.String()))
		}
		return s.chunks[d], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// listen serves on a member's port until stop or the end of the test.
func (h *hostile) listen(port int, configuration []byte) (stop func()) {
	h.t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		h.t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/.well-known/openid-federation" && configuration != nil:
			w.Header().Set("Content-Type", "application/entity-statement+jwt")
			w.Write(configuration)
		case r.URL.Path == "/federation/catalog" && !r.URL.Query().Has("bundle"):
			io.WriteString(w, h.manifest())
		case strings.HasPrefix(r.URL.Path, "/federation/chunk/"):
			h.serveChunk(w, path.Base(r.URL.Path))
		default:
			http.NotFound(w, r)
		}
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	stop = sync.OnceFunc(func() {
		srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(stop)
	return stop
}

func (h *hostile) manifest() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return h.answer(h.asked)
}

func (h *hostile) serveChunk(w http.ResponseWriter, name string) {
	d, err := federation.ParseDigest(name)
	h.mu.Lock()
	b, ok := h.chunks[d]
	h.mu.Unlock()
	if err != nil || !ok {
		http.Error(w, "no such chunk", http.StatusNotFound)
		return
	}
	w.Write(b)
}

// serve answers requests with these catalogues in turn.
func (h *hostile) serve(list ...sealedCatalogue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range list {
		for d, b := range s.chunks {
			h.chunks[d] = b
		}
	}
	h.answer = func(asked int) string { return list[asked%len(list)].manifest }
}

// join takes part in gossip under the member's name and believes everybody.
func (h *hostile) join(nw *Network) {
	h.t.Helper()
	b, err := os.ReadFile(h.dir("data", "membership.json"))
	if err != nil {
		h.t.Fatal(err)
	}
	var state struct {
		Gossip [][]byte `json:"gossip"`
	}
	if err := json.Unmarshal(b, &state); err != nil {
		h.t.Fatal(err)
	}
	bind := h.Member.gossip.String()
	hub := nw.Hub().gossip.String()
	h.gossip, err = discovery.New(discovery.Config{
		Self: h.Entity, Name: h.Name, Bind: bind, Advertise: bind, Keys: state.Gossip, Profile: nw.spec.Profile, Log: nw.log.With("node", "hostile "+h.Name),
		Seeds:              func() []string { return []string{hub} },
		SignNode:           func(b []byte) ([]byte, error) { return h.keys.Federation[0].SignBytes("gossip node", b) },
		VerifyNode:         func(federation.EntityID, []byte, []byte) error { return nil },
		VerifyAnnouncement: func(federation.Announcement) error { return nil },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.gossip.Run(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
}

// seal packs a catalogue and seals it with this member's key; change may
// falsify the manifest.
func (h *hostile) seal(c *catalog.Catalogue, serial uint64, change ...func(*catalog.Manifest)) sealedCatalogue {
	h.t.Helper()
	out := *c
	out.Serial = serial
	packed, err := catalog.Pack(&out)
	if err != nil {
		h.t.Fatal(err)
	}
	s := sealedCatalogue{content: packed.Manifest, catalogue: &out, chunks: packed.Chunks}
	s.content.Issuer, s.content.Serial = h.Entity, serial
	s.content.IssuedAt, s.content.Expires = time.Now().Unix(), time.Now().Add(24*time.Hour).Unix()
	for _, f := range change {
		f(&s.content)
	}
	if s.manifest, err = trust.Sign(h.keys.Federation[0], catalog.ManifestType, s.content); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// announce tells the network, in the name of member but with the own key.
func (h *hostile) announce(member federation.EntityID, serial uint64, digest federation.Digest) {
	h.t.Helper()
	a := federation.Announcement{Member: member, Serial: serial, Manifest: digest}
	if err := h.keys.Federation[0].SignAnnouncement(&a); err != nil {
		h.t.Fatal(err)
	}
	h.gossip.Announce(a)
}

// others are the nodes that run.
func (h *hostile) others() []*Member {
	var out []*Member
	for _, m := range h.net.Members() {
		if m != h.Member && m.Node() != nil {
			out = append(out, m)
		}
	}
	return out
}

// refusedEverywhere waits until every other node says so, at most 5 s.
func (h *hostile) refusedEverywhere(says func(o *Member, s portal.MemberStatus) error) {
	h.t.Helper()
	await(h.t, refusedWithin, func() error {
		for _, o := range h.others() {
			s, ok := o.sees(h.Member)
			if !ok {
				return fmt.Errorf("%s does not know %s", o.Name, h.Name)
			}
			if err := says(o, s); err != nil {
				return fmt.Errorf("%s about %s: %w", o.Name, h.Name, err)
			}
		}
		return nil
	})
}

// sees is what the operator of m reads about another member.
func (m *Member) sees(other *Member) (portal.MemberStatus, bool) {
	for _, s := range m.Node().Status().Members {
		if s.Member == other.Entity {
			return s, true
		}
	}
	return portal.MemberStatus{}, false
}

func await(t *testing.T, limit time.Duration, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := Await(ctx, condition); err != nil {
		t.Fatal(err)
	}
}

// audited waits until the hub's audit trail has action about a member, and
// returns the reason that stands there.
func audited(t *testing.T, nw *Network, action string, about *Member) string {
	t.Helper()
	audit := nw.Hub().Node().Verbs()["audit"]
	var reason string
	await(t, refusedWithin, func() error {
		v, err := audit(t.Context(), json.RawMessage(`{"from":1,"limit":10000}`))
		if err != nil {
			return err
		}
		for _, r := range v.([]anchor.Record) {
			if r.Action == action && r.Subject == string(about.Entity) {
				reason = r.Reason
				return nil
			}
		}
		return fmt.Errorf("the audit trail has no %s of %s: %+v", action, about.Name, v)
	})
	return reason
}
