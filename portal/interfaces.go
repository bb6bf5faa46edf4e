package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"rathausnetz/federation/trust"
	"rathausnetz/portal/api"
	"rathausnetz/portal/control"
)

// ErrAsked is a refusal of one of the JSON interfaces, with its sentence.
var ErrAsked = errors.New("portal: the question cannot be answered")

func (n *Node) openAPI() error {
	var err error
	n.api, err = api.New(api.Config{
		Self: n.cfg.Entity, Directory: n.directory, Neighbours: unlinked{n.neighbours.client, &n.blocks.list}, Register: n.register, Now: n.now, Log: n.log, PerMinute: n.cfg.API.PerMinute,
		Seal: func(typ string, claims any) (string, error) { return trust.Sign(n.keys.Federation[0], typ, claims) },
	})
	return err
}

func (n *Node) apiRoutes() []route {
	var out []route
	for path, h := range n.api.Handlers() {
		out = append(out, route{get, path, h})
	}
	return out
}

// Question is one request to the JSON interfaces, asked through the operator's
// socket: the command line shows what everybody else is answered.
type Question struct {
	Path  string     `json:"path"`
	Query url.Values `json:"query"`
}

func (n *Node) directoryVerbs(v map[string]control.Verb) {
	v["ask"] = control.Handle(func(ctx context.Context, q Question) (json.RawMessage, error) { return ask(ctx, n.api, q) })
}

// ask puts a question to an interface as if it had come over the network.
func ask(ctx context.Context, a *api.API, q Question) (json.RawMessage, error) {
	h, ok := a.Handlers()[q.Path]
	if !ok {
		return nil, fmt.Errorf("%w: there is no interface %s", ErrAsked, q.Path)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, q.Path+"?"+q.Query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.RemoteAddr = "127.0.0.1:0"
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, req)
	if rec.status != http.StatusOK {
		return nil, fmt.Errorf("%w: %s", ErrAsked, problem(rec.body.Bytes()))
	}
	if !strings.Contains(rec.header.Get("Content-Type"), "json") {
		return json.Marshal(rec.body.String())
	}
	return rec.body.Bytes(), nil
}

// problem takes the sentence out of a problem document [RFC 9457].
func problem(b []byte) string {
	var p struct{ Title, Detail string }
	if json.Unmarshal(b, &p) == nil && p.Title+p.Detail != "" {
		return strings.TrimSpace(p.Title + ": " + p.Detail)
	}
	return strings.TrimSpace(string(b))
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// clientAddress is the address of whoever sent r: that of the connection, or, if this
// is a configured proxy, the last address in X-Forwarded-For that is not one.
// The header of anybody else is ignored [SSO.md §10 J145].
func (n *Node) clientAddress(r *http.Request) string {
	if len(n.current().cfg.Proxies) == 0 {
		return r.RemoteAddr
	}
	conn, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !n.isProxy(conn.Addr()) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if !n.isProxy(a) {
			return netip.AddrPortFrom(a.Unmap(), 0).String()
		}
	}
	return r.RemoteAddr
}

func (n *Node) isProxy(a netip.Addr) bool {
	for _, p := range n.current().cfg.Proxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
