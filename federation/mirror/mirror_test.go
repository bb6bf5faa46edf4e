package mirror

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

func TestHintBringsTheCatalogueAndThenOnlyTheChange(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").run()
	reader.Hint(owner.publish(100))
	await(t, "pulled", func() bool { return reader.holds(owner, 1) })
	if c, _ := reader.Copy(owner.id); len(c.Catalogue.Offers) != 100 || c.State != StateFresh || c.Err != nil || c.Source != owner.id {
		t.Errorf("copy: %s %s %v", offers(c), c.State, c.Err)
	}
	before := owner.requests.Load()
	reader.Hint(owner.publish(101))
	await(t, "pulled the change", func() bool { return reader.holds(owner, 2) })
	if got := owner.requests.Load() - before; got > 4 {
		t.Errorf("%d requests for one new offer", got)
	}
	if own, ok := owner.Copy(owner.id); !ok || own.Serial != 2 || len(own.Catalogue.Offers) != 101 {
		t.Errorf("own copy: %s", offers(own))
	}
}

func TestMemberIsPulledWithoutAnyHint(t *testing.T) {
	n := newNet(t)
	owner := n.member("owner").open()
	owner.publish(3)
	reader := n.member("reader").run()
	await(t, "pulled at the start", func() bool { return reader.holds(owner, 1) })
	late := n.member("late").open()
	late.publish(2)
	reader.Recheck()
	await(t, "a member that came later", func() bool { return reader.holds(late, 1) })
}

func TestRestartWithEveryPeerOffline(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").run()
	owner.publish(20)
	reader.Hint(owner.publish(21))
	await(t, "pulled", func() bool { return reader.holds(owner, 2) })
	before, _ := reader.Copy(owner.id)
	reader.stop()
	owner.down(true)
	reader.open()
	after, ok := reader.Copy(owner.id)
	if !ok || after.Digest != before.Digest || len(after.Catalogue.Offers) != 21 || after.State != StateFresh || !after.Fetched.Equal(before.Fetched) {
		t.Errorf("after the restart: %s %s", offers(after), after.State)
	}
	if serial, _ := owner.Own(); serial != 2 {
		t.Errorf("own serial %d", serial)
	}
}

func TestOwnSerialSurvives(t *testing.T) {
	n := newNet(t)
	owner := n.member("owner").open()
	a := owner.publish(5)
	owner.open()
	if serial, digest := owner.Own(); serial != 1 || digest != a.Manifest {
		t.Errorf("serial %d digest %s", serial, digest.Short())
	}
	sealed, chunks := owner.seal(sampleCatalogue(owner.id, 1, 6, sampleArea))
	if err := owner.Publish(t.Context(), sealed, chunks); !errors.Is(err, ErrRollback) {
		t.Errorf("the same serial again: %v", err)
	}
}

func TestI137_AnyMemberServesForTheOwner(t *testing.T) {
	n := newNet(t)
	owner, holder := n.member("owner").open(), n.member("holder").run()
	holder.Hint(owner.publish(30))
	await(t, "the holder has it", func() bool { return holder.holds(owner, 1) })
	owner.down(true)
	reader := n.member("reader").run()
	await(t, "pulled from the holder", func() bool { return reader.holds(owner, 1) })
	a, _ := holder.Copy(owner.id)
	b, _ := reader.Copy(owner.id)
	if a.Digest != b.Digest || b.Source != holder.id {
		t.Errorf("digests %s and %s, source %s", a.Digest.Short(), b.Digest.Short(), b.Source)
	}
}

