//go:build peers

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/directory/directorytest"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// claim is one row: member claims key in exactly this area, with this offer.
type claim struct {
	leika  int64
	area   int64 // region.Area.Code: digits and, in the low four bits, how many
	member int32
	offer  int32
}

// keeper is a peer that can say who is responsible. Peers look for the exact
// key only; the directory also looks for broader keys, for dates, exceptions,
// delegations and conflicts.
type keeper interface {
	// load stores the claims, which are sorted by key and area, and returns
	// how long that took.
	load(ctx context.Context, claims []claim) (time.Duration, error)
	// ask answers questions and appends the members to out, -1 for nobody.
	ask(ctx context.Context, questions []directorytest.Question, out []int32) ([]int32, error)
	bytes(ctx context.Context) int64 // on disk or in memory
	processes() []int
	close()
}

// contestant is one line of the table.
type contestant struct {
	name   string
	keeper keeper
	batch  int // questions asked at once
	count  int // batches in one round
	sample sample
	loaded time.Duration
	size   int64
}

var errDiffers = errors.New("two peers give different answers")

func resolve(ctx context.Context, o options, w io.Writer) error {
	fmt.Fprintf(w, "\n### Who is responsible?\n\nOne LeiKa key, one Gemeinde, walked up, Zipf distributed. Times are per question. Peers look for the exact key alone.\n")
	for _, members := range o.sizes {
		if err := resolveAt(ctx, o, members, w); err != nil {
			return err
		}
	}
	return nil
}

