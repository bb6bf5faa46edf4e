package mirror

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"rathausnetz/federation"
)

// disk keeps packs, pointers and evidence. A file appears whole or not at
// all: it is written beside its place, synced and renamed.
type disk struct {
	dir   string
	quota int64
	// hook is called before each step of a write, with the step's name; tests
	// use it to fail or to look at what a killed process would leave.
	hook func(step string) error

	mu   sync.Mutex
	used int64 // bytes of all files; guarded by mu
}

const (
	packDir     = "pack"
	currentDir  = "current"
	evidenceDir = "evidence"
	tempPrefix  = ".tmp-"
	maxPointer  = 64 << 10
	// packGrace keeps packs that nothing points to, since another request may
	// still be reading them.
	packGrace = 10 * time.Minute
)

func newDisk(dir string, quota int64) *disk { return &disk{dir: dir, quota: quota} }

// pointer says which packs hold the current catalogue of a member. It is the
// only file of a member that changes.
type pointer struct {
	Version  int                 `json:"version"`
	Member   federation.EntityID `json:"member"`
	Floor    uint64              `json:"floor"` // the highest serial ever admitted: nothing below is
	Manifest federation.Digest   `json:"manifest,omitzero"`
	Packs    []string            `json:"packs,omitempty"` // oldest first
	Fetched  time.Time           `json:"fetched,omitzero"`
	Source   federation.EntityID `json:"source,omitempty"`
	Frozen   federation.Digest   `json:"frozen,omitzero"` // the other manifest of an equivocation
}

// open makes the folders and counts what is there. Remains of interrupted
// writes are removed.
func (d *disk) open() error {
	for _, sub := range []string{packDir, currentDir, evidenceDir} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o700); err != nil {
			return fmt.Errorf("open mirror: %w", err)
		}
	}
	var used int64
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if strings.HasPrefix(e.Name(), tempPrefix) {
			return os.Remove(path)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		used += info.Size()
		return nil
	})
	if err != nil {
		return fmt.Errorf("open mirror: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used = used
	return nil
}

func (d *disk) path(sub, name string) string { return filepath.Join(d.dir, sub, name) }

// write puts one file into place. Errors wrap ErrFull when the quota or the
// file system has no room.
func (d *disk) write(sub, name string, size int64, content func(io.Writer) error) error {
	before := int64(0)
	if info, err := os.Stat(d.path(sub, name)); err == nil {
		before = info.Size()
	}
	d.mu.Lock()
	full := d.used+size > d.quota
	if !full {
		d.used += size - before
	}
	d.mu.Unlock()
	err := fmt.Errorf("%w: %d bytes are allowed", ErrFull, d.quota)
	if !full {
		err = d.place(sub, name, content)
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		if err != nil {
			d.mu.Lock()
			d.used -= size - before
			d.mu.Unlock()
		}
	}
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", sub, name, err)
	}
	return nil
}

func (d *disk) place(sub, name string, content func(io.Writer) error) (err error) {
	if err := d.step(sub + " create"); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(d.dir, sub), tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = d.step(sub + " write")
	if err == nil {
		err = content(f)
	}
	if err == nil {
		err = d.step(sub + " sync")
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := d.step(sub + " rename"); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), d.path(sub, name)); err != nil {
		return err
	}
	return syncDir(filepath.Join(d.dir, sub))
}

