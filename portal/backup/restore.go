package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// Read verifies the whole backup: that it ends where it says, that every file
// is there once and has its size and digest. It writes nothing. keep names
// files whose content is wanted, of at most 1 MiB each.
func Read(r io.Reader, keep ...string) (Manifest, map[string][]byte, error) {
	wanted := map[string][]byte{}
	for _, name := range keep {
		wanted[name] = nil
	}
	seen := map[string]File{}
	var m Manifest
	err := entries(r, func(h *tar.Header, in io.Reader) error {
		if h.Name == manifestName {
			return readManifest(in, &m)
		}
		if _, twice := seen[h.Name]; twice || !clean(h.Name) || m.Format != "" {
			return fmt.Errorf("%w: entry %q", ErrBackup, h.Name)
		}
		sum := sha256.New()
		to := io.Writer(sum)
		head := &limited{left: 1 << 20}
		if _, ok := wanted[h.Name]; ok {
			to = io.MultiWriter(sum, head)
		}
		n, err := io.Copy(to, in)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrBackup, h.Name, err)
		}
		if _, ok := wanted[h.Name]; ok {
			wanted[h.Name] = head.b
		}
		seen[h.Name] = File{Name: h.Name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}
		return nil
	})
	if err != nil {
		return m, nil, err
	}
	if m.Format != Format {
		return m, nil, fmt.Errorf("%w: it ends without its list of files", ErrBackup)
	}
	for _, f := range m.Files {
		if got := seen[f.Name]; got.SHA256 != f.SHA256 || got.Size != f.Size {
			return m, nil, fmt.Errorf("%w: %s is damaged or missing", ErrBackup, f.Name)
		}
		delete(seen, f.Name)
	}
	for name := range maps.Keys(seen) {
		return m, nil, fmt.Errorf("%w: %s is not in its list of files", ErrBackup, name)
	}
	return m, wanted, nil
}

// limited keeps the first bytes written to it.
type limited struct {
	b    []byte
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(l.left, len(b))
	l.b, l.left = append(l.b, b[:n]...), l.left-n
	return len(b), nil
}

func readManifest(in io.Reader, m *Manifest) error {
	b, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil || len(b) > maxManifest {
		return fmt.Errorf("%w: its list of files cannot be read", ErrBackup)
	}
	if err := json.Unmarshal(b, m); err != nil {
		return fmt.Errorf("%w: its list of files: %w", ErrBackup, err)
	}
	if m.Format != Format {
		return fmt.Errorf("%w: it has the format %.40q, this program reads %s", ErrBackup, m.Format, Format)
	}
	return nil
}

func entries(r io.Reader, each func(*tar.Header, io.Reader) error) error {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	in := tar.NewReader(zip)
	var total int64
	for n := 0; ; n++ {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			if _, err := io.Copy(io.Discard, zip); err != nil { // the checksum of gzip
				return fmt.Errorf("%w: %w", ErrBackup, err)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBackup, err)
		}
		if total += h.Size; n > maxEntries || total > maxTotal {
			return fmt.Errorf("%w: it is larger than any node", ErrBackup)
		}
		if h.Typeflag != tar.TypeReg {
			return fmt.Errorf("%w: %q is no file", ErrBackup, h.Name)
		}
		if err := each(h, in); err != nil {
			return err
		}
	}
}

// Place says where a file is put back; false leaves it out.
type Place func(name string) (path string, ok bool)

// Conflicts names what Restore would have to overwrite.
func Conflicts(m Manifest, place Place) []string {
	var out []string
	for _, f := range m.Files {
		if p, ok := place(f.Name); ok {
			if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
				out = append(out, p)
			}
		}
	}
	return out
}

// Restore puts the files of a verified backup back. r must deliver the same
// bytes as it did to Read. It refuses with ErrExists before it writes
// anything, and takes back what it wrote if it fails later. Folders are made
// with mode 0700, except above files that were readable for others.
func Restore(r io.Reader, m Manifest, place Place) (err error) {
	if c := Conflicts(m, place); len(c) > 0 {
		return fmt.Errorf("%w: %s", ErrExists, c[0])
	}
	known := map[string]File{}
	for _, f := range m.Files {
		known[f.Name] = f
	}
	var written []string
	defer func() {
		if err != nil {
			for _, p := range written {
				err = errors.Join(err, os.Remove(p))
			}
		}
	}()
	return entries(r, func(h *tar.Header, in io.Reader) error {
		f, ok := known[h.Name]
		p, wanted := place(h.Name)
		if !ok || !wanted {
			return nil
		}
		if err := mkdir(filepath.Dir(p), h.Mode); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		out, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		written = append(written, p)
		sum := sha256.New()
		_, err = io.Copy(io.MultiWriter(out, sum), in)
		if err == nil && f.Secret == "" {
			err = out.Chmod(fs.FileMode(h.Mode) & 0o644)
		}
		if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
			return fmt.Errorf("%w: %s has changed since it was verified", ErrBackup, h.Name)
		}
		return nil
	})
}

func mkdir(dir string, mode int64) error {
	if mode&0o044 != 0 {
		return os.MkdirAll(dir, 0o755)
	}
	return os.MkdirAll(dir, 0o700)
}
