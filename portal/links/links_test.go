package links_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/links"
)

func newClock() *clocktest.Clock { return clocktest.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)) }

// offers is a catalogue with one offer for each address, named by it.
func offers(addresses ...string) *catalog.Catalogue {
	c := &catalog.Catalogue{}
	for _, a := range addresses {
		c.Offers = append(c.Offers, catalog.Offer{
			ID: catalog.ID("t:" + a), Title: catalog.Text{"de": "Leistung " + a},
			Onlinedienste: []catalog.Onlinedienst{{ID: "t:o", URL: a}},
		})
	}
	return c
}

func newChecker(t *testing.T, cl *clocktest.Clock, c *catalog.Catalogue, client *http.Client) *links.Checker {
	t.Helper()
	st := store.NewMemory(cl.Now)
	t.Cleanup(func() { st.Close() })
	ch, err := links.New(links.Config{
		Self: "https://melle.example", HTTP: client, Store: st, Catalogue: func() *catalog.Catalogue { return c },
		Pause: time.Nanosecond, Timeout: 2 * time.Second, Now: cl.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func round(t *testing.T, ch *links.Checker, now time.Time) int {
	t.Helper()
	n, err := ch.Round(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func rows(t *testing.T, ch *links.Checker) map[string]links.Row {
	t.Helper()
	list, err := ch.Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]links.Row{}
	for _, r := range list {
		out[r.URL] = r
	}
	return out
}

// web is a server with every kind of page.
func web(t *testing.T) *httptest.Server {
	hang := make(chan struct{})
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
		}
	}))
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "User-agent: *\nDisallow: /privat/\n\nUser-agent: rathausnetz-linkpruefung\nDisallow: /nicht-fuer-uns\n")
	})
	mux.HandleFunc("/gut", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/privat/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/nicht-fuer-uns", func(http.ResponseWriter, *http.Request) { t.Error("robots.txt was not honoured") })
	mux.HandleFunc("/weg", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("/nur-get", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
	mux.HandleFunc("/umgezogen", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/gut", http.StatusMovedPermanently) })
	mux.HandleFunc("/einmal", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/gut", http.StatusFound) })
	mux.HandleFunc("/woanders", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere+"/x", http.StatusFound) })
	mux.HandleFunc("/kreis", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/kreis", http.StatusFound) })
	mux.HandleFunc("/ins-leere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/fehlt", http.StatusFound) })
	mux.HandleFunc("/boese", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/kaputt", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/verboten", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	mux.HandleFunc("/konflikt", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) })
	mux.HandleFunc("/endlos", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/haengt", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/bricht-ab", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { close(hang); srv.Close(); other.Close() })
	return srv
}

