package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

const (
	recheckEvery = 30 * time.Second // expiry and membership, without being told
	collectEvery = 10 * time.Minute
	firstSpread  = 30 * time.Second // the first check of a copy that came from disk
)

// Load reads what is on disk and shows what verifies, without any network.
// Run calls it if it was not called before; a portal that wants to answer
// before it listens calls it first.
func (m *Mirror) Load(ctx context.Context) error {
	// A load that stopped half way would have forgotten serials: it is done
	// once and to the end, whoever asked first and has gone.
	m.loaded.Do(func() { m.loadErr = m.load(context.WithoutCancel(ctx)) })
	return m.loadErr
}

func (m *Mirror) load(ctx context.Context) error {
	if err := m.disk.open(); err != nil {
		return err
	}
	pointers, err := m.disk.pointers()
	if err != nil {
		m.log.Error("unreadable pointers in the mirror; their members are pulled anew", "err", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range pointers {
		g.Go(func() error {
			m.put(p.Member, m.index(p))
			m.judge(p.Member)
			return ctx.Err()
		})
	}
	return g.Wait()
}

// index reads the packs of a pointer. If one is damaged the member is pulled
// anew; its serial stays the floor.
func (m *Mirror) index(p pointer) *record {
	r := &record{pointer: p, chunks: make(map[federation.Digest]location)}
	r.copy = Copy{Member: federation.Member{ID: p.Member}, State: StateNone}
	for _, name := range p.Packs {
		sealed, err := indexPack(m.disk.path(packDir, name), name, r.chunks)
		if err != nil {
			m.log.Error("damaged pack; its member is pulled anew", "peer", string(p.Member), "err", err)
			r.sealed, r.chunks, r.pointer.Packs = "", nil, nil
			return r
		}
		r.sealed = sealed
	}
	if r.sealed != "" && federation.Sum([]byte(r.sealed)) != p.Manifest {
		m.log.Error("pointer and pack disagree; the member is pulled anew", "peer", string(p.Member))
		r.sealed, r.chunks, r.pointer.Packs = "", nil, nil
	}
	return r
}

// Run loads, pulls, judges anew and collects garbage until ctx ends; it
// returns when everything it started has ended.
func (m *Mirror) Run(ctx context.Context) error {
	if err := m.Load(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, m.cfg.Limits.Pulls)
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	collect := time.NewTicker(collectEvery)
	defer collect.Stop()
	m.judgeAll()
	m.collect()
	for {
		select { // a free place first, then work for it
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		id, hint, ok := m.await(ctx, recheck.C, collect.C)
		if !ok {
			return nil
		}
		wg.Go(func() {
			defer func() { <-free }()
			m.work(ctx, id, hint)
		})
	}
}

// await does the housekeeping until a pull is due; false when ctx ends.
func (m *Mirror) await(ctx context.Context, recheck, collect <-chan time.Time) (federation.EntityID, *federation.Announcement, bool) {
	for {
		id, hint, wait := m.tasks.next(time.Now())
		if id != "" {
			return id, hint, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-m.tasks.wake:
		case <-m.members:
			m.judgeAll()
		case <-recheck:
			m.judgeAll()
		case <-collect:
			m.collect()
		case <-ctx.Done():
			timer.Stop()
			return "", nil, false
		}
		timer.Stop()
	}
}

func (m *Mirror) work(ctx context.Context, id federation.EntityID, hint *federation.Announcement) {
	err := m.pull(ctx, id, hint)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		m.fail(id, err)
		level := slog.LevelWarn
		if errors.Is(err, ErrUnpublished) {
			level = slog.LevelDebug
		}
		m.log.Log(ctx, level, "pull changed nothing", "peer", string(id), "err", err)
	}
	m.tasks.done(id, hint, err, m.cfg.RetryAfter, m.cfg.CheckEvery)
}

// Hint says that a member has announced something. What is not newer than
// what is held, not from a member or not signed by it costs no request.
// It never blocks.
func (m *Mirror) Hint(a federation.Announcement) {
	p := m.record(a.Member).pointer
	if !p.Frozen.IsZero() || a.Serial < p.Floor || a.Serial == p.Floor && a.Manifest == p.Manifest {
		return
	}
	chain, err := m.cfg.Members.Chain(a.Member)
	if err == nil {
		err = verifyHint(a, chain)
	}
	if err != nil {
		m.log.Debug("announcement not followed", "peer", string(a.Member), "err", err)
		return
	}
	m.tasks.hint(a)
}

// Recheck judges all copies anew, because members, marks or keys have changed.
// It never blocks; Run does the work.
func (m *Mirror) Recheck() {
	select {
	case m.members <- struct{}{}:
	default:
	}
}

// judgeAll judges every copy and every member that has none.
func (m *Mirror) judgeAll() {
	ids := make(map[federation.EntityID]bool)
	for _, x := range m.cfg.Members.Members() {
		ids[x.ID] = true
	}
	m.mu.RLock()
	for id := range m.records {
		ids[id] = true
	}
	m.mu.RUnlock()
	for id := range ids {
		m.judge(id)
	}
}

// judge compares one copy with what its member may do now: whether it is one,
// which keys seal, which scope is granted, whether the manifest has expired.
func (m *Mirror) judge(id federation.EntityID) {
	for {
		r := m.record(id)
		chain, member, err := m.member(id)
		var next *record
		if err == nil {
			next, err = m.judged(r, chain, member)
		}
		if m.settle(id, r, next, err) {
			m.plan(id)
			if err != nil && r.shown && !errors.Is(err, ErrNotMember) {
				m.tasks.at(id, time.Now()) // it must have sealed anew
			}
			return
		}
	}
}

// judged returns what r becomes: r itself if nothing changes. It decodes
// without holding any lock.
func (m *Mirror) judged(r *record, chain *trust.Chain, member federation.Member) (*record, error) {
	if r.sealed == "" {
		if r.copy.Member.Name == member.Name {
			return r, nil
		}
		return r.with(func(r *record) { r.copy.Member = member }), nil
	}
	next := r.with(func(*record) {})
	if r.unpacked == nil || !r.keys.Equal(chain.Keys) {
		man, err := openManifest(r.sealed, chain.Keys, chain.Leaf)
		if err == nil && next.unpacked == nil {
			next.unpacked, err = catalog.UnpackFrom(nil, man, m.lookup(nil, r.chunks))
		}
		if err != nil {
			return nil, fmt.Errorf("held copy of %s: %w", chain.Leaf, err)
		}
		next.keys = chain.Keys
	} else if r.shown && sameMember(r.member, member) && r.copy.State == r.state(m.now()) {
		return r, nil
	}
	m.build(next, member)
	return next, nil
}

// settle puts the judgement into effect; false if r was replaced meanwhile.
func (m *Mirror) settle(id federation.EntityID, r, next *record, err error) bool {
	m.change.Lock()
	defer m.change.Unlock()
	m.mu.RLock()
	now, known := m.records[id]
	m.mu.RUnlock()
	switch {
	case known && now != r:
		return false
	case err != nil && (known || id != m.cfg.Self):
		m.hide(id, err)
	case err != nil || next == r && known:
	case next.sealed == "":
		m.put(id, next)
	case next != r:
		m.show(id, next)
	}
	return true
}

// plan makes sure a member is asked, and nobody else.
func (m *Mirror) plan(id federation.EntityID) {
	if id == m.cfg.Self {
		return
	}
	_, _, err := m.member(id)
	r := m.record(id)
	switch {
	case err != nil:
		m.tasks.forget(id)
	case r.unpacked == nil:
		m.tasks.ensure(id, time.Now())
	default:
		m.tasks.ensure(id, time.Now().Add(jitter(firstSpread)))
	}
}

// collect removes packs that no pointer names any more.
func (m *Mirror) collect() {
	m.change.Lock()
	defer m.change.Unlock()
	keep := make(map[string]bool)
	m.mu.RLock()
	for _, r := range m.records {
		for _, p := range r.pointer.Packs {
			keep[p] = true
		}
	}
	m.mu.RUnlock()
	n, err := m.disk.collect(keep, time.Now(), packGrace)
	if err != nil {
		m.log.Error("garbage not collected", "err", err)
	} else if n > 0 {
		m.log.Debug("garbage collected", "packs", n)
	}
}
