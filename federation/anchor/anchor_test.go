package anchor_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// hub is a Landkreis with its anchor behind HTTP, alone or below a Land.
type hub struct {
	*trusttest.Federation
	*anchor.Anchor
	entity   *trusttest.Entity
	keys     *trust.Keys
	store    store.Store
	clock    *clocktest.Clock
	resolver *trust.Resolver

	mu      sync.Mutex
	notices []string
	marks   []trust.MarkRef // of an intermediate
}

func newHub(t testing.TB) *hub {
	t.Helper()
	c := clocktest.At(time.Now())
	f := trusttest.New(c.Now)
	t.Cleanup(f.Close)
	return addHub(t, f, c, "kreis", nil)
}

func addHub(t testing.TB, f *trusttest.Federation, c *clocktest.Clock, name string, change func(*anchor.Config)) *hub {
	t.Helper()
	h := &hub{Federation: f, clock: c, store: store.NewMemory(c.Now), keys: &trust.Keys{Federation: []*trust.Key{trusttest.Key(name)}, Protocol: []*trust.Key{trusttest.Key(name + " protocol")}}}
	h.entity = f.Add(name, nil)
	h.resolver = f.Resolver(h.entity)
	cfg := anchor.Config{
		Self: h.entity.ID, Keys: func() *trust.Keys { return h.keys }, Store: h.store, HTTP: f.Client(), Resolver: h.resolver,
		Owner: anchor.Invitation{
			Name: "Landkreis Osnabrück", ShortName: "LK OS", Kind: federation.KindLandkreis, Seat: region.MustArea("03459"),
			Scope: federation.Scope{Subtree: []region.Area{region.MustArea("03459")}},
		},
		AllowLoopback: true, Now: c.Now,
		OnNotice: func(n string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.notices = append(h.notices, n)
		},
	}
	if change != nil {
		change(&cfg)
	}
	a, err := anchor.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Anchor = a
	handlers := a.Handlers()
	f.Change(func() {
		h.entity.Serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/.well-known/openid-federation" {
				in := trust.ConfigurationInput{Self: h.entity.ID, Key: h.keys.Federation[0], Keys: h.keys.FederationJWKS(), Now: c.Now(),
					Metadata: trust.Metadata{trust.TypeEntity: {"organization_name": name}}}
				h.mu.Lock()
				in.Marks = h.marks
				h.mu.Unlock()
				if err := a.Contribute(r.Context(), &in); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return true
				}
				serveConfiguration(w, in)
				return true
			}
			if handler := handlers[r.URL.Path]; handler != nil {
				handler.ServeHTTP(w, r)
				return true
			}
			return false
		}
	})
	return h
}

func serveConfiguration(w http.ResponseWriter, in trust.ConfigurationInput) {
	compact, err := trust.Configuration(in)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/entity-statement+jwt")
	_, _ = w.Write([]byte(compact))
}

// applicant is a Gemeinde that wants to join.
type applicant struct {
	*anchor.Client
	entity *trusttest.Entity

	mu     sync.Mutex
	keys   *trust.Keys
	ticket anchor.Ticket
	marks  []trust.MarkRef
}

func (h *hub) applicant(t testing.TB, name string) *applicant {
	t.Helper()
	p := &applicant{entity: h.Add(name, h.entity), keys: &trust.Keys{Federation: []*trust.Key{trusttest.Key(name)}}}
	var err error
	p.Client, err = anchor.NewClient(anchor.ClientConfig{Self: p.entity.ID, Keys: func() *trust.Keys { return p.keys }, HTTP: h.Federation.Client(), AllowLoopback: true, Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	h.Change(func() {
		p.entity.Serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/.well-known/openid-federation" {
				return false
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			in := trust.ConfigurationInput{Self: p.entity.ID, Key: p.keys.Federation[0], Keys: p.keys.FederationJWKS(), Now: h.clock.Now(),
				AuthorityHints: []federation.EntityID{h.entity.ID}, Marks: p.marks,
				Metadata: trust.Metadata{trust.TypeRP: {"client_registration_types": []any{"automatic"}}}}
			serveConfiguration(w, in)
			return true
		}
	})
	return p
}

func (p *applicant) refreshMark(t testing.TB) trust.MarkClaims {
	t.Helper()
	ref, claims, err := p.FetchMark(t.Context(), p.ticket)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks = []trust.MarkRef{ref}
	return claims
}

func gemeinde(name, ars string) anchor.Invitation {
	a := region.MustArea(ars)
	return anchor.Invitation{Name: "Gemeinde " + name, ShortName: name, Kind: federation.KindGemeinde, Seat: a, Scope: federation.Scope{Areas: []region.Area{a}}}
}

// member leads an applicant through the whole journey.
func (h *hub) member(t testing.TB, name, ars string) *applicant {
	t.Helper()
	p := h.applicant(t, name)
	p.join(t, h, gemeinde(name, ars))
	return p
}

func (p *applicant) join(t testing.TB, h *hub, inv anchor.Invitation) {
	t.Helper()
	code, err := h.Invite(t.Context(), "operator", inv)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := anchor.ParseCode(code.String(), true)
	if err != nil {
		t.Fatal(err)
	}
	if p.ticket, err = p.Join(t.Context(), parsed); err != nil {
		t.Fatal(err)
	}
	if err := p.Poll(t.Context(), p.ticket); !errors.Is(err, anchor.ErrNotApproved) {
		t.Fatalf("before approval: %v", err)
	}
	m, err := h.Show(t.Context(), p.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Words) != 8 || m.Words[0] != p.ticket.Words[0] || m.Words[7] != p.ticket.Words[7] {
		t.Fatalf("words differ: hub %v, applicant %v", m.Words, p.ticket.Words)
	}
	if err := h.Approve(t.Context(), "operator", p.entity.ID); err != nil {
		t.Fatal(err)
	}
	if err := p.Poll(t.Context(), p.ticket); err != nil {
		t.Fatalf("after approval: %v", err)
	}
	p.refreshMark(t)
}

func TestJoinJourney(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "bissendorf", "034590012012")
	c, err := h.resolver.Resolve(t.Context(), p.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Member()
	if err != nil {
		t.Fatalf("%v\n%+v", err, c.Steps)
	}
	if m.Name != "Gemeinde bissendorf" || m.Kind != federation.KindGemeinde || m.Seat.String() != "034590012012" {
		t.Errorf("member %+v", m)
	}
	keys, again, err := p.FetchGossipKeys(t.Context(), p.ticket)
	if err != nil || len(keys) != 1 || again <= 0 {
		t.Errorf("gossip keys: %d, %s, %v", len(keys), again, err)
	}
	if n, err := h.VerifyAudit(t.Context()); err != nil || n < 3 {
		t.Errorf("audit: %d records, %v", n, err)
	}
	own, err := h.resolver.Resolve(context.Background(), h.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := own.Member(); err != nil || m.Name != "Landkreis Osnabrück" || !m.IsHub {
		t.Errorf("hub %+v, %v, %+v", m, err, own.Steps)
	}
}
