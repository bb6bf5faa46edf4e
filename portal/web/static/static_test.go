package static

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// What a first visit costs, in bytes as sent.
func TestBudget(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	css, fonts, weights := 0, 0, 0
	for _, n := range f.Names() {
		switch {
		case n == "verwaltung.css": // no citizen's page has it
			if f.Size(n) > 6<<10 {
				t.Errorf("the operator pages' stylesheet has %d bytes", f.Size(n))
			}
		case strings.HasSuffix(n, ".css"):
			css += f.Size(n)
		case strings.HasSuffix(n, ".woff2"):
			fonts += f.Size(n)
			weights++
		}
	}
	t.Logf("stylesheets %d bytes, fonts %d bytes", css, fonts)
	if css == 0 || css > 15<<10 {
		t.Errorf("stylesheets have %d bytes, at most 15 KB are allowed", css)
	}
	if fonts == 0 || fonts > 100<<10 || weights > 3 {
		t.Errorf("%d fonts have %d bytes, at most 3 and 100 KB are allowed", weights, fonts)
	}
}

// The scripts are help, not ballast: 10 KB at most in all, as sent.
func TestScriptBudget(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, name := range f.Names() {
		if strings.HasSuffix(name, ".js") {
			all += f.Size(name)
			t.Logf("%s %d bytes", name, f.Size(name))
		}
	}
	if all == 0 || all > 10<<10 {
		t.Errorf("the scripts have %d bytes", all)
	}
}

// The addresses in a stylesheet exist here, and nothing is fetched elsewhere.
func TestStylesheetsReferToOwnFiles(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	refs := regexp.MustCompile(`url\(\s*["']?([^"')]*)`)
	for hashed, e := range f.byURL {
		if !strings.HasSuffix(hashed, ".css") {
			continue
		}
		if strings.Contains(string(e.plain), "@import") {
			t.Errorf("%s imports", hashed)
		}
		for _, m := range refs.FindAllStringSubmatch(string(e.plain), -1) {
			if f.byURL[m[1]] == nil && !strings.HasPrefix(m[1], "data:image/svg+xml") {
				t.Errorf("%s refers to %q", hashed, m[1])
			}
		}
	}
}

func TestServe(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, encoding string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w
	}
	u := f.URL("kern.css")
	if w := get(u, "gzip"); w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%v", w.Header())
	}
	if w := get(u, "gzip;q=0"); w.Header().Get("Content-Encoding") != "" || !strings.Contains(w.Body.String(), "KERN 2.7.2, EUPL-1.2") {
		t.Errorf("%v", w.Header())
	}
	for _, p := range []string{"/static/kern.css", "/static/../static.go", "/static/", "/static/files/kern.css"} {
		if w := get(p, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", p, w.Code)
		}
	}
	for _, licence := range []string{"KERN-LICENSE.md", "FIRA-OFL.txt"} {
		if w := get(f.URL(licence), ""); w.Code != http.StatusOK || w.Body.Len() < 4000 {
			t.Errorf("%s: %d, %d bytes", licence, w.Code, w.Body.Len())
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0": false, "deflate": false, "x-gzip": false} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := AcceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
