package mirror

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

// record is everything held of one member. It is never changed: a change
// makes a new one, so readers need the lock only to fetch it.
type record struct {
	pointer  pointer
	sealed   string                         // the current manifest; "" if none is held
	chunks   map[federation.Digest]location // of all packs
	unpacked *catalog.Unpacked              // nil until verified since the start
	keys     trust.JWKS                     // the seal was verified with
	member   federation.Member              // the scope was judged with
	misdeed  error                          // the last rule the member itself broke; nil since its last good answer
	shown    bool                           // OnChange was called, and OnDrop not since
	copy     Copy
}

func (r *record) with(change func(*record)) *record {
	c := *r
	change(&c)
	return &c
}

// record returns what is held of id, an empty record if nothing is.
func (m *Mirror) record(id federation.EntityID) *record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if r := m.records[id]; r != nil {
		return r
	}
	return &record{pointer: pointer{Member: id}, copy: Copy{Member: federation.Member{ID: id}, State: StateNone}}
}

func (m *Mirror) put(id federation.EntityID, r *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[id] = r
}

// show makes r current and tells OnChange; called with change held.
func (m *Mirror) show(id federation.EntityID, r *record) {
	r = r.with(func(r *record) { r.shown = true })
	m.put(id, r)
	if m.cfg.OnChange != nil {
		m.cfg.OnChange(r.copy)
	}
}

// hide takes the copy of id out of sight, because of err, and keeps the bytes;
// called with change held.
func (m *Mirror) hide(id federation.EntityID, err error) {
	r := m.record(id)
	was := r.shown
	m.put(id, r.with(func(r *record) {
		r.shown, r.unpacked = false, nil
		r.copy = Copy{Member: r.copy.Member, State: StateNone, Err: err}
	}))
	if !was {
		return
	}
	m.log.Warn("catalogue no longer shown", "peer", string(id), "err", err)
	if m.cfg.OnDrop != nil {
		m.cfg.OnDrop(id)
	}
}

// fail notes why an attempt changed nothing.
func (m *Mirror) fail(id federation.EntityID, err error) {
	m.change.Lock()
	defer m.change.Unlock()
	m.put(id, m.record(id).with(func(r *record) { r.setErr(err) }))
}

// setErr notes the outcome of an attempt. That a member equivocates is the
// better reason, and may have come in between by Evidence.
func (r *record) setErr(err error) {
	if r.pointer.Frozen.IsZero() || !errors.Is(r.copy.Err, ErrEquivocates) {
		r.copy.Err = err
	}
}

// touch notes that source still has what is held.
func (m *Mirror) touch(id, source federation.EntityID) {
	m.change.Lock()
	defer m.change.Unlock()
	m.put(id, m.record(id).with(func(r *record) {
		r.copy.Checked, r.copy.Source = m.now(), source
		r.setErr(nil)
		if source == id {
			r.misdeed = nil
		}
	}))
}

// Copy returns what is held of id. It is false if id was never heard of.
func (m *Mirror) Copy(id federation.EntityID) (Copy, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r, ok := m.records[id]
	if !ok {
		return Copy{}, false
	}
	return r.copy, true
}

// Copies returns what is held of every member, sorted by its ID.
func (m *Mirror) Copies() []Copy {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]Copy, 0, len(m.records))
	for _, r := range m.records {
		out = append(out, r.copy)
	}
	slices.SortFunc(out, func(a, b Copy) int { return strings.Compare(string(a.Member.ID), string(b.Member.ID)) })
	return out
}

// state labels a held copy at now.
func (r *record) state(now time.Time) State {
	switch {
	case r.unpacked == nil:
		return StateNone
	case !r.pointer.Frozen.IsZero():
		return StateFrozen
	case !now.Before(time.Unix(r.unpacked.Manifest.Expires, 0)):
		return StateStale
	default:
		return StateFresh
	}
}

