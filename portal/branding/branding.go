package branding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/portal/web/brand"
)

// Errors of this package.
var (
	ErrNoDraft   = errors.New("branding: there is no draft")
	ErrNoVersion = errors.New("branding: there is no such version")
	ErrOutdated  = errors.New("branding: somebody else has changed the draft meanwhile")
)

const (
	prefix        = "branding/"
	liveKey       = prefix + "live"
	draftKey      = prefix + "draft"
	versionPrefix = prefix + "version/"
	picturePrefix = prefix + "picture/"

	keepVersions = 20
	pollEvery    = 3 * time.Second
	pictureFor   = 24 * time.Hour // until a draft or version refers to it
)

// Config is what a Desk works with. All but Now and Log are required.
type Config struct {
	Store store.Store
	// Start is the brand of the configuration; see Configured.
	Start brand.Brand
	// Show makes a brand the one that everybody sees.
	Show func(brand.Brand) error
	Now  func() time.Time
	Log  *slog.Logger
}

// Desk keeps drafts and versions. It is safe for concurrent use and by several
// replicas over one store.
type Desk struct {
	cfg Config

	mu    sync.Mutex  // guards what follows; held while the shown version changes
	start brand.Brand // version 0
	shown int         // number of the version that Show was given
}

// New starts nothing; Load shows what was published before.
func New(cfg Config) *Desk {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{cfg: cfg, start: cfg.Start}
}

// Version is a published brand. Number 0 is the configuration's.
type Version struct {
	Number int
	By     string
	At     time.Time
	Brand  brand.Brand
}

// record is a brand as it is stored: pictures by digest.
type record struct {
	Number   int         `json:"number,omitempty"`
	Revision int         `json:"revision,omitempty"` // of a draft
	By       string      `json:"by"`
	At       time.Time   `json:"at"`
	Brand    brand.Brand `json:"brand"` // without the data of pictures
	Wappen   string      `json:"wappen,omitempty"`
	Title    string      `json:"title,omitempty"`
}

func versionKey(n int) string { return fmt.Sprintf("%s%010d", versionPrefix, n) }

// pack stores the pictures of b and returns the rest.
func (d *Desk) pack(ctx context.Context, b brand.Brand, ttl time.Duration) (r record, err error) {
	r = record{At: d.cfg.Now().UTC(), Brand: b}
	for _, p := range []struct {
		image *brand.Image
		name  *string
	}{{&r.Brand.Wappen, &r.Wappen}, {&r.Brand.Title, &r.Title}} {
		if p.image.IsZero() {
			continue
		}
		*p.name = federation.Sum(p.image.Data).String()
		if err := d.cfg.Store.Put(ctx, picturePrefix+*p.name, p.image.Data, ttl); err != nil {
			return r, fmt.Errorf("branding: picture: %w", err)
		}
		p.image.Data = nil
	}
	return r, nil
}

func (d *Desk) unpack(ctx context.Context, r record) (brand.Brand, error) {
	b := r.Brand
	for _, p := range []struct {
		image *brand.Image
		name  string
	}{{&b.Wappen, r.Wappen}, {&b.Title, r.Title}} {
		if p.name == "" {
			continue
		}
		data, err := d.cfg.Store.Get(ctx, picturePrefix+p.name)
		if err != nil {
			return b, fmt.Errorf("branding: picture: %w", err)
		}
		p.image.Data = data
	}
	return b, nil
}

func (d *Desk) read(ctx context.Context, key string) (r record, err error) {
	b, err := d.cfg.Store.Get(ctx, key)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s: %w", key, err)
	}
	return r, nil
}

func (d *Desk) configured() Version {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Version{Brand: d.start}
}

// Configured says that the configuration has another brand now. It is shown
// unless the staff has published one.
func (d *Desk) Configured(b brand.Brand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := b.Check()
	if err == nil && d.shown == 0 {
		err = d.cfg.Show(b)
	}
	if err == nil {
		d.start = b
	}
	return err
}

// live is the number of the published version.
func (d *Desk) live(ctx context.Context) (n int, err error) {
	b, err := d.cfg.Store.Get(ctx, liveKey)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return n, json.Unmarshal(b, &n)
}

// Version returns a published version, ErrNoVersion if it is gone.
func (d *Desk) Version(ctx context.Context, n int) (Version, error) {
	if n == 0 {
		return d.configured(), nil
	}
	return d.published(ctx, n)
}

func (d *Desk) published(ctx context.Context, n int) (Version, error) {
	r, err := d.read(ctx, versionKey(n))
	if errors.Is(err, store.ErrNotFound) {
		return Version{}, fmt.Errorf("%w: %d", ErrNoVersion, n)
	}
	if err != nil {
		return Version{}, err
	}
	b, err := d.unpack(ctx, r)
	return Version{Number: r.Number, By: r.By, At: r.At, Brand: b}, err
}

