package discovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	saveEvery      = 5 * time.Second
	rejoinParallel = 3 // nodes asked in one round of rejoining
	sendParallel   = 8
	// metadataWait bounds how long an update of metadata is waited for: it is
	// queued before the wait begins, so nothing is lost when it ends early.
	metadataWait = time.Millisecond
)

// Run listens, joins the network, stays in it and, when ctx ends, says goodbye
// and waits for everything it started. It returns nil after a regular end and
// may be called once.
func (d *Discovery) Run(ctx context.Context) error {
	list, err := d.open(ctx)
	if err != nil {
		return err
	}
	close(d.ready)
	if err := d.loadPeers(); err != nil {
		d.log.Warn("peers file not used", "err", err)
	}
	var wg sync.WaitGroup
	inner, cancel := context.WithCancel(ctx)
	wg.Go(func() { d.rejoinLoop(inner, list) })
	wg.Go(func() { d.tell(inner, list) })
	d.loop(inner)
	d.ReleaseFollowers()
	cancel()
	wg.Wait()
	return d.close(list)
}

// open starts memberlist with a name and a signed binding of this node.
func (d *Discovery) open(ctx context.Context) (*memberlist.Memberlist, error) {
	transport, err := listen(ctx, d.cfg.Bind, d.cfg.Block, newLogger(d.log))
	if err != nil {
		return nil, err
	}
	list, err := d.start(ctx, transport)
	if err != nil {
		return nil, errors.Join(err, transport.Shutdown())
	}
	return list, nil
}

func (d *Discovery) start(ctx context.Context, transport *transport) (*memberlist.Memberlist, error) {
	bound := transport.bound
	addr, err := advertised(ctx, d.cfg.Advertise, bound)
	if err != nil {
		return nil, err
	}
	name := newGossipName(d.cfg.Self, d.cfg.Name, d.now()).String()
	signature, err := d.cfg.SignNode(binding(d.cfg.Self, name, addr))
	if err != nil {
		return nil, fmt.Errorf("sign binding of the node: %w", err)
	}
	if len(signature) > maxNodeSignature || len(d.cfg.Self) > maxEntity {
		return nil, fmt.Errorf("%w: binding signature of %d bytes, at most %d are allowed", ErrConfig, len(signature), maxNodeSignature)
	}
	d.mu.Lock()
	d.gossipName, d.addr, d.meta.Signature = name, addr, signature
	d.mu.Unlock()

	c := memberlist.DefaultLANConfig()
	d.cfg.Profile.apply(c)
	c.Name, c.Keyring, c.Logger = name, d.ring, newLogger(d.log)
	c.BindAddr, c.BindPort = bound.Addr().String(), int(bound.Port())
	c.AdvertiseAddr, c.AdvertisePort = addr.Addr().String(), int(addr.Port())
	g := delegate{d}
	c.Delegate, c.Events, c.Alive, c.Ping = g, g, g, g
	c.Transport = transport
	d.mu.Lock()
	d.meter = &transport.bytes
	d.mu.Unlock()
	list, err := memberlist.Create(c)
	if err != nil {
		return nil, fmt.Errorf("start gossip: %w", err)
	}
	return list, nil
}

// loop is the one goroutine that looks at what has come in.
func (d *Discovery) loop(ctx context.Context) {
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	save := time.NewTicker(saveEvery)
	defer save.Stop()
	saved := ""
	store := func() {
		d.forgetOld()
		if err := d.savePeers(&saved); err != nil {
			d.log.Error("peers file not written", "err", err)
		}
	}
	for {
		select {
		case <-d.inbox.wake:
			d.dispatch()
		case <-flush.C:
			d.flush()
		case <-save.C:
			store()
		case <-ctx.Done():
			store()
			return
		}
	}
}

// tell passes own announcements and notices to memberlist, which may block
// for a round of gossip.
func (d *Discovery) tell(ctx context.Context, list *memberlist.Memberlist) {
	for {
		select {
		case <-d.changed:
			d.mu.Lock()
			a := d.meta.Announcement
			d.mu.Unlock()
			d.broadcast("a"+string(a.Member), announcementMessage(a))
			// The only error is that the wait ended first.
			_ = list.UpdateNode(metadataWait)
		case message := <-d.outgoing:
			d.sendAll(list, message)
		case <-ctx.Done():
			return
		}
	}
}

// sendAll sends message to every node alive over TCP.
func (d *Discovery) sendAll(list *memberlist.Memberlist, message []byte) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, sendParallel)
	for _, p := range d.known() {
		if p.state != StateAlive {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			to := &memberlist.Node{Name: p.gossipName.String(), Addr: p.addr.Addr().AsSlice(), Port: p.addr.Port()}
			if err := list.SendReliable(to, message); err != nil {
				d.log.Debug("notice not sent; gossip repeats it", "peer", string(p.id), "err", withoutAddresses(err.Error()))
			}
		})
	}
	wg.Wait()
}

// known returns a copy of every entry of the table, sorted by gossip name.
func (d *Discovery) known() []peer {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]peer, 0, len(d.peers))
	for _, p := range d.peers {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b peer) int {
		return strings.Compare(a.gossipName.String(), b.gossipName.String())
	})
	return out
}

