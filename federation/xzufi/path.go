package xzufi

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"rathausnetz/federation/catalog"
)

// indexName is the file that lists the messages of a delivery, one name a
// line, in the order in which they are to be read.
const indexName = "index.txt"

// maxIndex is the largest index, in bytes.
const maxIndex = 1 << 20

// ReadPath reads a message, a folder or a .zip archive of messages.
//
// A folder or archive is read in the order of its index.txt. A file the index
// names and the folder lacks is an error, as is an empty index: a delivery
// with a part missing would delete what that part holds. A message that the
// index does not name is left out with a finding. Without an index.txt all
// .xml files are read in the order of their names. Only plain file names are
// accepted; nothing outside the folder is opened. Errors are *Error.
func ReadPath(name string, opt Options) (*Batch, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	switch {
	case info.IsDir():
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		b, err := ReadFS(root.FS(), name, opt)
		return b, errors.Join(err, root.Close())
	case strings.EqualFold(path.Ext(name), ".zip"):
		f, err := os.Open(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		b, err := ReadZip(f, info.Size(), name, opt)
		return b, errors.Join(err, f.Close())
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	b := &Batch{}
	if err := errors.Join(Read(f, name, opt, b), f.Close()); err != nil {
		return nil, err
	}
	return b, nil
}

func unreadable(file string, err error) error {
	return &Error{File: file, Err: fmt.Errorf("%w: %w", ErrInput, err), Message: "Die Datei lässt sich nicht lesen. Prüfen Sie Name und Rechte."}
}

// ReadZip reads an archive of at most MaxFiles messages. What an archive says
// about its sizes is not believed: what is read is counted.
func ReadZip(r io.ReaderAt, size int64, name string, opt Options) (*Batch, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, &Error{File: name, Err: fmt.Errorf("%w: %w", ErrInput, err), Message: "Das Archiv ist beschädigt. Packen Sie es neu."}
	}
	if limit := opt.filled().Limits.MaxFiles; len(z.File) > limit {
		return nil, tooMany(name, limit)
	}
	for _, f := range z.File {
		if !fs.ValidPath(strings.TrimSuffix(f.Name, "/")) {
			return nil, &Error{File: name, ID: clip(f.Name), Err: ErrInput, Message: "Im Archiv liegt eine Datei mit einem unzulässigen Pfad. Packen Sie es neu."}
		}
	}
	var fsys fs.FS = z
	if dir := onlyFolder(z); dir != "" {
		if fsys, err = fs.Sub(z, dir); err != nil {
			return nil, unreadable(name, err)
		}
	}
	return ReadFS(fsys, name, opt)
}

// onlyFolder returns the one folder everything in the archive lies in, "" if
// there are files at its top.
func onlyFolder(z *zip.Reader) string {
	dir := ""
	for _, f := range z.File {
		first, _, nested := strings.Cut(f.Name, "/")
		if !nested || !fs.ValidPath(first) || first == "." || (dir != "" && dir != first) {
			return ""
		}
		dir = first
	}
	return dir
}

// ReadFS reads the top folder of fsys, which name stands for in messages.
func ReadFS(fsys fs.FS, name string, opt Options) (*Batch, error) {
	opt = opt.filled()
	files, err := listing(fsys, name, opt.Limits.MaxFiles)
	if err != nil {
		return nil, err
	}
	b := &Batch{}
	index, err := readIndex(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if len(files) == 0 {
			return nil, &Error{File: name, Err: ErrEmpty, Message: "Im Ordner liegt keine XML-Datei."}
		}
		index = files
		b.Report.find(catalog.Finding{Severity: catalog.Warn, Code: catalog.CodeSkipped, File: path.Join(name, indexName), Field: indexName, Message: "Es gibt keine index.txt. Alle XML-Dateien wurden gelesen.", Remedy: "Legen Sie eine index.txt an, damit eine fehlende Datei auffällt."})
	case err != nil:
		return nil, err
	}
	for i, file := range index {
		if !slices.Contains(files, file) {
			return nil, &Error{File: path.Join(name, indexName), Line: i + 1, ID: file, Err: ErrIndex, Message: "Die Datei steht in der index.txt, fehlt aber. Liefern Sie sie mit; bis dahin bleibt alles, wie es ist."}
		}
	}
	for _, file := range files {
		if !slices.Contains(index, file) {
			b.Report.find(catalog.Finding{Severity: catalog.Warn, Code: catalog.CodeSkipped, File: path.Join(name, file), Field: indexName, Message: "Die Datei steht nicht in der index.txt und wurde nicht gelesen.", Remedy: "Tragen Sie sie ein oder entfernen Sie sie."})
		}
	}
	left := opt.Limits.MaxTotal
	for _, file := range index {
		if left, err = readOne(fsys, file, path.Join(name, file), left, opt, b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readOne reads one file of a folder and returns how many bytes may follow.
func readOne(fsys fs.FS, file, shown string, left int64, opt Options, b *Batch) (int64, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return 0, unreadable(shown, err)
	}
	opt.Limits.MaxFile = min(opt.Limits.MaxFile, max(left, 1))
	before := b.Report.Bytes
	if err := errors.Join(Read(f, shown, opt, b), f.Close()); err != nil {
		return 0, err
	}
	return left - (b.Report.Bytes - before), nil
}

// listing returns the names of all .xml files, sorted.
func listing(fsys fs.FS, name string, limit int) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, unreadable(name, err)
	}
	if len(entries) > limit {
		return nil, tooMany(name, limit)
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && strings.EqualFold(path.Ext(e.Name()), ".xml") {
			files = append(files, e.Name())
		}
	}
	slices.Sort(files)
	return files, nil
}

func tooMany(name string, limit int) error {
	return &Error{File: name, Err: ErrLimit, Message: fmt.Sprintf("Es sind mehr als %d Dateien. Teilen Sie die Lieferung auf.", limit)}
}

// readIndex returns the names in index.txt, in order. fs.ErrNotExist means
// that there is none.
func readIndex(fsys fs.FS, name string) ([]string, error) {
	f, err := fsys.Open(indexName)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fs.ErrNotExist
		}
		return nil, unreadable(path.Join(name, indexName), err)
	}
	list, err := parseIndex(f, path.Join(name, indexName))
	return list, errors.Join(err, f.Close())
}

// parseIndex reads one plain file name a line; the lines end in CR LF or LF
// and may be empty.
func parseIndex(r io.Reader, shown string) ([]string, error) {
	var list []string
	seen := map[string]bool{}
	in := bufio.NewScanner(io.LimitReader(r, maxIndex+1))
	total := 0
	for line := 1; in.Scan(); line++ {
		total += len(in.Bytes()) + 1
		name := strings.TrimSpace(strings.TrimPrefix(in.Text(), "\ufeff"))
		switch {
		case total > maxIndex:
			return nil, &Error{File: shown, Line: line, Err: ErrLimit, Message: "Die index.txt ist zu groß."}
		case name == "" || seen[name]:
			continue
		case strings.ContainsAny(name, `/\:`) || name == "." || name == ".." || !fs.ValidPath(name):
			return nil, &Error{File: shown, Line: line, ID: clip(name), Err: ErrIndex, Message: "In der index.txt dürfen nur Dateinamen ohne Ordner stehen."}
		}
		seen[name] = true
		list = append(list, name)
	}
	if err := in.Err(); err != nil {
		return nil, unreadable(shown, err)
	}
	if len(list) == 0 {
		return nil, &Error{File: shown, Err: ErrIndex, Message: "Die index.txt ist leer. Damit nichts gelöscht wird, wurde nichts geändert."}
	}
	return list, nil
}
