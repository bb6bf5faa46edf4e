package testnet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"rathausnetz/portal"
)

// Figures are what a network took on this machine. All nodes share one
// process and its cores, so they are upper bounds.
type Figures struct {
	Nodes      int           `json:"nodes"`
	Offers     int           `json:"offers"`      // of all members together
	Up         time.Duration `json:"up_ns"`       // from the start until every node served every catalogue
	Trials     int           `json:"trials"`      // publications of one changed offer
	Median     time.Duration `json:"median_ns"`   // from the order to publish until the last node served it
	Worst      time.Duration `json:"worst_ns"`    // of Trials
	Dead       time.Duration `json:"dead_ns"`     // from a node's death until every other had labelled it
	Resident   int64         `json:"resident"`    // bytes of the process
	Goroutines int           `json:"goroutines"`  // of the process
	IdleCPU    float64       `json:"idle_cpu"`    // share of one core, each node
	IdleBytes  float64       `json:"idle_bytes"`  // of gossip a second, each node
	CPUPerPull time.Duration `json:"cpu_pull_ns"` // of the process for each copy that was replaced, publishing and gossip included
}

// How the figures are taken.
const (
	measureTrials = 20
	idleSpan      = 10 * time.Second
	trialLimit    = time.Minute
	deathLimit    = 3 * time.Minute
)

// Measure takes the figures of a running network; it leaves the network as it
// was but for the number of publications.
func (nw *Network) Measure(ctx context.Context) (Figures, error) {
	f := Figures{Nodes: len(nw.Landkreis()), Up: nw.up, Trials: measureTrials}
	for _, s := range nw.Hub().Node().Status().Members {
		f.Offers += s.Offers
	}
	if err := nw.idle(ctx, &f); err != nil {
		return f, err
	}
	if err := nw.publications(ctx, &f); err != nil {
		return f, err
	}
	f.Resident, f.Goroutines = resident(), runtime.NumGoroutine()
	return f, nw.death(ctx, &f)
}

func (nw *Network) idle(ctx context.Context, f *Figures) error {
	before, cpu := nw.gossipBytes(), cpuTime()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idleSpan):
	}
	per := float64(f.Nodes) * idleSpan.Seconds()
	f.IdleCPU = (cpuTime() - cpu).Seconds() / per
	f.IdleBytes = float64(nw.gossipBytes()-before) / per
	return nil
}

func (nw *Network) gossipBytes() (sum uint64) {
	for _, m := range nw.Landkreis() {
		if n := m.Node(); n != nil {
			sum += n.GossipBytes()
		}
	}
	return sum
}

func (nw *Network) publications(ctx context.Context, f *Figures) error {
	var took []time.Duration
	var cpu time.Duration
	for i := range measureTrials {
		from := nw.publisher(i)
		before := cpuTime()
		d, err := nw.publishOnce(ctx, from)
		if err != nil {
			return fmt.Errorf("publication %d of %s: %w", i+1, from.Name, err)
		}
		cpu += cpuTime() - before
		took = append(took, d)
	}
	slices.Sort(took)
	f.Median, f.Worst = took[len(took)/2], took[len(took)-1]
	f.CPUPerPull = cpu / time.Duration(measureTrials*max(1, f.Nodes-1))
	return nil
}

// publisher is the one whose turn it is.
func (nw *Network) publisher(i int) *Member {
	var able []*Member
	for _, m := range nw.Landkreis() {
		if m.body.files != nil && m.Node() != nil {
			able = append(able, m)
		}
	}
	return able[(i+1)%len(able)]
}

