package anchor_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

// answer is what an endpoint said.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *hub) get(t testing.TB, path string, params url.Values) answer {
	t.Helper()
	res, err := h.Federation.Client().Get(h.entity.ID.URL(path) + "?" + params.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func read(t testing.TB, res *http.Response) answer {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// is checks a JSON error answer.
func (a answer) is(t testing.TB, status int, code string) {
	t.Helper()
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.status != status || e.Error != code || e.Description == "" {
		t.Errorf("%d %s, want %d %s", a.status, a.body, status, code)
	}
	if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.header)
	}
}

func sub(id federation.EntityID) url.Values { return url.Values{"sub": {string(id)}} }

func (h *hub) status(t testing.TB, mark string) string {
	t.Helper()
	res, err := h.Federation.Client().PostForm(h.entity.ID.URL("/federation/trust-mark-status"), url.Values{"trust_mark": {mark}})
	if err != nil {
		t.Fatal(err)
	}
	a := read(t, res)
	if a.status != http.StatusOK {
		return a.body
	}
	tok, err := trust.Open(a.body, trust.TypeMarkStatus, h.keys.FederationJWKS())
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Status string `json:"status"`
		Mark   string `json:"trust_mark"`
	}
	if err := tok.Into(&c); err != nil || c.Mark != mark {
		t.Fatalf("%+v %v", c, err)
	}
	return c.Status
}

// served lists the endpoints that know id.
func (h *hub) served(t testing.TB, id federation.EntityID, mark string) []string {
	t.Helper()
	var out []string
	if h.get(t, "/federation/fetch", sub(id)).status == http.StatusOK {
		out = append(out, "fetch")
	}
	if strings.Contains(h.get(t, "/federation/list", nil).body, `"`+string(id)+`"`) {
		out = append(out, "list")
	}
	q := sub(id)
	q.Set("trust_anchor", string(h.entity.ID))
	if h.get(t, "/federation/resolve", q).status == http.StatusOK {
		out = append(out, "resolve")
	}
	q = sub(id)
	q.Set("trust_mark_type", trust.MarkType(h.entity.ID))
	if h.get(t, "/federation/trust-mark", q).status == http.StatusOK {
		out = append(out, "mark")
	}
	if h.status(t, mark) == "active" {
		out = append(out, "status")
	}
	if strings.Contains(h.get(t, "/federation/trust-mark-list", url.Values{"trust_mark_type": {trust.MarkType(h.entity.ID)}}).body, `"`+string(id)+`"`) {
		out = append(out, "mark list")
	}
	return out
}