// build fills the copy of r for member from what was unpacked, inside the
// member's scope [SSO.md §3].
func (m *Mirror) build(r *record, member federation.Member) {
	man := r.unpacked.Manifest
	c, findings := catalog.WithinScope(r.unpacked.Catalogue, member)
	if len(findings) == 0 && len(member.Scope.Except) == 0 && member.Next == nil {
		c = r.unpacked.Catalogue // nothing was cut: share the records instead of a copy
	}
	first := findings[:min(len(findings), maxLoggedFindings)]
	for _, f := range first {
		m.log.Warn("record outside the scope", "peer", string(member.ID), "record", string(f.Record), "code", f.Code, "mark", f.Mark)
	}
	r.member = member
	r.copy = Copy{
		Member: member, Catalogue: c, Serial: man.Serial, Digest: r.pointer.Manifest, Bytes: r.bytes(),
		Fetched: r.pointer.Fetched, Checked: r.copy.Checked, Source: r.pointer.Source,
		Expires: time.Unix(man.Expires, 0), State: r.state(m.now()), Outside: len(findings), Findings: first,
	}
	if len(findings) > 0 || member.Next != nil {
		r.copy.Whole = r.unpacked.Catalogue
	}
	if r.copy.State == StateFrozen {
		r.copy.Err = fmt.Errorf("%s serial %d: %w", member.ID, man.Serial, ErrEquivocates)
	}
}

// maxLoggedFindings bounds the log lines of one catalogue, and Copy.Findings.
const maxLoggedFindings = 20

func (r *record) bytes() int64 {
	var n int64
	for _, l := range r.chunks {
		n += int64(l.size)
	}
	return n
}

// lookup returns a reader of chunks: those just got, then those on disk.
func (m *Mirror) lookup(got map[federation.Digest][]byte, held map[federation.Digest]location) func(federation.Digest) ([]byte, error) {
	return func(d federation.Digest) ([]byte, error) {
		if b, ok := got[d]; ok {
			return b, nil
		}
		if l, ok := held[d]; ok {
			return m.disk.read(l)
		}
		return nil, fmt.Errorf("%w: chunk %s", ErrNotHeld, d.Short())
	}
}

// store writes a verified catalogue to disk: what is new as a delta, or
// everything once there are many deltas. It sets pointer, chunks and sealed.
func (m *Mirror) store(r *record, man catalog.Manifest, sealed string, got map[federation.Digest][]byte, source federation.EntityID) error {
	digest := federation.Sum([]byte(sealed))
	p := r.pointer
	name := digest.String() + deltaSuffix
	chunks := got
	next := maps.Clone(r.chunks)
	if len(p.Packs) == 0 || len(p.Packs) > maxDeltas {
		name, next = digest.String()+fullSuffix, nil
		all, err := m.everything(man, m.lookup(got, r.chunks))
		if err != nil {
			return err
		}
		chunks, p.Packs = all, nil
	}
	if next == nil {
		next = make(map[federation.Digest]location, len(chunks))
	}
	err := m.disk.write(packDir, name, packSize(sealed, chunks), func(w io.Writer) error {
		return writePack(w, name, sealed, chunks, next)
	})
	if err != nil {
		return err
	}
	p.Floor, p.Manifest, p.Fetched, p.Source = man.Serial, digest, m.now().UTC(), source
	p.Packs = append(slices.Clip(p.Packs), name)
	if err := m.disk.writePointer(p); err != nil {
		return err
	}
	r.pointer, r.chunks, r.sealed = p, next, sealed
	return nil
}

// peekManifest reads a manifest whose seal is not verified here: it was before,
// or it is the own one of a node that is not yet a member.
func peekManifest(sealed string, id federation.EntityID) (catalog.Manifest, error) {
	token, err := trust.Peek(sealed, catalog.ManifestType)
	if err != nil {
		return catalog.Manifest{}, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return readManifest(token, id)
}

// everything collects all groups and chunks of a manifest.
func (m *Mirror) everything(man catalog.Manifest, chunk func(federation.Digest) ([]byte, error)) (map[federation.Digest][]byte, error) {
	all := make(map[federation.Digest][]byte)
	groups, chunks, err := man.Walk(chunk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContent, err)
	}
	for _, ref := range append(slices.Clip(groups), chunks...) {
		if all[ref.Digest] != nil {
			continue
		}
		b, err := chunk(ref.Digest)
		if err != nil {
			return nil, err
		}
		all[ref.Digest] = b
	}
	return all, nil
}
