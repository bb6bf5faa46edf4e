package portal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/neighbour/relay"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// Why a hub is not vouched for.
var (
	errPin     = errors.New("portal: the neighbour shows another key than hub.pool.neighbours names; call them and compare")
	errOwnArea = errors.New("portal: it claims an area of this Landkreis or of another neighbour")
)

// Intervals of looking after neighbours.
const (
	vouchTick  = 15 * time.Second // between two looks at who is due
	vouchEvery = time.Minute      // one that stands well is verified again: its area may have changed
	vouchLong  = 12 * time.Hour   // a proof that holds for longer is not renewed in the list
	// vouchSettle: after a notice about a hub it is looked at with every tick,
	// because it may show its former mark until it has fetched the new one.
	vouchSettle = 2 * time.Minute
	vouchSlots  = 4
	maxHubs     = 2 * neighbour.MaxNeighbours
)

// standing is what a hub has found out about another one.
type standing struct {
	neighbour.Neighbour
	seed     string    // its gossip address
	verified time.Time // zero: only known from disk
	pin      *config.Neighbour
	err      error // of the last try
}

// remember takes over what was known before the restart: seals of neighbours
// that are away can then still be verified.
func (p *pool) remember(l *neighbour.List) {
	if l == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range l.Neighbours {
		if p.standing[n.ID] == nil {
			p.standing[n.ID] = &standing{Neighbour: n}
		}
	}
}

func (p *pool) keysOf(id federation.EntityID) (trust.JWKS, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.standing[id]
	if s == nil || s.Keys.Keys() == 0 {
		wake(p.poke)
		return trust.JWKS{}, fmt.Errorf("%s: not a hub that this one knows", id)
	}
	return s.Keys, nil
}

func (p *pool) seeds() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, s := range p.standing {
		if s.seed != "" {
			out = append(out, s.seed)
		}
	}
	return out
}

// drop ends a neighbour at once: its superior has said so in a notice.
func (p *pool) drop(id federation.EntityID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.standing[id]; ok {
		p.dropped[id] = now
		delete(p.standing, id)
		wake(p.poke)
	}
}

// describe adds what only the hub itself knows.
func (p *pool) describe(list []NeighbourStatus) []NeighbourStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range list {
		h := p.heard[list[i].Entity]
		list[i].Serial = h.Serial
		switch h.State {
		case relay.Up:
			list[i].Gossip = "alive"
		case relay.Down:
			list[i].Gossip = "dead"
		default:
			list[i].Gossip = "unknown"
		}
	}
	for id, s := range p.standing {
		i := slices.IndexFunc(list, func(n NeighbourStatus) bool { return n.Entity == id })
		if i < 0 {
			i = len(list)
			list = append(list, NeighbourStatus{Entity: id, Name: s.Name, Scope: s.Scope, Gossip: "unknown"})
		}
		if s.err != nil {
			list[i].Error = s.err.Error()
		}
	}
	return list
}

// keepVouching keeps the list of neighbours until ctx ends.
func (n *Node) keepVouching(ctx context.Context, net *network) error {
	tick := time.NewTicker(vouchTick)
	defer tick.Stop()
	for {
		if err := n.vouch(ctx, net); err != nil && ctx.Err() == nil {
			n.log.Error("list of neighbours was not made", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			continue
		case <-n.pool.poke:
		}
		select { // strangers may knock as often as they like
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pokeAtMost):
		}
	}
}

// vouch looks at everybody who is due and publishes the list if it has changed.
func (n *Node) vouch(ctx context.Context, net *network) error {
	wanted := map[federation.EntityID]*config.Neighbour{}
	for i := range n.cfg.Hub.Pool.Neighbours {
		wanted[n.cfg.Hub.Pool.Neighbours[i].Entity] = &n.cfg.Hub.Pool.Neighbours[i]
	}
	keepLand := false
	if n.cfg.Hub.Superior {
		ids, err := n.hubsBeside(ctx)
		if err != nil {
			n.log.Warn("superior not reached, neighbours stay", "peer", n.member.get().Ticket.Hub, "err", err)
			keepLand = true
		}
		for _, id := range ids {
			if _, pinned := wanted[id]; !pinned {
				wanted[id] = nil
			}
		}
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, vouchSlots)
	for _, s := range n.pool.due(wanted, keepLand, n.now()) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			n.vouchFor(ctx, net, s)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return n.publishList(ctx)
}

// due forgets whom nobody names any more and returns copies of those to be
// verified. keepLand: the superior's list is not known now.
func (p *pool) due(wanted map[federation.EntityID]*config.Neighbour, keepLand bool, now time.Time) []standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, s := range p.standing {
		if _, ok := wanted[id]; !ok && (!keepLand || s.pin != nil) {
			delete(p.standing, id)
		}
	}
	maps.DeleteFunc(p.dropped, func(_ federation.EntityID, at time.Time) bool { return now.Sub(at) > vouchSettle })
	var out []standing
	for id, pin := range wanted {
		s := p.standing[id]
		if s == nil {
			s = &standing{Neighbour: neighbour.Neighbour{ID: id}}
			p.standing[id] = s
		}
		s.pin = pin
		dropped, noticed := p.dropped[id]
		if s.err != nil || now.Sub(s.verified) >= vouchEvery || noticed && now.Sub(dropped) < vouchSettle {
			out = append(out, *s)
		}
	}
	return out
}