func TestH123_BlockedPendingAndInactiveAreServedNowhere(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	id, mark := p.entity.ID, p.marks[0].Mark
	if _, err := h.resolver.Resolve(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	all := []string{"fetch", "list", "resolve", "mark", "status", "mark list"}
	if got := h.served(t, id, mark); !slices.Equal(got, all) {
		t.Fatalf("active: %v", got)
	}
	if err := h.Suspend(t.Context(), "operator", id, "Prüfung"); err != nil {
		t.Fatal(err)
	}
	if got := h.served(t, id, mark); len(got) != 0 {
		t.Errorf("suspended: %v", got)
	}
	h.get(t, "/federation/fetch", sub(id)).is(t, http.StatusNotFound, "not_found")
	if _, _, err := p.FetchGossipKeys(t.Context(), p.ticket); !errors.Is(err, anchor.ErrNotMember) {
		t.Errorf("gossip keys for a suspended member: %v", err)
	}
	if err := p.Poll(t.Context(), p.ticket); !errors.Is(err, anchor.ErrNotMember) {
		t.Errorf("poll of a suspended member: %v", err)
	}
	if s := h.status(t, mark); s != "revoked" {
		t.Errorf("status %s", s)
	}
	if err := h.Readmit(t.Context(), "operator", id); err != nil {
		t.Fatal(err)
	}
	if s := h.status(t, mark); s != "revoked" {
		t.Errorf("the mark from before the suspension is %s", s)
	}
	p.refreshMark(t)
	if _, err := h.resolver.Fresh(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := h.served(t, id, p.marks[0].Mark); !slices.Equal(got, all) {
		t.Errorf("readmitted: %v", got)
	}
	if err := h.Revoke(t.Context(), "operator", id, "Austritt"); err != nil {
		t.Fatal(err)
	}
	if got := h.served(t, id, p.marks[0].Mark); len(got) != 0 {
		t.Errorf("revoked: %v", got)
	}
	// Pending and refused.
	q := h.applicant(t, "bohmte")
	code, err := h.Invite(t.Context(), "operator", gemeinde("bohmte", "034590013013"))
	if err != nil {
		t.Fatal(err)
	}
	if q.ticket, err = q.Join(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if got := h.served(t, q.entity.ID, mark); len(got) != 0 {
		t.Errorf("pending: %v", got)
	}
	if _, _, err := q.FetchGossipKeys(t.Context(), q.ticket); !errors.Is(err, anchor.ErrNotApproved) {
		t.Errorf("gossip keys for a pending member: %v", err)
	}
	if err := h.Refuse(t.Context(), "operator", q.entity.ID, "falsches Amt"); err != nil {
		t.Fatal(err)
	}
	if got := h.served(t, q.entity.ID, mark); len(got) != 0 {
		t.Errorf("refused: %v", got)
	}
	if err := q.Poll(t.Context(), q.ticket); !errors.Is(err, anchor.ErrRefused) || !strings.Contains(err.Error(), "falsches Amt") {
		t.Errorf("poll of a refused applicant: %v", err)
	}
}

func TestH124_Fetch(t *testing.T) {
	h := newHub(t)
	h.get(t, "/federation/fetch", sub(h.entity.ID)).is(t, http.StatusBadRequest, "invalid_request")
	h.get(t, "/federation/fetch", sub("https://unknown.example")).is(t, http.StatusNotFound, "not_found")
	h.get(t, "/federation/fetch", nil).is(t, http.StatusBadRequest, "invalid_request")
	h.get(t, "/federation/fetch", url.Values{"sub": {"not an id"}}).is(t, http.StatusBadRequest, "invalid_request")
	h.get(t, "/federation/fetch", url.Values{"sub": {"https://a.example", "https://b.example"}}).is(t, http.StatusBadRequest, "invalid_request")
	res, err := h.Federation.Client().PostForm(h.entity.ID.URL("/federation/fetch"), sub("https://a.example"))
	if err != nil {
		t.Fatal(err)
	}
	a := read(t, res)
	a.is(t, http.StatusMethodNotAllowed, "invalid_request")
	if a.header.Get("Allow") != http.MethodGet {
		t.Errorf("Allow %q", a.header.Get("Allow"))
	}
}

func TestH125_ListFilters(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	h.get(t, "/federation/list", url.Values{"region": {"x"}}).is(t, http.StatusBadRequest, "unsupported_parameter")
	h.get(t, "/federation/list", url.Values{"intermediate": {"maybe"}}).is(t, http.StatusBadRequest, "invalid_request")
	typ := trust.MarkType(h.entity.ID)
	for query, want := range map[string]int{
		"":                                 1,
		"entity_type=openid_relying_party": 1,
		"entity_type=openid_provider":      0,
		"entity_type=a&entity_type=openid_relying_party": 1,
		"intermediate=true":                       0,
		"intermediate=false":                      1,
		"trust_marked=true":                       1,
		"trust_marked=false":                      0,
		"trust_mark_type=" + url.QueryEscape(typ): 1,
		"trust_mark_type=other":                   0,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var ids []federation.EntityID
		a := h.get(t, "/federation/list", q)
		if err := json.Unmarshal([]byte(a.body), &ids); err != nil || a.status != http.StatusOK || len(ids) != want {
			t.Errorf("%s: %d %s, want %d", query, a.status, a.body, want)
		}
		if want == 1 && len(ids) == 1 && ids[0] != p.entity.ID {
			t.Errorf("%s: %v", query, ids)
		}
	}
}

func TestResolveEndpoint(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	q := sub(p.entity.ID)
	h.get(t, "/federation/resolve", q).is(t, http.StatusBadRequest, "invalid_request")
	q.Set("trust_anchor", string(h.entity.ID))
	h.get(t, "/federation/resolve", q).is(t, http.StatusNotFound, "not_found") // not evaluated yet
	c, err := h.resolver.Resolve(t.Context(), p.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	a := h.get(t, "/federation/resolve", q)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/resolve-response+jwt" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	tok, err := trust.Open(a.body, trust.TypeResolve, h.keys.FederationJWKS())
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Subject  federation.EntityID `json:"sub"`
		Expires  int64               `json:"exp"`
		Metadata trust.Metadata      `json:"metadata"`
		Chain    []string            `json:"trust_chain"`
		Marks    []trust.MarkRef     `json:"trust_marks"`
	}
	if err := tok.Into(&out); err != nil {
		t.Fatal(err)
	}
	if out.Subject != p.entity.ID || out.Expires != c.Expires.Unix() || !slices.Equal(out.Chain, c.Compacts()) || len(out.Marks) != 1 {
		t.Errorf("%+v", out)
	}
	if out.Metadata[trust.TypeRP]["subject_type"] != "pairwise" {
		t.Errorf("the policy was not applied: %v", out.Metadata)
	}
	q.Set("entity_type", trust.TypeOP)
	if a := h.get(t, "/federation/resolve", q); a.status != http.StatusOK {
		t.Error(a.body)
	}
}

func TestMarkStatus(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	mark := p.marks[0].Mark
	if s := h.status(t, mark); s != "active" {
		t.Errorf("fresh mark: %s", s)
	}
	other, err := trust.IssueMark(trusttest.Key("mallory"), trust.MarkClaims{Issuer: h.entity.ID, Subject: p.entity.ID, Type: trust.MarkType(h.entity.ID), IssuedAt: trust.At(h.clock.Now()), Expires: trust.At(h.clock.Now().Add(time.Hour)), ID: "x", LegalName: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if s := h.status(t, other); s != "invalid" {
		t.Errorf("forged mark: %s", s)
	}
	foreign, err := trust.IssueMark(trusttest.Key("mallory"), trust.MarkClaims{Issuer: "https://other.example", Subject: p.entity.ID, Type: "x", IssuedAt: 1, Expires: 2, ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{foreign, "x", "a.b.c"} {
		if got := h.status(t, s); !strings.Contains(got, "not_found") {
			t.Errorf("unknown mark: %s", got)
		}
	}
	h.clock.Add(25 * time.Hour)
	if s := h.status(t, mark); s != "expired" {
		t.Errorf("old mark: %s", s)
	}
	res, err := h.Federation.Client().PostForm(h.entity.ID.URL("/federation/trust-mark-status"), nil)
	if err != nil {
		t.Fatal(err)
	}
	read(t, res).is(t, http.StatusBadRequest, "invalid_request")
}

func TestMarkStatusAsSeenByOthers(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	c, err := h.resolver.Resolve(t.Context(), p.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.resolver.MarkStatus(t.Context(), c); err != nil {
		t.Errorf("active: %v", err)
	}
	show := h.entity.Serve
	var recorded string
	h.Change(func() {
		h.entity.Serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/federation/trust-mark-status" || recorded == "" {
				return show(w, r)
			}
			w.Header().Set("Content-Type", "application/trust-mark-status-response+jwt")
			_, _ = w.Write([]byte(recorded))
			return true
		}
	})
	res, err := h.Federation.Client().PostForm(h.entity.ID.URL("/federation/trust-mark-status"), url.Values{"trust_mark": {p.marks[0].Mark}})
	if err != nil {
		t.Fatal(err)
	}
	yes := read(t, res).body
	if err := h.Suspend(t.Context(), "operator", p.entity.ID, "Prüfung"); err != nil {
		t.Fatal(err)
	}
	// The chain still verifies; only the question shows the truth.
	if err := h.resolver.MarkStatus(t.Context(), c); !errors.Is(err, trust.ErrMark) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("suspended: %v", err)
	}
	h.Change(func() { recorded = yes })
	h.clock.Add(3 * time.Minute)
	if err := h.resolver.MarkStatus(t.Context(), c); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("an answer recorded before: %v", err)
	}
	h.Change(func() { recorded = "x.y.z" })
	if err := h.resolver.MarkStatus(t.Context(), c); err == nil {
		t.Error("nonsense counts as active")
	}
}

func TestHistoricalKeysEndpoint(t *testing.T) {
	h := newHub(t)
	gone := trust.HistoricalKey{Public: trusttest.Key("former").Public(), Expires: h.clock.Now(), RevokedAt: h.clock.Now(), Reason: trust.ReasonSuperseded}
	h.keys.History = []trust.HistoricalKey{gone}
	a := h.get(t, "/federation/historical-keys", nil)
	if a.header.Get("Content-Type") != "application/jwk-set+jwt" {
		t.Fatalf("%v %s", a.header, a.body)
	}
	got, err := trust.OpenHistory(a.body, h.entity.ID, h.keys.FederationJWKS())
	if err != nil || len(got) != 1 || !got[0].Public.Equal(gone.Public) || got[0].Reason != trust.ReasonSuperseded {
		t.Errorf("%+v %v", got, err)
	}
}

// twoKreise is a Land with two Landkreise below it, each with its own hub.
func TestLandWithTwoLandkreise(t *testing.T) {
	c := clocktest.At(time.Now())
	f := trusttest.New(c.Now)
	t.Cleanup(f.Close)
	land := addHub(t, f, c, "land", func(cfg *anchor.Config) {
		cfg.Owner = anchor.Invitation{Name: "Land Niedersachsen", Kind: federation.KindLand, Seat: region.MustArea("03"), Scope: federation.Scope{Subtree: []region.Area{region.MustArea("03")}}}
	})
	kreise := map[string]*hub{}
	for name, ars := range map[string]string{"osnabrueck": "03459", "emsland": "03454"} {
		scope := federation.Scope{Subtree: []region.Area{region.MustArea(ars)}}
		k := addHub(t, f, c, name, func(cfg *anchor.Config) {
			place := anchor.Place{Superior: land.entity.ID, TrustAnchor: land.entity.ID, AnchorKeys: land.keys.FederationJWKS(), Scope: scope, Resolver: land.resolver}
			cfg.Above = func() (anchor.Place, error) { return place, nil }
		})
		k.resolver = land.resolver
		k.joinAbove(t, land, anchor.Invitation{Name: "Landkreis " + name, Kind: federation.KindLandkreis, Seat: region.MustArea(ars), Scope: scope, Intermediate: true})
		kreise[name] = k
	}
	melle := kreise["osnabrueck"].member(t, "melle", "034590024024")
	lingen := kreise["emsland"].member(t, "lingen", "034540032032")
	if melle.ticket.TrustAnchor != land.entity.ID || !melle.ticket.AnchorKeys.Equal(land.keys.FederationJWKS()) {
		t.Errorf("the hub handed over %s with %v", melle.ticket.TrustAnchor, melle.ticket.AnchorKeys.IDs())
	}
	for _, p := range []*applicant{melle, lingen} {
		chain, err := land.resolver.Resolve(t.Context(), p.entity.ID)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := chain.Member(); err != nil || len(chain.Statements) != 4 {
			t.Errorf("%+v %v, %d statements; %+v", m, err, len(chain.Statements), chain.Steps)
		}
	}
	// A Landkreis hands out no area of the other one, not even by its own wish.
	_, err := kreise["emsland"].Invite(t.Context(), "operator", gemeinde("fremd", "034590012012"))
	if !errors.Is(err, anchor.ErrScope) {
		t.Errorf("foreign area: %v", err)
	}
	// Revoking a Landkreis ends everybody below it.
	if err := land.Revoke(t.Context(), "operator", kreise["emsland"].entity.ID, "Austritt"); err != nil {
		t.Fatal(err)
	}
	land.resolver.Forget(lingen.entity.ID)
	if _, err := land.resolver.Resolve(t.Context(), lingen.entity.ID); !errors.Is(err, trust.ErrNotFound) {
		t.Errorf("member below a revoked hub: %v", err)
	}
	if _, err := land.resolver.Resolve(t.Context(), melle.entity.ID); err != nil {
		t.Errorf("member below the other hub: %v", err)
	}
}

// joinAbove makes h a member of superior and lets it show its mark.
func (h *hub) joinAbove(t *testing.T, superior *hub, inv anchor.Invitation) {
	t.Helper()
	client, err := anchor.NewClient(anchor.ClientConfig{Self: h.entity.ID, Keys: func() *trust.Keys { return h.keys }, HTTP: h.Federation.Client(), AllowLoopback: true, Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	code, err := superior.Invite(t.Context(), "operator", inv)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := client.Join(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	if err := superior.Approve(t.Context(), "operator", h.entity.ID); err != nil {
		t.Fatal(err)
	}
	ref, _, err := client.FetchMark(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.marks = []trust.MarkRef{ref}
}
