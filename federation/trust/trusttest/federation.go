package trusttest

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// Federation is a set of entities behind one server. Its methods are safe for
// concurrent use; the fields of an Entity are changed through Change.
type Federation struct {
	server *httptest.Server
	port   string
	now    func() time.Time

	mu       sync.Mutex
	entities map[string]*Entity // by host name, guarded by mu, and all they hold
	requests map[string]int     // by host and path
}

// Entity is one participant. Fields may be set before the first request, and
// later inside Change.
type Entity struct {
	ID          federation.EntityID
	Name        string
	Key         *trust.Key // federation key
	Protocol    *trust.Key
	Keys        trust.JWKS // shown; empty: the one of Key
	Superior    *Entity    // nil for an anchor
	Hints       []federation.EntityID
	Metadata    trust.Metadata
	Kind        federation.Kind
	Seat        region.Area
	Scope       federation.Scope
	Generation  uint64
	Hub         bool
	Blocked     bool // fetch answers 404
	Policy      any  // metadata_policy about subordinates
	Constraints any  // constraints about subordinates
	MarkIssuers map[string][]federation.EntityID
	Lifetime    time.Duration
	// Bend changes claims just before they are signed: what is "configuration",
	// "statement" (about sub) or "mark" (about sub).
	Bend func(what string, claims map[string]any)
	// Serve answers instead of the federation; it returns false to let it.
	Serve func(w http.ResponseWriter, r *http.Request) bool

	fed *Federation
}

// New starts a federation without entities. now may be nil.
func New(now func() time.Time) *Federation {
	if now == nil {
		now = time.Now
	}
	f := &Federation{now: now, entities: make(map[string]*Entity), requests: make(map[string]int)}
	f.server = httptest.NewServer(f)
	_, f.port, _ = net.SplitHostPort(f.server.Listener.Addr().String())
	return f
}

// Close stops the server.
func (f *Federation) Close() { f.server.Close() }

// Key derives the key of an entity's name.
func Key(name string) *trust.Key {
	k, err := trust.KeyFromSeed([]byte("trusttest " + name))
	if err != nil {
		panic(err) // the derivation has no input that fails
	}
	return k
}

// Add makes an entity called name below superior (nil for an anchor).
func (f *Federation) Add(name string, superior *Entity) *Entity {
	e := &Entity{
		ID:   federation.EntityID(fmt.Sprintf("http://%s.localhost:%s", name, f.port)),
		Name: name, Key: Key(name), Protocol: Key(name + " protocol"), Superior: superior,
		Generation: 1, Kind: federation.KindGemeinde, Lifetime: time.Hour, fed: f,
	}
	e.Metadata = trust.Metadata{trust.TypeEntity: {"organization_name": name}}
	if superior != nil {
		e.Hints = []federation.EntityID{superior.ID}
		e.Metadata[trust.TypeRP] = map[string]any{
			"client_registration_types": []any{"automatic"},
			"redirect_uris":             []any{e.ID.URL("/anmelden/rueckkehr/x")},
			"initiate_login_uri":        e.ID.URL("/anmelden/start"),
		}
	} else {
		e.Generation = 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entities[name+".localhost"] = e
	return e
}

// AddAnchor makes a trust anchor that issues marks itself. With a scope it
// shows a mark of its own.
func (f *Federation) AddAnchor(name string, scope federation.Scope) *Entity {
	e := f.Add(name, nil)
	e.Kind, e.Scope = federation.KindLandkreis, scope
	f.Change(func() {
		e.hub()
		e.MarkIssuers = map[string][]federation.EntityID{trust.MarkType(e.ID): {e.ID}}
	})
	return e
}

// AddHub makes an intermediate below superior and lists it as mark issuer.
func (f *Federation) AddHub(name string, superior *Entity, scope federation.Scope) *Entity {
	e := f.Add(name, superior)
	e.Kind, e.Scope = federation.KindLandkreis, scope
	f.Change(func() {
		e.hub()
		top := e.anchor()
		typ := trust.MarkType(top.ID)
		top.MarkIssuers[typ] = append(top.MarkIssuers[typ], e.ID)
	})
	return e
}

// AddMember makes a Gemeinde with one area.
func (f *Federation) AddMember(name string, superior *Entity, ars string) *Entity {
	e := f.Add(name, superior)
	e.Seat = region.MustArea(ars)
	e.Scope = federation.Scope{Areas: []region.Area{e.Seat}}
	return e
}

func (e *Entity) hub() {
	e.Hub = true
	maps.Copy(e.Metadata[trust.TypeEntity], map[string]any{
		"federation_fetch_endpoint": e.ID.URL("/federation/fetch"),
		"federation_list_endpoint":  e.ID.URL("/federation/list"),
	})
}

// anchor climbs to the top; it ends somewhere also where superiors go in a
// circle.
func (e *Entity) anchor() *Entity {
	for i := 0; i < 32 && e.Superior != nil; i++ {
		e = e.Superior
	}
	return e
}

// Anchor returns the trust anchor as a resolver is configured with it.
func (e *Entity) Anchor() trust.Anchor {
	return trust.Anchor{ID: e.anchor().ID, Keys: e.anchor().Key.Public()}
}

// Change runs change while no request is answered.
func (f *Federation) Change(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// Requests returns how often path was asked at the entity called name.
func (f *Federation) Requests(name, path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[name+".localhost"+path]
}

// AllRequests returns the number of all requests.
func (f *Federation) AllRequests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, v := range f.requests {
		n += v
	}
	return n
}

// Client returns an HTTP client with the guard that lets loopback names pass.
func (f *Federation) Client() *http.Client {
	return &http.Client{Transport: trust.GuardTransport(nil, true), Timeout: 20 * time.Second}
}

// Resolver returns a resolver with e's trust anchor.
func (f *Federation) Resolver(e *Entity) *trust.Resolver {
	r, err := trust.NewResolver(trust.ResolverConfig{
		HTTP: f.Client(), Anchors: []trust.Anchor{e.Anchor()}, AllowLoopback: true, Now: f.now,
	})
	if err != nil {
		panic(err) // the configuration is ours
	}
	return r
}
