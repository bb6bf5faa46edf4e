package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of a request.
const (
	maxURL    = 4096 // bytes of path and query
	maxCached = 4096 // answers
	maxBody   = 256 << 10
	cacheFor  = 10 * time.Minute // an advert inside must not grow old
)

// answer is a finished response.
type answer struct {
	status      int // 0 is 200
	contentType string
	body        []byte
	etag        string
	until       time.Time
	volatile    bool    // not kept, and not to be kept by others
	header      *header // of an answer that is kept
}

// header holds the values of the response headers, made once and shared by
// all responses with this answer; never changed.
type header struct{ contentType, length, etag [1]string }

func (x *answer) values() *header {
	return &header{[1]string{x.contentType}, [1]string{strconv.Itoa(len(x.body))}, [1]string{x.etag}}
}

const (
	jsonType    = "application/json; charset=utf-8"
	problemType = "application/problem+json; charset=utf-8"
)

func jsonAnswer(v any) (answer, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return answer{}, err
	}
	return answer{contentType: jsonType, body: b.Bytes()}, nil
}

// Problem is an error for a program [RFC 9457]. Detail is one plain German
// sentence that says what to change.
type Problem struct {
	Type       string           `json:"type"` // urn:rathausnetz:problem:…
	Title      string           `json:"title"`
	Status     int              `json:"status"`
	Detail     string           `json:"detail"`
	Candidates []placeCandidate `json:"candidates,omitempty"`
}

type placeCandidate struct {
	ARS  string `json:"ars"`
	AGS  string `json:"ags,omitempty"`
	Name string `json:"name"`
}

// Error implements error.
func (p *Problem) Error() string { return "api: " + p.Detail }

func problem(status int, kind, title, format string, args ...any) *Problem {
	return &Problem{Type: "urn:rathausnetz:problem:" + kind, Title: title, Status: status, Detail: fmt.Sprintf(format, args...)}
}

func badParameter(name, format string, args ...any) *Problem {
	return problem(http.StatusBadRequest, "parameter", "Ungültiger Parameter", name+": "+format, args...)
}

func (p *Problem) answer() answer {
	b, err := json.Marshal(p)
	if err != nil { // strings and numbers only: cannot happen
		b = []byte(`{}`)
	}
	return answer{status: p.Status, contentType: problemType, body: append(b, '\n')}
}

// handle turns a function of the request's query into a handler with limits,
// a cache and conditional requests.
func (a *API) handle(f func(*http.Request) (answer, error)) http.Handler {
	return a.limited(func(r *http.Request) answer { return a.answer(r, f) })
}

// limited is a handler that can only be read, and only so often.
func (a *API) limited(f func(*http.Request) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = nosniff
		h["Access-Control-Allow-Origin"] = anyOrigin
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			write(w, r, problem(http.StatusMethodNotAllowed, "method", "Methode nicht erlaubt", "Diese Adresse kann nur gelesen werden: GET oder HEAD.").answer())
			return
		}
		if !a.limit.allow(w, r) {
			write(w, r, problem(http.StatusTooManyRequests, "rate-limit", "Zu viele Anfragen", "Bitte warten Sie, bis RateLimit-Reset abgelaufen ist.").answer())
			return
		}
		write(w, r, f(r))
	})
}

// Header values shared by all responses; never changed.
var (
	nosniff   = []string{"nosniff"}
	anyOrigin = []string{"*"}
	fresh     = []string{"public, no-cache"}
)

func (a *API) answer(r *http.Request, f func(*http.Request) (answer, error)) answer {
	now := a.now()
	of := a.edition()
	key := cacheKey{r.URL.Path, r.URL.RawQuery}
	if x, ok := a.cache.get(key, of, now); ok {
		return x
	}
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxURL {
		return problem(http.StatusRequestURITooLong, "too-long", "Anfrage zu lang", "Die Adresse darf höchstens %d Zeichen haben.", maxURL).answer()
	}
	etag := a.etag(now)
	x, err := f(r)
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p.answer()
	case err != nil:
		a.log.ErrorContext(r.Context(), "request failed", "url", r.URL.Path, "err", err)
		return problem(http.StatusInternalServerError, "internal", "Interner Fehler", "Der Fehler liegt bei uns.").answer()
	}
	if x.volatile {
		return x
	}
	x.etag, x.until = etag, now.Add(cacheFor)
	x.header = x.values()
	a.cache.put(key, of, x)
	return x
}

// edition is of what answers are made from.
type edition struct{ index, neighbours uint64 }

func (a *API) edition() edition {
	e := edition{index: a.directory.Version()}
	if a.neighbours != nil {
		e.neighbours = a.neighbours.Version()
	}
	return e
}

// etag is made from the content of the index and the day: validity is
// counted in days.
func (a *API) etag(now time.Time) string {
	tag := strings.TrimSuffix(a.directory.ETag(), `"`)
	return tag + "-" + now.Format("20060102") + `"`
}

func write(w http.ResponseWriter, r *http.Request, x answer) {
	h := w.Header()
	v := x.header
	if v == nil {
		v = x.values()
	}
	if x.etag != "" {
		h["Etag"] = v.etag[:]
		h["Cache-Control"] = fresh
		if matches(r.Header.Get("If-None-Match"), x.etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	} else {
		h.Set("Cache-Control", "no-store")
	}
	h["Content-Type"], h["Content-Length"] = v.contentType[:], v.length[:]
	if x.status != 0 {
		w.WriteHeader(x.status)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(x.body) // a client that has gone is nobody's error
	}
}

// matches reports whether an If-None-Match header names etag.
func matches(header, etag string) bool {
	if header == "" {
		return false
	}
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == etag || part == "*" {
			return true
		}
	}
	return false
}

// cache keeps encoded answers of one edition.
type cache struct {
	mu      sync.RWMutex
	edition edition             // guarded by mu
	answers map[cacheKey]answer // guarded by mu
}

type cacheKey struct{ path, query string }

func newCache() *cache { return &cache{answers: map[cacheKey]answer{}} }

func (c *cache) get(key cacheKey, of edition, now time.Time) (answer, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.edition != of {
		return answer{}, false
	}
	x, ok := c.answers[key]
	return x, ok && now.Before(x.until) && now.Day() == x.until.Add(-cacheFor).Day()
}

// put keeps x unless it is large. When the cache is full it starts anew: no
// list to maintain on the way of the many readers.
func (c *cache) put(key cacheKey, of edition, x answer) {
	if len(x.body) > maxBody {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.edition != of || len(c.answers) >= maxCached {
		clear(c.answers)
		c.edition = of
	}
	c.answers[key] = x
}

// list is the envelope of every list.
type list[T any] struct {
	Count  int `json:"count"`
	Offset int `json:"offset"`
	Total  int `json:"totalCount"`
	Items  []T `json:"items"`
}

func page[T any](all []T, offset, limit int) list[T] {
	from := min(max(offset, 0), len(all))
	items := all[from:min(from+limit, len(all))]
	if items == nil {
		items = []T{}
	}
	return list[T]{Count: len(items), Offset: offset, Total: len(all), Items: items}
}
