package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/directory/words"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Register says which areas exist. region.Register satisfies it.
type Register interface {
	// Place returns the place with exactly this area, if there is one today.
	Place(a region.Area) (region.Place, bool)
	// Name returns a name to put into a sentence, the digits of an unknown area.
	Name(a region.Area) string
}

// Config configures a Directory; the zero value is usable.
type Config struct {
	// Register tells an unknown place from one without claims. nil accepts
	// every place.
	Register Register
	// Synonyms are further lines for the dictionary of everyday words, in
	// the form of synonyme.txt: "Perso: Personalausweis".
	Synonyms string
	Now      func() time.Time
	Log      *slog.Logger
}

// Directory holds the index. Reading methods may be called concurrently with
// each other and with Replace, Remove and SetReachable; they see either the
// state before or the state after, never a mixture.
type Directory struct {
	register Register
	now      func() time.Time
	log      *slog.Logger
	words    *words.Dictionary
	weights  words.Weights
	scratch  sync.Pool // of *scratch

	index atomic.Pointer[index]

	mu    sync.Mutex // held by writers, guards the fields below
	slots map[federation.EntityID]int32
	text  *textBuilder
}

// New returns an empty directory. Broken lines in cfg.Synonyms are skipped
// and logged.
func New(cfg Config) *Directory {
	d := &Directory{
		register: cfg.Register, now: cfg.Now, log: cfg.Log,
		slots: map[federation.EntityID]int32{}, text: newTextBuilder(),
		weights: words.NewWeights(),
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	var broken []int
	d.words, broken = words.NewDictionary(words.Builtin(), cfg.Synonyms)
	for _, line := range broken {
		d.log.Warn("synonym line skipped", "line", line)
	}
	d.index.Store(emptyIndex())
	return d
}

// day returns midnight UTC of the day of t in t's own location; a zero t is
// now. Validity is counted in such days.
func (d *Directory) day(t time.Time) time.Time {
	if t.IsZero() {
		t = d.now()
	}
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset)
	return time.Unix(seconds-((seconds%86400)+86400)%86400, 0).UTC()
}

// Replace puts what is held of each member in place of what was held before;
// of two sources for one member the later one counts. Many sources at once
// are cheaper than one by one: use it at the start.
func (d *Directory) Replace(sources ...Source) {
	if len(sources) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	sources = d.relabel(lastOfEach(sources))
	if len(sources) == 0 {
		return
	}
	old := d.index.Load()
	next := old.clone()
	next.keys = old.keys.with(countKeys(sources))
	slots := make([]int32, len(sources))
	for i := range sources {
		slots[i] = d.slot(sources[i].Member.ID)
	}
	d.text = d.text.bounded(old)
	for int(len(next.members)) < len(d.slots) {
		next.members = append(next.members, nil)
	}
	fresh := buildMembers(sources, slots, next.keys, d.text.seed)
	var areas []region.Area
	for i := range fresh {
		areas = fresh[i].areas(areas)
	}
	next.addAreas(areas)
	changed := false
	for i := range fresh {
		m, slot := fresh[i].member, slots[i]
		was := next.members[slot]
		if was != nil {
			next.unplace(was, slot)
			next.subtract(was)
		}
		changed = changed || was == nil || was.hasCopy != m.hasCopy || len(was.delegations)+len(m.delegations) > 0
		next.members[slot] = m
		next.place(m)
		next.add(m)
	}
	next.finish(changed)
	next.texts = d.text.update(next, fresh, nil)
	d.index.Store(next)
}

// relabel publishes new ages and states of copies that are held already, and
// returns the sources that bring anything else.
func (d *Directory) relabel(sources []Source) []Source {
	old := d.index.Load()
	var next *index
	rest := make([]Source, 0, len(sources))
	for _, s := range sources {
		m, slot := old.member(s.Member.ID)
		if m == nil || m.load != nil || s.Load != nil || m.source != s.Catalogue || !reflect.DeepEqual(m.Member, s.Member) {
			rest = append(rest, s)
			continue
		}
		changed := *m
		changed.serial, changed.fetched, changed.stale, changed.reachable = s.Serial, s.Fetched, s.Stale, s.Reachable
		if changed.serial == m.serial && changed.fetched.Equal(m.fetched) && changed.stale == m.stale && changed.reachable == m.reachable {
			continue
		}
		if next == nil {
			next = old.clone()
		}
		next.subtract(m)
		next.add(&changed)
		next.members[slot] = &changed
	}
	if next != nil {
		d.index.Store(next)
	}
	return rest
}

// Remove forgets a member and every claim of it. Unknown IDs are ignored.
func (d *Directory) Remove(id federation.EntityID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.index.Load()
	m, slot := old.member(id)
	if m == nil {
		return
	}
	next := old.clone()
	next.unplace(m, slot)
	next.subtract(m)
	next.members[slot] = nil
	next.finish(true)
	next.texts = d.text.update(next, nil, []int32{slot})
	d.index.Store(next)
}

// SetReachable notes whether a member answers now. Unknown IDs are ignored.
func (d *Directory) SetReachable(id federation.EntityID, reachable bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.index.Load()
	m, slot := old.member(id)
	if m == nil || m.reachable == reachable {
		return
	}
	next := *old
	next.version++
	next.wide = newWideCache()
	next.members = slices.Clone(old.members)
	changed := *m
	changed.reachable = reachable
	next.subtract(m)
	next.add(&changed)
	next.members[slot] = &changed
	d.index.Store(&next)
}

