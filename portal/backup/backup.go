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
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Errors of this package.
var (
	ErrBackup  = errors.New("backup: the file cannot be used") // damaged, cut off, or no backup at all
	ErrExists  = errors.New("backup: would overwrite what is there")
	ErrMissing = errors.New("backup: a file that belongs in it cannot be read")
)

// Format is the version of the file this package writes and reads.
const Format = "rathausnetz-backup/1"

const (
	manifestName = "MANIFEST.json"
	maxEntries   = 1_000_000
	maxManifest  = 256 << 20
	maxTotal     = 1 << 40 // bytes of all files
)

// File is one file of a node. Name is its place in the backup: slashes, no
// "..", not absolute.
type File struct {
	Name   string `json:"name"`
	Path   string `json:"-"`                // where it is read from, or put back to
	Secret string `json:"secret,omitempty"` // what is lost, or can be misused, with it; "": no secret
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// May says that it may have gone when it is read: a copy that was replaced.
	May bool `json:"-"`
}

// Manifest describes a backup.
type Manifest struct {
	Format  string    `json:"format"`
	Entity  string    `json:"entity"`
	Version string    `json:"version"` // of the program that wrote it
	Made    time.Time `json:"made"`
	Config  string    `json:"config"` // Name of the configuration
	From    string    `json:"from"`   // where that was
	Missing []string  `json:"missing,omitempty"`
	Files   []File    `json:"files"`
}

// Secrets are the files that must be locked away.
func (m Manifest) Secrets() []File {
	var out []File
	for _, f := range m.Files {
		if f.Secret != "" {
			out = append(out, f)
		}
	}
	return out
}

// Bytes is the size of all files.
func (m Manifest) Bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// Write writes files to w and returns m with what was written. A file that may
// have gone is left out if it has; any other that cannot be read is
// ErrMissing.
func Write(w io.Writer, m Manifest, files []File) (Manifest, error) {
	m.Format, m.Made = Format, m.Made.UTC().Truncate(time.Second)
	zip := gzip.NewWriter(w)
	out := tar.NewWriter(zip)
	m.Files = make([]File, 0, len(files)) // not nil: one form
	for _, f := range files {
		if !clean(f.Name) || f.Name == manifestName {
			return m, fmt.Errorf("%w: name %q", ErrMissing, f.Name)
		}
		done, err := add(out, f)
		if errors.Is(err, fs.ErrNotExist) && f.May {
			continue
		}
		if err != nil {
			return m, fmt.Errorf("%w: %s: %w", ErrMissing, f.Path, err)
		}
		m.Files = append(m.Files, done)
	}
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Size: int64(len(b)), Mode: 0o600, ModTime: m.Made, Format: tar.FormatPAX}
	if err := out.WriteHeader(h); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if _, err := out.Write(b); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if err := errors.Join(out.Close(), zip.Close()); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

// add copies one file. Its size is taken from the open file: one that grows
// meanwhile is cut there, one that shrinks is an error.
func add(out *tar.Writer, f File) (File, error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return f, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return f, err
	}
	if !info.Mode().IsRegular() {
		return f, errors.New("not a regular file")
	}
	mode := int64(0o600)
	if f.Secret == "" {
		mode |= int64(info.Mode().Perm() & 0o044)
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Size: info.Size(), Mode: mode, ModTime: info.ModTime().Truncate(time.Second), Format: tar.FormatPAX}
	if err := out.WriteHeader(h); err != nil {
		return f, err
	}
	sum := sha256.New()
	if f.Size, err = io.CopyN(io.MultiWriter(out, sum), in, info.Size()); err != nil {
		return f, err
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, nil
}

// clean reports whether a name stays inside the folder it is put into.
func clean(name string) bool {
	return name != "" && len(name) < 4096 && fs.ValidPath(name) && name != "." && path.Clean(name) == name && !strings.ContainsAny(name, "\x00\\")
}

// Below names every regular file below dir, in lexical order, as name/…; skip
// may leave some out. Files that go while they are listed are no error.
func Below(dir, name string, skip func(rel string) bool) ([]File, error) {
	var out []File
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p != dir {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !skip(rel) {
			out = append(out, File{Name: path.Join(name, rel), Path: p, May: true})
		}
		return nil
	})
	return out, err
}
