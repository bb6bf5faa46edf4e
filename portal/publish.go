package portal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/xzufi"
)

// Errors of publishing.
var (
	ErrNoSource = errors.New("portal: no catalogue source is configured; set catalog.source, or name a file")
	ErrNothing  = errors.New("portal: this node has not published a catalogue yet; use: rathausnetz catalog publish")
	ErrGates    = errors.New("portal: the catalogue was not published; the one before stays")
)

// A manifest holds for a week and is sealed anew after half of it, so that a
// node that is down for a weekend is not stale on Monday.
const (
	manifestLife  = 7 * 24 * time.Hour
	publishLater  = time.Minute
	maxFindingsIn = 5 // findings named in an error; all are in the report
)

// PublishRequest asks for a publication; the zero value takes the configured
// source.
type PublishRequest struct {
	Source          string `json:"source,omitempty"` // file, folder or .zip; "" is the configured one
	AllowMassDelete bool   `json:"allow_mass_delete,omitempty"`
	DryRun          bool   `json:"dry_run,omitempty"` // read, check, compare; publish nothing
}

// PublishReport says what was read, what it changes and what was published.
type PublishReport struct {
	Published bool              `json:"published"` // false: nothing has changed, or a dry run
	Serial    uint64            `json:"serial"`
	Digest    federation.Digest `json:"digest,omitzero"` // of the sealed manifest
	Offers    int               `json:"offers"`
	Units     int               `json:"units"`
	Diff      catalog.Diff      `json:"diff"`
	Import    *xzufi.Report     `json:"import,omitempty"`
}

// publisher turns the node's source into sealed catalogues, one at a time.
type publisher struct {
	node *Node

	mu         sync.Mutex
	validators xzufi.Validators // of the last fetch; guarded by mu
}

// Publish reads the source and publishes it if it is good and has changed.
func (n *Node) Publish(ctx context.Context, r PublishRequest) (PublishReport, error) {
	return n.publisher.publish(ctx, r)
}

// ownCatalogue returns what this node has published.
func (n *Node) ownCatalogue(context.Context, struct{}) (catalog.Catalogue, error) {
	c, ok := n.mirror.Copy(n.cfg.Entity)
	if !ok || c.Catalogue == nil {
		return catalog.Catalogue{}, ErrNothing
	}
	return *c.Catalogue, nil
}

// run publishes at the start, when the schedule says so, and before the
// manifest grows old.
func (p *publisher) run(ctx context.Context) error {
	n := p.node
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = n.cfg.Catalog.Every
		if wait == 0 || wait > manifestLife/2 {
			wait = manifestLife / 2
		}
		if _, err := (members{n}).Chain(n.cfg.Entity); err != nil {
			wait = 50 * time.Millisecond // own membership is being verified
			continue
		}
		n.announce()
		if n.cfg.Catalog.Source == "" {
			continue
		}
		_, err := p.publish(ctx, PublishRequest{})
		switch {
		case err == nil:
		case errors.Is(err, ErrGates):
			n.log.Error("catalogue was not published", "err", err)
		default:
			n.log.Warn("catalogue was not published", "err", err)
			wait = min(wait, publishLater)
		}
	}
}