// SSO.md §10 137, hostile answers by name. Each leaves the last good copy.
func TestI137_RefusedManifestLeavesTheGoodCopy(t *testing.T) {
	stranger, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		want error
		make func(*peer) (string, map[federation.Digest][]byte)
	}{
		"replayed serial": {ErrRollback, func(o *peer) (string, map[federation.Digest][]byte) {
			return o.seal(sampleCatalogue(o.id, 4, 9, sampleArea))
		}},
		"expired": {ErrExpired, func(o *peer) (string, map[federation.Digest][]byte) {
			return o.seal(sampleCatalogue(o.id, 6, 9, sampleArea), func(m *catalog.Manifest) { m.Expires = o.net.Now().Unix() - 1 })
		}},
		"clock off by an hour": {ErrNotYet, func(o *peer) (string, map[federation.Digest][]byte) {
			return o.seal(sampleCatalogue(o.id, 6, 9, sampleArea), func(m *catalog.Manifest) { m.IssuedAt = o.net.Now().Add(time.Hour).Unix() })
		}},
		"foreign key": {ErrSeal, func(o *peer) (string, map[federation.Digest][]byte) {
			forger := &peer{net: o.net, key: stranger, id: o.id}
			return forger.seal(sampleCatalogue(o.id, 6, 9, sampleArea))
		}},
		"foreign issuer": {ErrIssuer, func(o *peer) (string, map[federation.Digest][]byte) {
			return o.seal(sampleCatalogue("https://other.example", 6, 9, sampleArea))
		}},
		"other format": {ErrContent, func(o *peer) (string, map[federation.Digest][]byte) {
			return o.seal(sampleCatalogue(o.id, 6, 9, sampleArea), func(m *catalog.Manifest) { m.Version = 99 })
		}},
		"wrong counts": {ErrContent, func(o *peer) (string, map[federation.Digest][]byte) {
			return o.seal(sampleCatalogue(o.id, 6, 9, sampleArea), func(m *catalog.Manifest) { m.Offers = 8 })
		}},
		"not a token": {ErrSeal, func(*peer) (string, map[federation.Digest][]byte) { return "<html>", nil }},
		"empty":       {ErrSeal, func(*peer) (string, map[federation.Digest][]byte) { return "", nil }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n := newNet(t)
			owner, reader := n.member("owner").open(), n.member("reader").open()
			for range 5 {
				owner.publish(10)
			}
			if err := reader.pull(t.Context(), owner.id, nil); err != nil {
				t.Fatal(err)
			}
			sealed, chunks := c.make(owner)
			owner.setFault(serveFrom(sealed, chunks))
			err := reader.pull(t.Context(), owner.id, nil)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if !reader.holds(owner, 5) {
				got, _ := reader.Copy(owner.id)
				t.Errorf("now holds %s", offers(got))
			}
			if got, _ := reader.Copy(owner.id); len(got.Catalogue.Offers) != 10 || got.State != StateFresh {
				t.Errorf("now holds %s, %s", offers(got), got.State)
			}
		})
	}
}

// serveFrom answers with these bytes, whatever is asked for.
func serveFrom(sealed string, chunks map[federation.Digest][]byte) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if d, err := federation.ParseDigest(filepath.Base(r.URL.Path)); err == nil {
			_, _ = w.Write(chunks[d])
			return true
		}
		if r.URL.Query().Has("bundle") {
			http.Error(w, "no bundles here", http.StatusNotFound)
			return true
		}
		_, _ = w.Write([]byte(sealed))
		return true
	}
}

type ownerKey struct{}

func TestHostileBodies(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<16)
		for r.Context().Err() == nil { // 10 GB and more
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
			}
		}
	}
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("half"))
	}
	// flipped answers as the real one would, but for one bit.
	flipped := func(w http.ResponseWriter, r *http.Request) {
		real := httptest.NewRecorder()
		r.Context().Value(ownerKey{}).(*peer).answer(real, r)
		b := real.Body.Bytes()
		b[len(b)-1] ^= 1
		_, _ = w.Write(b)
	}
	bodies := map[string]http.HandlerFunc{"one bit flipped": flipped, "10 GB": endless, "slow drip": slow, "half": half,
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"other bytes": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 900)) },
		"server error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusInternalServerError)
		}}
	where := map[string]func(*http.Request) bool{
		"manifest": func(r *http.Request) bool { return r.URL.Path == catalogPath && !r.URL.Query().Has("bundle") },
		"bundle":   func(r *http.Request) bool { return r.URL.Query().Has("bundle") },
		"chunk":    func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, chunkPath) },
	}
	for body, handler := range bodies {
		for place, at := range where {
			t.Run(body+" as "+place, func(t *testing.T) {
				t.Parallel()
				n := newNet(t)
				owner := n.member("owner").open()
				limits := Limits{RequestTimeout: 300 * time.Millisecond, CatalogueBytes: 1 << 20}
				reader := n.member("reader").open(func(c *Config) { c.Limits = limits })
				owner.publish(40)
				first := place == "bundle"
				if !first {
					if err := reader.pull(t.Context(), owner.id, nil); err != nil {
						t.Fatal(err)
					}
					owner.publish(41)
				}
				owner.setFault(func(w http.ResponseWriter, r *http.Request) bool {
					if at(r) {
						handler(w, r.WithContext(context.WithValue(r.Context(), ownerKey{}, owner)))
					}
					return at(r)
				})
				start := time.Now()
				err := reader.pull(t.Context(), owner.id, nil)
				if first && body == "server error" || first && body == "redirect" {
					if err != nil || !reader.holds(owner, 1) { // chunks come one by one then
						t.Errorf("without bundles: %v", err)
					}
					return
				}
				if err == nil {
					t.Error("no error")
				}
				if took := time.Since(start); took > 40*time.Second {
					t.Errorf("took %s", took)
				}
				if first == reader.holds(owner, 1) {
					c, _ := reader.Copy(owner.id)
					t.Errorf("holds %s", offers(c))
				}
				noTempFiles(t, reader.dir)
				owner.down(false)
				want, _ := owner.Own()
				if err := reader.pull(t.Context(), owner.id, nil); err != nil || !reader.holds(owner, want) {
					t.Errorf("after the fault: %v", err)
				}
			})
		}
	}
}

