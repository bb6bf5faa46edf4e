package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build says which program runs.
type Build struct{ Version, Revision, Go string }

// Config is what New needs.
type Config struct {
	Build    Build
	Snapshot func() Snapshot // asked at each scrape; nil: no state is shown
	Process  bool            // also count memory, files and CPU of the process; for one node a process
}

// Metrics are the counters of one node. All methods are safe for concurrent
// use.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge

	outbound *prometheus.CounterVec
	received *prometheus.CounterVec

	storeTime   *prometheus.HistogramVec
	storeErrors *prometheus.CounterVec

	logins, tokens, refusals, publications, reloads *prometheus.CounterVec
}

// New returns counters at zero; it does no I/O.
func New(cfg Config) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counter("http_requests_total", "Requests answered.", "route", "method", "status")
	m.duration = m.histogram("http_request_duration_seconds", "Time to answer a request.", "route")
	m.inFlight = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "http_requests_in_flight", Help: "Requests being answered now."})
	m.registry.MustRegister(m.inFlight)
	m.outbound = m.counter("outbound_requests_total", "Requests made to other nodes and sources, by what for and how they ended.", "purpose", "result")
	m.received = m.counter("outbound_received_bytes_total", "Bytes of answers to requests of this node, by what for.", "purpose")
	m.storeTime = m.histogram("store_operation_duration_seconds", "Time of an operation of the store.", "operation")
	m.storeErrors = m.counter("store_errors_total", "Operations that the store could not do.", "operation")
	m.logins = m.counter("logins_total", "Logins that came back to this portal, by result.", "result")
	m.tokens = m.counter("tokens_total", "Answers of the token endpoint of this provider, by result.", "result")
	m.refusals = m.counter("refusals_total", "What members sent and this node refused, by kind.", "kind")
	m.publications = m.counter("publications_total", "Attempts to publish the own catalogue, by result.", "result")
	m.reloads = m.counter("config_reloads_total", "Attempts to reload the configuration, by result.", "result")
	info := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info", Help: "Which program runs; always 1.",
		ConstLabels: prometheus.Labels{"version": cfg.Build.Version, "revision": cfg.Build.Revision, "goversion": cfg.Build.Go}})
	info.Set(1)
	m.registry.MustRegister(info)
	if cfg.Snapshot != nil {
		m.registry.MustRegister(newState(cfg.Snapshot))
	}
	if cfg.Process {
		m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	m.preset()
	return m
}

// preset shows what has not happened yet as zero, so that a rate has a start.
func (m *Metrics) preset() {
	for vec, values := range map[*prometheus.CounterVec][]string{
		m.logins: {ResultOK, ResultRefused, ResultFailed}, m.tokens: {ResultOK, ResultRefused, ResultFailed},
		m.publications: {ResultOK, ResultUnchanged, ResultRefused, ResultFailed}, m.reloads: {ResultOK, ResultRefused},
	} {
		for _, v := range values {
			vec.WithLabelValues(v)
		}
	}
	for _, op := range operations {
		m.storeErrors.WithLabelValues(op)
	}
}

const namespace = "rathausnetz"

// buckets reach from a page out of memory to a request that gives up.
func buckets() []float64 { return []float64{.001, .005, .025, .1, .5, 2.5, 10} }

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets()}, labels)
	m.registry.MustRegister(v)
	return v
}

// Handler answers GET /metrics. It is for a listener of its own that the
// public does not reach.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Gatherer gives tests and checks the registry.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Results of logins, tokens, publications and reloads.
const (
	ResultOK        = "ok"
	ResultRefused   = "refused"   // somebody else's fault
	ResultFailed    = "failed"    // this node's or its store's
	ResultUnchanged = "unchanged" // nothing to publish
)

// Refused counts something a member sent that was not accepted. kind is a
// constant of the caller.
func (m *Metrics) Refused(kind string) { m.refusals.WithLabelValues(kind).Inc() }

// Published counts an attempt to publish the own catalogue.
func (m *Metrics) Published(result string) { m.publications.WithLabelValues(result).Inc() }

// Reloaded counts an attempt to reload the configuration.
func (m *Metrics) Reloaded(result string) { m.reloads.WithLabelValues(result).Inc() }

// Logins counts the answers of next as logins that came back to the portal.
func (m *Metrics) Logins(next http.Handler) http.Handler { return byResult(m.logins, next) }

// Tokens counts the answers of next as those of a token endpoint.
func (m *Metrics) Tokens(next http.Handler) http.Handler { return byResult(m.tokens, next) }

func byResult(vec *prometheus.CounterVec, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		result := ResultOK
		switch s := rec.code(); {
		case s >= 500:
			result = ResultFailed
		case s >= 400:
			result = ResultRefused
		}
		vec.WithLabelValues(result).Inc()
	})
}

// Route counts and times the answers of next under a route pattern, never
// under the path that was asked for, and tells done of each; done may be nil.
func (m *Metrics) Route(pattern string, next http.Handler, done func(r *http.Request, status int, took time.Duration)) http.Handler {
	usual := m.requests.WithLabelValues(pattern, http.MethodGet, "2xx") // what nearly all are, looked up once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		rec := &recorder{ResponseWriter: w}
		m.inFlight.Inc()
		defer func() {
			took := time.Since(begun)
			m.inFlight.Dec()
			m.duration.WithLabelValues(pattern).Observe(took.Seconds())
			if status := rec.code(); r.Method == http.MethodGet && status/100 == 2 {
				usual.Inc()
			} else {
				m.requests.WithLabelValues(pattern, method(r.Method), class(status)).Inc()
			}
			if done != nil {
				done(r, rec.code(), took)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func method(s string) string {
	switch s {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return s
	}
	return "other"
}

func class(status int) string { return strconv.Itoa(status/100) + "xx" }

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
