package portal

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/upstream"
)

// openUpstreams makes the account sources of the configuration. None of them
// is asked anything before somebody chooses it.
func (n *Node) openUpstreams() (*upstream.Set, error) {
	var list []*upstream.Upstream
	for _, c := range n.cfg.OP.Upstreams {
		u, err := n.newUpstream(c)
		if err != nil {
			return nil, fmt.Errorf("op.upstreams: %w", err)
		}
		list = append(list, u)
	}
	return upstream.NewSet(list...)
}

func (n *Node) newUpstream(c config.Upstream) (*upstream.Upstream, error) {
	u := upstream.Config{
		ID: c.ID, Name: c.Name, Issuer: c.Issuer, Origins: c.Origins, ClientID: c.ClientID, Scope: c.Scope,
		RedirectURI: op.ReturnURL(n.cfg.Entity, c.ID), Levels: c.Levels, Max: c.Max, Claims: c.Claims, Places: c.Places,
		HTTP: n.outbound(forSignOn), Loopback: n.cfg.LoopbackHTTP, Now: n.now, Log: n.log,
	}
	if c.ACR == "stork" {
		u.Levels = upstream.STORK()
	}
	if c.SecretFile == "" {
		u.Key = func(now time.Time) *trust.Key { return n.keys.At(now).Protocol[0] }
		return upstream.New(u)
	}
	var err error
	if u.Secret, err = secret(c.SecretFile); err != nil {
		return nil, err
	}
	return upstream.New(u)
}

// secret reads a file that holds nothing else.
func secret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(b)) == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	return strings.TrimSpace(string(b)), err
}

// choose says which account sources a login page shows: those for the place of
// the portal that asks come first. Who types words looks for a place or for a
// name; nobody's mail address is asked for.
func (n *Node) choose(set *upstream.Set) func(federation.Level, string, string) []sso.UpstreamChoice {
	return func(level federation.Level, client, words string) []sso.UpstreamChoice {
		if words == "" {
			return set.Choices(level, n.seatOf(federation.EntityID(client)))
		}
		var places []region.Area
		for _, p := range n.register.Lookup(words, time.Time{}).Candidates {
			places = append(places, p.Area)
		}
		return set.Search(level, places, words)
	}
}

// seatOf is the own area of a member, nil for whoever has none.
func (n *Node) seatOf(id federation.EntityID) *region.Area {
	for _, m := range (members{n}).Members() {
		if m.ID == id && !m.Seat.IsBund() {
			return &m.Seat
		}
	}
	return nil
}

// standing asks whether a member's membership holds at this moment: the own
// registry for what this hub has vouched for itself, else the status endpoint
// of the hub that has [OIDF §8.4].
func (n *Node) standing(ctx context.Context, client string) error {
	id := federation.EntityID(client)
	net := n.network.Load()
	if id == n.cfg.Entity || net == nil {
		return nil
	}
	chain, err := net.roster.Chain(id)
	if err != nil {
		return err
	}
	if mark, ok := chain.Membership(); ok && n.anchor != nil && mark.Issuer == n.cfg.Entity {
		m, err := n.anchor.Show(ctx, id)
		if err == nil && m.State != anchor.StateActive {
			err = fmt.Errorf("%w: %s is %s", trust.ErrMark, id, m.State)
		}
		return err
	}
	return net.resolver.MarkStatus(ctx, chain)
}
