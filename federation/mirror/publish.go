package mirror

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

func verifyHint(a federation.Announcement, chain *trust.Chain) error {
	return trust.VerifyAnnouncement(a, chain.Keys)
}

// sameMember reports whether nothing that matters to a copy has changed.
func sameMember(a, b federation.Member) bool { return reflect.DeepEqual(a, b) }

// Own returns serial and digest of what Self last published, 0 if nothing.
// The next manifest takes serial+1 and names digest as its previous one.
func (m *Mirror) Own() (serial uint64, digest federation.Digest) {
	p := m.record(m.cfg.Self).pointer
	return p.Floor, p.Manifest
}

// Publish puts the own catalogue into the store and serves it from then on:
// sealed is a manifest of Self with a serial above the last one, chunks holds
// at least those groups and chunks that are not held yet. When it returns nil
// everything is on disk. Publishing the current manifest again changes nothing.
//
// It is shown (OnChange) as soon as Self is a member, since only the trust
// mark says what of it others will show. Errors wrap ErrIssuer, ErrRollback,
// ErrExpired, ErrNotYet, ErrSeal, ErrContent or ErrFull.
func (m *Mirror) Publish(ctx context.Context, sealed string, chunks map[federation.Digest][]byte) error {
	if err := m.Load(ctx); err != nil {
		return err
	}
	man, chain, member, err := m.checkOwn(sealed)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	m.change.Lock()
	defer m.change.Unlock()
	r := m.record(m.cfg.Self)
	switch digest := federation.Sum([]byte(sealed)); {
	case digest == r.pointer.Manifest && r.sealed != "":
		return nil
	case man.Serial < r.pointer.Floor || man.Serial == r.pointer.Floor && digest != r.pointer.Manifest:
		return fmt.Errorf("publish: %w: %d after %d", ErrRollback, man.Serial, r.pointer.Floor)
	}
	unpacked, err := catalog.UnpackFrom(r.unpacked, man, m.lookup(chunks, r.chunks))
	if err != nil {
		return fmt.Errorf("publish: %w: %w", ErrContent, err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("publish: %w", ctx.Err())
	}
	next := r.with(func(r *record) { r.copy.Checked = m.now() })
	if err := m.store(next, man, sealed, m.novel(chunks, r), m.cfg.Self); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	m.log.Info("catalogue published", "peer", string(m.cfg.Self), "serial", man.Serial, "digest", next.pointer.Manifest.Short())
	if chain == nil {
		next.unpacked = nil
		m.put(m.cfg.Self, next)
		return nil
	}
	next.unpacked, next.keys = unpacked, chain.Keys
	m.build(next, member)
	m.show(m.cfg.Self, next)
	return nil
}

// checkOwn verifies a manifest of Self. chain is nil as long as Self is not a
// member; then there is no key to verify the seal with.
func (m *Mirror) checkOwn(sealed string) (catalog.Manifest, *trust.Chain, federation.Member, error) {
	chain, member, err := m.member(m.cfg.Self)
	var man catalog.Manifest
	if err == nil {
		man, err = openManifest(sealed, chain.Keys, m.cfg.Self)
	} else {
		man, err = peekManifest(sealed, m.cfg.Self)
	}
	if err == nil {
		err = m.inTime(man)
	}
	return man, chain, member, err
}

// novel returns the chunks that are not on disk yet.
func (m *Mirror) novel(chunks map[federation.Digest][]byte, r *record) map[federation.Digest][]byte {
	out := make(map[federation.Digest][]byte)
	for d, b := range chunks {
		if _, held := r.chunks[d]; !held {
			out[d] = b
		}
	}
	return out
}

// Drop forgets the copy of a member that was revoked: it is not shown or
// served any more and its bytes are removed. Its serial stays the floor, so
// that nothing older comes back if it is admitted again.
func (m *Mirror) Drop(id federation.EntityID) {
	m.tasks.forget(id)
	m.change.Lock()
	defer m.change.Unlock()
	m.hide(id, fmt.Errorf("%s: %w: dropped", id, ErrNotMember))
	r := m.record(id)
	if r.pointer.Floor == 0 {
		return
	}
	next := r.with(func(r *record) {
		r.sealed, r.chunks, r.pointer.Packs = "", nil, nil
	})
	m.put(id, next)
	if err := m.disk.writePointer(next.pointer); err != nil {
		m.log.Error("pointer not written", "peer", string(id), "err", err)
	}
	m.collectNow(id, r.pointer.Packs)
}

// collectNow removes packs at once; called with change held.
func (m *Mirror) collectNow(id federation.EntityID, packs []string) {
	for _, name := range packs {
		if err := m.disk.remove(name); err != nil {
			m.log.Error("pack not removed", "peer", string(id), "err", err)
		}
	}
}

// Thaw ends the freeze of a member after the hub has settled the matter. What
// it published under the doubtful serial stays refused; the next serial is
// admitted again.
func (m *Mirror) Thaw(id federation.EntityID) error {
	m.change.Lock()
	defer m.change.Unlock()
	r := m.record(id)
	if r.pointer.Frozen.IsZero() {
		return nil
	}
	next := r.with(func(r *record) {
		r.pointer.Frozen = federation.Digest{}
		r.copy.State, r.copy.Err = r.state(m.now()), nil
	})
	if err := m.disk.writePointer(next.pointer); err != nil {
		return fmt.Errorf("thaw %s: %w", id, err)
	}
	if r.shown {
		m.show(id, next)
	} else {
		m.put(id, next)
	}
	m.tasks.at(id, time.Now())
	return nil
}