func resolveAt(ctx context.Context, o options, members int, w io.Writer) error {
	n := directorytest.New(directorytest.Spec{Seed: 1, Members: members, OnDisk: true})
	ours, claims := newOurs(n)
	progress("%d claims of %d members", len(claims), members)
	peers := []*contestant{
		{name: "directory", keeper: ours, batch: 1, count: 100_000},
		{name: "SQLite", keeper: newSQLite(o.dir), batch: 1, count: 20_000},
		{name: "PostgreSQL", keeper: newPostgres(o.dir), batch: 1, count: 5_000},
		{name: "Redis, 64 at once", keeper: newRedis(o.dir), batch: 64, count: 300},
	}
	for i, c := range peers {
		var err error
		defer c.keeper.close()
		if c.loaded, err = c.keeper.load(ctx, claims); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		c.size = c.keeper.bytes(ctx)
		progress("%s loaded in %.1f s", c.name, c.loaded.Seconds())
		if i == 0 {
			continue
		}
		if err := compare(ctx, ours, c, n.Questions(2000)); err != nil {
			return err
		}
	}
	total := len(claims)
	claims = nil
	runtime.GC()
	questions := n.Questions(1 << 16)
	out := make([]int32, 0, 1<<10)
	for range o.rounds {
		for _, c := range peers {
			at := 0
			err := c.sample.take(c.count, c.keeper.processes(), func(int) (err error) {
				if at+c.batch > len(questions) {
					at = 0
				}
				out, err = c.keeper.ask(ctx, questions[at:at+c.batch], out[:0])
				at += c.batch
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	resolveTable(w, total, members, peers, ours)
	return nil
}

func compare(ctx context.Context, ours *ours, c *contestant, questions []directorytest.Question) error {
	for _, q := range questions {
		got, err := c.keeper.ask(ctx, []directorytest.Question{q}, nil)
		if err != nil {
			return err
		}
		m := ours.directory.Lookup(q.Leika, q.Place, today())
		want := int32(-1)
		if m.Members > 0 && m.Matched == q.Leika {
			want = ours.member[string(m.Member())]
		}
		if got[0] != want {
			return fmt.Errorf("%w: %s says %d, the directory %d for %s in %s", errDiffers, c.name, got[0], want, q.Leika, q.Place)
		}
	}
	return nil
}

func resolveTable(w io.Writer, claims, members int, peers []*contestant, ours *ours) {
	fmt.Fprintf(w, "\n%d claims of %d members:\n\n| | p50 | p99 | processor time | ratio p50 | bytes a claim | load |\n|---|---|---|---|---|---|---|\n", claims, members)
	best := peers[0].sample.percentile(50)
	for _, c := range peers {
		per := time.Duration(c.batch)
		p50, p99, cpu := c.sample.percentile(50)/per, c.sample.percentile(99)/per, c.sample.perRequest()/per
		fmt.Fprintf(w, "| %s | %s µs | %s µs | %s µs | %.0f × | %.1f | %.1f s |\n", c.name, micro(p50), micro(p99), micro(cpu),
			ratio(p50, best), float64(c.size)/float64(claims), c.loaded.Seconds())
	}
	update, allocs := ours.update(), ours.allocations()
	fmt.Fprintf(w, "\nThe directory allocates %.0f times for an answer; one member's update takes %.1f ms.\n", allocs, float64(update.Microseconds())/1000)
	of := func(i int) float64 {
		return ratio(peers[i].sample.percentile(50)/time.Duration(peers[i].batch), best)
	}
	perClaim := float64(peers[0].size) / float64(claims)
	fmt.Fprintf(w, "\n| target | |\n|---|---|\n")
	if members < 5000 {
		fmt.Fprintf(w, "| ≥ 60 × SQLite | %.0f × : %s |\n", of(1), verdict(of(1) >= 60))
		return
	}
	fmt.Fprintf(w, "| p50 ≤ 250 ns | %d ns: %s |\n", best.Nanoseconds(), verdict(best <= 250))
	fmt.Fprintf(w, "| no allocation | %s |\n", verdict(allocs == 0))
	fmt.Fprintf(w, "| ≤ 4 bytes a claim | %.2f: %s |\n", perClaim, verdict(perClaim <= 4))
	fmt.Fprintf(w, "| ≥ 40 × SQLite | %.0f × : %s |\n", of(1), verdict(of(1) >= 40))
	fmt.Fprintf(w, "| ≥ 60 × PostgreSQL | %.0f × : %s |\n", of(2), verdict(of(2) >= 60))
	fmt.Fprintf(w, "| ≥ 30 × Redis batched | %.0f × : %s |\n", of(3), verdict(of(3) >= 30))
	fmt.Fprintf(w, "| build ≤ 5 s | %.1f s: %s |\n", peers[0].loaded.Seconds(), verdict(peers[0].loaded <= 5*time.Second))
	fmt.Fprintf(w, "| load ≥ 3 × faster than PostgreSQL | %.1f × : %s |\n", ratio(peers[2].loaded, peers[0].loaded), verdict(ratio(peers[2].loaded, peers[0].loaded) >= 3))
	fmt.Fprintf(w, "| one member's update ≤ 10 ms | %.1f ms: %s |\n", float64(update.Microseconds())/1000, verdict(update <= 10*time.Millisecond))
}

// ours is the directory of this project as a keeper.
type ours struct {
	network   *directorytest.Network
	directory *directory.Directory
	member    map[string]int32
	took      time.Duration
}

func today() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }

// newOurs fills a directory and returns what it holds as rows for the others.
func newOurs(n *directorytest.Network) (*ours, []claim) {
	o := &ours{network: n, directory: directory.New(directory.Config{Now: today}), member: map[string]int32{}}
	var claims []claim
	const batch = 2000
	for from := 0; from < n.Len(); from += batch {
		sources := n.Sources(from, min(from+batch, n.Len()))
		start := time.Now()
		o.directory.Replace(sources...)
		o.took += time.Since(start)
		for i := range sources {
			claims = o.rows(claims, int32(from+i), &sources[i])
		}
	}
	slices.SortFunc(claims, func(a, b claim) int { return cmp.Or(cmp.Compare(a.leika, b.leika), cmp.Compare(a.area, b.area)) })
	return o, claims
}

func (o *ours) rows(claims []claim, member int32, s *directory.Source) []claim {
	o.member[string(s.Member.ID)] = member
	for k := range s.Catalogue.Offers {
		f := &s.Catalogue.Offers[k]
		for _, z := range f.Zustaendigkeiten {
			claims = append(claims, claim{int64(f.Leika), int64(z.Area.Code()), member, int32(k)})
		}
	}
	return claims
}

func (o *ours) load(context.Context, []claim) (time.Duration, error) { return o.took, nil }

func (o *ours) ask(_ context.Context, questions []directorytest.Question, out []int32) ([]int32, error) {
	for _, q := range questions {
		out = append(out, int32(o.directory.Lookup(q.Leika, q.Place, today()).Members))
	}
	return out, nil
}

func (o *ours) bytes(context.Context) int64 { return int64(o.directory.Stats().IndexBytes) }
func (o *ours) processes() []int            { return nil }
func (o *ours) close()                      {}

// update replaces one member and returns the median time.
func (o *ours) update() time.Duration {
	var s sample
	for i := range 21 {
		src := o.network.Source(o.network.Len() - 1 - i%2)
		src.Serial = uint64(i + 2)
		start := time.Now()
		o.directory.Replace(src)
		s.times = append(s.times, time.Since(start))
	}
	return s.percentile(50)
}

func (o *ours) allocations() float64 {
	var before, after runtime.MemStats
	questions := o.network.Questions(1 << 12)
	runtime.ReadMemStats(&before)
	for _, q := range questions {
		o.directory.Lookup(q.Leika, q.Place, today())
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / uint64(len(questions)))
}

// levels are the areas a question is looked up in, the narrowest first.
func levels(place region.Area) (out [6]int64) {
	for i := range out {
		out[i] = int64(place.Code())
		place, _ = place.Parent()
	}
	return out
}

func key(k leika.ID) int64 { return int64(k) }