// publishOnce changes one offer of a member, publishes it, and waits until
// every running node of its network serves it.
func (nw *Network) publishOnce(ctx context.Context, from *Member) (time.Duration, error) {
	if err := from.retitle(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	wait := nw.expect(from)
	defer wait.stop()
	begin := time.Now()
	if _, err := from.Node().Publish(ctx, portal.PublishRequest{}); err != nil {
		return 0, err
	}
	wait.until(from.serial())
	last, err := wait.done(ctx)
	return last.Sub(begin), err
}

// arrival waits for one serial of one member at all other nodes.
type arrival struct {
	stop func()

	mu      sync.Mutex
	want    uint64               // 0: not known yet
	at      map[string]time.Time // when each node served it
	serials map[string]uint64
	missing int
	last    time.Time
	all     chan struct{}
}

func (nw *Network) expect(from *Member) *arrival {
	a := &arrival{at: map[string]time.Time{}, serials: map[string]uint64{}, all: make(chan struct{})}
	for _, m := range nw.Landkreis() {
		if m != from && m.Node() != nil && !m.left.Load() && m.circle() == from.circle() {
			a.serials[m.Name] = 0
		}
	}
	a.stop = nw.Watch(func(e Event) {
		if e.What == portal.Pulled && e.Peer == from.Name {
			a.note(e)
		}
	})
	return a
}

func (a *arrival) note(e Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, waited := a.serials[e.Node]; waited && e.Serial > s {
		a.serials[e.Node], a.at[e.Node] = e.Serial, e.Time
		a.judge()
	}
}

func (a *arrival) until(serial uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.want = serial
	a.judge()
}

// judge closes all once nobody is missing; called with mu held.
func (a *arrival) judge() {
	if a.want == 0 || !a.last.IsZero() {
		return
	}
	a.missing = 0
	var last time.Time
	for name, s := range a.serials {
		if s < a.want {
			a.missing++
		} else if at := a.at[name]; at.After(last) {
			last = at
		}
	}
	if a.missing == 0 {
		a.last = last
		close(a.all)
	}
}

func (a *arrival) done(ctx context.Context) (time.Time, error) {
	select {
	case <-a.all:
		return a.last, nil
	case <-ctx.Done():
		a.mu.Lock()
		defer a.mu.Unlock()
		return time.Time{}, fmt.Errorf("%w: %d of %d nodes do not serve serial %d", ErrAwait, a.missing, len(a.serials), a.want)
	}
}

var titleIn = regexp.MustCompile(`(<xz:leikaTextmodul[^>]*><code>02</code></xz:leikaTextmodul>\s*<xz:inhalt languageCode="de">)([^<]*)`)

const edition = " – Fassung "

// retitle gives one offer of the member's own source another title, the same
// one each time.
func (m *Member) retitle() error {
	files, err := filepath.Glob(m.dir("catalog", "*.xml"))
	if err != nil {
		return err
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at := titleIn.FindSubmatchIndex(raw)
		if at == nil {
			continue
		}
		title, _, _ := strings.Cut(string(raw[at[4]:at[5]]), edition)
		title += edition + strconv.FormatUint(m.net.round.Add(1), 10)
		return os.WriteFile(path, slices.Concat(raw[:at[4]], []byte(title), raw[at[5]:]), 0o600)
	}
	return fmt.Errorf("%w: %s has no offer to change", ErrSpec, m.Name)
}

// death kills a node and waits until every other labels it; then it comes back.
func (nw *Network) death(ctx context.Context, f *Figures) error {
	members := nw.Landkreis()
	victim := members[len(members)-1]
	ctx, cancel := context.WithTimeout(ctx, deathLimit)
	defer cancel()
	var mu sync.Mutex
	blind := map[string]bool{}
	for _, m := range members {
		if m != victim && m.Node() != nil && m.circle() == victim.circle() {
			blind[m.Name] = true
		}
	}
	var last time.Time
	all := make(chan struct{})
	stop := nw.Watch(func(e Event) {
		if e.What != portal.Dead || e.Peer != victim.Name {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !blind[e.Node] {
			return
		}
		if delete(blind, e.Node); len(blind) == 0 {
			last = e.Time
			close(all)
		}
	})
	defer stop()
	victim.CutOff(true) // from now on it answers nobody
	begin := time.Now()
	if err := victim.Kill(); err != nil {
		return err
	}
	select {
	case <-all:
		f.Dead = last.Sub(begin)
	case <-ctx.Done():
		mu.Lock()
		defer mu.Unlock()
		return fmt.Errorf("%w: %d of %d nodes do not label %s", ErrAwait, len(blind), len(members)-1, victim.Name)
	}
	return victim.Restart(ctx)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of this process in bytes, 0 where /proc does not say.
func resident() int64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(raw) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			kb, err := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64)
			if err == nil {
				return kb << 10
			}
		}
	}
	return 0
}
