package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rathausnetz/federation"
)

var errInjected = errors.New("injected")

// snapshot copies a folder as a process killed now would leave it.
func snapshot(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestKilledInEveryPhase looks at the folder as SIGKILL would leave it before
// each step of every write of a first pull, a delta and a publication.
func TestKilledInEveryPhase(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	type moment struct {
		step string
		dir  string
		held uint64 // what the reader (or owner) showed at that time
	}
	var moments []moment
	watch := func(p *peer, of *peer) {
		p.Mirror.disk.hook = func(step string) error {
			held := uint64(0)
			if c, ok := p.Copy(of.id); ok {
				held = c.Serial
			}
			moments = append(moments, moment{step, snapshot(t, p.dir), held})
			return nil
		}
	}
	check := func(p, of *peer, serial uint64) {
		t.Helper()
		if len(moments) < 8 { // two files of four steps each
			t.Fatalf("only %d moments", len(moments))
		}
		p.Mirror.disk.hook = nil
		moments = append(moments, moment{"after", snapshot(t, p.dir), serial})
		for _, m := range moments {
			again := &peer{net: n, id: p.id, key: p.key, dir: m.dir, shown: map[federation.EntityID][]Copy{}}
			again.open()
			c, _ := again.Copy(of.id)
			if c.Serial != m.held && c.Serial != serial || c.Serial > 0 && len(c.Catalogue.Offers) != 20+int(c.Serial) {
				t.Errorf("killed before %s: shows %s, was showing %d", m.step, offers(c), m.held)
			}
			noTempFiles(t, m.dir)
			if p == of { // publishing goes on without losing or repeating a serial
				own, _ := again.Own()
				if own != m.held && own != serial {
					t.Errorf("killed before %s: own serial %d", m.step, own)
				}
				again.publish(30)
			} else if err := again.pull(t.Context(), of.id, nil); err != nil || !again.holds(of, serial) {
				t.Errorf("killed before %s: does not heal: %v", m.step, err)
			}
		}
		moments = nil
	}
	watch(owner, owner)
	owner.publish(21)
	check(owner, owner, 1)
	watch(reader, owner)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	check(reader, owner, 1)
	watch(owner, owner)
	owner.publish(22)
	check(owner, owner, 2)
	watch(reader, owner)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	check(reader, owner, 2)
}

// TestEveryWriteMayFail makes each step fail once; the good copy stays, on
// disk and in memory, and the next attempt succeeds.
func TestEveryWriteMayFail(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	owner.publish(20)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for fail := 0; ; fail++ {
		owner.publish(21 + fail)
		want, _ := owner.Own()
		count := 0
		reader.Mirror.disk.hook = func(string) error {
			count++
			if count == fail+1 {
				return errInjected
			}
			return nil
		}
		err := reader.pull(t.Context(), owner.id, nil)
		if err == nil {
			steps = fail
			break
		}
		if !errors.Is(err, errInjected) || !reader.holds(owner, want-1) {
			t.Fatalf("step %d: %v", fail, err)
		}
		noTempFiles(t, reader.dir)
		reader.Mirror.disk.hook = nil
		if err := reader.pull(t.Context(), owner.id, nil); err != nil || !reader.holds(owner, want) {
			t.Fatalf("step %d, again: %v", fail, err)
		}
	}
	if steps < 8 {
		t.Errorf("only %d steps", steps)
	}
}

func TestCancelledPullLeavesNothing(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader")
	owner.publish(20)
	reader.run()
	await(t, "asked", func() bool { return owner.requests.Load() > 0 })
	reader.stop() // in the middle, wherever that is
	noTempFiles(t, reader.dir)
	reader.run()
	await(t, "pulled after all", func() bool { return reader.holds(owner, 1) })
}

// TestRandomRun applies publications, outages, lies, restarts and revocations
// in random order and checks the invariants of DESIGN §8 after each, and
// that all agree in the end.
func TestRandomRun(t *testing.T) {
	long := os.Getenv("RATHAUSNETZ_SOAK")
	span := 4 * time.Second
	if d, err := time.ParseDuration(long); err == nil {
		span = d
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	n := newNet(t)
	const members = 5
	var peers []*peer
	for i := range members {
		peers = append(peers, n.member(fmt.Sprintf("m%d", i)).run())
	}
	highest := map[[2]federation.EntityID]uint64{}
	revoked := map[federation.EntityID]bool{}
	invariants := func() {
		t.Helper()
		for _, p := range peers {
			for _, c := range p.Copies() {
				k := [2]federation.EntityID{p.id, c.Member.ID}
				if c.Catalogue == nil {
					continue
				}
				if c.Serial < highest[k] {
					t.Fatalf("%s: serial %d of %s after %d", p.id, c.Serial, c.Member.ID, highest[k])
				}
				highest[k] = c.Serial
				if c.Catalogue.Member != c.Member.ID || c.Catalogue.Serial != c.Serial {
					t.Fatalf("%s: catalogue of %s at %d shown as %s at %d", p.id, c.Catalogue.Member, c.Catalogue.Serial, c.Member.ID, c.Serial)
				}
			}
		}
	}
	for end := time.Now().Add(span); time.Now().Before(end); invariants() {
		p := peers[r.IntN(members)]
		switch r.IntN(8) {
		case 0, 1, 2:
			if !revoked[p.id] {
				a := p.publish(1 + r.IntN(60))
				for _, q := range peers {
					if r.IntN(4) > 0 { // the others never hear of it
						q.Hint(a)
					}
				}
			}
		case 3:
			p.down(true)
		case 4:
			p.down(false)
		case 5:
			p.stop()
			p.dir = snapshot(t, p.dir)
			p.run()
		case 6:
			p.setFault(func(w http.ResponseWriter, _ *http.Request) bool {
				lie := p.requests.Load()%2 == 0
				if lie {
					_, _ = w.Write(make([]byte, 700))
				}
				return lie
			})
		case 7:
			revoked[p.id] = !revoked[p.id]
			err := errRevoked
			if !revoked[p.id] {
				err = nil
			}
			n.revoke(p.id, err)
			for _, q := range peers {
				q.judgeAll()
				if c, _ := q.Copy(p.id); revoked[p.id] && c.Catalogue != nil {
					t.Fatalf("%s shows revoked %s", q.id, p.id)
				}
			}
		}
	}
	for _, p := range peers {
		p.down(false)
		n.revoke(p.id, nil)
	}
	for _, p := range peers {
		if serial, _ := p.Own(); serial == 0 {
			p.publish(3)
		}
		serial, digest := p.Own()
		for _, q := range peers {
			q.Recheck()
			if q != p {
				q.tasks.at(p.id, time.Now())
			}
			await(t, fmt.Sprintf("%s holds serial %d of %s", q.id, serial, p.id), func() bool {
				c, _ := q.Copy(p.id)
				if c.Digest != digest && q != p {
					q.tasks.at(p.id, time.Now())
				}
				return c.Digest == digest && c.Catalogue != nil
			})
		}
	}
	invariants()
	for _, p := range peers {
		p.stop()
		err := filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && filepath.Base(path)[0] == '.' {
				t.Errorf("left over: %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
