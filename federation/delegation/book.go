package delegation

import (
	"cmp"
	"reflect"
	"slices"
	"sync"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Book is the current state of all delegations one node knows of. The zero
// value is empty. Methods may be called concurrently.
type Book struct {
	mu       sync.Mutex
	by       map[federation.EntityID][]catalog.Delegation // by who gives
	received map[federation.EntityID][]catalog.Delegation // by who gets, sorted
	admitted map[federation.EntityID]admission            // by who gets
}

// admission remembers what was made of a catalogue, so that the same one
// stays the same as long as nothing changes.
type admission struct {
	whole    *catalog.Catalogue
	scope    federation.Scope
	next     *federation.Planned
	received []catalog.Delegation
	out      *catalog.Catalogue
	findings []catalog.Finding
}

// Set replaces what a member delegates; nil is nothing. list holds what is
// inside the member's own scope. It returns who gets something else than
// before, sorted.
func (b *Book) Set(from federation.EntityID, list []catalog.Delegation) (changed []federation.EntityID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if reflect.DeepEqual(b.by[from], list) || len(b.by[from])+len(list) == 0 {
		return nil
	}
	if b.by == nil {
		b.by = map[federation.EntityID][]catalog.Delegation{}
	}
	for _, d := range slices.Concat(b.by[from], list) {
		if d.To != from {
			changed = append(changed, d.To)
		}
	}
	b.by[from] = list
	if len(list) == 0 {
		delete(b.by, from)
	}
	before := b.received
	b.receive()
	slices.Sort(changed)
	return slices.DeleteFunc(slices.Compact(changed), func(to federation.EntityID) bool {
		return reflect.DeepEqual(before[to], b.received[to])
	})
}

// receive derives received from by.
func (b *Book) receive() {
	b.received = map[federation.EntityID][]catalog.Delegation{}
	for from, list := range b.by {
		for _, d := range list {
			if d.To != from {
				b.received[d.To] = append(b.received[d.To], d)
			}
		}
	}
	for _, list := range b.received { // in an order that does not depend on who came first
		slices.SortFunc(list, func(x, y catalog.Delegation) int {
			return cmp.Or(cmp.Compare(x.Leika, y.Leika), slices.CompareFunc(x.Areas, y.Areas, region.Area.Compare), cmp.Compare(x.ID, y.ID))
		})
	}
}

// Admit returns what of a member's whole catalogue may be used: what its scope
// covers and what others have delegated to it. Every loss is a finding. The
// same input gives the same catalogue, until something changes.
func (b *Book) Admit(whole *catalog.Catalogue, m federation.Member) (*catalog.Catalogue, []catalog.Finding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	received := b.received[m.ID]
	a, ok := b.admitted[m.ID]
	if ok && a.whole == whole && reflect.DeepEqual(a.scope, m.Scope) && reflect.DeepEqual(a.next, m.Next) && reflect.DeepEqual(a.received, received) {
		return a.out, a.findings
	}
	a = admission{whole: whole, scope: m.Scope, next: m.Next, received: received}
	a.out, a.findings = catalog.Admit(whole, m, overlaps(received))
	if b.admitted == nil {
		b.admitted = map[federation.EntityID]admission{}
	}
	b.admitted[m.ID] = a
	return a.out, a.findings
}

// Forget is told that nothing of a member is used any more. It returns who
// gets something else than before.
func (b *Book) Forget(id federation.EntityID) []federation.EntityID {
	b.mu.Lock()
	delete(b.admitted, id)
	b.mu.Unlock()
	return b.Set(id, nil)
}

// To reports what has been delegated to a member, whole areas only: what it
// may publish beyond its own scope.
func (b *Book) To(id federation.EntityID) catalog.Delegated {
	b.mu.Lock()
	defer b.mu.Unlock()
	received := b.received[id]
	return func(key leika.ID, area region.Area) bool {
		return slices.ContainsFunc(received, func(d catalog.Delegation) bool {
			return d.Leika == key && slices.ContainsFunc(d.Areas, func(a region.Area) bool { return a.Covers(area) })
		})
	}
}

// overlaps is To for areas of which a part is delegated: the directory lets a
// claim on a wider area hold in that part only.
func overlaps(received []catalog.Delegation) catalog.Delegated {
	return func(key leika.ID, area region.Area) bool {
		return slices.ContainsFunc(received, func(d catalog.Delegation) bool {
			return d.Leika == key && slices.ContainsFunc(d.Areas, func(a region.Area) bool { return a.Covers(area) || area.Covers(a) })
		})
	}
}
