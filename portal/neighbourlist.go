package portal

import (
	"context"
	"reflect"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
)

// publishList seals the list anew if it says something else than before, or
// will expire. Whoever claims an area of the own Landkreis, or one that
// another neighbour has, is left out.
func (n *Node) publishList(ctx context.Context) error {
	next := n.pool.vouched(n.neighbours.list.Load())
	old := n.neighbours.list.Load()
	unchanged := old != nil && sameNeighbours(old.Neighbours, next)
	if unchanged && old.Expires.Time().Sub(n.now()) > vouchLong {
		return nil
	}
	compact, err := neighbour.SealList(n.keys.Federation[0], n.cfg.Entity, next, n.now())
	if err != nil {
		return err
	}
	l, err := neighbour.OpenList(compact, n.cfg.Entity, n.keys.FederationJWKS())
	if err != nil {
		return err
	}
	if err := n.useList(compact, l); err != nil {
		return err
	}
	if d := n.pool.running(); d != nil {
		d.Recheck(everybody) // who is a neighbour has changed
	}
	n.tellNews(newsNeighbours)
	return ctx.Err()
}

func everybody(federation.EntityID) bool { return true }

// vouched returns the neighbours that may be published, sorted by ID. A proof
// that holds for long enough is not renewed, so that the list stays the same.
func (p *pool) vouched(old *neighbour.List) []neighbour.Neighbour {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := make([]federation.EntityID, 0, len(p.standing))
	for id := range p.standing {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out := []neighbour.Neighbour{}
	own := federation.Scope{Subtree: []region.Area{p.own}}
	for _, id := range ids {
		s := p.standing[id]
		if s.Keys.Keys() == 0 {
			continue
		}
		taken := neighbour.Overlap(own, s.Scope) || slices.ContainsFunc(out, func(o neighbour.Neighbour) bool { return neighbour.Overlap(o.Scope, s.Scope) })
		if taken {
			s.err = errOwnArea
			continue
		}
		n := s.Neighbour
		if was, ok := find(old, id); ok && n.Until > was.Until && n.Until.Time().Sub(was.Until.Time()) < vouchLong {
			n.Until = was.Until
		}
		out = append(out, n)
	}
	return out
}

func find(l *neighbour.List, id federation.EntityID) (neighbour.Neighbour, bool) {
	if l != nil {
		for _, n := range l.Neighbours {
			if n.ID == id {
				return n, true
			}
		}
	}
	return neighbour.Neighbour{}, false
}

func sameNeighbours(a, b []neighbour.Neighbour) bool {
	return slices.EqualFunc(a, b, func(x, y neighbour.Neighbour) bool {
		return x.ID == y.ID && x.Name == y.Name && x.ShortName == y.ShortName && x.Until == y.Until && reflect.DeepEqual(x.Scope, y.Scope) && x.Keys.Equal(y.Keys)
	})
}
