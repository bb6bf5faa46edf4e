package portal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/xzufi"
)

// Errors of publishing.
var (
	ErrNoSource = errors.New("portal: this node has no catalogue; set catalog.source, or use: rathausnetz catalog import FILE")
	ErrForeign  = errors.New("portal: only the node's own source is published; to take another one over use: rathausnetz catalog import")
	ErrReadOnly = errors.New("portal: catalog.source would overwrite it at the next import; change it there, or remove catalog.source from the configuration")
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

// PublishRequest asks for a publication; the zero value takes the node's own
// source.
type PublishRequest struct {
	Source          string `json:"source,omitempty"` // for an import or a dry run: file, folder, .zip, .yaml or URL; "" is the node's own
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
	caughtUp   bool             // the others were asked for the own serial; guarded by mu
	validators xzufi.Validators // of the last fetch; guarded by mu
	fetched    string           // where from; guarded by mu
	again      chan struct{}    // capacity 1: the settings may have changed
}

// Publish reads the node's own source and publishes it if it is good and has
// changed. A dry run may name another source, to compare.
func (n *Node) Publish(ctx context.Context, r PublishRequest) (PublishReport, error) {
	if r.Source != "" && !r.DryRun {
		return PublishReport{}, ErrForeign
	}
	return n.publisher.publish(ctx, r, false)
}

// Import takes a delivery over: if it is good as a whole, the node keeps it as
// its own source from now on and publishes it. A node with a configured source
// refuses with ErrReadOnly.
func (n *Node) Import(ctx context.Context, r PublishRequest) (PublishReport, error) {
	if err := n.ownsCatalogue(); err != nil {
		return PublishReport{}, err
	}
	return n.publisher.publish(ctx, r, true)
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
		case <-p.again:
		case <-time.After(wait):
		}
		wait = n.current().cfg.Catalog.Every
		if wait == 0 || wait > manifestLife/2 {
			wait = manifestLife / 2
		}
		if _, err := (members{n}).Chain(n.cfg.Entity); err != nil {
			wait = 50 * time.Millisecond // own membership is being verified
			continue
		}
		p.catchUp(ctx)
		n.announce()
		_, err := p.publish(ctx, PublishRequest{}, false)
		switch {
		case err == nil, errors.Is(err, ErrNoSource):
		case errors.Is(err, ErrGates):
			n.log.Error("catalogue was not published", "err", err)
		default:
			n.log.Warn("catalogue was not published", "err", err)
			wait = min(wait, publishLater)
		}
	}
}

// catchUp asks the others once how far the own catalogue was: the data folder
// may be a restored one, and no serial may be sealed twice.
func (p *publisher) catchUp(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.caughtUp {
		return
	}
	p.caughtUp = true
	switch err := p.node.mirror.CatchUp(ctx); {
	case errors.Is(err, mirror.ErrEquivocates):
		p.node.log.Error("this node has sealed a serial twice; the hub has to settle it", "err", err)
	case err != nil:
		p.node.log.Warn("nobody could be asked how far the own catalogue was", "err", err)
	}
}

// publish reads a source and publishes it. With keep the source becomes what
// the node keeps itself; before that everything must be good.
func (p *publisher) publish(ctx context.Context, r PublishRequest, keep bool) (rep PublishReport, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.node
	defer func() { n.countPublication(r, rep, err); n.noteImport(r, rep, err) }()
	rep = p.now()
	if r.Source == "" {
		own, err := n.source()
		if err != nil {
			return rep, err
		}
		r.Source = own
	}
	gates, err := n.gates() // before a large source is read for nothing
	if err != nil {
		return rep, err
	}
	held, fresh := p.held(ctx)
	batch, err := p.read(ctx, r.Source, fresh)
	if errors.Is(err, xzufi.ErrNotModified) {
		return rep, nil
	}
	if err != nil {
		return rep, err
	}
	next, report, err := xzufi.Import(held, batch, xzufi.ImportOptions{Member: n.cfg.Entity, AllowMassDelete: r.AllowMassDelete, Gates: gates})
	rep.Import = report
	if err != nil {
		return rep, fmt.Errorf("%w: %w%s", ErrGates, err, firstFindings(report))
	}
	return rep, p.take(ctx, next, r.DryRun, keep, &rep)
}

// now is the report of a publication that has not begun.
func (p *publisher) now() PublishReport {
	serial, digest := p.node.mirror.Own()
	return PublishReport{Serial: serial, Digest: digest}
}

// held returns what is published, nil if nothing is, and whether its manifest
// still holds for long.
func (p *publisher) held(ctx context.Context) (*catalog.Catalogue, bool) {
	n := p.node
	c, err := n.mirror.OwnCopy(ctx)
	if err != nil {
		n.log.Error("the own catalogue cannot be read", "err", err)
	}
	return c.Catalogue, c.Catalogue != nil && n.now().Add(manifestLife/2).Before(c.Expires)
}

// take compares a good catalogue with the published one and publishes it.
func (p *publisher) take(ctx context.Context, next *catalog.Catalogue, dry, keep bool, rep *PublishReport) error {
	n := p.node
	stock := next.Clone()
	if err := n.delegate(next); err != nil {
		return err
	}
	rep.Offers, rep.Units = len(next.Offers), len(next.Units)
	held, fresh := p.held(ctx)
	rep.Diff = catalog.Compare(held, next)
	if dry {
		return nil
	}
	if keep {
		if err := n.keep(stock); err != nil {
			return err
		}
	}
	if rep.Diff.IsZero() && fresh {
		return nil
	}
	return p.seal(ctx, next, rep)
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
	n.event(Announced, "", rep.Serial, "")
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

// delegate adds what the delegations file says to the catalogue.
func (n *Node) delegate(c *catalog.Catalogue) error {
	path := n.current().cfg.Catalog.Delegations
	more, err := readDelegations(path, n.cfg.LoopbackHTTP)
	if err != nil || path == "" {
		return err
	}
	// The file says what holds: an import may bring what it said before.
	c.Delegations = slices.DeleteFunc(c.Delegations, func(d catalog.Delegation) bool {
		agency, _ := d.ID.Split()
		return agency == delegationAgency
	})
	c.Delegations = append(c.Delegations, more...)
	c.Normalize()
	for _, f := range catalog.Validate(c) {
		if f.Severity == catalog.Invalid {
			return fmt.Errorf("%w: %s: %s", ErrDelegations, path, f)
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
