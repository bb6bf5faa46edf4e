package xzufi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"rathausnetz/federation"
)

// source is a server with files, ETags and a log of requests.
type source struct {
	mu    sync.Mutex
	files map[string]string // path to body; the ETag is its digest
	log   []string
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.files[r.URL.Path]
	switch {
	case r.URL.Path == "/away":
		http.Redirect(w, r, "https://elsewhere.example/a.xml", http.StatusFound)
		return
	case r.URL.Path == "/down":
		http.Redirect(w, r, "http://"+r.Host+"/a.xml", http.StatusFound)
		return
	case !ok:
		http.NotFound(w, r)
		return
	}
	tag := `"` + federation.Sum([]byte(body)).Short() + `"`
	if r.Header.Get("If-None-Match") == tag {
		s.log = append(s.log, "304 "+r.URL.Path)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.log = append(s.log, "200 "+r.URL.Path)
	w.Header().Set("ETag", tag)
	if _, err := w.Write([]byte(body)); err != nil {
		s.log = append(s.log, err.Error())
	}
}

func (s *source) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := strings.Join(s.log, ", ")
	s.log = nil
	return out
}

func TestFetch(t *testing.T) {
	pad := strings.Repeat(" ", 40)
	src := &source{files: map[string]string{
		"/x/index.txt": "a.xml\r\nb.xml\r\n" + pad, "/x/a.xml": docA + "<!-- 1" + pad + "-->", "/x/b.xml": docB + "<!-- 1" + pad + "-->",
		"/c.zip": string(archive(t, map[string]string{"a.xml": docA, "b.xml": docB})), "/broken.xml": "<a>" + pad, "/empty/index.txt": pad,
	}}
	srv := httptest.NewTLSServer(src)
	defer srv.Close()
	f := &Fetcher{HTTP: srv.Client()}
	ctx := t.Context()

	b, v, err := f.Fetch(ctx, srv.URL+"/x/", nil)
	if err != nil || len(b.Records) != 2 {
		t.Fatalf("first fetch: %v, %v", b, err)
	}
	src.requests()
	if _, v, err = f.Fetch(ctx, srv.URL+"/x/", v); !errors.Is(err, ErrNotModified) {
		t.Fatalf("second fetch: %v", err)
	}
	if got, want := src.requests(), "200 /x/index.txt, 304 /x/a.xml, 304 /x/b.xml"; got != want {
		t.Errorf("requests %q, want %q", got, want)
	}
	src.mu.Lock()
	src.files["/x/b.xml"] = docB + "<!-- 2" + pad + "2 -->"
	src.mu.Unlock()
	b, v, err = f.Fetch(ctx, srv.URL+"/x/index.txt", v)
	if err != nil || len(b.Records) != 2 || len(v) != 3 {
		t.Fatalf("after a change: %v, %v", b, err)
	}
	if b, _, err := f.Fetch(ctx, srv.URL+"/c.zip", nil); err != nil || len(b.Records) != 2 {
		t.Errorf("an archive: %v, %v", b, err)
	}
	for name, tt := range map[string]struct {
		url  string
		want error
	}{
		"missing":              {srv.URL + "/none.xml", ErrInput},
		"plain http":           {strings.Replace(srv.URL, "https", "http", 1) + "/x/", ErrInput},
		"a password":           {strings.Replace(srv.URL, "https://", "https://u:p@", 1) + "/x/", ErrInput},
		"redirect to a host":   {srv.URL + "/away", ErrInput},
		"redirect to http":     {srv.URL + "/down", ErrInput},
		"broken":               {srv.URL + "/broken.xml", nil},
		"empty index":          {srv.URL + "/empty/", ErrIndex},
		"not an address":       {"::", ErrInput},
		"a file, not a server": {"file:///etc/passwd", ErrInput},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := f.Fetch(ctx, tt.url, nil)
			var e *Error
			if !errors.As(err, &e) || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Errorf("Fetch = %v, want %v", err, tt.want)
			}
		})
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := f.Fetch(gone, srv.URL+"/x/", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled fetch: %v", err)
	}
	small := &Fetcher{HTTP: srv.Client(), Options: Options{Limits: Limits{MaxFile: 100}}}
	if _, _, err := small.Fetch(ctx, srv.URL+"/x/a.xml", nil); !errors.Is(err, ErrLimit) {
		t.Errorf("a large answer: %v", err)
	}
}
