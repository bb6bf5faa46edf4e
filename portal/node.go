package portal

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/config"
	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/audit"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/api"
	"rathausnetz/portal/branding"
	"rathausnetz/portal/certs"
	"rathausnetz/portal/control"
	"rathausnetz/portal/links"
	"rathausnetz/portal/metrics"
	"rathausnetz/portal/report"
	"rathausnetz/portal/systemd"
	"rathausnetz/portal/trace"
	"rathausnetz/portal/visits"
	"rathausnetz/portal/web"
	"rathausnetz/portal/web/brand"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/desk"
	"rathausnetz/sso/op/passkey"
	"rathausnetz/sso/rp"
	"rathausnetz/sso/session"
)

// drain is how long open requests may go on after the node was told to stop.
const drain = 10 * time.Second

// Options are what a process decides rather than a configuration file. The
// zero value suits a real node.
type Options struct {
	Listener net.Listener // used instead of config.Listen
	Keys     *trust.Keys  // used instead of the key files
	Portal   *Portal      // used instead of config.Portal.File, together with Brand
	Brand    *brand.Brand
	Store    store.Store      // used instead of the configured store; the node closes it
	Register *region.Register // used instead of the register files; shared, read only
	Roots    *x509.CertPool   // trusted for outbound https beside the system's
	Profile  discovery.Profile
	// RosterPause is the least time between two looks at who is a member; 0 is
	// 50 ms. Each costs as much as there are members, and in one process with
	// hundreds of nodes as much as that for each of them.
	RosterPause time.Duration
	// Block cuts the gossip of this node to an address; for tests of faults.
	Block func(netip.AddrPort) bool
	// BlockPool does the same in the gossip of hubs.
	BlockPool func(netip.AddrPort) bool
	// BlockHTTP cuts this node's requests to a host:port; for tests of faults.
	BlockHTTP func(host string) bool
	// Resolver is used instead of one of the node's own: many nodes in one
	// process then verify the statements of each member once.
	Resolver  *trust.Resolver
	Mirror    mirror.Limits
	IdleConns int  // kept-alive connections to all hosts together; 0 means 100
	Control   bool // open the operator's socket in the data folder
	// OnEvent is told what this node sees of the network. It is called from
	// several goroutines, also under locks of the node, and must return at once.
	OnEvent func(Event)
	// Metrics is used instead of config.Metrics.Listen.
	Metrics net.Listener
	Build   metrics.Build
	Service *systemd.Manager // told how the node is; nil without one
	// Load reads the configuration for Reload; nil: only the files it names
	// are read again.
	Load     func() (config.Config, error)
	OnReload func(config.Config) // told of each configuration that was taken over
	// Process shows memory, files and CPU of the process among the metrics.
	Process bool
	Now     func() time.Time
	Log     *slog.Logger
}

// Node is one running node. Open makes it, Run runs it, Close releases it.
type Node struct {
	cfg     config.Config
	opt     Options
	log     *slog.Logger
	now     func() time.Time
	ln      net.Listener
	ctl     net.Listener // nil without Options.Control
	scrape  net.Listener // nil without metrics
	http    *http.Client
	metrics *metrics.Metrics
	// patient is http without retries and with time for long polls.
	patient *http.Client

	keys      *trust.Keys
	store     store.Store // timed
	kept      store.Store // the same, as it was opened
	register  *region.Register
	certs     *certs.Files // nil: TLS ends elsewhere, or acme
	acme      *certs.ACME
	live      atomic.Pointer[settings]
	began     Portal     // as the node was started with
	reloading sync.Mutex // one at a time

	resolver *trust.Resolver // nil until joined
	anchor   *anchor.Anchor  // nil unless this node is a hub
	client   *anchor.Client
	member   *membership

	pool       *pool // nil unless this node is a hub with neighbours
	neighbours neighbours

	directory   *directory.Directory
	mirror      *mirror.Mirror
	network     atomic.Pointer[network] // nil until approved
	publisher   *publisher
	publication atomic.Pointer[string] // why the last one failed; "" if it did not
	statements  statements
	blocks      blocks
	showing     showing
	misdeeds    chan misdeed                              // for tellHub
	noted       map[federation.EntityID]federation.Digest // catalogues noted by noteOutside
	seen        map[federation.EntityID]seenCopy          // by noteCopy

	sessions *session.Manager
	rp       *rp.RP
	op       *op.OP // nil unless this node is an OpenID Provider
	accounts *account.Accounts
	passkeys *passkey.Keys // nil: no provider, or one that is reached by address
	desk     *desk.Desk    // nil: no provider
	web      *web.Web
	api      *api.API
	reports  *report.Desk
	links    *links.Checker
	branding *branding.Desk
	visits   *visits.Counter
	imported atomic.Pointer[Imported] // nil before the first import since the start
	trail    *audit.Trail
	staff    *staff.Staff
	admin    *admin.Admin
	handler  http.Handler

	closeOnce sync.Once
	closeErr  error
}

