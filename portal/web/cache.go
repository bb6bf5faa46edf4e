package web

import (
	"hash/fnv"
	"net/http"
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
	tag     string
	version uint64
	until   time.Time
	headers http.Header
	plain   []byte
	gzipped []byte
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
	for _, name := range sessionCookies {
		if _, err := r.Cookie(name); err == nil {
			return false
		}
	}
	return true
}

// cached answers r from memory if it can.
func (w *Web) cached(rw http.ResponseWriter, r *http.Request) bool {
	if w.preview != nil || !anonymous(r) {
		return false
	}
	w.cache.mu.RLock()
	c := w.cache.pages[r.URL.RequestURI()]
	w.cache.mu.RUnlock()
	if c == nil || c.look != w.look.Load() || c.version != w.cfg.Directory.Version() || w.cfg.Now().After(c.until) {
		return false
	}
	c.serve(rw, r)
	return true
}

// store keeps the page and answers with it; false if it must not be shared.
func (w *Web) store(rw http.ResponseWriter, r *http.Request, status int, v *view, body []byte) bool {
	if w.preview != nil || status != http.StatusOK || !anonymous(r) || v.Private || len(r.URL.RequestURI()) > 1024 || rw.Header().Get("Set-Cookie") != "" {
		return false
	}
	z, err := w.zip.Gzip(body)
	if err != nil {
		return false
	}
	sum := fnv.New64a()
	_, _ = sum.Write(body) // a hash does not fail
	version := w.cfg.Directory.Version()
	c := &cached{
		look: v.look,
		tag:  `"` + strconv.FormatUint(sum.Sum64(), 36) + `"`, version: version, until: w.cfg.Now().Add(cacheAge),
		headers: rw.Header().Clone(), plain: append([]byte(nil), body...), gzipped: z,
	}
	c.headers.Set("Cache-Control", "private, no-cache")
	c.headers.Set("Vary", "Accept-Encoding, Cookie")
	w.cache.put(r.URL.RequestURI(), c)
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

func (c *cached) size() int { return len(c.plain) + len(c.gzipped) }

// tags for the two encodings differ: they are different bytes [RFC 9110 §8.8.3].
func (c *cached) serve(rw http.ResponseWriter, r *http.Request) {
	body, tag := c.plain, c.tag
	zipped := static.AcceptsGzip(r)
	if zipped {
		body, tag = c.gzipped, strings.TrimSuffix(c.tag, `"`)+`-z"`
	}
	h := rw.Header()
	for k, vs := range c.headers {
		h[k] = vs
	}
	h.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	rw.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(body) // the reader has gone: nothing to do
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
