package trace

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The first is the example of the standard, section 3.2.
const example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestParse(t *testing.T) {
	for s, want := range map[string]bool{
		example:                   true,
		"cc" + example[2:] + "-x": true,  // a later version may go on
		example + "-x":            false, // this one may not
		"ff" + example[2:]:        false,
		"cc" + example[2:] + "x":  false,
		strings.ToUpper(example):  false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01": false,
		"": false,
	} {
		id, ok := Parse(s)
		if ok != want {
			t.Errorf("%q: %v", s, ok)
		}
		if ok && id.String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("%q: %s", s, id)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := Parse(s); ok && id == (ID{}) {
			t.Errorf("%q is taken for a zero ID", s)
		}
	})
}

// A request comes in, is logged, and leads to another request.
func TestPassedOn(t *testing.T) {
	var asked []string
	peer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.Header.Get(Header)) }))
	defer peer.Close()
	var out bytes.Buffer
	log := slog.New(Log{slog.NewJSONHandler(&out, nil)}).With("peer", "x")
	client := &http.Client{Transport: Transport{http.DefaultTransport}}
	h := Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		log.InfoContext(r.Context(), "seen")
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, peer.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}))
	for _, in := range []string{example, "nonsense", ""} {
		out.Reset()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(Header, in)
		h.ServeHTTP(httptest.NewRecorder(), r)
		sent := asked[len(asked)-1]
		id, ok := Parse(sent)
		if !ok || sent == in {
			t.Errorf("passed on %q for %q", sent, in)
		}
		if want, valid := Parse(in); valid && id != want {
			t.Errorf("passed on %s, want %s", id, want)
		}
		if !strings.Contains(out.String(), `"trace":"`+id.String()+`"`) {
			t.Errorf("log without %s: %s", id, out.String())
		}
	}
	resp, err := client.Get(peer.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if sent := asked[len(asked)-1]; sent != "" {
		t.Errorf("a request of the node itself carries %q", sent)
	}
}
