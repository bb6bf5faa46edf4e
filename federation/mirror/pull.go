package mirror

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

const (
	// alternates is how many other members are asked when the owner does not
	// help: any of them may hold the same sealed bytes [DESIGN §3].
	alternates = 3
	// maxSingles is how many chunks are fetched one by one; beyond that one
	// answer with all of them is cheaper.
	maxSingles   = 24
	fetchers     = 4 // chunks of one pull at a time
	clockSkew    = 60 * time.Second
	maxHintTries = 8 // failures after which an announcement is no longer believed
)

// errBehind says that a source holds nothing newer than what is held here,
// although something newer was announced.
var errBehind = errors.New("mirror: announced manifest not found")

// member returns the verified chain of id and what follows from it. Errors
// wrap ErrNotMember.
func (m *Mirror) member(id federation.EntityID) (*trust.Chain, federation.Member, error) {
	chain, err := m.cfg.Members.Chain(id)
	if err != nil {
		return nil, federation.Member{}, fmt.Errorf("%w: %w", ErrNotMember, err)
	}
	member, err := chain.Member()
	if err != nil {
		return nil, federation.Member{}, fmt.Errorf("%w: %w", ErrNotMember, err)
	}
	return chain, member, nil
}

// pull asks the owner and then some others until one answer is admitted or
// confirms what is held. The error says why nothing changed.
func (m *Mirror) pull(ctx context.Context, id federation.EntityID, hint *federation.Announcement) error {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Limits.PullTimeout)
	defer cancel()
	if !m.record(id).pointer.Frozen.IsZero() {
		return nil
	}
	start := time.Now()
	var faults []error
	var own error // what the member itself showed
	for _, source := range m.sources(id) {
		err := m.pullFrom(ctx, source, id, hint)
		switch {
		case misdeed(err) == nil:
		case source == id:
			own = fmt.Errorf("pull %s: %w", id, err)
		default:
			m.log.Warn("a source serves what does not hold", "peer", string(source), "err", err)
		}
		if err == nil {
			m.blame(id, own)
			m.log.Debug("pulled", "peer", string(id), "source", string(source), "serial", m.record(id).pointer.Floor, "took", time.Since(start))
			return nil
		}
		faults = append(faults, err)
		if ctx.Err() != nil || errors.Is(err, ErrEquivocates) || errors.Is(err, ErrFull) || errors.Is(err, ErrNotMember) {
			break
		}
	}
	m.blame(id, own)
	if errors.Is(faults[0], errMissing) && m.record(id).pointer.Floor == 0 {
		return fmt.Errorf("pull %s: %w", id, ErrUnpublished)
	}
	return fmt.Errorf("pull %s: %w", id, errors.Join(faults...))
}

