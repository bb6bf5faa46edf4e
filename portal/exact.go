package portal

import (
	"net/http"
	"strings"
)

// exact finds the handler of a path without variables, by path and method.
type exact map[string]map[string]http.Handler

// add notes a route if nothing in its path varies. As in gorilla, of two
// routes with one path and method the first counts.
func (x exact) add(e route, h http.Handler) {
	if strings.ContainsAny(e.path, "{}") {
		return
	}
	if x[e.path] == nil {
		x[e.path] = map[string]http.Handler{}
	}
	for _, m := range methods(e.methods) {
		if x[e.path][m] == nil {
			x[e.path][m] = h
		}
	}
}

// before asks the table first and leaves everything else to next. A path with
// escapes is none of the table's.
func (x exact) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := x[r.URL.Path][r.Method]; h != nil && r.URL.RawPath == "" {
			h.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
