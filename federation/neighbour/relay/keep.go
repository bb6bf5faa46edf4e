package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/neighbour"
)

// Limits of what a hub keeps of its neighbours' answers.
const (
	keptFiles = 2048
	keptBytes = 32 << 20
	keptExt   = ".jwt"
)

// Kept are the answers that a hub holds on disk, one file each, as they were
// sealed. The oldest go first. It believes nothing: who takes one out verifies
// it. Safe for concurrent use.
type Kept struct {
	dir string

	mu    sync.Mutex
	files map[federation.Digest]keptFile // guarded by mu
	bytes int64                          // guarded by mu
}

type keptFile struct {
	size int64
	at   time.Time // when it was written
}

// OpenKept reads what dir holds and makes it if it is missing. What is older
// than neighbour.Keep at now is removed.
func OpenKept(dir string, now time.Time) (*Kept, error) {
	k := &Kept{dir: dir, files: map[federation.Digest]keptFile{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("answers of neighbours: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("answers of neighbours: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), keptExt)
		d, derr := federation.ParseDigest(name)
		info, ierr := e.Info()
		if !ok || derr != nil || ierr != nil || now.Sub(info.ModTime()) > neighbour.Keep {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("answers of neighbours: %w", err)
			}
			continue
		}
		k.files[d] = keptFile{info.Size(), info.ModTime()}
		k.bytes += info.Size()
	}
	return k, k.shrink()
}

// Len returns how many answers are held.
func (k *Kept) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.files)
}

// get returns the answer to a question, "" if none is held.
func (k *Kept) get(d federation.Digest) (string, error) {
	k.mu.Lock()
	f, ok := k.files[d]
	k.mu.Unlock()
	if !ok || f.size > neighbour.MaxAnswer {
		return "", nil
	}
	b, err := os.ReadFile(k.path(d))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// put keeps an answer in place of the former one.
func (k *Kept) put(d federation.Digest, compact string, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	// Not synced: a torn file does not verify, and the neighbour can be asked.
	temp := k.path(d) + ".tmp"
	if err := os.WriteFile(temp, []byte(compact), 0o600); err != nil {
		return fmt.Errorf("answers of neighbours: %w", err)
	}
	if err := os.Rename(temp, k.path(d)); err != nil {
		return fmt.Errorf("answers of neighbours: %w", err)
	}
	k.bytes += int64(len(compact)) - k.files[d].size
	k.files[d] = keptFile{int64(len(compact)), now}
	return k.shrink()
}

// shrink removes the oldest answers until the limits hold; called with mu held,
// or before k is shared.
func (k *Kept) shrink() error {
	if len(k.files) <= keptFiles && k.bytes <= keptBytes {
		return nil
	}
	type aged struct {
		d federation.Digest
		keptFile
	}
	all := make([]aged, 0, len(k.files))
	for d, f := range k.files {
		all = append(all, aged{d, f})
	}
	slices.SortFunc(all, func(a, b aged) int { return a.at.Compare(b.at) })
	// A tenth more than needed goes, so that this is not done for every answer.
	for _, f := range all {
		if len(k.files) <= keptFiles*9/10 && k.bytes <= keptBytes*9/10 {
			break
		}
		if err := os.Remove(k.path(f.d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("answers of neighbours: %w", err)
		}
		delete(k.files, f.d)
		k.bytes -= f.size
	}
	return nil
}

func (k *Kept) path(d federation.Digest) string {
	return filepath.Join(k.dir, d.String()+keptExt)
}
