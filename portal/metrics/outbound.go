package metrics

import (
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// Client returns a copy of c whose requests are counted under purpose, a
// constant of the caller. It shares the connections of c.
func (m *Metrics) Client(purpose string, c *http.Client) *http.Client {
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	counted := *c
	counted.Transport = &transport{m: m, next: next, purpose: purpose, received: m.received.WithLabelValues(purpose)}
	return &counted
}

type transport struct {
	m        *Metrics
	next     http.RoundTripper
	purpose  string
	received prometheus.Counter
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	result := "unreachable"
	if err == nil {
		result = class(resp.StatusCode)
		resp.Body = &counted{ReadCloser: resp.Body, n: t.received}
	}
	t.m.outbound.WithLabelValues(t.purpose, result).Inc()
	return resp, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// counted counts the bytes that are read of a body.
type counted struct {
	io.ReadCloser
	n prometheus.Counter
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(float64(n))
	return n, err
}
