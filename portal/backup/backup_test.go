package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// node writes a small node below dir and names its files.
func node(t *testing.T, dir string) []File {
	t.Helper()
	for name, mode := range map[string]fs.FileMode{"node.yaml": 0o644, "data/keys/federation.jwks": 0o600, "data/mirror/current/a": 0o600, "data/.tmp-x": 0o600} {
		p := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o700), os.WriteFile(p, []byte("content of "+name), mode)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Below(filepath.Join(dir, "data"), "data", func(rel string) bool { return strings.HasPrefix(rel, ".") })
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		if strings.Contains(files[i].Name, "keys/") {
			files[i].Secret = "keys"
		}
	}
	return append(files, File{Name: "config/node.yaml", Path: filepath.Join(dir, "node.yaml")})
}

func at(dir string) Place {
	return func(name string) (string, bool) { return filepath.Join(dir, filepath.FromSlash(name)), true }
}

func written(t *testing.T) ([]byte, Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := Write(&b, Manifest{Entity: "https://a.example", Config: "config/node.yaml", Made: time.Unix(1800000000, 5)}, node(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

func TestRoundTrip(t *testing.T) {
	b, m := written(t)
	if len(m.Files) != 3 || len(m.Secrets()) != 1 {
		t.Fatalf("in it: %+v", m.Files)
	}
	got, kept, err := Read(bytes.NewReader(b), "config/node.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.Entity != m.Entity || got.Bytes() != m.Bytes() || string(kept["config/node.yaml"]) != "content of node.yaml" {
		t.Errorf("read %+v, kept %q", got, kept)
	}
	dir := filepath.Join(t.TempDir(), "new")
	if err := Restore(bytes.NewReader(b), got, at(dir)); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"config/node.yaml": 0o644, "data/keys/federation.jwks": 0o600, "data/mirror/current/a": 0o600} {
		p := filepath.Join(dir, name)
		c, err := os.ReadFile(p)
		if err != nil || !strings.HasPrefix(string(c), "content of ") {
			t.Errorf("%s: %q %v", name, c, err)
		}
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "data/keys")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder of the keys: %v %v", info.Mode(), err)
	}
}

func TestNeverOverwrites(t *testing.T) {
	b, m := written(t)
	dir := t.TempDir()
	there := filepath.Join(dir, "data/mirror/current/a")
	if err := errors.Join(os.MkdirAll(filepath.Dir(there), 0o700), os.WriteFile(there, []byte("newer"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := Restore(bytes.NewReader(b), m, at(dir)); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), there) {
		t.Errorf("restore: %v", err)
	}
	if c, err := os.ReadFile(there); err != nil || string(c) != "newer" {
		t.Errorf("it is now %q %v", c, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data/keys")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written before it was refused")
	}
}

// Every cut is noticed, and every changed byte that changes anything: a few
// bits of a compressed stream mean nothing.
func TestDamaged(t *testing.T) {
	b, _ := written(t)
	m, _, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(b); n += 7 {
		if _, _, err := Read(bytes.NewReader(b[:n])); !errors.Is(err, ErrBackup) {
			t.Fatalf("cut after %d of %d bytes: %v", n, len(b), err)
		}
	}
	noticed := 0
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 0x40
		got, _, err := Read(bytes.NewReader(c))
		switch {
		case err != nil:
			noticed++
		case !reflect.DeepEqual(got, m):
			t.Errorf("a changed byte %d of %d changes what is read", i, len(b))
		}
	}
	if noticed < len(b)*9/10 {
		t.Errorf("only %d of %d changed bytes are noticed", noticed, len(b))
	}
}

// forged makes a well-formed backup with one entry of this name and a list.
func forged(t *testing.T, listed string, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	out := tar.NewWriter(zip)
	sum := sha256.Sum256([]byte("x"))
	for _, h := range entries {
		h.Mode = 0o600
		if h.Typeflag == tar.TypeReg {
			h.Size = 1
		}
		if err := out.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := out.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := json.Marshal(Manifest{Format: Format, Files: []File{{Name: listed, Size: 1, SHA256: hex.EncodeToString(sum[:])}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Size: int64(len(list)), Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(list); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestForged(t *testing.T) {
	reg := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
	if _, _, err := Read(bytes.NewReader(forged(t, "data/a", reg("data/a")))); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	for what, b := range map[string][]byte{
		"leads out":        forged(t, "../../etc/passwd", reg("../../etc/passwd")),
		"leads out inside": forged(t, "data/../../x", reg("data/../../x")),
		"absolute":         forged(t, "/etc/passwd", reg("/etc/passwd")),
		"twice":            forged(t, "data/a", reg("data/a"), reg("data/a")),
		"not listed":       forged(t, "data/a", reg("data/a"), reg("data/b")),
		"listed only":      forged(t, "data/b", reg("data/a")),
		"a link":           forged(t, "data/a", reg("data/a"), tar.Header{Typeflag: tar.TypeSymlink, Name: "data/l", Linkname: "/etc"}),
		"a folder":         forged(t, "data/a", reg("data/a"), tar.Header{Typeflag: tar.TypeDir, Name: "data/d"}),
	} {
		if _, _, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrBackup) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatMayBeMissing(t *testing.T) {
	gone := File{Name: "data/a", Path: filepath.Join(t.TempDir(), "gone"), May: true}
	var b bytes.Buffer
	if m, err := Write(&b, Manifest{}, []File{gone}); err != nil || len(m.Files) != 0 {
		t.Errorf("%+v %v", m, err)
	}
	gone.May = false
	if _, err := Write(&b, Manifest{}, []File{gone}); !errors.Is(err, ErrMissing) {
		t.Errorf("a key that cannot be read: %v", err)
	}
}
