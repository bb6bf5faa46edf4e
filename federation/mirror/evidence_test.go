package mirror

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

// TestMisdeedStaysInSight: another member confirms the good copy, but what the
// owner itself showed is neither forgotten nor told again with every pull.
func TestMisdeedStaysInSight(t *testing.T) {
	n := newNet(t)
	owner, holder := n.member("owner").open(), n.member("holder").run()
	old, chunks := owner.seal(sampleCatalogue(owner.id, 1, 5, sampleArea))
	if err := owner.Publish(t.Context(), old, chunks); err != nil {
		t.Fatal(err)
	}
	last := owner.publish(6)
	holder.Hint(last)
	await(t, "the holder has it", func() bool { return holder.holds(owner, 2) })
	var told atomic.Int64
	reader := n.member("reader").open(func(c *Config) { c.OnRefused = func(federation.EntityID, error) { told.Add(1) } })
	pull := func(want error) {
		t.Helper()
		if err := reader.pull(t.Context(), owner.id, nil); err != nil {
			t.Fatal(err)
		}
		c, _ := reader.Copy(owner.id)
		if !errors.Is(c.Err, want) || !reader.holds(owner, 2) || c.State != StateFresh {
			t.Errorf("%s %s %v, want %v", offers(c), c.State, c.Err, want)
		}
	}
	pull(nil)
	owner.setFault(serveFrom(old, chunks))
	pull(ErrRollback)
	pull(ErrRollback)
	if told.Load() != 1 {
		t.Errorf("told %d times of one misdeed", told.Load())
	}
	owner.down(true)
	pull(nil)
	if told.Load() != 1 {
		t.Error("silence was told as a misdeed")
	}
	owner.down(false)
	pull(nil)
	owner.setFault(serveFrom(old, chunks))
	pull(ErrRollback)
	if told.Load() != 2 {
		t.Errorf("told %d times of two misdeeds", told.Load())
	}
}

// SSO.md §10 137: what one node has seen convinces the next one without a pull.
func TestEvidenceFreezes(t *testing.T) {
	n := newNet(t)
	owner, first, second := n.member("owner").open(), n.member("first").open(), n.member("second").open()
	one, chunksOne := owner.seal(sampleCatalogue(owner.id, 1, 5, sampleArea))
	two, chunksTwo := owner.seal(sampleCatalogue(owner.id, 1, 6, sampleArea))
	for _, x := range []struct {
		to     *peer
		sealed string
		chunks map[federation.Digest][]byte
	}{{first, one, chunksOne}, {second, two, chunksTwo}} {
		owner.setFault(serveFrom(x.sealed, x.chunks))
		if err := x.to.pull(t.Context(), owner.id, nil); err != nil {
			t.Fatal(err)
		}
	}
	stranger, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	forger := &peer{net: n, key: stranger, id: owner.id}
	forged, _ := forger.seal(sampleCatalogue(owner.id, 1, 7, sampleArea))
	foreign, _ := forger.seal(sampleCatalogue("https://nobody.example", 1, 7, sampleArea))
	later, _ := owner.seal(sampleCatalogue(owner.id, 2, 7, sampleArea))
	odd, _ := owner.seal(sampleCatalogue(owner.id, 1, 7, sampleArea), func(m *catalog.Manifest) { m.Version = 99 })
	for name, c := range map[string]struct {
		sealed string
		want   error
	}{
		"sealed with a foreign key": {forged, ErrSeal},
		"about no member":           {foreign, ErrNotMember},
		"what is held":              {one, errNoNews},
		"another serial":            {later, errNoNews},
		"not a manifest":            {odd, ErrContent},
		"not a token":               {"<html>", ErrSeal},
		"too large":                 {strings.Repeat("x", catalog.MaxManifest+1), ErrTooLarge},
	} {
		if err := first.Evidence(c.sealed); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if c, _ := first.Copy(owner.id); c.State != StateFresh {
		t.Fatalf("%s without evidence: %v", c.State, c.Err)
	}
	for p, sealed := range map[*peer]string{first: two, second: one} {
		if err := p.Evidence(sealed); err != nil {
			t.Fatal(err)
		}
		c, _ := p.Copy(owner.id)
		if c.State != StateFrozen || !errors.Is(c.Err, ErrEquivocates) || len(p.doubts) != 1 || !p.doubts[0].Told || p.doubts[0].Other != sealed {
			t.Errorf("%s %v, told %d", c.State, c.Err, len(p.doubts))
		}
		if err := p.Evidence(sealed); !errors.Is(err, errNoNews) {
			t.Errorf("the same evidence again: %v", err)
		}
	}
}

// Gossip is faster than a pull: evidence about a serial that is not held yet
// counts as soon as it is.
func TestEvidenceBeforeThePull(t *testing.T) {
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader").open()
	one, chunks := owner.seal(sampleCatalogue(owner.id, 3, 5, sampleArea))
	two, _ := owner.seal(sampleCatalogue(owner.id, 3, 6, sampleArea))
	for _, sealed := range []string{one, two} {
		if err := reader.Evidence(sealed); !errors.Is(err, errNoNews) {
			t.Fatal(err)
		}
	}
	owner.setFault(serveFrom(one, chunks))
	if err := reader.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	if c, _ := reader.Copy(owner.id); c.State != StateFrozen || !errors.Is(c.Err, ErrEquivocates) {
		t.Errorf("%s %v", c.State, c.Err)
	}
	if len(reader.ahead) != 0 {
		t.Error("evidence that was used is kept")
	}
}
