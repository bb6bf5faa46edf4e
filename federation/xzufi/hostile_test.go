package xzufi

import (
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/xzufi/token"
)

// answer is what is said about one hostile file.
type answer struct {
	File     string   `json:"file"`
	Refused  string   `json:"refused,omitempty"`  // the message as a whole, with place and cause
	Import   string   `json:"import,omitempty"`   // why nothing was taken over
	Imported []string `json:"imported,omitempty"` // ids that were added or changed
	Deleted  []string `json:"deleted,omitempty"`
	Findings []string `json:"findings,omitempty"` // code, line, id: what was done
	Skipped  []string `json:"skipped,omitempty"`
	Orphans  []string `json:"orphans,omitempty"`
}

// TestHostile reads every file of testdata/hostile, one fault each and named
// after it, into the example catalogue and compares what is said with
// hostile.golden.json. Whatever happens, the published catalogue is unchanged.
func TestHostile(t *testing.T) {
	b, err := ReadPath("testdata/beispiel", Options{})
	if err != nil {
		t.Fatal(err)
	}
	published, _ := mustImport(t, nil, b, ImportOptions{})
	before := digest(t, published)
	files, err := filepath.Glob("testdata/hostile/*.xml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d hostile files, %v", len(files), err)
	}
	var answers []answer
	for _, file := range files {
		answers = append(answers, ask(t, published, file))
		if digest(t, published) != before {
			t.Fatalf("%s: the published catalogue was changed", file)
		}
	}
	golden(t, "hostile.golden.json", answers)
}

func ask(t *testing.T, published *catalog.Catalogue, file string) answer {
	t.Helper()
	a := answer{File: filepath.Base(file)}
	b, err := ReadPath(file, Options{})
	var e *Error
	if err != nil {
		if !errors.As(err, &e) || e.File != file || e.Message == "" || b != nil {
			t.Errorf("%s: an error without file or message: %v", file, err)
		}
		a.Refused = strings.ReplaceAll(err.Error(), file, a.File)
		return a
	}
	next, rep, err := Import(published, b, ImportOptions{Update: true})
	if err != nil {
		a.Import = err.Error()
		if next != nil {
			t.Errorf("%s: an error and a catalogue", file)
		}
	} else {
		d := catalog.Compare(published, next)
		for _, c := range []catalog.Changes{d.Offers, d.Units, d.Delegations} {
			for _, id := range c.Added {
				a.Imported = append(a.Imported, string(id))
			}
			for _, ch := range c.Changed {
				a.Imported = append(a.Imported, string(ch.ID)+" "+strings.Join(ch.Fields, ","))
			}
			for _, id := range c.Removed {
				a.Deleted = append(a.Deleted, string(id))
			}
		}
	}
	for _, f := range rep.Findings {
		if f.Code != catalog.CodeNoKey && f.Code != catalog.CodeContact {
			a.Findings = append(a.Findings, strings.ReplaceAll(f.String(), file, a.File))
		}
	}
	a.Skipped = rep.SkippedNames()
	for _, id := range rep.Orphans {
		a.Orphans = append(a.Orphans, string(id))
	}
	return a
}

// endless is a message that never ends inside one text, element or comment.
type endless struct {
	head, body string
	at, turn   int // in head, in body
	left       int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.at < len(e.head) {
		n := copy(p, e.head[e.at:])
		e.at += n
		return n, nil
	}
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		m := copy(p[n:], e.body[e.turn:])
		n, e.turn = n+m, (e.turn+m)%len(e.body)
	}
	e.left -= int64(n)
	return n, nil
}

// TestEndless: what would fill memory is refused early, whatever it is.
func TestEndless(t *testing.T) {
	root := `<xz:m xmlns:xz="` + space220 + `">`
	for name, e := range map[string]*endless{
		"a text node of 100 MB":        {head: root + "<xz:schreibe><xz:leistung><xz:id>", body: "x", left: 100 << 20},
		"1 GB of nesting":              {head: root, body: "<xz:a>", left: 1 << 30},
		"an attribute of 100 MB":       {head: `<xz:m a="`, body: "x", left: 100 << 20},
		"a comment of 100 MB":          {head: root + "<!--", body: "x", left: 100 << 20},
		"a CDATA section of 100 MB":    {head: root + "<xz:schreibe><![CDATA[", body: "x", left: 100 << 20},
		"an element name of 100 MB":    {head: "<", body: "x", left: 100 << 20},
		"a record of endless children": {head: root + "<xz:schreibe>", body: "<xz:a/>", left: 1 << 30},
		"a record of endless texts":    {head: root + "<xz:schreibe>", body: "<xz:a>" + strings.Repeat("x", 1000) + "</xz:a>", left: 1 << 30},
		"a million attributes":         {head: "<xz:m ", body: `a="" `, left: 5 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			err := Scan(e, "endless", Options{}, &Report{}, func(Record) error { return nil })
			var x *Error
			if !errors.As(err, &x) || x.Line < 1 || (!errors.Is(err, ErrLimit) && !errors.Is(err, token.ErrSyntax)) {
				t.Fatalf("Scan = %v", err)
			}
			if e.left <= 0 {
				t.Error("it was read to its end before it was refused")
			}
		})
	}
}

// TestReportIsBounded: complaints do not fill memory either.
func TestReportIsBounded(t *testing.T) {
	var parts []string
	for range 3000 {
		parts = append(parts, `<xz:loesche klasse="x"><xz:id>1</xz:id></xz:loesche>`)
	}
	for i := range 1000 {
		parts = append(parts, "<xz:"+strings.Repeat("n", i/100+1)+string(rune('a'+i%26))+string(rune('a'+i/26%26))+"/>")
	}
	b := mustRead(t, build(space220, parts...))
	if len(b.Report.Findings) > maxFindings || b.Report.Omitted != 1000 || len(b.Report.Skipped) > 501 {
		t.Errorf("%d findings, %d omitted, %d names", len(b.Report.Findings), b.Report.Omitted, len(b.Report.Skipped))
	}
}

// FuzzRead: no message makes the reader panic, and what can be imported can
// be exported and imported again as the same catalogue.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/hostile/z*.xml", "testdata/hostile/t*.xml", "testdata/beispiel/*.xml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range files {
			f.Add(readFile(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		b := &Batch{}
		if Read(strings.NewReader(string(doc)), "fuzz", Options{}, b) != nil {
			return
		}
		c, _, err := Import(nil, b, ImportOptions{Member: testMember})
		if err != nil {
			return
		}
		first, err := Files(c)
		if err != nil {
			t.Fatalf("imported, but cannot be exported: %v", err)
		}
		again := &Batch{}
		for _, file := range first[1:] {
			if err := Read(strings.NewReader(string(file.Data)), file.Name, Options{}, again); err != nil {
				t.Fatalf("own export is refused: %v", err)
			}
		}
		if len(again.Records) == 0 {
			return
		}
		d, rep, err := Import(nil, again, ImportOptions{Member: testMember})
		if err != nil {
			t.Fatalf("own export is not imported: %v %v", err, rep.Findings)
		}
		second, err := Files(d)
		if err != nil || !slices.EqualFunc(first, second, func(a, b File) bool { return reflect.DeepEqual(a, b) }) {
			t.Fatalf("export, import, export gives other bytes: %v, %+v", err, catalog.Compare(c, d))
		}
	})
}
