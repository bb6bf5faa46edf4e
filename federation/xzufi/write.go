package xzufi

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// ErrTarget is wrapped when Write would overwrite something it has not made.
var ErrTarget = errors.New("xzufi: the target holds other files")

// File is one file of an export.
type File struct {
	Name string
	Data []byte
}

// The files of an export, in the order of its index.
const (
	fileUnits    = "organisationseinheiten.xml"
	fileOffers   = "leistungen.xml"
	fileForms    = "onlinedienste.xml"
	fileClaims   = "zustaendigkeiten.xml"
	writtenList  = "20240216"
	headerStart  = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	rootName     = "xz:leistungsverzeichnis.transfer"
	schemaXSI    = "http://www.w3.org/2001/XMLSchema-instance"
	exportMaker  = "Rathausnetz"
	exportFormat = "1"
)

// Files returns a catalogue as XZuFi 2.2.0: index.txt and the messages it
// lists. The bytes depend on the content alone, not on member, serial or
// time; reading them gives the same catalogue. The catalogue must be
// normalised and valid, and is not changed.
func Files(c *catalog.Catalogue) ([]File, error) {
	for _, f := range catalog.Validate(c) {
		if f.Severity == catalog.Invalid {
			return nil, fmt.Errorf("write: %w: %s", ErrInvalid, f)
		}
	}
	latest := latestChange(c)
	files := []File{
		message(fileUnits, latest, func(w *writer) { each(w, c.Units, (*writer).unit) }),
		message(fileOffers, latest, func(w *writer) { each(w, c.Offers, (*writer).offer) }),
		message(fileForms, latest, func(w *writer) { each(w, forms(c), (*writer).form) }),
		message(fileClaims, latest, func(w *writer) {
			each(w, c.Offers, (*writer).claims)
			each(w, c.Delegations, (*writer).delegation)
		}),
	}
	var index bytes.Buffer
	for _, f := range files {
		index.WriteString(f.Name + "\r\n")
	}
	return append([]File{{indexName, index.Bytes()}}, files...), nil
}

// FileNames are the names of Files, the index first.
func FileNames() []string { return []string{indexName, fileUnits, fileOffers, fileForms, fileClaims} }

func each[T any](w *writer, list []T, write func(*writer, *T)) {
	for i := range list {
		write(w, &list[i])
	}
}

// forms returns every Onlinedienst once, in the order of ids.
func forms(c *catalog.Catalogue) []catalog.Onlinedienst {
	var list []catalog.Onlinedienst
	for i := range c.Offers {
		list = append(list, c.Offers[i].Onlinedienste...)
	}
	slices.SortStableFunc(list, func(a, b catalog.Onlinedienst) int { return compareID(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b catalog.Onlinedienst) bool { return a.ID == b.ID })
}

func compareID(a, b catalog.ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// latestChange stands for the time of the export, so that the same content
// has the same bytes.
func latestChange(c *catalog.Catalogue) time.Time {
	latest := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range c.Offers {
		if t := c.Offers[i].Geaendert; t.After(latest) {
			latest = t
		}
	}
	for i := range c.Units {
		if t := c.Units[i].Geaendert; t.After(latest) {
			latest = t
		}
	}
	return latest
}

// message writes one file: envelope, head and records. The identifiers of the
// message are made from its content.
func message(name string, at time.Time, records func(*writer)) File {
	body := &writer{depth: 1}
	records(body)
	id := federation.Sum(body.buf.Bytes())
	w := &writer{}
	w.buf.WriteString(headerStart)
	w.open(rootName, "xmlns:xz", space220, "xmlns:xsi", schemaXSI, "xzufiVersion", "2.2.0",
		"produktbezeichnung", exportMaker, "produkthersteller", exportMaker, "produktversion", exportFormat)
	w.open("xz:nachrichtenkopf")
	w.leaf("xz:nachrichtUUID", fmt.Sprintf("%x-%x-4%03x-8%03x-%x", id[0:4], id[4:6], int(id[6])<<4|int(id[7])>>4, int(id[8])<<4|int(id[9])>>4, id[10:16]))
	w.leaf("xz:erstelltDatumZeit", at.UTC().Format(time.RFC3339))
	w.close("xz:nachrichtenkopf")
	w.leaf("xz:transaktionID", id.Short())
	w.leaf("xz:transaktionPosition", "1")
	w.buf.Write(body.buf.Bytes())
	w.close(rootName)
	return File{name, w.buf.Bytes()}
}

// Write puts an export into the folder dir, which is made if need be. Files
// of an earlier export are replaced one by one, each as a whole and the index
// last; anything else in the folder is ErrTarget, and nothing is written.
func Write(dir string, c *catalog.Catalogue) error {
	files, err := Files(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write %s: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("write %s: %w", dir, err)
	}
	for _, e := range entries {
		if !slices.ContainsFunc(files, func(f File) bool { return f.Name == e.Name() }) {
			return fmt.Errorf("write %s: %w: %s; choose an empty folder", dir, ErrTarget, e.Name())
		}
	}
	for _, f := range append(files[1:], files[0]) {
		if err := replace(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", dir, err)
		}
	}
	return nil
}

// WriteZip writes an export as one archive; equal content gives equal bytes.
func WriteZip(w io.Writer, c *catalog.Catalogue) error {
	files, err := Files(c)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, f := range files {
		part, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate})
		if err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
		if _, err := part.Write(f.Data); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return z.Close()
}

// replace writes a file aside and moves it into place.
func replace(name string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
