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

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/trust"
)

const (
	keptFile = "roster.json"
	maxKept  = 256 << 20
)

// kept is the file: statements once, chains as lists of their numbers, from
// the anchor to the members. Everything in it is verified again when it is
// read; only the notices, also those about hosts, are believed, and they can only make stricter.
type kept struct {
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
	maps.DeleteFunc(r.ended, func(_ federation.EntityID, e ended) bool { return !now.Before(e.Until) })
	chains := make(map[federation.EntityID]*trust.Chain, len(r.entries))
	for id, e := range r.entries {
		if e.chain == nil || !e.chain.Valid(now) {
			continue
		}
		chains[id] = e.chain
		for _, s := range e.chain.Statements {
			if c, ok := r.cfg.Resolver.Cached(s.Issuer); ok && chains[s.Issuer] == nil {
				chains[s.Issuer] = c
			}
		}
	}
	k := kept{Ended: maps.Clone(r.ended), Blocks: r.cfg.Blocks.All()}
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

// Load reads what Dir holds and verifies every chain in it. Run does it first;
// call it only to have members before Run.
func (r *Roster) Load() error {
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
	for _, numbers := range k.Chains {
		r.restore(k.Statements, numbers)
	}
	return nil
}

// restore verifies one kept chain; what does not hold any more is left out.
func (r *Roster) restore(statements []string, numbers []int) {
	var compacts []string
	for _, n := range numbers {
		if n < 0 || n >= len(statements) {
			return
		}
		compacts = append(compacts, statements[n])
	}
	c, err := r.cfg.Resolver.Restore(compacts)
	if err != nil {
		r.cfg.Log.Debug("kept chain not usable", "err", err)
		return
	}
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
