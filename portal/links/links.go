package links

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/store"
)

// ErrConfig is wrapped by every refusal of New.
var ErrConfig = errors.New("links: configuration not usable")

// Limits.
const (
	MaxLinks = 20000          // different addresses that are checked; the rest stays unchecked
	AtMost   = 24 * time.Hour // no link is asked for more often

	hostsAtOnce  = 4
	maxHops      = 5
	maxRead      = 64 << 10 // bytes of an answer
	slowAfter    = 5 * time.Second
	longestBreak = 7 * 24 * time.Hour
	keepFor      = 60 * 24 * time.Hour // a result whose link has gone
	pollEvery    = time.Minute
	maxHosts     = 10000 // remembered between rounds
)

// Config is what a Checker works with. Self, HTTP, Store and Catalogue are
// required.
type Config struct {
	Self  federation.EntityID // named in the User-Agent; its own pages ask no robots.txt
	HTTP  *http.Client        // guarded against special-use addresses, without retries
	Store store.Store
	// Catalogue returns what is published now, nil if nothing is. It is read
	// only.
	Catalogue func() *catalog.Catalogue
	Every     time.Duration // between two checks of a link that is in order; at least and by default AtMost
	Pause     time.Duration // between two requests to one host; default 2 s
	Timeout   time.Duration // of one request; default 15 s
	Zone      *time.Location
	Now       func() time.Time
	Log       *slog.Logger
}

// Checker checks the links of one node. It is safe for concurrent use.
type Checker struct {
	cfg    Config
	client *http.Client
	agent  string

	round sync.Mutex // held during a round

	mu    sync.Mutex // guards hosts
	hosts map[string]*host
}

// New checks the configuration; it does no I/O.
func New(cfg Config) (*Checker, error) {
	if cfg.Self == "" || cfg.HTTP == nil || cfg.Store == nil || cfg.Catalogue == nil {
		return nil, fmt.Errorf("%w: entity ID, HTTP client, store and catalogue are required", ErrConfig)
	}
	cfg.Every = max(cfg.Every, AtMost)
	if cfg.Pause <= 0 {
		cfg.Pause = 2 * time.Second
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	client := *cfg.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil
	return &Checker{cfg: cfg, client: &client, agent: product + "/1 (+" + cfg.Self.URL("/") + ")", hosts: map[string]*host{}}, nil
}

// Row is one link of one record with what is known about it. A record without
// any link has one row with an empty URL and state Missing.
type Row struct {
	Link
	Result
}

// Rows returns every link of the catalogue, the worst first, then by record.
func (c *Checker) Rows(ctx context.Context) ([]Row, error) {
	known, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, l := range Of(c.cfg.Catalogue()) {
		r, ok := known[l.URL]
		switch {
		case l.URL == "":
			r = Result{State: Missing, Reason: NoLink}
		case !ok:
			r = Result{State: Unchecked, Reason: NotYet}
		}
		out = append(out, Row{Link: l, Result: r.spoken()})
	}
	slices.SortStableFunc(out, func(a, b Row) int { return cmp.Compare(a.State.rank(), b.State.rank()) })
	return out, nil
}

// due is one address to be checked now, with what is known of it.
type due struct {
	url    *url.URL
	raw    string
	before Result
}

// tour is one round, at one moment.
type tour struct {
	*Checker
	now time.Time
}

// Round checks what is due at now, host by host, and returns how many links
// were judged. Only one round runs at a time.
func (c *Checker) Round(ctx context.Context, now time.Time) (checked int, err error) {
	c.round.Lock()
	defer c.round.Unlock()
	known, err := c.load(ctx)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	if len(c.hosts) > maxHosts {
		clear(c.hosts) // nobody has a turn between two rounds
	}
	c.mu.Unlock()
	t := tour{c, now}
	byHost, wanted := t.queue(known)
	var counted sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, hostsAtOnce)
	for _, list := range byHost {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			n := t.visit(ctx, list)
			counted.Lock()
			checked += n
			counted.Unlock()
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return checked, err
	}
	return checked, c.forget(ctx, known, wanted)
}

// queue sorts what is due by host, so that each host is visited by one.
func (c tour) queue(known map[string]Result) (byHost map[string][]due, wanted map[string]bool) {
	byHost, wanted = map[string][]due{}, map[string]bool{}
	for _, l := range Of(c.cfg.Catalogue()) {
		if l.URL == "" || wanted[l.URL] || len(wanted) >= MaxLinks {
			continue
		}
		wanted[l.URL] = true
		r := known[l.URL]
		u, err := url.Parse(l.URL)
		if err != nil || c.now.Before(r.Next) {
			continue
		}
		name := strings.ToLower(u.Hostname())
		byHost[name] = append(byHost[name], due{url: u, raw: l.URL, before: r})
	}
	return byHost, wanted
}

// visit checks the links of one host. When a server of it does not answer at
// all, its other links are not asked for: they share the result.
func (c tour) visit(ctx context.Context, list []due) (n int) {
	claim := claimPrefix + federation.Sum([]byte(strings.ToLower(list[0].url.Hostname()))).String()
	if err := c.cfg.Store.Create(ctx, claim, []byte{1}, claimFor); err != nil {
		return 0 // another replica is there
	}
	defer func() {
		if err := c.cfg.Store.Delete(context.WithoutCancel(ctx), claim); err != nil {
			c.cfg.Log.Warn("claim on a host was not given back", "err", err)
		}
	}()
	silent := map[string]outcome{} // by port
	for _, d := range list {
		if ctx.Err() != nil {
			return n
		}
		o, known := silent[d.url.Scheme+d.url.Port()]
		if !known {
			o = c.probe(ctx, d.url)
		}
		if ctx.Err() != nil {
			return n
		}
		if o.hostSilent {
			silent[d.url.Scheme+d.url.Port()] = o
		}
		r := c.judge(d.raw, d.before, o)
		if err := c.save(ctx, r); err != nil {
			c.cfg.Log.Warn("result of a link was not kept", "err", err)
			return n
		}
		n++
	}
	return n
}

// Run checks until ctx ends, a little after the start and then whenever
// something is due.
func (c *Checker) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		n, err := c.Round(ctx, c.cfg.Now())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			c.cfg.Log.Warn("links were not checked", "err", err)
		case n > 0:
			c.cfg.Log.Info("links checked", "links", n)
		}
	}
}
