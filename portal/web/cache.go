package web

import (
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rathausnetz/portal/web/static"
)

// The cache keeps drawn pages for everybody who is not signed in, compressed,
// as long as the index has the same version and at most cacheAge: the pages
// also tell which portals answer and how old data are.
const (
	cacheAge   = 10 * time.Second
	cachePages = 2048
	cacheBytes = 32 << 20
)

type cached struct {
	look    *look
	version uint64
	until   time.Time
	plain   ready
	gzipped ready
}

// ready is an answer that only has to be sent: its headers are shared by all
// who get it and are never changed.
type ready struct {
	tag     string
	headers []header // those of the bytes, and after them those of the body
	framed  bool     // other sites may show it in a frame
	body    []byte
}

type header struct {
	name   string // in canonical form
	values []string
}

// bodyHeaders is how many headers of ready say something of the body only.
const bodyHeaders = 2

// newReady makes an answer; tags of the two encodings differ: they are
// different bytes [RFC 9110 §8.8.3].
func newReady(h http.Header, tag, encoding string, body []byte) ready {
	a := ready{tag: `"` + tag + `"`, body: body}
	if encoding != "" {
		a.tag = `"` + tag + `-z"`
	}
	a.framed = h.Get("X-Frame-Options") == ""
	for k, vs := range h {
		if k != "Content-Length" && k != "Content-Encoding" && k != "Etag" {
			a.headers = append(a.headers, header{k, slices.Clip(slices.Clone(vs))})
		}
	}
	a.headers = append(a.headers, header{"Etag", []string{a.tag}})
	coding := header{"Content-Encoding", []string{encoding}}
	if encoding == "" {
		coding = header{"Content-Language", h["Content-Language"]} // again: a place must be filled
	}
	a.headers = append(a.headers, coding, header{"Content-Length", []string{strconv.Itoa(len(body))}})
	return a
}

type cache struct {
	mu    sync.RWMutex // guards what follows
	pages map[string]*cached
	bytes int
}

func newCache() *cache { return &cache{pages: map[string]*cached{}} }

// sessionCookies are the names a session may have, see sso/session.
var sessionCookies = [...]string{"__Host-rn", "rn", placeCookie}

// anonymous reports whether the answer to r may be shared by all.
func anonymous(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if len(r.Header["Cookie"]) == 0 {
		return true
	}
	for _, name := range sessionCookies {
		if _, err := r.Cookie(name); err == nil {
			return false
		}
	}
	return true
}

// address is what r asks for, as it was sent.
func address(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// cached answers r from memory if it can.
func (w *Web) cached(rw http.ResponseWriter, r *http.Request) bool {
	if w.preview != nil || !anonymous(r) {
		return false
	}
	w.cache.mu.RLock()
	c := w.cache.pages[address(r)]
	w.cache.mu.RUnlock()
	if c == nil || c.look != w.look.Load() || c.version != w.cfg.Directory.Version() || w.cfg.Now().After(c.until) {
		return false
	}
	c.serve(rw, r)
	return true
}

// store keeps the page and answers with it; false if it must not be shared.
func (w *Web) store(rw http.ResponseWriter, r *http.Request, status int, v *view, body []byte) bool {
	if w.preview != nil || status != http.StatusOK || !anonymous(r) || v.Private || len(address(r)) > 1024 || rw.Header().Get("Set-Cookie") != "" {
		return false
	}
	z, err := w.zip.Gzip(body)
	if err != nil {
		return false
	}
	sum := fnv.New64a()
	_, _ = sum.Write(body) // a hash does not fail
	version := w.cfg.Directory.Version()
	tag := strconv.FormatUint(version, 36) + "." + strconv.FormatUint(sum.Sum64(), 36)
	h := rw.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept-Encoding, Cookie")
	c := &cached{
		look: v.look, version: version, until: w.cfg.Now().Add(cacheAge),
		plain: newReady(h, tag, "", append([]byte(nil), body...)), gzipped: newReady(h, tag, "gzip", z),
	}
	w.cache.put(address(r), c)
	c.serve(rw, r)
	return true
}

func (c *cache) put(key string, page *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.pages[key]; old != nil {
		c.bytes -= old.size()
	}
	if len(c.pages) >= cachePages || c.bytes+page.size() > cacheBytes {
		c.pages, c.bytes = map[string]*cached{}, 0 // begin anew: cheap, and rare
	}
	c.pages[key] = page
	c.bytes += page.size()
}

// clear forgets every page. One that is being drawn may still be put in; it
// lives for cacheAge at most.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages, c.bytes = map[string]*cached{}, 0
}

func (c *cached) size() int { return len(c.plain.body) + len(c.gzipped.body) }

func (c *cached) serve(rw http.ResponseWriter, r *http.Request) {
	a := &c.plain
	if static.AcceptsGzip(r) {
		a = &c.gzipped
	}
	h, send := rw.Header(), a.headers
	fresh := len(r.Header["If-None-Match"]) > 0 && matches(r.Header.Get("If-None-Match"), a.tag)
	if fresh {
		send = send[:len(send)-bodyHeaders]
	}
	for i := range send {
		h[send[i].name] = send[i].values
	}
	if a.framed {
		delete(h, "X-Frame-Options") // the page's policy says who may
	}
	if fresh {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	rw.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(a.body) // the reader has gone: nothing to do
	}
}

func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if p := strings.TrimPrefix(strings.TrimSpace(part), "W/"); p == tag || p == "*" {
			return true
		}
	}
	return false
}