func TestStates(t *testing.T) {
	srv := web(t)
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tls.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	want := map[string]struct {
		state  links.State
		reason links.Reason
	}{
		srv.URL + "/gut":            {links.OK, links.Fine},
		srv.URL + "/privat/x":       {links.OK, links.Fine}, // our own group counts, not the one for everybody
		srv.URL + "/nicht-fuer-uns": {links.Check, links.Robots},
		srv.URL + "/fehlt":          {links.Check, links.NotFound},
		srv.URL + "/weg":            {links.Check, links.Gone},
		srv.URL + "/nur-get":        {links.OK, links.Fine},
		srv.URL + "/umgezogen":      {links.Check, links.Moved},
		srv.URL + "/einmal":         {links.OK, links.Fine},
		srv.URL + "/woanders":       {links.Check, links.Elsewhere},
		srv.URL + "/kreis":          {links.Check, links.Loop},
		srv.URL + "/ins-leere":      {links.Check, links.NotFound},
		srv.URL + "/boese":          {links.Check, links.Odd},
		srv.URL + "/kaputt":         {links.Check, links.Failing},
		srv.URL + "/verboten":       {links.Check, links.Forbidden},
		srv.URL + "/konflikt":       {links.Check, links.Odd},
		srv.URL + "/endlos":         {links.OK, links.Fine},
		srv.URL + "/haengt":         {links.Check, links.NoAnswer},
		srv.URL + "/bricht-ab":      {links.Check, links.NoAnswer},
		tls.URL + "/":               {links.Check, links.Certificate},
		closed.URL + "/":            {links.Check, links.NoAnswer},
		"":                          {links.Missing, links.NoLink},
	}
	var all []string
	for a := range want {
		all = append(all, a)
	}
	cl := newClock()
	ch := newChecker(t, cl, offers(all...), &http.Client{})
	for a, r := range rows(t, ch) {
		if a != "" && r.State != links.Unchecked {
			t.Errorf("before the first round %s is %s", a, r.State)
		}
	}
	round(t, ch, cl.Now())
	got := rows(t, ch)
	for a, w := range want {
		r := got[a]
		if r.State != w.state || r.Reason != w.reason {
			t.Errorf("%s is %s (%s), want %s (%s)", a, r.State, r.Reason, w.state, w.reason)
		}
		if r.Sentence == "" || !strings.HasSuffix(r.Sentence, ".") {
			t.Errorf("%s: sentence %q", a, r.Sentence)
		}
		if (r.Remedy == "") != (w.state == links.OK) {
			t.Errorf("%s: remedy %q", a, r.Remedy)
		}
	}
	if r := got[srv.URL+"/umgezogen"]; r.Detail != srv.URL+"/gut" {
		t.Errorf("the new address is %q", r.Detail)
	}
}

// A link is broken after it failed on two different days, and only then.
func TestTwoStrikesOnTwoDays(t *testing.T) {
	var gone atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	cl := newClock()
	a := srv.URL + "/x"
	ch := newChecker(t, cl, offers(a), &http.Client{})
	state := func(want links.State) {
		t.Helper()
		round(t, ch, cl.Now())
		if r := rows(t, ch)[a]; r.State != want {
			t.Errorf("%s: %s with %d strikes, want %s", cl.Now().Format(time.DateTime), r.State, r.Strikes, want)
		}
	}
	state(links.OK)
	gone.Store(true)
	cl.Add(25 * time.Hour)
	state(links.Check)
	cl.Add(10 * time.Hour) // the same day: nobody asks, nothing changes
	state(links.Check)
	cl.Add(15 * time.Hour)
	state(links.Broken)
	gone.Store(false)
	cl.Add(25 * time.Hour)
	state(links.OK)
	gone.Store(true)
	cl.Add(25 * time.Hour)
	state(links.Check)
}

func TestAtMostOnceADay(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/robots.txt" {
			asked.Add(1)
		}
		if !strings.HasPrefix(r.UserAgent(), "Rathausnetz-Linkpruefung/1 (+https://melle.example/") {
			t.Errorf("User-Agent %q", r.UserAgent())
		}
		if r.URL.Path == "/voll" {
			w.Header().Set("Retry-After", "180000") // 50 h
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(srv.Close)
	cl := newClock()
	// One address in three records is one link to be asked for.
	c := offers(srv.URL+"/a", srv.URL+"/a", srv.URL+"/voll")
	c.Offers[1].ID = "t:second"
	ch := newChecker(t, cl, c, &http.Client{})
	if n := round(t, ch, cl.Now()); n != 2 {
		t.Errorf("%d links were checked, want 2", n)
	}
	first := asked.Load()
	for range 5 {
		cl.Add(4 * time.Hour)
		if n := round(t, ch, cl.Now()); n != 0 {
			t.Errorf("after %s %d links were checked again", cl.Now().Format(time.DateTime), n)
		}
	}
	if asked.Load() != first {
		t.Error("the server was asked again")
	}
	cl.Add(5 * time.Hour)
	if n := round(t, ch, cl.Now()); n != 1 { // the other one has asked for 50 hours
		t.Errorf("on the next day %d links were checked, want 1", n)
	}
}

