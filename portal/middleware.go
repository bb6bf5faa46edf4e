package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"rathausnetz/federation/store"
	"rathausnetz/portal/admin"
)

// maxBody bounds what a request may bring to any handler; handlers with a
// smaller need have a smaller limit of their own.
const maxBody = 1 << 20

func methods(s string) []string {
	m := strings.Fields(s)
	for _, x := range m {
		if x == http.MethodGet {
			return append(m, http.MethodHead)
		}
	}
	return m
}

// pathValues hands gorilla's variables over as standard path values, decoded.
func pathValues(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range mux.Vars(r) {
			plain, err := url.PathUnescape(v)
			if err != nil {
				http.Error(w, "path is not valid", http.StatusBadRequest)
				return
			}
			r.SetPathValue(k, plain)
		}
		next.ServeHTTP(w, r)
	})
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "method "+r.Method+" is not possible here", http.StatusMethodNotAllowed)
}

// guard is around every request: headers that hold everywhere, a limit on the
// body, and an answer with a reference instead of a lost connection when a
// handler panics.
func (n *Node) guard(next http.Handler) http.Handler {
	nosniff, referrer, frame, transport := []string{"nosniff"}, []string{"no-referrer"}, []string{"DENY"}, []string{"max-age=31536000"}
	secure := n.secure()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header() // in canonical form, with values that all answers share
		h["X-Content-Type-Options"], h["Referrer-Policy"], h["X-Frame-Options"] = nosniff, referrer, frame
		if secure {
			h["Strict-Transport-Security"] = transport
		}
		r.RemoteAddr = n.clientAddress(r)
		if r.Body != http.NoBody && !strings.HasPrefix(r.URL.Path, admin.Root+"/") { // pictures and tables have limits of their own there
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			n.web.ServerError(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}

// ready asks the store whether it answers.
func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := n.store.Get(ctx, "portal/ready"); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
