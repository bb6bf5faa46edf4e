package portal

import (
	"context"
	"slices"
	"sync"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/neighbour/relay"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/control"
)

// blocks is what the hubs have decided about hosts, and what the catalogues
// look like because of it. The roster keeps the list, across restarts too.
type blocks struct {
	list blocklist.List

	mu    sync.Mutex // guards shown
	shown map[federation.EntityID]shown
}

// shown remembers what was made of a catalogue, so that the directory sees the
// same one as long as nothing changes.
type shown struct {
	from, to *catalog.Catalogue
	version  uint64 // of the list
}

// apply returns c as it may be shown.
func (b *blocks) apply(id federation.EntityID, c *catalog.Catalogue) *catalog.Catalogue {
	b.mu.Lock()
	defer b.mu.Unlock()
	version := b.list.Version()
	if s, ok := b.shown[id]; ok && s.from == c && s.version == version {
		return s.to
	}
	if b.shown == nil {
		b.shown = map[federation.EntityID]shown{}
	}
	s := shown{from: c, to: b.list.Apply(c), version: version}
	if version > 0 {
		b.shown[id] = s
	}
	return s.to
}

// forget is told that nothing of a member is shown any more.
func (b *blocks) forget(id federation.EntityID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.shown, id)
}

// unlinked asks other Landkreise; of their answers it shows no link to a host
// that this network has blocked. What they have sealed stays as it is.
type unlinked struct {
	*relay.Client
	list *blocklist.List
}

// Ask implements web.Neighbours and api.Neighbours.
func (u unlinked) Ask(ctx context.Context, q neighbour.Question) (*neighbour.Answer, error) {
	a, err := u.Client.Ask(ctx, q)
	if err != nil || a == nil || u.list.Version() == 0 {
		return a, err
	}
	out := *a
	out.Result.Providers = slices.Clone(a.Result.Providers)
	for i := range out.Result.Providers {
		u.strip(&out.Result.Providers[i])
	}
	out.Found = make([][]directory.Hit, len(a.Found))
	for i := range a.Found {
		out.Found[i] = slices.Clone(a.Found[i])
		for j := range out.Found[i] {
			u.strip(&out.Found[i][j].Provider)
		}
	}
	return &out, nil
}

func (u unlinked) strip(p *directory.Provider) {
	if p.Unit != nil {
		p.Unit = u.list.Unit(p.Unit)
	}
	if p.Offer == nil {
		return
	}
	o := *p.Offer
	o.Onlinedienste = p.Onlinedienste
	p.Offer = u.list.Offer(&o)
	p.Onlinedienste = p.Offer.Onlinedienste
}

// passOnBlock tells the own members what a hub above has decided: they are not
// in its gossip.
func (n *Node) passOnBlock(b trust.Block, compact string) {
	net := n.network.Load()
	if !n.cfg.Hub.Superior || b.Issuer == n.cfg.Entity || net == nil {
		return
	}
	if err := net.discovery.Notify(compact); err != nil {
		n.log.Error("decision about a host was not gossiped", "err", err)
	}
}

// BlockRequest asks the hub to decide about a host.
type BlockRequest struct {
	By     string `json:"by"`
	Host   string `json:"host"`
	Reason string `json:"reason"`
}

// Block makes every portal of the network stop linking to a host.
func (n *Node) Block(ctx context.Context, r BlockRequest) (anchor.Blocked, error) {
	if n.anchor == nil {
		return anchor.Blocked{}, ErrNoHub
	}
	return n.anchor.Block(ctx, r.By, r.Host, r.Reason)
}

// Unblock takes Block back.
func (n *Node) Unblock(ctx context.Context, r BlockRequest) (anchor.Blocked, error) {
	if n.anchor == nil {
		return anchor.Blocked{}, ErrNoHub
	}
	return n.anchor.Unblock(ctx, r.By, r.Host, r.Reason)
}

// Blocks returns what this node knows of decisions about hosts.
func (n *Node) Blocks() []blocklist.Decision { return n.blocks.list.All() }

func (n *Node) blockVerbs(v map[string]control.Verb) {
	v["block"] = control.Handle(n.Block)
	v["unblock"] = control.Handle(n.Unblock)
	v["blocks"] = control.Handle(func(context.Context, struct{}) ([]blocklist.Decision, error) { return n.Blocks(), nil })
}
