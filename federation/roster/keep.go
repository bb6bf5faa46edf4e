package roster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/trust"
)

const (
	keptFile = "roster.json"
	maxKept  = 256 << 20
	// lapsedFor is how long a node that is started while its hub is away takes
	// over who was a member when everything held last: their copies may be
	// shown, as old.
	lapsedFor = 7 * 24 * time.Hour
)

// kept is the file: statements once, chains as lists of their numbers, from
// the anchor to the members. Everything in it is verified again when it is
// read; only the notices, also those about hosts, are believed, and they can only make stricter.
type kept struct {
	At         trust.Seconds                 `json:"at"` // all statements held then
	Statements []string                      `json:"statements"`
	Chains     [][]int                       `json:"chains"`
	Ended      map[federation.EntityID]ended `json:"ended,omitempty"`
	Blocks     []blocklist.Decision          `json:"blocks,omitempty"`
}

// save writes the file; a failure is logged, because the roster works without.
func (r *Roster) save() {
	if r.cfg.Dir == "" {
		return
	}
	r.saving.Lock() // a later snapshot is written later
	defer r.saving.Unlock()
	b, err := json.Marshal(r.snapshot())
	if err == nil && federation.Sum(b) == r.saved {
		return
	}
	if err == nil {
		err = r.write(b)
	}
	if err != nil {
		r.cfg.Log.Error("verified statements not kept", "err", err)
		return
	}
	r.saved = federation.Sum(b)
}

func (r *Roster) snapshot() kept {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.ended, func(_ federation.EntityID, e ended) bool { return !now.Before(e.Until.Add(lapsedFor)) })
	chains := make(map[federation.EntityID]*trust.Chain, len(r.entries))
	for id, e := range r.entries {
		member := e.verdict.State == StateMember
		if _, noticed := r.ended[id]; e.chain == nil || !member && !noticed {
			continue // of who was revoked, the notice says why after a restart
		}
		if !e.chain.Valid(now) {
			if member && len(r.good.Chains) > 0 {
				return r.lastGood() // the hub is away for long
			}
			continue
		}
		chains[id] = e.chain
		for _, s := range e.chain.Statements {
			if c, ok := r.cfg.Resolver.Cached(s.Issuer); ok && chains[s.Issuer] == nil {
				chains[s.Issuer] = c
			}
		}
	}
	k := kept{At: trust.At(now), Ended: maps.Clone(r.ended), Blocks: r.cfg.Blocks.All()}
	leaves := make([]federation.EntityID, 0, len(chains))
	number := make(map[string]int)
	ordered := slices.SortedFunc(maps.Values(chains), func(a, b *trust.Chain) int {
		if d := len(a.Statements) - len(b.Statements); d != 0 {
			return d
		}
		return compareID(a.Leaf, b.Leaf)
	})
	for _, c := range ordered {
		var list []int
		for _, compact := range c.Compacts() {
			n, ok := number[compact]
			if !ok {
				n = len(k.Statements)
				number[compact] = n
				k.Statements = append(k.Statements, compact)
			}
			list = append(list, n)
		}
		k.Chains = append(k.Chains, list)
		leaves = append(leaves, c.Leaf)
	}
	if slices.Equal(k.Statements, r.good.Statements) {
		k.At = r.good.At // the file is written only when it says something new
	}
	r.good, r.leaves = k, leaves
	return k
}

// lastGood is what held when the hub was there last, without those who are
// known to be no members any more. The caller holds mu.
func (r *Roster) lastGood() kept {
	k := kept{At: r.good.At, Statements: r.good.Statements, Ended: maps.Clone(r.ended), Blocks: r.cfg.Blocks.All()}
	for i, id := range r.leaves {
		_, noticed := r.ended[id]
		if e := r.entries[id]; e == nil || noticed || e.verdict.State == StateMember {
			k.Chains = append(k.Chains, r.good.Chains[i])
		}
	}
	return k
}

func (r *Roster) write(b []byte) error {
	if err := os.MkdirAll(r.cfg.Dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(r.cfg.Dir, ".roster-*")
	if err != nil {
		return err
	}
	_, werr := tmp.Write(b)
	if err := errors.Join(werr, tmp.Sync(), tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), filepath.Join(r.cfg.Dir, keptFile))
}

// Load reads what Dir holds and verifies every chain in it. Run does it first
// unless it was called before, to have members at once.
func (r *Roster) Load() error {
	r.loaded.Store(true)
	if r.cfg.Dir == "" {
		return nil
	}
	path := filepath.Join(r.cfg.Dir, keptFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() > maxKept {
		return fmt.Errorf("%s is larger than %d bytes", path, maxKept)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var k kept
	if err := trust.Decode(b, &k); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r.mu.Lock()
	for id, e := range k.Ended {
		if have, ok := r.ended[id]; !ok || have.Generation < e.Generation {
			r.ended[id] = e
		}
	}
	r.mu.Unlock()
	for _, d := range k.Blocks { // before the members, whose texts they are about
		r.cfg.Blocks.Take(d)
	}
	return r.restoreAll(k)
}

// restoreAll verifies the kept chains. What has run out since is taken over as
// it was: it gives nobody a chain, but Lapsed says whose copies may be shown.
func (r *Roster) restoreAll(k kept) error {
	now, then := r.cfg.Now(), k.At.Time()
	good := k
	good.Chains = nil
	var leaves []federation.EntityID
	restore := func(by *trust.Resolver, lapsed bool) (failed int, err error) {
		good.Chains, leaves = nil, nil
		for _, numbers := range k.Chains {
			compacts, err := k.compacts(numbers)
			if err != nil {
				return failed, err
			}
			c, err := by.Restore(compacts)
			if err != nil {
				failed++
				r.cfg.Log.Debug("kept chain not usable", "err", err)
				continue
			}
			good.Chains, leaves = append(good.Chains, numbers), append(leaves, c.Leaf)
			if !lapsed || !c.Valid(now) {
				r.restore(c)
			}
		}
		return failed, nil
	}
	failed, err := restore(r.cfg.Resolver, false)
	if err == nil && failed > 0 && then.Before(now) && now.Sub(then) < lapsedFor {
		_, err = restore(r.cfg.Resolver.At(then), true)
	}
	r.mu.Lock()
	r.good, r.leaves = good, leaves
	r.mu.Unlock()
	return err
}

// compacts returns the statements of one chain.
func (k *kept) compacts(numbers []int) ([]string, error) {
	var out []string
	for _, n := range numbers {
		if n < 0 || n >= len(k.Statements) {
			return nil, fmt.Errorf("roster: %s: statement %d is not there", keptFile, n)
		}
		out = append(out, k.Statements[n])
	}
	return out, nil
}

// restore takes a kept chain over.
func (r *Roster) restore(c *trust.Chain) {
	if c.Superior != r.cfg.Hub && c.Leaf != r.cfg.Hub {
		return // further up: it serves the others
	}
	if err := r.admit(c.Leaf, c, nil); err != nil {
		r.cfg.Log.Debug("kept chain not usable", "peer", c.Leaf, "err", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[c.Leaf]; e != nil {
		e.verified = e.verified.Add(-r.cfg.MemberEvery) // due at the next refresh
	}
}