// What stays broken is asked for less and less, but never forgotten.
func TestBackoff(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	cl := newClock()
	ch := newChecker(t, cl, offers(srv.URL+"/x"), &http.Client{})
	checks := 0
	for range 40 {
		checks += round(t, ch, cl.Now())
		cl.Add(24 * time.Hour)
	}
	if checks < 6 || checks > 12 {
		t.Errorf("%d checks in 40 days", checks)
	}
}

// A link that is taken out of the records is forgotten.
func TestForget(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	cl := newClock()
	c := offers(srv.URL+"/a", srv.URL+"/b")
	ch := newChecker(t, cl, c, &http.Client{})
	round(t, ch, cl.Now())
	b := c.Offers[1]
	c.Offers = c.Offers[:1]
	round(t, ch, cl.Now())
	c.Offers = append(c.Offers, b)
	if r := rows(t, ch)[srv.URL+"/b"]; r.State != links.Unchecked {
		t.Errorf("a link that came back is %s", r.State)
	}
}

// The guard holds for the address itself, for redirects and for robots.txt.
func TestInternalAddresses(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s of an internal server was reached", r.URL.Path)
	}))
	t.Cleanup(inside.Close)
	cl := newClock()
	guarded := &http.Client{Transport: trust.Guard{}.Transport(nil)}
	ch := newChecker(t, cl, offers(inside.URL+"/x", "http://10.0.0.1/", "http://[::1]:1/", "http://169.254.169.254/latest/meta-data/"), guarded)
	round(t, ch, cl.Now())
	for a, r := range rows(t, ch) {
		if r.Reason != links.Internal {
			t.Errorf("%s: %s", a, r.Reason)
		}
	}
	// A public page that leads inside: the front is let through, the rest not.
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, "http://10.255.255.1/inside", http.StatusFound)
	}))
	t.Cleanup(front.Close)
	open := &http.Client{Transport: trust.Guard{AllowLoopback: true}.Transport(nil)}
	ch = newChecker(t, cl, offers(front.URL+"/x"), open)
	round(t, ch, cl.Now())
	if r := rows(t, ch)[front.URL+"/x"]; r.Reason != links.Internal {
		t.Errorf("a redirect inside: %s", r.Reason)
	}
}

// roundTripper answers without a network, inside a bubble.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// A host gets one request at a time with a pause between two; several hosts are
// visited at once, and a host that asks for more time gets it.
func TestOneRequestAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		busy, ended := map[string]int{}, map[string]time.Time{}
		together, most := 0, 0
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			name := r.URL.Hostname()
			pause := 2 * time.Second
			if name == "b.example" {
				pause = 5 * time.Second
			}
			mu.Lock()
			if busy[name]++; busy[name] > 1 {
				t.Errorf("%s has two requests at once", name)
			}
			if last := ended[name]; !last.IsZero() && time.Since(last) < pause && r.URL.Path != "/robots.txt" {
				t.Errorf("%s was asked %v after the last time", name, time.Since(last))
			}
			together++
			most = max(most, together)
			mu.Unlock()
			<-time.After(300 * time.Millisecond)
			mu.Lock()
			busy[name]--
			together--
			ended[name] = time.Now()
			mu.Unlock()
			if r.URL.Path == "/robots.txt" && name == "b.example" {
				return answer(r, 200, "User-agent: *\nCrawl-delay: 5\nAllow: /\n"), nil
			}
			if r.URL.Path == "/nach-b" {
				resp := answer(r, 302, "")
				resp.Header.Set("Location", "https://b.example/ziel")
				return resp, nil
			}
			return answer(r, 200, ""), nil
		})}
		var all []string
		for i := range 6 {
			all = append(all, fmt.Sprintf("https://a.example/%d", i), fmt.Sprintf("https://b.example/%d", i), fmt.Sprintf("https://c.example/%d", i))
		}
		all = append(all, "https://a.example/nach-b")
		st := store.NewMemory(time.Now)
		defer st.Close()
		ch, err := links.New(links.Config{Self: "https://melle.example", HTTP: client, Store: st, Catalogue: func() *catalog.Catalogue { return offers(all...) }})
		if err != nil {
			t.Fatal(err)
		}
		if n := round(t, ch, time.Now()); n != len(all) {
			t.Errorf("%d of %d were checked", n, len(all))
		}
		if most < 2 {
			t.Error("the hosts were visited one after the other")
		}
	})
}