func (p *publisher) publish(ctx context.Context, r PublishRequest) (PublishReport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.node
	var rep PublishReport
	if r.Source == "" {
		r.Source = n.cfg.Catalog.Source
	}
	if r.Source == "" {
		return rep, ErrNoSource
	}
	chain, err := (members{n}).Chain(n.cfg.Entity)
	if err != nil {
		return rep, err
	}
	self, err := chain.Member()
	if err != nil {
		return rep, err
	}
	held, _ := n.mirror.Copy(n.cfg.Entity)
	fresh := held.Catalogue != nil && n.now().Add(manifestLife/2).Before(held.Expires)
	batch, err := p.readSource(ctx, r.Source, fresh)
	if errors.Is(err, xzufi.ErrNotModified) {
		return rep, nil
	}
	if err != nil {
		return rep, err
	}
	next, report, err := xzufi.Import(held.Catalogue, batch, xzufi.ImportOptions{
		Member: n.cfg.Entity, AllowMassDelete: r.AllowMassDelete,
		Gates: &catalog.GateInput{Scope: self.Scope, Loopback: n.cfg.LoopbackHTTP, Now: n.now()},
	})
	rep.Import = report
	if err != nil {
		return rep, fmt.Errorf("%w: %w%s", ErrGates, err, firstFindings(report))
	}
	if err := n.delegate(next); err != nil {
		return rep, err
	}
	rep.Offers, rep.Units = len(next.Offers), len(next.Units)
	serial, digest := n.mirror.Own()
	rep.Serial, rep.Digest = serial, digest
	if held.Catalogue != nil {
		rep.Diff = catalog.Compare(held.Catalogue, next)
		if rep.Diff.IsZero() && fresh {
			return rep, nil
		}
	}
	if r.DryRun {
		return rep, nil
	}
	return rep, p.seal(ctx, next, &rep)
}

// seal packs, signs, stores and announces the next serial.
func (p *publisher) seal(ctx context.Context, next *catalog.Catalogue, rep *PublishReport) error {
	n := p.node
	next.Serial = rep.Serial + 1
	packed, err := catalog.Pack(next)
	if err != nil {
		return err
	}
	m := packed.Manifest
	m.Issuer, m.Serial, m.Previous = n.cfg.Entity, next.Serial, rep.Digest
	m.IssuedAt, m.Expires = n.now().Unix(), n.now().Add(manifestLife).Unix()
	sealed, err := trust.Sign(n.keys.Federation[0], catalog.ManifestType, m)
	if err != nil {
		return err
	}
	if err := n.mirror.Publish(ctx, sealed, packed.Chunks); err != nil {
		return err
	}
	rep.Published, rep.Serial, rep.Digest = true, next.Serial, federation.Sum([]byte(sealed))
	n.announce()
	return nil
}

// announce tells the network which serial is the newest.
func (n *Node) announce() {
	serial, digest := n.mirror.Own()
	net := n.network.Load()
	if serial == 0 || net == nil {
		return
	}
	a := federation.Announcement{Member: n.cfg.Entity, Serial: serial, Manifest: digest}
	if err := n.keys.Federation[0].SignAnnouncement(&a); err != nil {
		n.log.Error("announcement was not signed", "err", err)
		return
	}
	net.discovery.Announce(a)
}

// readSource reads an XZuFi source from disk or by https. fresh says that the
// published catalogue still holds for long: then a server that says "not
// modified" is believed.
func (p *publisher) readSource(ctx context.Context, source string, fresh bool) (*xzufi.Batch, error) {
	n := p.node
	opt := xzufi.Options{Loopback: n.cfg.LoopbackHTTP}
	if !strings.Contains(source, "://") {
		return xzufi.ReadPath(source, opt)
	}
	before := p.validators
	if !fresh {
		before = nil
	}
	f := &xzufi.Fetcher{HTTP: n.http, Options: opt}
	batch, after, err := f.Fetch(ctx, source, before)
	if err == nil {
		p.validators = after
	}
	return batch, err
}

// delegate adds what the delegations file says to the catalogue.
func (n *Node) delegate(c *catalog.Catalogue) error {
	more, err := readDelegations(n.cfg.Catalog.Delegations, n.cfg.LoopbackHTTP)
	if err != nil || len(more) == 0 {
		return err
	}
	c.Delegations = append(c.Delegations, more...)
	c.Normalize()
	for _, f := range catalog.Validate(c) {
		if f.Severity == catalog.Invalid {
			return fmt.Errorf("%w: %s: %s", ErrDelegations, n.cfg.Catalog.Delegations, f)
		}
	}
	return nil
}

// firstFindings names what stopped an import; the report has everything.
func firstFindings(r *xzufi.Report) string {
	var b strings.Builder
	named, more := 0, 0
	for _, f := range r.Findings {
		switch {
		case f.Severity == catalog.Warn:
		case named == maxFindingsIn:
			more++
		default:
			b.WriteString("\n" + f.String())
			named++
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n… and %d more", more)
	}
	return b.String()
}
