package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// discard is a response writer that keeps nothing, so that the handler alone
// is measured.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func benchmarkHandler(b *testing.B, path, query string) {
	a := testAPI(b, func(c *Config) { c.PerMinute = 1 << 30 })
	h := a.Handlers()[path]
	r := httptest.NewRequest(http.MethodGet, path+"?"+query, nil)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

func BenchmarkRoutes(b *testing.B) {
	benchmarkHandler(b, PathRoutes, "leikaKey="+auto+"&ars="+bissendorf)
}

func BenchmarkSearch(b *testing.B) {
	benchmarkHandler(b, PathSearch, "q=hund+anmelden&ort="+bissendorf)
}
