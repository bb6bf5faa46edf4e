package relay_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/neighbour/relay"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// server is a hub on loopback that can be swapped and taken away.
type server struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int32
}

func (s *server) id() federation.EntityID { return federation.EntityID(s.URL) }

func (s *server) serve(h http.Handler) {
	f := http.HandlerFunc(h.ServeHTTP)
	s.answer.Store(&f)
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	s.serve(http.NotFoundHandler())
	return s
}

// world is Landkreis A with its hub and a member, and the hub of Landkreis B.
type world struct {
	t         *testing.T
	now       time.Time
	hub, b    *server
	list      *neighbour.List
	serial    uint64 // of what B knows
	news      relay.News
	dir       string
	atHub     *relay.Client
	atMember  *relay.Client
	responder *neighbour.Responder
}

func key(t *testing.T, name string) *trust.Key {
	t.Helper()
	k, err := trust.KeyFromSeed([]byte(name + strings.Repeat(".", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), hub: newServer(t), b: newServer(t), dir: t.TempDir(), serial: 1, news: relay.News{State: relay.Up}}
	clock := func() time.Time { return w.now }
	w.responder = &neighbour.Responder{Self: w.b.id(), Directory: directory.New(directory.Config{Now: clock}), Now: clock,
		Scope: federation.Scope{Subtree: []region.Area{region.MustArea("03460")}}, Key: func() *trust.Key { return key(t, "b") }, Serial: func() uint64 { return w.serial }}
	w.list = &neighbour.List{Issuer: w.hub.id(), Neighbours: []neighbour.Neighbour{{ID: w.b.id(), Name: "Landkreis Vechta", Scope: w.responder.Scope,
		Keys: key(t, "b").Public(), Until: trust.At(w.now.Add(24 * time.Hour))}}}
	w.startHub()
	w.atMember = w.client(relay.ClientConfig{Self: "https://melle.example", Through: w.hub.id})
	w.b.serve(relay.AnswerHandler(w.responder))
	return w
}

// startHub makes the hub's client from what is on its disk.
func (w *world) startHub() {
	kept, err := relay.OpenKept(w.dir, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.atHub = w.client(relay.ClientConfig{Self: w.hub.id(), Through: func() federation.EntityID { return "" }, Kept: kept,
		Heard: func(federation.EntityID) relay.News { return w.news }})
	w.hub.serve(w.atHub.RelayHandler())
}

func (w *world) client(cfg relay.ClientConfig) *relay.Client {
	cfg.HTTP, cfg.AllowLoopback, cfg.Now = http.DefaultClient, true, func() time.Time { return w.now }
	cfg.List = func() *neighbour.List { return w.list }
	c, err := relay.NewClient(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func question(n int) neighbour.Question {
	return neighbour.Question{Place: region.MustArea(fmt.Sprintf("0346000%02d0%02d", n, n)), Leika: leika.MustParse("99115005104000")}
}

func (w *world) ask(c *relay.Client, n int) *neighbour.Answer {
	w.t.Helper()
	a, err := c.Ask(w.t.Context(), question(n))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// Only another list is another version.
func TestVersion(t *testing.T) {
	w := newWorld(t)
	first := w.atMember.Version()
	if again := w.atMember.Version(); again != first {
		t.Errorf("version %d, then %d for the same list", first, again)
	}
	next := *w.list
	w.list = &next
	if got := w.atMember.Version(); got <= first {
		t.Errorf("version %d after %d for another list", got, first)
	}
}

// TestUnchanged: the own hub passes the bytes on that the neighbour sealed.
func TestUnchanged(t *testing.T) {
	w := newWorld(t)
	a := w.ask(w.atMember, 2)
	want, err := w.responder.Seal(question(2))
	if err != nil || a.Compact != want || a.Old || w.b.asked.Load() != 1 || w.hub.asked.Load() != 1 {
		t.Errorf("%v, same bytes %t, hub asked %d times, neighbour %d", err, a.Compact == want, w.hub.asked.Load(), w.b.asked.Load())
	}
	// The hub holds it now: the neighbour is not asked again until it has news.
	w.ask(w.atMember, 2)
	if w.b.asked.Load() != 1 {
		t.Error("a good answer was not used again")
	}
	w.serial, w.news.Serial = 2, 2
	if a := w.ask(w.atMember, 2); a.Serial != 2 || w.b.asked.Load() != 2 {
		t.Errorf("after an announcement: serial %d, asked %d times", a.Serial, w.b.asked.Load())
	}
	w.now = w.now.Add(neighbour.Fresh + time.Second)
	w.ask(w.atMember, 2)
	if w.b.asked.Load() != 3 {
		t.Error("an expired answer was used")
	}
}

// TestHostileHub: whatever the own hub passes on, the member is not misled; it
// asks the neighbour itself.
func TestHostileHub(t *testing.T) {
	text := func(f func(r *http.Request) string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, f(r)) })
	}
	w := newWorld(t)
	forged := *w.responder
	forged.Key = func() *trust.Key { return key(t, "forger") }
	sealed := func(r *neighbour.Responder, n int) string {
		s, err := r.Seal(question(n))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := *w.responder
	old.Now = func() time.Time { return w.now.Add(-neighbour.Keep - time.Hour) }
	for name, h := range map[string]http.Handler{
		"wrong seal":       text(func(*http.Request) string { return sealed(&forged, 2) }),
		"another question": text(func(*http.Request) string { return sealed(w.responder, 3) }),
		"expired for long": text(func(*http.Request) string { return sealed(&old, 2) }),
		"oversize":         text(func(*http.Request) string { return strings.Repeat("A", neighbour.MaxAnswer+1) }),
		"nothing":          text(func(*http.Request) string { return "" }),
		"error":            http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }),
		"somewhere else":   http.RedirectHandler("https://example.invalid/", http.StatusFound),
		"breaks off midway": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "e")
		}),
	} {
		w.hub.serve(h)
		before := w.b.asked.Load()
		if a := w.ask(w.atMember, 2); a.Old || a.Compact != sealed(w.responder, 2) || w.b.asked.Load() != before+1 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestRevoked: a neighbour that the hub does not vouch for any more is not
// believed, though its answers are held and its keys were good.
func TestRevoked(t *testing.T) {
	w := newWorld(t)
	w.ask(w.atMember, 2)
	mine := w.list
	w.list = &neighbour.List{}
	if _, err := w.atHub.Ask(t.Context(), question(2)); !errors.Is(err, neighbour.ErrNobody) {
		t.Errorf("at the hub: %v", err)
	}
	// A member that has not heard of it yet asks its hub, which says so.
	w.hub.serve(http.NotFoundHandler())
	w.list = mine
	before := w.b.asked.Load()
	if _, err := w.atMember.Ask(t.Context(), question(2)); !errors.Is(err, neighbour.ErrNobody) || w.b.asked.Load() != before {
		t.Errorf("at the member: %v", err)
	}
}

// TestNeighbourDown: what was asked before is shown as old, also after a
// restart of the hub and before its seal has expired; the rest is not known.
func TestNeighbourDown(t *testing.T) {
	w := newWorld(t)
	w.ask(w.atMember, 2)
	w.b.Close()
	w.news.State = relay.Down
	for _, when := range []string{"at once", "after a restart"} {
		for _, c := range []*relay.Client{w.atHub, w.atMember} {
			if a := w.ask(c, 2); !a.Old {
				t.Errorf("%s it is not labelled as old", when)
			}
		}
		if _, err := w.atMember.Ask(t.Context(), question(3)); !errors.Is(err, neighbour.ErrSilent) {
			t.Errorf("%s, never asked: %v", when, err)
		}
		w.news.State = relay.Unheard
		w.now = w.now.Add(time.Minute)
		w.startHub()
	}
	w.now = w.now.Add(neighbour.Keep)
	if _, err := w.atMember.Ask(t.Context(), question(2)); !errors.Is(err, neighbour.ErrSilent) {
		t.Errorf("after %s: %v", neighbour.Keep, err)
	}
	w.startHub()
	if files, err := os.ReadDir(w.dir); err != nil || len(files) > 1 { // written by the real clock
		t.Errorf("%d files, %v", len(files), err)
	}
}

// TestRest: a neighbour that has failed is left alone for a while, unless
// gossip hears of it.
func TestRest(t *testing.T) {
	w := newWorld(t)
	w.b.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	for range 3 {
		if _, err := w.atHub.Ask(t.Context(), question(2)); !errors.Is(err, neighbour.ErrSilent) {
			t.Fatal(err)
		}
	}
	if n := w.b.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	w.b.serve(relay.AnswerHandler(w.responder))
	w.atHub.Awake(w.b.id())
	w.ask(w.atHub, 2)
}

// TestNobody: nobody is asked about what is no neighbour's.
func TestNobody(t *testing.T) {
	w := newWorld(t)
	own := neighbour.Question{Place: region.MustArea("034590024024"), Leika: leika.MustParse("99115005104000")}
	if _, err := w.atMember.Ask(t.Context(), own); !errors.Is(err, neighbour.ErrNobody) {
		t.Errorf("a place of nobody's: %v", err)
	}
	if _, err := w.atMember.Ask(t.Context(), neighbour.Question{}); !errors.Is(err, neighbour.ErrAsked) {
		t.Errorf("no question: %v", err)
	}
	if w.hub.asked.Load()+w.b.asked.Load() != 0 {
		t.Error("somebody was asked")
	}
}

func TestListHandler(t *testing.T) {
	sealed := ""
	s := newServer(t)
	s.serve(relay.ListHandler(func() string { return sealed }))
	get := func(tag string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+relay.PathList, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", tag)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	if res := get(""); res.StatusCode != http.StatusNotFound {
		t.Errorf("no list: %d", res.StatusCode)
	}
	sealed = "a.b.c"
	res := get("")
	if res.StatusCode != http.StatusOK || get(res.Header.Get("ETag")).StatusCode != http.StatusNotModified {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}
