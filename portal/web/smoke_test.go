package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func get(t testing.TB, url string) (int, string, http.Header) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

func TestSmoke(t *testing.T) {
	f := newFixture()
	s := serve(t, routes(f.web(t)))
	for _, p := range []string{"/", "/suche", "/suche?q=Hund", "/suche?q=Bauplan", "/leistung/99012024000000/03459012", "/leistung/99102013004000/03459024", "/verbund", "/behoerden", "/leistungen", "/lebenslagen", "/konto", "/impressum", "/?lang=en", "/ort?plz=4914"} {
		code, body, _ := get(t, s.URL+p)
		t.Log(p, code, len(body))
		if i := strings.Index(body, "[kern"); code != 200 || i > 0 {
			t.Error(p, code)
		}
	}
}