// vouchFor verifies one hub and notes the outcome.
func (n *Node) vouchFor(ctx context.Context, net *network, s standing) {
	var next standing
	var err error
	began := n.now()
	if s.pin != nil {
		next, err = n.vouchPinned(ctx, s)
	} else {
		next, err = n.vouchBelow(ctx, net, s.ID)
	}
	p := n.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	have := p.standing[s.ID]
	switch {
	case have == nil || began.Before(p.dropped[s.ID]):
		return // dropped meanwhile
	case err == nil:
		next.pin, next.verified = s.pin, n.now()
		p.standing[s.ID] = &next
		return
	case errors.Is(err, trust.ErrNotFound) || errors.Is(err, errPin):
		have.Keys, have.Scope = trust.JWKS{}, federation.Scope{}
	}
	if have.err == nil || have.err.Error() != err.Error() {
		n.log.Warn("neighbour not verified", "peer", s.ID, "err", err)
	}
	have.err = err
}

// vouchPinned verifies a hub whose key the operator has compared: it must sign
// with that key, or with one that it announced while it did. The operator says
// what its area is; nobody stands above both.
func (n *Node) vouchPinned(ctx context.Context, s standing) (standing, error) {
	compact, err := trust.FetchConfiguration(ctx, n.outbound(forMembership), s.ID)
	if err != nil {
		return s, err
	}
	c, err := trust.OpenConfiguration(compact, s.ID, n.cfg.LoopbackHTTP, n.now())
	if err != nil {
		return s, err
	}
	t, err := trust.Peek(compact, trust.TypeStatement)
	if err != nil {
		return s, err
	}
	print, err := c.Keys.Fingerprint(t.Header.KeyID)
	if err != nil {
		return s, err
	}
	if base64.RawURLEncoding.EncodeToString(print) != s.pin.Fingerprint {
		if _, err := trust.Open(compact, trust.TypeStatement, s.Keys); err != nil {
			return s, errPin
		}
	}
	name, _ := c.Metadata[trust.TypeEntity]["organization_name"].(string)
	if name == "" || len(name) > 200 {
		name = n.register.Name(s.pin.Area)
	}
	short := name
	if place, ok := n.register.Place(s.pin.Area); ok {
		short = place.Name
	}
	return standing{Neighbour: neighbour.Neighbour{ID: s.ID, Name: name, ShortName: short,
		Scope: federation.Scope{Subtree: []region.Area{s.pin.Area}}, Keys: c.Keys, Until: trust.At(c.Expires)}, seed: seedOf(c.Metadata)}, nil
}

// vouchBelow verifies a hub below the same superior by its chain to the common
// trust anchor. Its area is what its mark grants.
func (n *Node) vouchBelow(ctx context.Context, net *network, id federation.EntityID) (standing, error) {
	c, err := net.resolver.Fresh(ctx, id)
	if err != nil {
		return standing{}, err
	}
	m, err := c.Member()
	if err != nil {
		return standing{}, err
	}
	if c.Superior != n.member.get().Ticket.Hub || !c.IsHub() || m.Kind != federation.KindLandkreis {
		return standing{}, fmt.Errorf("%s: not a Landkreis below %s", id, n.member.get().Ticket.Hub)
	}
	return standing{Neighbour: neighbour.Neighbour{ID: id, Name: m.Name, ShortName: m.ShortName,
		Scope: federation.Scope{Areas: m.Scope.Areas, Subtree: m.Scope.Subtree, Except: m.Scope.Except},
		Keys:  c.Keys, Until: trust.At(c.Expires)}, seed: seedOf(c.Metadata)}, nil
}

func seedOf(m trust.Metadata) string {
	a, ok := m[trust.TypeEntity][poolParameter].(string)
	if !ok || len(a) > 300 {
		return ""
	}
	return a
}

// hubsBeside asks the superior which hubs stand below it [OIDF §8.2].
func (n *Node) hubsBeside(ctx context.Context) ([]federation.EntityID, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	superior := n.member.get().Ticket.Hub
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, superior.URL("/federation/list?intermediate=true"), nil)
	if err != nil {
		return nil, err
	}
	res, err := n.outbound(forMembership).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
	if err != nil {
		return nil, err
	}
	var ids []federation.EntityID
	if res.StatusCode != http.StatusOK || len(b) > maxList || json.Unmarshal(b, &ids) != nil || len(ids) > maxHubs {
		return nil, fmt.Errorf("list of %s: status %d, %d bytes", superior, res.StatusCode, len(b))
	}
	return slices.DeleteFunc(ids, func(id federation.EntityID) bool { return id == n.cfg.Entity }), nil
}