// Open builds a node from its configuration: it reads keys, opens store and
// listener, and starts nothing. Whatever it opened is closed on error.
func Open(cfg config.Config, opt Options) (n *Node, err error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	opt.Log = slog.New(trace.Log{Handler: opt.Log.Handler()})
	n = &Node{misdeeds: make(chan misdeed, maxMisdeeds), noted: map[federation.EntityID]federation.Digest{}, seen: map[federation.EntityID]seenCopy{}, cfg: cfg, opt: opt, now: opt.Now, log: opt.Log}
	n.live.Store(&settings{cfg: cfg})
	n.http, n.patient = newOutbound(n.outboundGuard(), opt), newPatient(n.outboundGuard(), opt)
	n.metrics = metrics.New(metrics.Config{Build: opt.Build, Process: opt.Process, Snapshot: n.snapshot})
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
			n = nil
		}
	}()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return n, fmt.Errorf("data folder: %w", err)
	}
	for _, step := range []func() error{n.openKeys, n.openCertificate, n.openListeners, n.openStore, n.openRegister, n.openSettings, n.openFederation, n.openNeighbours, n.openSessions, n.openReports, n.openLinks, n.openVisits, n.openPages, n.openSignOn, n.openAPI, n.openAdmin} {
		if err := step(); err != nil {
			return n, err
		}
	}
	n.handler = n.routes()
	return n, nil
}

// Addr is the address of the listener.
func (n *Node) Addr() net.Addr { return n.ln.Addr() }

// MetricsAddr is the address of the monitoring's listener, nil if there is none.
func (n *Node) MetricsAddr() net.Addr {
	if n.scrape == nil {
		return nil
	}
	return n.scrape.Addr()
}

// Close releases what Open opened. It is idempotent and must not run while
// Run does.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		var errs []error
		for _, c := range []io.Closer{n.ln, n.ctl, n.scrape} {
			if c != nil && !isNil(c) {
				if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
					errs = append(errs, err)
				}
			}
		}
		if n.store != nil {
			errs = append(errs, n.store.Close())
		}
		if n.http != nil {
			n.http.CloseIdleConnections()
			n.patient.CloseIdleConnections()
		}
		n.closeErr = errors.Join(errs...)
	})
	return n.closeErr
}

func isNil(c io.Closer) bool {
	ln, ok := c.(net.Listener)
	return ok && ln == nil
}

// Run serves until ctx ends, then stops in order: open requests finish, the
// node says goodbye in gossip, everything else ends, and all goroutines have
// returned when Run does.
func (n *Node) Run(ctx context.Context) error {
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	g, inner := errgroup.WithContext(serving)
	srv := n.server(inner, n.handler)
	srv.RegisterOnShutdown(n.releaseFollowers)
	g.Go(func() error { return n.serve(srv) })
	if n.scrape != nil {
		g.Go(func() error { return n.serveMetrics(inner) })
	}
	if n.certs != nil {
		g.Go(func() error { return n.certs.Run(inner) })
	}
	g.Go(func() error { return n.mirror.Run(inner) })
	g.Go(func() error { return n.sweep(inner) })
	g.Go(func() error { return n.reports.Run(inner) })
	g.Go(func() error { return n.branding.Run(inner) })
	g.Go(func() error { return n.visits.Run(inner) })
	if n.cfg.Links.Every > 0 {
		g.Go(func() error { return n.links.Run(inner) })
	}
	if n.op != nil {
		g.Go(func() error { return n.op.Run(inner) })
	}
	if m := n.opt.Service; m != nil {
		g.Go(func() error { return n.manage(inner, m) })
	}
	if n.ctl != nil {
		s := &control.Server{Dir: n.cfg.Data, Verbs: n.Verbs(), Log: n.log}
		g.Go(func() error { return s.Serve(inner, n.ctl) })
	}
	if n.anchor != nil {
		g.Go(func() error { return n.anchor.Run(inner) })
	}
	g.Go(func() error { return n.takePart(inner) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-inner.Done():
		}
		n.say(n.opt.Service.Stopping())
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := srv.Shutdown(stop); err != nil {
			srv.Close()
		}
		stopServing()
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// path names a file below the data folder.
func (n *Node) path(elem ...string) string {
	return filepath.Join(append([]string{n.cfg.Data}, elem...)...)
}