func (d *disk) step(name string) error {
	if d.hook == nil {
		return nil
	}
	return d.hook(name)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func pointerName(id federation.EntityID) string {
	sum := federation.Sum([]byte(id))
	return hex.EncodeToString(sum[:16]) + ".json"
}

func (d *disk) writePointer(p pointer) error {
	p.Version = 1
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("write pointer: %w", err)
	}
	b = append(b, '\n')
	return d.write(currentDir, pointerName(p.Member), int64(len(b)), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// pointers reads all pointers; unreadable ones are returned as errors beside
// the others.
func (d *disk) pointers() ([]pointer, error) {
	entries, err := os.ReadDir(filepath.Join(d.dir, currentDir))
	if err != nil {
		return nil, fmt.Errorf("read mirror: %w", err)
	}
	var out []pointer
	var faults []error
	for _, e := range entries {
		p, err := readPointer(d.path(currentDir, e.Name()))
		if err == nil && pointerName(p.Member) != e.Name() {
			err = errPointer
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("pointer %s: %w", e.Name(), err))
			continue
		}
		out = append(out, p)
	}
	return out, errors.Join(faults...)
}

var errPointer = errors.New("mirror: not a pointer")

func readPointer(path string) (pointer, error) {
	var p pointer
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPointer+1))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%w: %w", errPointer, err)
	}
	if len(b) > maxPointer || p.Version != 1 {
		return p, fmt.Errorf("%w: version %d", errPointer, p.Version)
	}
	for _, name := range p.Packs {
		if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return p, fmt.Errorf("%w: pack %q", errPointer, name)
		}
	}
	return p, nil
}

// keepEvidence stores a sealed manifest for good; it is written once.
func (d *disk) keepEvidence(id federation.EntityID, serial uint64, sealed string) error {
	sum := federation.Sum([]byte(sealed))
	name := fmt.Sprintf("%s-%d-%s.jws", strings.TrimSuffix(pointerName(id), ".json"), serial, sum.Short())
	if _, err := os.Stat(d.path(evidenceDir, name)); err == nil {
		return nil
	}
	return d.write(evidenceDir, name, int64(len(sealed)), func(w io.Writer) error {
		_, err := io.WriteString(w, sealed)
		return err
	})
}

// read returns the bytes at a location.
func (d *disk) read(l location) ([]byte, error) {
	f, err := os.Open(d.path(packDir, l.pack))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	defer f.Close()
	b := make([]byte, l.size)
	if _, err := f.ReadAt(b, l.offset); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errDamaged, l.pack, err)
	}
	return b, nil
}

// packReader reads many places, which are mostly in one file.
type packReader struct {
	disk *disk
	name string
	file *os.File
}

func (d *disk) reader() *packReader { return &packReader{disk: d} }

func (r *packReader) read(l location) ([]byte, error) {
	if r.file == nil || r.name != l.pack {
		r.close()
		f, err := os.Open(r.disk.path(packDir, l.pack))
		if err != nil {
			return nil, fmt.Errorf("read pack: %w", err)
		}
		r.file, r.name = f, l.pack
	}
	b := make([]byte, l.size)
	if _, err := r.file.ReadAt(b, l.offset); err != nil {
		return nil, fmt.Errorf("read pack %s: %w", l.pack, err)
	}
	return b, nil
}

// close closes the file last read from; it was only read, so there is no
// error that could matter.
func (r *packReader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// remove deletes one pack.
func (d *disk) remove(name string) error {
	info, err := os.Stat(d.path(packDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.Remove(d.path(packDir, name))
	}
	if err != nil {
		return fmt.Errorf("remove pack: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used -= info.Size()
	return nil
}

// collect removes packs that are not in keep and older than grace, and
// returns how many.
func (d *disk) collect(keep map[string]bool, now time.Time, grace time.Duration) (int, error) {
	entries, err := os.ReadDir(filepath.Join(d.dir, packDir))
	if err != nil {
		return 0, fmt.Errorf("collect garbage: %w", err)
	}
	removed := 0
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return removed, fmt.Errorf("collect garbage: %w", err)
		}
		if keep[e.Name()] || strings.HasPrefix(e.Name(), tempPrefix) || now.Sub(info.ModTime()) < grace {
			continue
		}
		if err := os.Remove(d.path(packDir, e.Name())); err != nil {
			return removed, fmt.Errorf("collect garbage: %w", err)
		}
		removed++
		d.mu.Lock()
		d.used -= info.Size()
		d.mu.Unlock()
	}
	return removed, nil
}
