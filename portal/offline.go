package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/roster"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/api"
)

// ErrOffline is wrapped by every refusal of OpenOffline.
var ErrOffline = errors.New("portal: the data folder gives no answers")

// Offline answers from a data folder without a running node: from the sealed
// copies in it, verified as at the start of a node, and without any network.
type Offline struct{ api *api.API }

// OpenOffline reads cfg.Data. No node may be running there; ask it instead.
// cfg needs Entity, Data, Register and LoopbackHTTP. Nothing in the folder is
// changed but for remains of interrupted writes, which a start removes too.
func OpenOffline(ctx context.Context, cfg config.Config, now func() time.Time, log *slog.Logger) (*Offline, error) {
	n := &Node{cfg: cfg, now: now, log: log}
	n.publisher = &publisher{node: n, again: make(chan struct{}, 1)}
	path := n.path("membership.json")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist; is %s a node's data folder?", ErrOffline, path, cfg.Data)
	}
	var err error
	if n.member, err = loadMembership(path); err != nil {
		return nil, err
	}
	if n.member.get().Ticket == nil {
		return nil, fmt.Errorf("%w: the node of %s has never joined a network", ErrOffline, cfg.Data)
	}
	if n.register, err = OpenRegister(cfg.Data, cfg.Register.GV100AD); err != nil {
		return nil, err
	}
	if err := n.readCopies(ctx); err != nil {
		return nil, err
	}
	a, err := api.New(api.Config{Self: cfg.Entity, Directory: n.directory, Register: n.register, PerMinute: -1, Now: now, Log: log})
	return &Offline{a}, err
}

// readCopies fills the directory with what verifies.
func (n *Node) readCopies(ctx context.Context) error {
	client := &http.Client{Transport: noNetwork{}}
	t := n.member.get().Ticket
	resolver, err := trust.NewResolver(trust.ResolverConfig{
		HTTP: client, AllowLoopback: n.cfg.LoopbackHTTP, Now: n.now, Log: n.log,
		Anchors: []trust.Anchor{{ID: t.TrustAnchor, Keys: t.AnchorKeys}},
	})
	if err != nil {
		return err
	}
	r, err := roster.New(roster.Config{Resolver: resolver, Hub: n.hub(), Self: n.cfg.Entity, HTTP: client, Dir: n.path("roster"), Blocks: &n.blocks.list, Now: n.now, Log: n.log})
	if err != nil {
		return err
	}
	if err := r.Load(); err != nil {
		return err
	}
	members := r.Members()
	if len(members) == 0 {
		return fmt.Errorf("%w: no membership in %s is valid any more; only the hub can renew them, to a running node", ErrOffline, n.cfg.Data)
	}
	n.network.Store(&network{resolver: resolver, roster: r})
	n.directory = directory.New(directory.Config{Register: n.register, Now: n.now})
	n.mirror, err = mirror.New(mirror.Config{
		Dir: n.path("mirror"), Self: n.cfg.Entity, HTTP: client, Members: r, Now: n.now, Log: n.log,
		OnChange: n.showCopy, OnDrop: n.hide,
	})
	if err != nil {
		return err
	}
	for _, m := range members {
		n.showMember(m)
	}
	return n.mirror.Load(ctx)
}

// noNetwork refuses every request.
type noNetwork struct{}

var errNoNetwork = errors.New("portal: answers from a data folder need no network")

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoNetwork }

// Ask answers a question as the interface of a running node does.
func (o *Offline) Ask(ctx context.Context, q Question) (json.RawMessage, error) {
	return ask(ctx, o.api, q)
}

// isOffline reports whether this is no running node but a reader of its data.
func (n *Node) isOffline() bool {
	net := n.network.Load()
	return net != nil && net.discovery == nil
}