// Version returns the version of the index: it grows with every change and
// begins anew with every process.
func (d *Directory) Version() uint64 { return d.index.Load().version }

// ETag returns a strong entity tag in quotes that changes with the content of
// the index and is the same in every process that holds the same content.
func (d *Directory) ETag() string {
	ix := d.index.Load()
	return `"` + hex.EncodeToString(ix.content[:]) + `"`
}

// slot returns the stable place of a member in the index.
func (d *Directory) slot(id federation.EntityID) int32 {
	s, ok := d.slots[id]
	if !ok {
		s = int32(len(d.slots))
		d.slots[id] = s
	}
	return s
}

func lastOfEach(sources []Source) []Source {
	last := make(map[federation.EntityID]int, len(sources))
	for i := range sources {
		last[sources[i].Member.ID] = i
	}
	if len(last) == len(sources) {
		return sources
	}
	out := make([]Source, 0, len(last))
	for i := range sources {
		if last[sources[i].Member.ID] == i {
			out = append(out, sources[i])
		}
	}
	return out
}

func countKeys(sources []Source) map[leika.ID]int {
	count := map[leika.ID]int{}
	for i := range sources {
		if c := sources[i].Catalogue; c != nil {
			for o := range c.Offers {
				if id := c.Offers[o].Leika; !id.IsZero() {
					count[id]++
				}
			}
		}
	}
	return count
}

// buildMembers builds the parts side by side, one worker for each processor,
// and waits for all of them.
func buildMembers(sources []Source, slots []int32, keys *keyTable, seed maphash.Seed) []arrival {
	out := make([]arrival, len(sources))
	workers := min(runtime.GOMAXPROCS(0), len(sources))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(sources); i = int(next.Add(1)) - 1 {
				out[i] = newMember(sources[i], slots[i], keys, seed)
			}
		})
	}
	wg.Wait()
	return out
}

func (m *member) areas(to []region.Area) []region.Area {
	for i := range m.segments {
		to = append(to, m.segments[i].area)
	}
	for i := range m.contacts {
		to = append(to, m.contacts[i].area)
	}
	return to
}

// clone returns the next version with its own slices of nodes and members.
func (ix *index) clone() *index {
	next := *ix
	next.version++
	next.wide = newWideCache()
	next.nodes = slices.Clone(ix.nodes)
	next.heads = slices.Clone(ix.heads)
	next.members = slices.Clone(ix.members)
	return &next
}

// finish derives what depends on all members together. changed says that
// members came or went, or that copies or delegations did.
func (ix *index) finish(changed bool) {
	ix.heads = slices.Grow(ix.heads, len(ix.nodes)-len(ix.heads))[:len(ix.nodes)]
	for n := range ix.nodes { // a parent comes before its children
		nd := &ix.nodes[n]
		h := head{up: nd.parent, more: len(nd.segments) > 1}
		if nd.parent >= 0 && len(ix.nodes[nd.parent].segments) == 0 {
			h.up = ix.heads[nd.parent].up
		}
		if len(nd.segments) > 0 {
			s := &nd.segments[0]
			h.set, h.seat, h.slot, h.offers, h.kind = s.set, s.seat, s.slot, s.offers, s.kind
		}
		ix.heads[n] = h
	}
	if !changed {
		return
	}
	ix.sorted, ix.silent, ix.given = nil, nil, nil
	for slot, m := range ix.members {
		if m != nil {
			ix.sorted = append(ix.sorted, int32(slot))
		}
	}
	slices.SortFunc(ix.sorted, func(a, b int32) int { return cmp.Compare(ix.members[a].ID, ix.members[b].ID) })
	for _, slot := range ix.sorted {
		m := ix.members[slot]
		if !m.hasCopy {
			ix.silent = append(ix.silent, slot)
		}
		for i := range m.delegations {
			ix.addDelegation(m, slot, i)
		}
	}
}

// addDelegation keeps the areas for which the delegating member itself was
// granted the key: nobody gives away what is not his.
func (ix *index) addDelegation(m *member, slot int32, i int) {
	g := &m.delegations[i]
	_, to := ix.member(g.To)
	for _, a := range g.Areas {
		if !m.Scope.CoversKey(g.Leika) || !m.Scope.CoversArea(a) || slices.ContainsFunc(m.Scope.Except, a.Covers) {
			continue
		}
		if ix.given == nil {
			ix.given = map[leika.ID][]delegation{}
		}
		ix.given[g.Leika] = append(ix.given[g.Leika], delegation{
			from: slot, to: to, toID: g.To, area: a, valid: g.Valid,
		})
	}
}

// add and subtract keep content: a sum over members does not depend on the
// order in which they came.
func (ix *index) add(m *member) { ix.mix(m, 1) }

func (ix *index) subtract(m *member) { ix.mix(m, ^uint64(0)) }

func (ix *index) mix(m *member, factor uint64) {
	b := make([]byte, 0, 256)
	for _, s := range []string{string(m.ID), m.Name, m.ShortName, m.MarkID, m.Phone, m.LoginURI} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint64(b, m.serial)
	flags := byte(0)
	for i, set := range []bool{m.hasCopy, m.stale, m.reachable, m.IsOP, m.IsHub} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, flags)
	if m.stale {
		b = binary.BigEndian.AppendUint64(b, uint64(m.fetched.Unix()/86400))
	}
	sum := sha256.Sum256(b)
	for i := range 2 {
		at := ix.content[8*i:]
		v := binary.BigEndian.Uint64(at) + factor*binary.BigEndian.Uint64(sum[8*i:])
		binary.BigEndian.PutUint64(at, v)
	}
}
