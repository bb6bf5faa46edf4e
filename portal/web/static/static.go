package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed files
var embedded embed.FS

// Prefix is the folder under which the portal serves Files.
const Prefix = "/static/"

// Files are the design files, ready to be sent. They are never changed after
// Load.
type Files struct {
	byURL  map[string]*file  // hashed file name
	byName map[string]string // file name → URL
}

type file struct {
	contentType string
	plain       []byte
	gzipped     []byte // nil where compressing does not pay
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2",
	".md": "text/markdown; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	".svg": "image/svg+xml",
}

// Load reads and compresses the embedded files. Stylesheets come last, because
// the addresses of the fonts they name are put into them.
func Load() (*Files, error) {
	f := &Files{byURL: map[string]*file{}, byName: map[string]string{}}
	entries, err := fs.ReadDir(embedded, "files")
	if err != nil {
		return nil, err
	}
	for _, styles := range []bool{false, true} {
		for _, e := range entries {
			if (path.Ext(e.Name()) == ".css") != styles {
				continue
			}
			b, err := fs.ReadFile(embedded, "files/"+e.Name())
			if err != nil {
				return nil, err
			}
			if styles {
				b = f.rewrite(b)
			}
			if err := f.add(e.Name(), b); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// rewrite puts hashed names in place of url("name") references.
func (f *Files) rewrite(css []byte) []byte {
	s := string(css)
	for name, u := range f.byName {
		s = strings.ReplaceAll(s, `url("`+name+`")`, `url("`+strings.TrimPrefix(u, Prefix)+`")`)
	}
	return []byte(s)
}

func (f *Files) add(name string, b []byte) error {
	ct, ok := contentTypes[path.Ext(name)]
	if !ok {
		return fmt.Errorf("static: %s has no known type", name)
	}
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	entry := &file{contentType: ct, plain: b}
	if ext != ".woff2" {
		z, err := Gzip(b)
		if err != nil {
			return err
		}
		entry.gzipped = z
	}
	f.byURL[hashed] = entry
	f.byName[name] = Prefix + hashed
	return nil
}

// URL returns the address of a file by its plain name, "" for an unknown one.
func (f *Files) URL(name string) string { return f.byName[name] }

// Plain returns a file by its plain name, not compressed. It must not be
// changed.
func (f *Files) Plain(name string) ([]byte, bool) {
	e := f.byURL[strings.TrimPrefix(f.byName[name], Prefix)]
	if e == nil {
		return nil, false
	}
	return e.plain, true
}

// Names returns the plain names of all files, in no order.
func (f *Files) Names() []string {
	names := make([]string, 0, len(f.byName))
	for n := range f.byName {
		names = append(names, n)
	}
	return names
}

// Size returns the bytes sent for a file to a browser that accepts gzip.
func (f *Files) Size(name string) int {
	e := f.byURL[strings.TrimPrefix(f.byName[name], Prefix)]
	switch {
	case e == nil:
		return 0
	case e.gzipped != nil:
		return len(e.gzipped)
	}
	return len(e.plain)
}

// ServeHTTP answers a request below Prefix.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := f.byURL[strings.TrimPrefix(r.URL.Path, Prefix)]
	if e == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", e.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	body := e.plain
	if e.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if AcceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body = e.gzipped
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a closed connection is nobody's concern here
}

// AcceptsGzip reports whether r's sender understands gzip.
func AcceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == "gzip" {
			return !strings.HasPrefix(strings.ReplaceAll(params, " ", ""), "q=0") || strings.Contains(params, "0.")
		}
	}
	return false
}

// Gzip compresses b as small as it gets.
func Gzip(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	return finish(z, &out, b)
}

// Zipper compresses answers that are drawn just now, fast, and uses its
// working memory again. The zero value is ready; it is safe for concurrent
// use and must not be copied.
type Zipper struct{ pool sync.Pool }

// Gzip compresses b.
func (p *Zipper) Gzip(b []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(b)/3 + 64)
	z, ok := p.pool.Get().(*gzip.Writer)
	if ok {
		z.Reset(&out)
	} else {
		var err error
		if z, err = gzip.NewWriterLevel(&out, 4); err != nil {
			return nil, err
		}
	}
	defer p.pool.Put(z)
	return finish(z, &out, b)
}

func finish(z *gzip.Writer, out *bytes.Buffer, b []byte) ([]byte, error) {
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
