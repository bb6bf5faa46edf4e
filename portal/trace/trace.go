package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
)

// Header is the one header of the standard that is used.
const Header = "Traceparent"

// ID is the trace-id: 16 bytes, not all zero.
type ID [16]byte

// New returns a random ID.
func New() ID {
	var id ID
	rand.Read(id[:]) // never fails
	return id
}

// String returns 32 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Parse reads a traceparent: version, trace-id, parent-id and flags as
// lower-case hexadecimal digits between dashes. A later version may have more
// behind them; version ff, zero identifiers and everything else is refused.
func Parse(s string) (ID, bool) {
	var id ID
	const least = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(s) < least || len(s) > 512 || strings.ToLower(s) != s || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return id, false
	}
	if len(s) > least && (s[:2] == "00" || s[least] != '-') {
		return id, false
	}
	var version, flags [1]byte
	var parent [8]byte
	for _, part := range []struct {
		to   []byte
		from string
	}{{version[:], s[:2]}, {id[:], s[3:35]}, {parent[:], s[36:52]}, {flags[:], s[53:55]}} {
		if _, err := hex.Decode(part.to, []byte(part.from)); err != nil {
			return ID{}, false
		}
	}
	if version[0] == 0xff || id == (ID{}) || parent == [8]byte{} {
		return ID{}, false
	}
	return id, true
}

type contextKey struct{}

// With returns ctx carrying id.
func With(ctx context.Context, id ID) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From returns the ID that ctx carries.
func From(ctx context.Context) (ID, bool) {
	id, ok := ctx.Value(contextKey{}).(ID)
	return id, ok
}

// Handler gives every request an ID: that of its traceparent, if there is
// exactly one and it is valid, else a fresh one.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var id ID
		ok := false
		if h := r.Header[Header]; len(h) == 1 {
			id, ok = Parse(h[0])
		}
		if !ok {
			id = New()
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), id)))
	})
}

// Transport passes the ID of a request's context on, with a fresh parent-id
// for each request. Requests without an ID are sent as they are.
type Transport struct{ Next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	id, ok := From(r.Context())
	if !ok {
		return t.Next.RoundTrip(r)
	}
	var parent [8]byte
	rand.Read(parent[:])
	parent[0] |= 1 // never all zero
	r = r.Clone(r.Context())
	r.Header.Set(Header, "00-"+id.String()+"-"+hex.EncodeToString(parent[:])+"-00")
	return t.Next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (t Transport) CloseIdleConnections() {
	if c, ok := t.Next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Log adds the ID of the context to every line that is logged with one, as
// the attribute trace.
type Log struct{ slog.Handler }

// Handle implements slog.Handler.
func (l Log) Handle(ctx context.Context, r slog.Record) error {
	if id, ok := From(ctx); ok {
		r = r.Clone()
		r.AddAttrs(slog.String("trace", id.String()))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l Log) WithAttrs(a []slog.Attr) slog.Handler { return Log{l.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (l Log) WithGroup(name string) slog.Handler { return Log{l.Handler.WithGroup(name)} }