// sources returns whom to ask: the owner, then hubs and others in random
// order, those believed to be down last.
func (m *Mirror) sources(id federation.EntityID) []federation.EntityID {
	var others []federation.Member
	for _, x := range m.cfg.Members.Members() {
		if x.ID != id && x.ID != m.cfg.Self {
			others = append(others, x)
		}
	}
	rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	rank := func(x federation.Member) int {
		switch {
		case !m.cfg.Reachable(x.ID):
			return 2
		case x.IsHub:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(others, func(a, b federation.Member) int { return rank(a) - rank(b) })
	out := []federation.EntityID{id}
	for _, x := range others[:min(len(others), alternates)] {
		out = append(out, x.ID)
	}
	return out
}

// pullFrom asks one source.
func (m *Mirror) pullFrom(ctx context.Context, source, id federation.EntityID, hint *federation.Announcement) error {
	r := m.record(id)
	held := r.pointer.Manifest
	if r.unpacked == nil {
		held = federation.Digest{}
	}
	sealed, unchanged, err := m.fetch.manifest(ctx, source, id, held)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if !unchanged {
		if err := m.admit(ctx, source, id, sealed); err != nil {
			return fmt.Errorf("from %s: %w", source, err)
		}
		m.recall(id)
	}
	m.touch(id, source)
	if now := m.record(id).pointer; hint != nil && (now.Floor < hint.Serial || now.Floor == hint.Serial && now.Manifest != hint.Manifest) {
		return fmt.Errorf("from %s: %w: serial %d digest %s", source, errBehind, hint.Serial, hint.Manifest.Short())
	}
	return nil
}

// admit verifies a sealed manifest and its content, from cheap to dear, and
// makes it current. Nothing is changed unless everything holds.
func (m *Mirror) admit(ctx context.Context, source, id federation.EntityID, sealed string) error {
	chain, member, err := m.member(id)
	if err != nil {
		return err
	}
	man, err := openManifest(sealed, chain.Keys, id)
	if err != nil {
		return err
	}
	r := m.record(id)
	digest := federation.Sum([]byte(sealed))
	if digest == r.pointer.Manifest && r.unpacked != nil {
		return nil
	}
	switch p := r.pointer; {
	case man.Serial < p.Floor:
		return fmt.Errorf("%w: %d after %d", ErrRollback, man.Serial, p.Floor)
	case man.Serial == p.Floor && digest != p.Manifest:
		return m.freeze(id, man.Serial, sealed, false)
	}
	if err := m.inTime(man); err != nil {
		return err
	}
	if man.Serial == r.pointer.Floor+1 && !man.Previous.IsZero() && man.Previous != r.pointer.Manifest {
		m.log.Warn("manifest follows another one than the one held", "peer", string(id), "serial", man.Serial, "digest", digest.Short())
	}
	unpacked, got, held, err := m.unpack(ctx, source, r, digest, man)
	if err != nil {
		return err
	}
	m.change.Lock()
	defer m.change.Unlock()
	if m.record(id).pointer.Floor != r.pointer.Floor {
		return nil // something newer, or a drop, came in between
	}
	next := r.with(func(r *record) { r.unpacked, r.keys, r.copy.Checked = unpacked, chain.Keys, m.now() })
	if next.chunks = held; held == nil {
		next.pointer.Packs = nil // the packs before are missing or damaged
	}
	if err := m.store(next, man, sealed, got, source); err != nil {
		return err
	}
	m.build(next, member)
	m.show(id, next)
	m.log.Info("catalogue replaced", "peer", string(id), "serial", man.Serial, "digest", digest.Short())
	return nil
}

// openManifest checks seal, form and issuer.
func openManifest(sealed string, keys trust.JWKS, id federation.EntityID) (catalog.Manifest, error) {
	var man catalog.Manifest
	token, err := trust.Open(sealed, catalog.ManifestType, keys)
	if err != nil {
		return man, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return readManifest(token, id)
}

func readManifest(token *trust.Token, id federation.EntityID) (catalog.Manifest, error) {
	var man catalog.Manifest
	if err := token.Into(&man); err != nil {
		return man, fmt.Errorf("%w: %w", ErrContent, err)
	}
	if man.Issuer != id {
		return man, fmt.Errorf("%w: %s", ErrIssuer, man.Issuer)
	}
	if err := man.Check(); err != nil {
		return man, fmt.Errorf("%w: %w", ErrContent, err)
	}
	return man, nil
}

// inTime judges the validity of a manifest that is to become current.
func (m *Mirror) inTime(man catalog.Manifest) error {
	now := m.now()
	if expires := time.Unix(man.Expires, 0); !now.Before(expires) {
		return fmt.Errorf("%w: at %s", ErrExpired, expires.UTC().Format(time.RFC3339))
	}
	if issued := time.Unix(man.IssuedAt, 0); issued.After(now.Add(clockSkew)) {
		return fmt.Errorf("%w: at %s; compare the clocks", ErrNotYet, issued.UTC().Format(time.RFC3339))
	}
	return nil
}

// unpack fetches what is missing and decodes. If bytes on disk have gone bad,
// it fetches everything: what was fetched has been compared with its digest,
// so a wrong digest can only come from the disk.
func (m *Mirror) unpack(ctx context.Context, source federation.EntityID, r *record, digest federation.Digest, man catalog.Manifest) (
	u *catalog.Unpacked, got map[federation.Digest][]byte, held map[federation.Digest]location, err error,
) {
	held = r.chunks
	for {
		got, err = m.missing(ctx, source, r.pointer.Member, digest, man, held)
		if err == nil {
			if u, err = catalog.UnpackFrom(r.unpacked, man, m.lookup(got, held)); err == nil {
				return u, got, held, nil
			}
			err = fmt.Errorf("%w: %w", ErrContent, err)
		}
		if len(held) == 0 || !errors.Is(err, errDamaged) && !errors.Is(err, catalog.ErrDigest) {
			return nil, nil, nil, err
		}
		m.log.Error("damaged pack; everything is pulled anew", "peer", string(man.Issuer), "err", err)
		held = nil
	}
}

// missing fetches the groups and chunks of man that are not in held.
func (m *Mirror) missing(ctx context.Context, source, id federation.EntityID, digest federation.Digest, man catalog.Manifest, held map[federation.Digest]location) (map[federation.Digest][]byte, error) {
	if len(held) == 0 {
		got, err := m.fetch.bundle(ctx, source, id, digest, man)
		if !errors.Is(err, errStatus) {
			return got, err
		}
	}
	got := make(map[federation.Digest][]byte)
	if err := m.fetchAll(ctx, source, lacking(man.Groups, held, got), got); err != nil {
		return nil, err
	}
	_, chunks, err := man.Walk(m.lookup(got, held))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContent, err)
	}
	refs := lacking(chunks, held, got)
	if len(held) > 0 && len(refs) > maxSingles {
		all, err := m.fetch.bundle(ctx, source, id, digest, man)
		if !errors.Is(err, errStatus) {
			return all, err
		}
	}
	var total int64
	for _, ref := range refs {
		if total += int64(ref.Size); total > m.cfg.Limits.CatalogueBytes {
			return nil, fmt.Errorf("%w: a catalogue of more than %d bytes", ErrTooLarge, m.cfg.Limits.CatalogueBytes)
		}
	}
	return got, m.fetchAll(ctx, source, refs, got)
}

// lacking returns the references that are neither held nor got, each once.
func lacking(refs catalog.RefList, held map[federation.Digest]location, got map[federation.Digest][]byte) catalog.RefList {
	var out catalog.RefList
	seen := make(map[federation.Digest]bool)
	for _, r := range refs {
		_, onDisk := held[r.Digest]
		_, here := got[r.Digest]
		if !onDisk && !here && !seen[r.Digest] {
			seen[r.Digest] = true
			out = append(out, r)
		}
	}
	return out
}

// fetchAll fetches chunks one by one, a few at a time, into got.
func (m *Mirror) fetchAll(ctx context.Context, source federation.EntityID, refs catalog.RefList, got map[federation.Digest][]byte) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(fetchers)
	for _, ref := range refs {
		g.Go(func() error {
			b, err := m.fetch.chunk(ctx, source, ref)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			got[ref.Digest] = b
			return nil
		})
	}
	return g.Wait()
}