// A host that is silent is asked once in a round, however many links it has.
func TestSilentHost(t *testing.T) {
	var asked atomic.Int32
	client := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		return nil, errors.New("connection refused")
	})}
	var all []string
	for i := range 50 {
		all = append(all, fmt.Sprintf("https://weg.example/%d", i))
	}
	cl := newClock()
	ch := newChecker(t, cl, offers(all...), client)
	if n := round(t, ch, cl.Now()); n != 50 || asked.Load() != 1 {
		t.Errorf("%d links were judged by %d requests, want 50 by 1", n, asked.Load())
	}
	cl.Add(25 * time.Hour)
	round(t, ch, cl.Now())
	for a, r := range rows(t, ch) {
		if r.State != links.Broken {
			t.Errorf("%s is %s", a, r.State)
		}
	}
}

// Two replicas with one store do not visit a host at the same time.
func TestReplicas(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/robots.txt" {
			asked.Add(1)
		}
	}))
	t.Cleanup(srv.Close)
	cl := newClock()
	st := store.NewMemory(cl.Now)
	t.Cleanup(func() { st.Close() })
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("%s/%d", srv.URL, i))
	}
	var wg sync.WaitGroup
	for range 3 {
		ch, err := links.New(links.Config{Self: "https://melle.example", HTTP: &http.Client{}, Store: st, Pause: time.Nanosecond, Now: cl.Now,
			Catalogue: func() *catalog.Catalogue { return offers(all...) }})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := ch.Round(t.Context(), cl.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n < 20 || n > 60 {
		t.Errorf("%d requests for 20 links", n)
	}
}

func TestStopsAtOnce(t *testing.T) {
	srv := web(t)
	ctx, cancel := context.WithCancel(t.Context())
	ch := newChecker(t, newClock(), offers(srv.URL+"/haengt"), &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})})
	if _, err := ch.Round(ctx, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for _, r := range rows(t, ch) {
		if r.State != links.Unchecked {
			t.Errorf("a round that was stopped has judged: %s", r.State)
		}
	}
}

func TestOf(t *testing.T) {
	c := &catalog.Catalogue{
		Offers: []catalog.Offer{
			{ID: "t:1", Title: catalog.Text{"de": "Hund anmelden"}, Sections: []catalog.Section{{Kind: catalog.Formulare, Text: catalog.Text{
				"de": `<p><a href="https://a.example/f?x=1&amp;y=2#teil">Formular</a> <a href="mailto:x@a.example">Mail</a> <a href="https://a.example/f?x=1&amp;y=2">noch einmal</a></p>`,
				"en": `<p><a href="https://a.example/en">Form</a></p>`,
			}}}},
			{ID: "t:2", Title: catalog.Text{"en": "Nothing"}},
		},
		Units: []catalog.Unit{{ID: "t:u", Name: catalog.Text{"de": "Bürgerbüro"}, URL: "https://a.example/amt", Hours: catalog.Text{"de": `<p><a href="https://a.example/zeiten">Zeiten</a></p>`}}},
	}
	var got []string
	for _, l := range links.Of(c) {
		got = append(got, fmt.Sprint(l.Record, " ", l.Unit, " ", l.Field, " ", l.URL))
	}
	want := []string{
		"t:1 false formulare https://a.example/f?x=1&y=2", "t:1 false formulare https://a.example/en", "t:2 false  ",
		"t:u true url https://a.example/amt", "t:u true hours https://a.example/zeiten",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if links.Of(nil) != nil {
		t.Error("nothing has links")
	}
}

func TestConfig(t *testing.T) {
	if _, err := links.New(links.Config{Self: federation.EntityID("https://a.example")}); !errors.Is(err, links.ErrConfig) {
		t.Errorf("got %v", err)
	}
}