// Live returns what is published now.
func (d *Desk) Live(ctx context.Context) (Version, error) {
	n, err := d.live(ctx)
	if err != nil {
		return Version{}, err
	}
	return d.Version(ctx, n)
}

// Versions returns the published versions, the newest first, without pictures;
// the last one is the configuration's.
func (d *Desk) Versions(ctx context.Context) ([]Version, error) {
	var out []Version
	var broken error
	err := d.cfg.Store.Scan(ctx, versionPrefix, func(_ string, b []byte) bool {
		var r record
		if broken = json.Unmarshal(b, &r); broken != nil {
			return false
		}
		out = append(out, Version{Number: r.Number, By: r.By, At: r.At, Brand: r.Brand})
		return true
	})
	if err := errors.Join(err, broken); err != nil {
		return nil, fmt.Errorf("branding: versions: %w", err)
	}
	slices.Reverse(out)
	return append(out, d.configured()), nil
}

// Publish makes the draft the newest version and shows it.
func (d *Desk) Publish(ctx context.Context, by string) (Version, error) {
	draft, ok, err := d.Draft(ctx)
	if err != nil {
		return Version{}, err
	}
	if !ok {
		return Version{}, ErrNoDraft
	}
	if err := draft.Brand.Check(); err != nil {
		return Version{}, err
	}
	v, err := d.publish(ctx, by, draft.Brand)
	if err != nil {
		return v, err
	}
	return v, d.cfg.Store.Delete(ctx, draftKey)
}

// Restore publishes the content of an earlier version as the newest one.
func (d *Desk) Restore(ctx context.Context, by string, n int) (Version, error) {
	old, err := d.Version(ctx, n)
	if err != nil {
		return Version{}, err
	}
	return d.publish(ctx, by, old.Brand)
}

// publish writes a version under the next free number, which only one of
// several callers gets, and then points to it.
func (d *Desk) publish(ctx context.Context, by string, b brand.Brand) (Version, error) {
	r, err := d.pack(ctx, b, 0)
	if err != nil {
		return Version{}, err
	}
	r.By = by
	if r.Number, err = d.live(ctx); err != nil {
		return Version{}, err
	}
	for {
		r.Number++
		raw, err := json.Marshal(r)
		if err != nil {
			return Version{}, err
		}
		err = d.cfg.Store.Create(ctx, versionKey(r.Number), raw, 0)
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrExists) {
			return Version{}, fmt.Errorf("branding: %w", err)
		}
	}
	err = d.cfg.Store.Update(ctx, liveKey, func(old []byte) ([]byte, time.Duration, error) {
		var n int
		if old != nil {
			if err := json.Unmarshal(old, &n); err != nil {
				return nil, 0, err
			}
		}
		raw, err := json.Marshal(max(n, r.Number))
		return raw, 0, err
	})
	if err != nil {
		return Version{}, fmt.Errorf("branding: %w", err)
	}
	d.cfg.Log.Info("brand published", "version", r.Number)
	if err := d.prune(ctx); err != nil {
		d.cfg.Log.Warn("old versions of the brand were not removed", "err", err)
	}
	return Version{Number: r.Number, By: by, At: r.At, Brand: b}, d.Load(ctx)
}

// Load shows the published version if another one is shown.
func (d *Desk) Load(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.live(ctx)
	if err != nil || n == d.shown {
		return err
	}
	v, err := d.published(ctx, n)
	if err != nil {
		return err
	}
	if err := d.cfg.Show(v.Brand); err != nil {
		return err
	}
	d.shown = n
	return nil
}

// Run shows what other replicas publish, until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := d.Load(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Log.Warn("published brand was not read", "err", err)
		}
	}
}

// prune forgets versions beyond the last ones, and pictures of nobody.
func (d *Desk) prune(ctx context.Context) error {
	all, err := d.Versions(ctx)
	if err != nil {
		return err
	}
	all = all[:len(all)-1] // not the configuration's
	for _, v := range all[min(len(all), keepVersions):] {
		if err := d.cfg.Store.Delete(ctx, versionKey(v.Number)); err != nil {
			return err
		}
	}
	used := map[string]bool{}
	keep := func(r record, err error) error {
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		used[picturePrefix+r.Wappen], used[picturePrefix+r.Title] = true, true
		return err
	}
	if err := keep(d.read(ctx, draftKey)); err != nil {
		return err
	}
	for _, v := range all[:min(len(all), keepVersions)] {
		if err := keep(d.read(ctx, versionKey(v.Number))); err != nil {
			return err
		}
	}
	var orphans []string
	if err := d.cfg.Store.Scan(ctx, picturePrefix, func(key string, _ []byte) bool {
		if !used[key] {
			orphans = append(orphans, key)
		}
		return true
	}); err != nil {
		return err
	}
	for _, key := range orphans {
		if err := d.cfg.Store.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
