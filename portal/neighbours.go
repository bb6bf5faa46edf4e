package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/renameio/v2"

	"rathausnetz/federation"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/neighbour/relay"
	"rathausnetz/federation/trust"
)

// Intervals of looking at the list of other Landkreise.
const (
	listEvery   = time.Minute      // a member asks its hub
	listRetry   = 10 * time.Second // after a failure
	listTimeout = 10 * time.Second
	listFile    = "neighbours.jwt"
	maxList     = 512 << 10
)

// neighbours is what a node knows of other Landkreise: the list of its hub,
// and at a hub the answers that were asked for.
type neighbours struct {
	client *relay.Client
	kept   *relay.Kept                    // hubs only
	list   atomic.Pointer[neighbour.List] // nil: none
	sealed atomic.Pointer[string]         // the list as it was sealed
	wake   chan struct{}                  // capacity 1: look again
}

func (n *Node) openNeighbours() error {
	n.neighbours.wake = make(chan struct{}, 1)
	cfg := relay.ClientConfig{
		Self: n.cfg.Entity, HTTP: n.patient, List: n.neighbours.list.Load, AllowLoopback: n.cfg.LoopbackHTTP, Now: n.now, Log: n.log,
		Through: n.hub,
	}
	if n.cfg.Hub.Enabled {
		cfg.Through = func() federation.EntityID { return "" }
	}
	var err error
	if n.cfg.Hub.Pool.Enabled() {
		if n.pool, err = n.openPool(); err != nil {
			return err
		}
		if n.neighbours.kept, err = relay.OpenKept(n.path("neighbours"), n.now()); err != nil {
			return err
		}
		cfg.Kept, cfg.Heard = n.neighbours.kept, n.pool.news
	}
	n.neighbours.client, err = relay.NewClient(cfg)
	return err
}

// poolRoutes are what a hub with neighbours serves.
func (n *Node) poolRoutes() []route {
	if n.pool == nil {
		return nil
	}
	r := &neighbour.Responder{
		Self: n.cfg.Entity, Directory: n.directory, Scope: n.hubScope(), Serial: n.pool.serial.Load, Now: n.now,
		Key: func() *trust.Key { return n.keys.Federation[0] },
	}
	list := func() string {
		if s := n.neighbours.sealed.Load(); s != nil {
			return *s
		}
		return ""
	}
	return []route{
		{get, relay.PathList, relay.ListHandler(list)},
		{get, relay.PathAnswer, relay.AnswerHandler(r)},
		{get, relay.PathRelay, n.neighbours.client.RelayHandler()},
	}
}

// keepNeighbours keeps the list of other Landkreise: a hub makes it, a member
// fetches it from its hub.
func (n *Node) keepNeighbours(ctx context.Context, net *network) error {
	switch {
	case n.pool != nil:
		return n.runPool(ctx, net)
	case n.cfg.Hub.Enabled:
		return nil
	}
	for {
		wait := listEvery
		if err := n.fetchList(ctx, net); err != nil && !errors.Is(err, errNoList) {
			n.log.Debug("list of other Landkreise not fetched", "peer", n.hub(), "err", err)
			wait = listRetry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.neighbours.wake:
		case <-time.After(wait):
		}
	}
}

// errNoList says that the hub knows no other Landkreise.
var errNoList = errors.New("portal: the hub has no list of other Landkreise")

// fetchList gets the hub's list, or what is on disk of it while the hub does
// not answer.
func (n *Node) fetchList(ctx context.Context, net *network) error {
	hub := n.hub()
	chain, err := net.roster.Chain(hub)
	if err != nil {
		last, ok := net.roster.Lapsed(hub)
		if !ok {
			return err
		}
		chain = last
	}
	if n.neighbours.list.Load() == nil {
		if err := n.loadList(hub, chain.Keys); err != nil {
			n.log.Warn("kept list of other Landkreise not usable", "err", err)
		}
	}
	compact, err := n.getList(ctx, hub)
	if err != nil || compact == "" {
		if errors.Is(err, errNoList) {
			n.neighbours.list.Store(nil)
			n.neighbours.sealed.Store(nil)
		}
		return err
	}
	l, err := neighbour.OpenList(compact, hub, chain.Keys)
	if err != nil {
		return err
	}
	if have := n.neighbours.list.Load(); have != nil && l.IssuedAt < have.IssuedAt {
		return fmt.Errorf("list of %s: %w: older than the one held", hub, neighbour.ErrExpired)
	}
	return n.useList(compact, l)
}

// getList returns "" if the list is the one already held.
func (n *Node) getList(ctx context.Context, hub federation.EntityID) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, hub.URL(relay.PathList), nil)
	if err != nil {
		return "", err
	}
	if s := n.neighbours.sealed.Load(); s != nil {
		req.Header.Set("If-None-Match", `"`+federation.Sum([]byte(*s)).String()+`"`)
	}
	res, err := n.outbound(forMembership).Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
	switch {
	case err != nil:
		return "", err
	case res.StatusCode == http.StatusNotModified:
		return "", nil
	case res.StatusCode == http.StatusNotFound:
		return "", errNoList
	case res.StatusCode != http.StatusOK || len(b) > maxList:
		return "", fmt.Errorf("list of %s: %w: status %d", hub, neighbour.ErrShape, res.StatusCode)
	}
	return string(b), nil
}

// loadList takes the list from disk.
func (n *Node) loadList(issuer federation.EntityID, keys trust.JWKS) error {
	b, err := os.ReadFile(n.path(listFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := neighbour.OpenList(string(b), issuer, keys)
	if err != nil {
		return err
	}
	compact := string(b)
	n.neighbours.sealed.Store(&compact)
	n.neighbours.list.Store(l)
	return nil
}

// useList keeps a list and takes it into use.
func (n *Node) useList(compact string, l *neighbour.List) error {
	if err := renameio.WriteFile(n.path(listFile), []byte(compact), 0o600); err != nil {
		return fmt.Errorf("list of other Landkreise: %w", err)
	}
	n.neighbours.sealed.Store(&compact)
	n.neighbours.list.Store(l)
	n.log.Info("other Landkreise known", "count", len(l.Neighbours))
	return nil
}

// NeighbourStatus is one other Landkreis as this node knows it.
type NeighbourStatus struct {
	Entity federation.EntityID `json:"entity"`
	Name   string              `json:"name"`
	Scope  federation.Scope    `json:"scope"`
	Until  time.Time           `json:"until"`
	// Gossip is alive, dead or unknown; only a hub hears.
	Gossip string `json:"gossip,omitempty"`
	Serial uint64 `json:"serial,omitempty"` // of what it knows, as it has announced
	Error  string `json:"error,omitempty"`  // why it could not be verified last
}

// Neighbours reports whom this node knows of other Landkreise.
func (n *Node) Neighbours() []NeighbourStatus {
	out := []NeighbourStatus{}
	if l := n.neighbours.list.Load(); l != nil {
		for i := range l.Neighbours {
			b := &l.Neighbours[i]
			out = append(out, NeighbourStatus{Entity: b.ID, Name: b.Name, Scope: b.Scope, Until: b.Until.Time()})
		}
	}
	if n.pool != nil {
		out = n.pool.describe(out)
	}
	slices.SortFunc(out, func(a, b NeighbourStatus) int {
		if a.Entity < b.Entity {
			return -1
		}
		return 1
	})
	return out
}
