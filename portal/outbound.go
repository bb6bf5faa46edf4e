package portal

import (
	"errors"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"rathausnetz/federation/trust"
	"rathausnetz/portal/trace"
)

// Limits of every request this node makes.
const (
	outboundTimeout = 15 * time.Second
	outboundRetries = 2
	longPollTimeout = time.Minute
	retryWaitMin    = 100 * time.Millisecond
	retryWaitMax    = 2 * time.Second
)

// newOutbound builds the one client for everything the node fetches: guarded
// against special-use addresses in the dialer, without redirects, and with
// retries for reads only. A write is never sent twice: a code or an assertion
// that arrived must not arrive again.
func newOutbound(guard trust.Guard, opt Options) *http.Client {
	t := guarded(guard, opt)
	t.ResponseHeaderTimeout = 10 * time.Second
	plain := &http.Client{Transport: t, CheckRedirect: stay, Timeout: outboundTimeout}
	retrying := retryablehttp.NewClient()
	retrying.HTTPClient = plain
	retrying.Logger = nil
	retrying.RetryMax = outboundRetries
	retrying.RetryWaitMin, retrying.RetryWaitMax = retryWaitMin, retryWaitMax
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &http.Client{
		Transport:     opt.cut(trace.Transport{Next: readsAgain{reads: &retryablehttp.RoundTripper{Client: retrying}, writes: t}}),
		CheckRedirect: stay,
		Timeout:       2 * outboundTimeout,
	}
}

// newPatient builds the client for long polls: as guarded as the other, without
// retries; its requests bring deadlines of their own.
func newPatient(guard trust.Guard, opt Options) *http.Client {
	return &http.Client{Transport: opt.cut(guarded(guard, opt)), CheckRedirect: stay, Timeout: longPollTimeout}
}

func guarded(guard trust.Guard, opt Options) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConnsPerHost = 8
	t.IdleConnTimeout = 60 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	if opt.IdleConns > 0 {
		t.MaxIdleConns = opt.IdleConns
	}
	if opt.Roots != nil {
		t.TLSClientConfig.RootCAs = opt.Roots
	}
	guard.Transport(t)
	return t
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// readsAgain sends GET and HEAD through the retrying client.
type readsAgain struct{ reads, writes http.RoundTripper }

func (s readsAgain) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		resp, err := s.reads.RoundTrip(r)
		if err != nil && resp != nil { // the retrying client may give both
			resp.Body.Close()
			resp = nil
		}
		return resp, err
	}
	return s.writes.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (s readsAgain) CloseIdleConnections() {
	if c, ok := s.writes.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

var errCut = errors.New("portal: this host is cut off")

// cut keeps requests from the hosts that Options.BlockHTTP names.
func (o Options) cut(next http.RoundTripper) http.RoundTripper {
	if o.BlockHTTP == nil {
		return next
	}
	return cable{next, o.BlockHTTP}
}

type cable struct {
	http.RoundTripper
	blocked func(host string) bool
}

func (c cable) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.blocked(r.URL.Host) {
		return nil, errCut
	}
	return c.RoundTripper.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (c cable) CloseIdleConnections() {
	if n, ok := c.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		n.CloseIdleConnections()
	}
}
