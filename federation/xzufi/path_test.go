package xzufi

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rathausnetz/federation/catalog"
)

// folder writes files and returns the folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, body := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var (
	docA = build(space220, leistungXML("a", ""))
	docB = build(space220, leistungXML("b", ""))
)

func TestReadFolder(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		ids   string
		err   error
		found string
	}{
		{"in the order of the index", map[string]string{"index.txt": "b.xml\r\na.xml\r\n\r\n", "a.xml": docA, "b.xml": docB}, "A:b A:a", nil, ""},
		{"without an index", map[string]string{"b.xml": docB, "a.xml": docA}, "A:a A:b", nil, catalog.CodeSkipped},
		{"with a file the index does not name", map[string]string{"index.txt": "b.xml", "a.xml": docA, "b.xml": docB}, "A:b", nil, catalog.CodeSkipped},
		{"with a name twice", map[string]string{"index.txt": "b.xml\nb.xml\n", "b.xml": docB}, "A:b", nil, ""},
		{"with a file missing", map[string]string{"index.txt": "a.xml\nb.xml\n", "a.xml": docA}, "", ErrIndex, ""},
		{"with an empty index", map[string]string{"index.txt": "\r\n", "a.xml": docA}, "", ErrIndex, ""},
		{"with a way out", map[string]string{"index.txt": "../secret.xml\n", "a.xml": docA}, "", ErrIndex, ""},
		{"with a way out of windows", map[string]string{"index.txt": "c:\\secret.xml\n", "a.xml": docA}, "", ErrIndex, ""},
		{"with nothing", map[string]string{"readme.txt": "x"}, "", ErrEmpty, ""},
		{"with one broken file", map[string]string{"index.txt": "a.xml\nb.xml\n", "a.xml": docA, "b.xml": "<x"}, "", nil, "broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ReadPath(folder(t, tt.files), Options{})
			var e *Error
			if tt.found == "broken" {
				if !errors.As(err, &e) || !strings.HasSuffix(e.File, "b.xml") || e.Line != 1 || b != nil {
					t.Fatalf("a broken file: %v, %v", b, err)
				}
				return
			}
			if !errors.Is(err, tt.err) || (err != nil && !errors.As(err, &e)) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			var ids []string
			for _, r := range b.Records {
				ids = append(ids, string(r.ID))
			}
			if got := strings.Join(ids, " "); got != tt.ids {
				t.Errorf("read %q, want %q", got, tt.ids)
			}
			if tt.found != "" && !hasCode(&b.Report, tt.found) {
				t.Errorf("no finding %s in %v", tt.found, b.Report.Findings)
			}
		})
	}
}

func TestReadFolderDoesNotFollowLinksOut(t *testing.T) {
	outside := folder(t, map[string]string{"secret.xml": docA})
	dir := folder(t, map[string]string{"index.txt": "a.xml\n"})
	if err := os.Symlink(filepath.Join(outside, "secret.xml"), filepath.Join(dir, "a.xml")); err != nil {
		t.Skip(err)
	}
	if b, err := ReadPath(dir, Options{}); err == nil {
		t.Errorf("a link out of the folder was followed: %d records", len(b.Records))
	}
}

func TestReadZip(t *testing.T) {
	many := map[string]string{}
	for i := range 30 {
		many[fmt.Sprintf("%d.xml", i)] = docA
	}
	bomb := build(space220, strings.Repeat(leistungXML("a", ""), 20_000))
	for _, tt := range []struct {
		name   string
		data   []byte
		limits Limits
		want   int
		err    error
	}{
		{"files at the top", archive(t, map[string]string{"index.txt": "a.xml\nb.xml", "a.xml": docA, "b.xml": docB}), Limits{}, 2, nil},
		{"files in one folder", archive(t, map[string]string{"export/index.txt": "a.xml", "export/a.xml": docA}), Limits{}, 1, nil},
		{"a way out", archive(t, map[string]string{"../a.xml": docA}), Limits{}, 0, ErrInput},
		{"not an archive", []byte("PK\x03\x04 nonsense"), Limits{}, 0, ErrInput},
		{"cut off", archive(t, map[string]string{"a.xml": docA})[:100], Limits{}, 0, ErrInput},
		{"too many files", archive(t, many), Limits{MaxFiles: 20}, 0, ErrLimit},
		{"one file too large", archive(t, map[string]string{"a.xml": bomb}), Limits{MaxFile: 1 << 20}, 0, ErrLimit},
		{"all files too large together", archive(t, map[string]string{"a.xml": bomb, "b.xml": bomb}), Limits{MaxTotal: int64(len(bomb)) + 100}, 0, ErrLimit},
		{"too many records", archive(t, map[string]string{"a.xml": bomb}), Limits{MaxRecords: 100}, 0, ErrLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "x.zip")
			if err := os.WriteFile(name, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := ReadPath(name, Options{Limits: tt.limits})
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && len(b.Records) != tt.want {
				t.Errorf("%d records, want %d", len(b.Records), tt.want)
			}
		})
	}
}

func TestReadPathOfNothing(t *testing.T) {
	_, err := ReadPath(filepath.Join(t.TempDir(), "none.xml"), Options{})
	var e *Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || e.Message == "" {
		t.Errorf("ReadPath = %v", err)
	}
}

func TestWriteIntoFolders(t *testing.T) {
	c, _ := mustImport(t, nil, mustRead(t, docA), ImportOptions{})
	dir := filepath.Join(t.TempDir(), "new", "export")
	for range 2 { // a second export replaces the first
		if err := Write(dir, c); err != nil {
			t.Fatal(err)
		}
	}
	b, err := ReadPath(dir, Options{})
	if err != nil || len(b.Records) != 1 {
		t.Fatalf("read back: %v, %v", b, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("%d files, %v; want 5 and no temporary ones", len(entries), err)
	}
	foreign := folder(t, map[string]string{"precious.txt": "x"})
	if err := Write(foreign, c); !errors.Is(err, ErrTarget) {
		t.Errorf("a folder with other files: %v", err)
	}
	if entries, err := os.ReadDir(foreign); err != nil || len(entries) != 1 {
		t.Errorf("something was written: %v %v", entries, err)
	}
	c.Offers[0].Title = nil
	if err := Write(dir, c); !errors.Is(err, ErrInvalid) {
		t.Errorf("an invalid catalogue: %v", err)
	}
}

func TestWriteZip(t *testing.T) {
	c, _ := mustImport(t, nil, mustRead(t, docA), ImportOptions{})
	var first, second bytes.Buffer
	if err := errors.Join(WriteZip(&first, c), WriteZip(&second, c)); err != nil {
		t.Fatal(err)
	}
	b, err := ReadZip(bytes.NewReader(first.Bytes()), int64(first.Len()), "x.zip", Options{})
	if err != nil || len(b.Records) != 1 || len(b.Report.Findings) > 0 {
		t.Errorf("read back: %+v, %v", b, err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of one catalogue differ")
	}
}