// rejoinLoop asks seeds and nodes that are not alive, again and again:
// memberlist itself gives up on a dead node for ever.
func (d *Discovery) rejoinLoop(ctx context.Context, list *memberlist.Memberlist) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	settle := settling{}
	for round := 0; ; round++ {
		askSeeds := round%seedRound == seedRound-1
		select {
		case <-timer.C:
		case <-d.rechecked: // a new member may be among the seeds already
			askSeeds = true
		case <-ctx.Done():
			return
		}
		d.rejoin(ctx, list, askSeeds, settle.round(int(d.alive.Load())))
		timer.Reset(d.cfg.Profile.RejoinInterval * time.Duration(80+rand.IntN(40)) / 100)
	}
}

// seedRound is how often a seed is asked although nodes are alive: it mends
// two networks that know nothing of each other.
const seedRound = 20

// settling says when one more push/pull is worth while: after many nodes have
// come or gone since the last round, gossip has more to say than fits into its
// packets, and the regular push/pull is a minute away.
type settling struct{ last, rounds int }

const settleRounds = 3

func (s *settling) round(alive int) bool {
	if change := max(alive-s.last, s.last-alive); change >= max(3, alive/20) {
		s.rounds = settleRounds
	}
	s.last = alive
	if s.rounds == 0 {
		return false
	}
	s.rounds--
	return true
}

func (d *Discovery) rejoin(ctx context.Context, list *memberlist.Memberlist, askSeeds, settle bool) {
	targets := d.absent()
	if settle {
		targets = append(d.anyAlive(), targets...)
	}
	if askSeeds || d.alive.Load() == 0 {
		targets = append(d.unheard(d.seeds(ctx)), targets...)
	}
	var wg sync.WaitGroup
	for _, addr := range targets[:min(len(targets), rejoinParallel)] {
		wg.Go(func() {
			n, err := list.Join([]string{addr.String()})
			if err != nil {
				d.log.Debug("node not reached", "err", withoutAddresses(err.Error()))
				return
			}
			d.mu.Lock()
			d.stats.Joins += uint64(n)
			d.mu.Unlock()
		})
	}
	wg.Wait()
}

// unheard returns the addresses where no node is known to be alive: another
// network that knows nothing of this one, or a node that was refused until its
// membership was verified, which gossip does not tell about again. Seeds that
// are alive hear everything by push/pull; asking them too would cost a whole
// push/pull each.
func (d *Discovery) unheard(seeds []netip.AddrPort) []netip.AddrPort {
	d.mu.Lock()
	defer d.mu.Unlock()
	alive := make(map[netip.AddrPort]bool)
	for _, p := range d.peers {
		alive[p.addr] = alive[p.addr] || p.up()
	}
	return slices.DeleteFunc(seeds, func(a netip.AddrPort) bool { return alive[a] })
}

// anyAlive returns the address of a node that is alive, chosen at random, or
// nothing.
func (d *Discovery) anyAlive() []netip.AddrPort {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.peers { // in random order
		if p.up() {
			return []netip.AddrPort{p.addr}
		}
	}
	return nil
}

// absent returns the addresses of nodes that are not alive and have not left,
// in random order; if none is alive, those that left too.
func (d *Discovery) absent() []netip.AddrPort {
	alone := d.alive.Load() == 0
	d.mu.Lock()
	defer d.mu.Unlock()
	alive := make(map[netip.AddrPort]bool)
	for _, p := range d.peers {
		alive[p.addr] = alive[p.addr] || p.state == StateAlive
	}
	var out []netip.AddrPort
	for _, p := range d.peers {
		if p.state == StateDead || p.state == StateUnknown || alone && p.state == StateLeft {
			if !alive[p.addr] && p.addr != d.addr && !slices.Contains(out, p.addr) {
				out = append(out, p.addr)
			}
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// seeds resolves the configured seeds, in random order, without this node.
func (d *Discovery) seeds(ctx context.Context) []netip.AddrPort {
	if d.cfg.Seeds == nil {
		return nil
	}
	var out []netip.AddrPort
	for _, s := range d.cfg.Seeds() {
		a, err := resolve(ctx, s)
		if err != nil {
			d.log.Warn("seed not resolved", "err", withoutAddresses(err.Error()))
			continue
		}
		if a != d.addr {
			out = append(out, a)
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// close says goodbye and stops memberlist, in this order: the reverse panics.
func (d *Discovery) close(list *memberlist.Memberlist) error {
	half := d.cfg.Profile.LeaveTimeout / 2
	d.mu.Lock()
	d.meta.Leaving = true
	d.mu.Unlock()
	if err := list.UpdateNode(half); err != nil {
		d.log.Debug("leaving not told to all", "err", err)
	}
	if err := list.Leave(half); err != nil {
		d.log.Debug("leaving not told to all", "err", err)
	}
	if err := list.Shutdown(); err != nil {
		return fmt.Errorf("stop gossip: %w", err)
	}
	return nil
}
