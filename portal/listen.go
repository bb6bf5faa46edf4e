package portal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"rathausnetz/portal/certs"
	"rathausnetz/portal/control"
)

// ErrPort means that a listener cannot be opened; its sentence names the remedy.
var ErrPort = errors.New("portal: the address cannot be listened on")

func (n *Node) openListeners() error {
	if n.opt.Control {
		ln, err := (&control.Server{Dir: n.cfg.Data}).Listen()
		if err != nil {
			return err
		}
		n.ctl = ln
	}
	var err error
	if n.ln = n.opt.Listener; n.ln == nil {
		if n.ln, err = listen("listen", n.cfg.Listen); err != nil {
			return err
		}
	}
	if n.scrape = n.opt.Metrics; n.scrape == nil && n.cfg.Metrics.Listen != "" {
		n.scrape, err = listen("metrics.listen", n.cfg.Metrics.Listen)
	}
	return err
}

func listen(key, addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w: %s is in use by another program; stop it or choose another port for %s", ErrPort, addr, key)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrPort, addr, err)
	}
	return ln, nil
}

// server has the limits that hold for every listener of the node.
func (n *Node) server(ctx context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, IdleTimeout: 120 * time.Second,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
}

// openCertificate prepares TLS for the listener, if it ends here.
func (n *Node) openCertificate() (err error) {
	switch t := n.cfg.TLS; {
	case t.ACME.Enabled:
		n.acme, err = certs.NewACME(certs.ACMEConfig{
			Host: n.cfg.Entity.Host(), Directory: t.ACME.Directory, Email: t.ACME.Email, Cache: n.path("acme"), HTTP: n.outbound(forCertificate), Log: n.log,
		})
	case t.Cert != "":
		n.certs, err = certs.OpenFiles(t.Cert, t.Key, n.now, n.log)
	}
	return err
}

// certificateEnd is when the listener's certificate ends; zero if TLS ends
// elsewhere, or before the first one from an authority.
func (n *Node) certificateEnd() time.Time {
	switch {
	case n.certs != nil:
		return n.certs.NotAfter()
	case n.acme != nil:
		return n.acme.NotAfter()
	}
	return time.Time{}
}

func (n *Node) serve(srv *http.Server) error {
	var err error
	switch {
	case n.certs != nil:
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: n.certs.GetCertificate}
		err = srv.ServeTLS(n.ln, "", "")
	case n.acme != nil:
		srv.TLSConfig = n.acme.TLS()
		err = srv.ServeTLS(n.ln, "", "")
	default:
		err = srv.Serve(n.ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("portal: %w", err)
}

// serveMetrics answers the monitoring until ctx ends.
func (n *Node) serveMetrics(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.metrics.Handler())
	mux.HandleFunc("GET /healthz", n.healthz)
	mux.HandleFunc("GET /readyz", n.readyz)
	srv := n.server(ctx, mux)
	srv.WriteTimeout = 30 * time.Second
	var wg sync.WaitGroup
	wg.Go(func() {
		<-ctx.Done()
		srv.Close() // the monitoring asks again
	})
	err := srv.Serve(n.scrape)
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("portal: metrics: %w", err)
}
