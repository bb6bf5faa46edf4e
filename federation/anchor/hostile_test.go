package anchor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

func TestJ143_BodiesMethodsAndContentTypes(t *testing.T) {
	h := newHub(t)
	h.member(t, "melle", "034590024024")
	huge := strings.Repeat("x", 11<<20)
	for _, path := range []string{"/federation/join", "/federation/gossip-keys", "/federation/reports"} {
		typ := map[string]string{"/federation/join": "join-request+jwt", "/federation/gossip-keys": "gossip-keys-request+jwt", "/federation/reports": "report+jwt"}[path]
		h.post(t, path, typ, huge).is(t, http.StatusRequestEntityTooLarge, "invalid_request")
		h.post(t, path, "json", "{}").is(t, http.StatusUnsupportedMediaType, "invalid_request")
		h.post(t, path, typ, "").is(t, http.StatusBadRequest, "invalid_request")
	}
	form := func(body string) answer {
		res, err := h.Federation.Client().Post(h.entity.ID.URL("/federation/trust-mark-status"), "application/x-www-form-urlencoded", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return read(t, res)
	}
	form("trust_mark="+huge).is(t, http.StatusRequestEntityTooLarge, "invalid_request")
	form("trust_mark=a&trust_mark=b").is(t, http.StatusBadRequest, "invalid_request")
	form("%zz").is(t, http.StatusBadRequest, "invalid_request")
	h.post(t, "/federation/trust-mark-status", "json", "{}").is(t, http.StatusUnsupportedMediaType, "invalid_request")
	for path := range h.Handlers() {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
			r, err := http.NewRequestWithContext(t.Context(), method, h.entity.ID.URL(path), nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := h.Federation.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			read(t, res).is(t, http.StatusMethodNotAllowed, "invalid_request")
		}
	}
}

// brokenStore answers every operation as a Redis that is down.
type brokenStore struct{ store.Store }

func (brokenStore) Get(context.Context, string) ([]byte, error) { return nil, store.ErrUnavailable }
func (brokenStore) Put(context.Context, string, []byte, time.Duration) error {
	return store.ErrUnavailable
}
func (brokenStore) Create(context.Context, string, []byte, time.Duration) error {
	return store.ErrUnavailable
}
func (brokenStore) Update(context.Context, string, func([]byte) ([]byte, time.Duration, error)) error {
	return store.ErrUnavailable
}
func (brokenStore) Scan(context.Context, string, func(string, []byte) bool) error {
	return store.ErrUnavailable
}

func TestJ147_StoreDownFailsClosed(t *testing.T) {
	good := newHub(t)
	p := good.applicant(t, "melle")
	code, err := good.Invite(t.Context(), "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := anchor.New(anchor.Config{
		Self: good.entity.ID, Keys: func() *trust.Keys { return good.keys }, Store: brokenStore{}, HTTP: good.Federation.Client(),
		Owner: anchor.Invitation{Name: "Landkreis", Kind: federation.KindLandkreis}, AllowLoopback: true, Now: good.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	handlers := a.Handlers()
	good.Change(func() {
		serve := good.entity.Serve
		good.entity.Serve = func(w http.ResponseWriter, r *http.Request) bool {
			if handler := handlers[r.URL.Path]; handler != nil {
				handler.ServeHTTP(w, r)
				return true
			}
			return serve(w, r)
		}
	})
	if _, err := p.Join(t.Context(), code); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("join: %v", err)
	}
	for path, q := range map[string]url.Values{
		"/federation/fetch": sub(p.entity.ID), "/federation/list": nil, "/federation/notices": nil,
		"/federation/trust-mark": {"sub": {string(p.entity.ID)}, "trust_mark_type": {trust.MarkType(good.entity.ID)}},
	} {
		a := good.get(t, path, q)
		a.is(t, http.StatusServiceUnavailable, "temporarily_unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s without Retry-After", path)
		}
	}
}

func TestReport(t *testing.T) {
	h := newHub(t)
	melle, bohmte := h.member(t, "melle", "034590024024"), h.member(t, "bohmte", "034590013013")
	const manifest = "catalog-manifest+jwt"
	var evidence []string
	for _, offers := range []int{1, 2} {
		s, err := trust.Sign(bohmte.keys.Federation[0], manifest, map[string]any{"iss": bohmte.entity.ID, "serial": 7, "offers": offers})
		if err != nil {
			t.Fatal(err)
		}
		evidence = append(evidence, s)
	}
	report := anchor.Report{Subject: bohmte.entity.ID, Kind: "equivocation", Reason: "serial 7", Evidence: append(evidence, "x"), EvidenceType: manifest}
	for range 3 { // the repetition is not written down again
		if err := melle.Report(t.Context(), melle.ticket, report); err != nil {
			t.Fatal(err)
		}
	}
	records, err := h.Audit(t.Context(), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	last := records[len(records)-1]
	if last.Action != "report-equivocation" || last.Subject != string(bohmte.entity.ID) || last.By != string(melle.entity.ID) || !strings.Contains(last.Reason, "2 of 3") {
		t.Errorf("%+v", last)
	}
	if records[len(records)-2].Action == last.Action {
		t.Error("written down twice")
	}
	for name, r := range map[string]anchor.Report{
		"about a stranger": {Subject: "https://fremd.example", Kind: "x"},
		"without kind":     {Subject: bohmte.entity.ID},
		"too much":         {Subject: bohmte.entity.ID, Kind: "x", Evidence: make([]string, 5)},
	} {
		if err := melle.Report(t.Context(), melle.ticket, r); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := h.Suspend(t.Context(), "operator", melle.entity.ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := melle.Report(t.Context(), melle.ticket, report); !errors.Is(err, anchor.ErrNotMember) {
		t.Errorf("a suspended member reports: %v", err)
	}
}

func TestServerErrorSaysNothing(t *testing.T) {
	h := newHub(t)
	h.Change(func() { h.keys = &trust.Keys{} })
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/federation/historical-keys", nil)
	h.Handlers()["/federation/historical-keys"].ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "key") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