// freeze keeps both manifests as evidence, holds on to the last good one and
// tells; nothing of this member is admitted until Thaw.
func (m *Mirror) freeze(id federation.EntityID, serial uint64, sealed string, told bool) error {
	m.change.Lock()
	defer m.change.Unlock()
	r := m.record(id)
	other := federation.Sum([]byte(sealed))
	if serial != r.pointer.Floor || other == r.pointer.Manifest || !r.pointer.Frozen.IsZero() {
		return nil
	}
	faults := []error{fmt.Errorf("%w: serial %d digests %s and %s", ErrEquivocates, serial, r.pointer.Manifest.Short(), other.Short())}
	faults = append(faults, m.disk.keepEvidence(id, serial, sealed))
	if r.sealed != "" {
		faults = append(faults, m.disk.keepEvidence(id, serial, r.sealed))
	}
	err := errors.Join(faults...)
	next := r.with(func(r *record) {
		r.pointer.Frozen = other
		r.copy.State, r.copy.Err = r.state(m.now()), err
	})
	if werr := m.disk.writePointer(next.pointer); werr != nil {
		err = errors.Join(err, werr)
	}
	m.log.Error("member has sealed two manifests with one serial; frozen", "peer", string(id), "serial", serial, "digest", other.Short())
	if r.shown {
		m.show(id, next)
	} else {
		m.put(id, next)
	}
	if m.cfg.OnEquivocation != nil {
		m.cfg.OnEquivocation(Equivocation{Member: id, Serial: serial, Held: r.sealed, Other: sealed, Told: told})
	}
	return err
}