func TestI137_EquivocationFreezesAndKeepsBoth(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").run()
	owner.publish(5)
	reader.Hint(owner.publish(6))
	await(t, "pulled", func() bool { return reader.holds(owner, 2) })
	sealed, chunks := owner.seal(sampleCatalogue(owner.id, 2, 7, sampleArea))
	owner.setFault(serveFrom(sealed, chunks))
	reader.Hint(owner.announce(2, sealed))
	await(t, "frozen", func() bool { c, _ := reader.Copy(owner.id); return c.State == StateFrozen })
	c, _ := reader.Copy(owner.id)
	if len(c.Catalogue.Offers) != 6 || !errors.Is(c.Err, ErrEquivocates) {
		t.Errorf("shows %s, %v", offers(c), c.Err)
	}
	reader.mu.Lock()
	if len(reader.doubts) != 1 || reader.doubts[0].Other != sealed || federation.Sum([]byte(reader.doubts[0].Held)) != c.Digest {
		t.Errorf("told %d equivocations", len(reader.doubts))
	}
	reader.mu.Unlock()
	if files, err := os.ReadDir(filepath.Join(reader.dir, evidenceDir)); err != nil || len(files) != 2 {
		t.Errorf("%d pieces of evidence, %v", len(files), err)
	}
	if kept, err := reader.Kept(owner.id); err != nil || len(kept) != 2 || kept[0].Serial != 2 || kept[0].Sealed != sealed && kept[1].Sealed != sealed || kept[0].Sealed == kept[1].Sealed {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if kept, err := reader.Kept(reader.id); err != nil || len(kept) != 0 {
		t.Errorf("evidence against somebody else: %+v, %v", kept, err)
	}
	owner.down(false)
	next := owner.publish(8)
	reader.Hint(next)
	reader.stop()
	reader.run()
	reader.Hint(next)
	if c, _ := reader.Copy(owner.id); c.State != StateFrozen || c.Serial != 2 {
		t.Errorf("after a restart: %s %s", c.State, offers(c))
	}
	if err := reader.Thaw(owner.id); err != nil {
		t.Fatal(err)
	}
	await(t, "the next serial after the thaw", func() bool { return reader.holds(owner, 3) })
}

func TestI133_ForeignAreaIsLeftOut(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	c := sampleCatalogue(owner.id, 1, 10, sampleArea)
	c.Offers[4].Zustaendigkeiten[0].Area = sampleCatalogue(owner.id, 1, 1, "034590024024").Offers[0].Zustaendigkeiten[0].Area
	sealed, chunks := owner.seal(c)
	if err := owner.Publish(t.Context(), sealed, chunks); err != nil {
		t.Fatal(err)
	}
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	got, _ := reader.Copy(owner.id)
	if len(got.Catalogue.Offers) != 9 || got.Outside == 0 {
		t.Errorf("%s, %d outside", offers(got), got.Outside)
	}
	n.grant(owner.id, owner.key.Public(), sampleArea, "034590024024")
	reader.judgeAll()
	if got, _ := reader.Copy(owner.id); len(got.Catalogue.Offers) != 10 || got.Outside != 0 {
		t.Errorf("after the grant: %s, %d outside", offers(got), got.Outside)
	}
	n.grant(owner.id, owner.key.Public())
	reader.judgeAll()
	if got, _ := reader.Copy(owner.id); len(got.Catalogue.Offers) != 0 {
		t.Errorf("after the grant was taken away: %s", offers(got))
	}
}

func TestRevokedMemberIsDropped(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	for range 3 {
		owner.publish(5)
	}
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	n.revoke(owner.id, errRevoked)
	reader.judgeAll()
	if c, _ := reader.Copy(owner.id); c.Catalogue != nil || c.State != StateNone || !errors.Is(c.Err, errRevoked) {
		t.Errorf("still %s, %v", offers(c), c.Err)
	}
	if len(reader.dropped) != 1 || reader.dropped[0] != owner.id {
		t.Errorf("OnDrop: %v", reader.dropped)
	}
	if res, _ := get(t, n, reader.server.URL+catalogPath+"?member="+string(owner.id)); res.StatusCode != http.StatusNotFound {
		t.Errorf("still served: %d", res.StatusCode)
	}
	owner.down(true)
	n.revoke(owner.id, nil)
	reader.judgeAll()
	if !reader.holds(owner, 3) {
		t.Error("not back from disk, without network")
	}
	reader.Drop(owner.id)
	if packs, err := os.ReadDir(filepath.Join(reader.dir, packDir)); err != nil || len(packs) != 0 {
		t.Errorf("%d packs are left, %v", len(packs), err)
	}
	old, chunks := owner.seal(sampleCatalogue(owner.id, 2, 5, sampleArea))
	owner.setFault(serveFrom(old, chunks))
	if err := reader.open().pull(t.Context(), owner.id, nil); !errors.Is(err, ErrRollback) {
		t.Errorf("an older serial after the readmission: %v", err)
	}
}

func TestStaleIsLabelledAndShown(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	owner.publish(5)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	owner.down(true)
	n.pass(time.Hour) // the hub is down for an hour: nothing changes
	reader.judgeAll()
	if c, _ := reader.Copy(owner.id); c.State != StateFresh {
		t.Errorf("after an hour %s", c.State)
	}
	n.pass(48 * time.Hour)
	reader.judgeAll()
	if c, _ := reader.Copy(owner.id); c.State != StateStale || len(c.Catalogue.Offers) != 5 {
		t.Errorf("after the end %s %s", c.State, offers(c))
	}
	last := reader.shown[owner.id]
	if len(last) != 2 || last[1].State != StateStale {
		t.Errorf("OnChange was told %d times", len(last))
	}
	if reader.open(); !reader.holds(owner, 1) {
		t.Error("not shown after a restart")
	}
}

func TestWithdrawnKeyHidesWhatItSealed(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	owner.publish(5)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	fresh, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	n.grant(owner.id, owner.key.Public().Union(fresh.Public()), sampleArea)
	reader.judgeAll()
	if !reader.holds(owner, 1) {
		t.Error("hidden although the old key is still shown")
	}
	n.grant(owner.id, fresh.Public(), sampleArea)
	reader.judgeAll()
	if c, _ := reader.Copy(owner.id); c.Catalogue != nil || !errors.Is(c.Err, ErrSeal) {
		t.Errorf("shown without its key: %v", c.Err)
	}
}

func TestLyingHintsCostNothing(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	good := owner.publish(5)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	planned := func() bool {
		reader.tasks.mu.Lock()
		defer reader.tasks.mu.Unlock()
		return len(reader.tasks.tasks) > 0
	}
	forged := owner.announce(99, "x")
	forged.Serial++
	stranger := forged
	stranger.Member = "https://stranger.example"
	for name, a := range map[string]federation.Announcement{"forged": forged, "of a stranger": stranger, "known": good} {
		if reader.Hint(a); planned() {
			t.Errorf("an announcement %s is followed", name)
		}
	}
	if reader.Hint(owner.announce(2, "y")); !planned() {
		t.Error("an honest one is not followed")
	}
}

func TestStormOfHintsIsMerged(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").run(func(c *Config) { c.HintEvery = time.Minute })
	var last federation.Announcement
	for i := range 60 {
		last = owner.publish(2 + i%3)
		reader.Hint(last)
	}
	await(t, "some of them", func() bool { c, _ := reader.Copy(owner.id); return c.Serial > 0 })
	if got := owner.requests.Load(); got > 4*(hintBurst+3) {
		t.Errorf("%d requests for 60 hints", got)
	}
}

func TestDiskFull(t *testing.T) {
	n := newNet(t)
	owner := n.member("owner").open()
	reader := n.member("reader").open(func(c *Config) { c.Limits.DiskBytes = 40 << 10 })
	owner.publish(20)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	owner.publish(400)
	if err := reader.pull(t.Context(), owner.id, nil); !errors.Is(err, ErrFull) {
		t.Errorf("over the quota: %v", err)
	}
	if c, _ := reader.Copy(owner.id); len(c.Catalogue.Offers) != 20 {
		t.Errorf("now %s", offers(c))
	}
	noTempFiles(t, reader.dir)
	if reader.open(); !reader.holds(owner, 1) {
		t.Error("lost after a restart")
	}
}

func TestDamagedPackIsPulledAnew(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	owner.publish(20)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(reader.dir, packDir, "*"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	b, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(packs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if reader.run(); reader.holds(owner, 1) {
		t.Log("already pulled anew")
	}
	await(t, "pulled anew", func() bool { return reader.holds(owner, 1) })
	reader.stop()
	if reader.open(); !reader.holds(owner, 1) {
		t.Error("still damaged on disk")
	}
}

func TestManyDeltasBecomeOnePack(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	for i := range maxDeltas + 5 {
		owner.publish(10 + i)
		if err := reader.pull(t.Context(), owner.id, nil); err != nil {
			t.Fatal(err)
		}
	}
	r := reader.record(owner.id)
	if got := len(r.pointer.Packs); got > maxDeltas {
		t.Errorf("%d packs", got)
	}
	removed, err := reader.disk.collect(map[string]bool{}, time.Now(), time.Hour)
	if err != nil || removed != 0 {
		t.Errorf("young packs removed: %d, %v", removed, err)
	}
	keep := map[string]bool{}
	for _, p := range r.pointer.Packs {
		keep[p] = true
	}
	if _, err := reader.disk.collect(keep, time.Now().Add(time.Hour), packGrace); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(reader.dir, packDir))
	if err != nil || len(files) != len(r.pointer.Packs) {
		t.Errorf("%d files for %d packs, %v", len(files), len(r.pointer.Packs), err)
	}
	used := reader.disk.used
	if err := reader.disk.open(); err != nil || reader.disk.used != used {
		t.Errorf("counted %d bytes, there are %d, %v", used, reader.disk.used, err)
	}
	if reader.open(); !reader.holds(owner, maxDeltas+5) {
		t.Error("lost after a restart")
	}
}

func noTempFiles(t testing.TB, dir string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", tempPrefix+"*"))
	if err != nil || len(found) != 0 {
		t.Errorf("left over: %v, %v", found, err)
	}
}

func TestBytesGoneBadWhileRunning(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	owner.publish(40)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(reader.disk.path(packDir, reader.record(owner.id).pointer.Packs[0]), 100); err != nil {
		t.Fatal(err)
	}
	owner.publish(41)
	if err := reader.pull(t.Context(), owner.id, nil); err != nil || !reader.holds(owner, 2) {
		t.Fatal(err)
	}
	if reader.open(); !reader.holds(owner, 2) {
		t.Error("not whole on disk")
	}
}

// A lie that was told to one member alone is found through the others: who
// hears the announcement of the other manifest asks whoever may hold it.
func TestSplitViewIsFoundThroughOtherMembers(t *testing.T) {
	n := newNet(t)
	owner, one, other := n.member("owner").open(), n.member("one").open(), n.member("other").open()
	a := owner.publish(5)
	if err := one.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	lie, chunks := owner.seal(sampleCatalogue(owner.id, 1, 6, sampleArea))
	owner.setFault(serveFrom(lie, chunks))
	if err := other.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	owner.down(false) // from now on it shows everybody the first one
	b := owner.announce(1, lie)
	if err := one.pull(t.Context(), owner.id, &b); !errors.Is(err, ErrEquivocates) {
		t.Errorf("one: %v", err)
	}
	if err := other.pull(t.Context(), owner.id, &a); !errors.Is(err, ErrEquivocates) {
		t.Errorf("other: %v", err)
	}
	for _, p := range []*peer{one, other} {
		if c, _ := p.Copy(owner.id); c.State != StateFrozen || c.Catalogue == nil {
			t.Errorf("%s: %s", p.id, c.State)
		}
	}
}

// A node restored from an old backup gets its newest catalogue back from the
// others and does not repeat a serial.
func TestOwnCatalogueComesBackFromOthers(t *testing.T) {
	n := newNet(t)
	owner, holder := n.member("owner").open(), n.member("holder").open()
	owner.publish(5)
	backup := snapshot(t, owner.dir)
	a := owner.publish(6)
	if err := holder.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	owner.dir = backup
	owner.run()
	if serial, _ := owner.Own(); serial != 1 {
		t.Fatalf("the backup has serial %d", serial)
	}
	owner.Hint(a) // as gossip repeats it
	await(t, "back", func() bool { serial, digest := owner.Own(); return serial == 2 && digest == a.Manifest })
}
