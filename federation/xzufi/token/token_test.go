package token

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// events reads a document and writes it down, adjacent texts joined. Blanks in
// attributes are made alike: encoding/xml does not turn them into spaces.
func events(r io.Reader, l Limits) (string, error) {
	blanks := strings.NewReplacer("\n", " ", "\t", " ", "\r", " ")
	t := New(r, l)
	var b strings.Builder
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			fmt.Fprintf(&b, "T%q\n", text.String())
			text.Reset()
		}
	}
	for {
		k, err := t.Next()
		if err != nil {
			return b.String(), err
		}
		if k != Text {
			flush()
		}
		switch k {
		case EOF:
			return b.String(), nil
		case Start:
			fmt.Fprintf(&b, "S%q %q", t.Space(), t.Local())
			for _, a := range t.Attrs() {
				fmt.Fprintf(&b, " %q %q=%q", a.Space, a.Local, blanks.Replace(a.Value))
			}
			b.WriteString("\n")
		case End:
			fmt.Fprintf(&b, "E%q %q\n", t.Space(), t.Local())
		case Text:
			text.Write(t.Text())
		}
	}
}

// standard is events by encoding/xml.
func standard(doc string) (string, error) {
	blanks := strings.NewReplacer("\n", " ", "\t", " ", "\r", " ")
	d := xml.NewDecoder(strings.NewReader(doc))
	var b, text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			fmt.Fprintf(&b, "T%q\n", text.String())
			text.Reset()
		}
	}
	depth := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		switch x := tok.(type) {
		case xml.StartElement:
			flush()
			depth++
			fmt.Fprintf(&b, "S%q %q", x.Name.Space, x.Name.Local)
			for _, a := range x.Attr {
				if a.Name.Space == "xmlns" || (a.Name.Space == "" && a.Name.Local == "xmlns") {
					continue
				}
				fmt.Fprintf(&b, " %q %q=%q", a.Name.Space, a.Name.Local, blanks.Replace(a.Value))
			}
			b.WriteString("\n")
		case xml.EndElement:
			flush()
			depth--
			fmt.Fprintf(&b, "E%q %q\n", x.Name.Space, x.Name.Local)
		case xml.CharData:
			if depth > 0 {
				text.Write(x)
			}
		}
	}
}

const accepted = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<a:root xmlns:a="urn:a" xmlns="urn:d" x='1 &amp; "2"' a:y="z">
  <b>Müll &lt;p&gt; &#228; &#x1F600;<![CDATA[<p>&amp;]]]></b><?go on?>
  <a:c/><d xmlns=""><e/></d>
</a:root>
`

func TestReader(t *testing.T) {
	want, err := standard(accepted)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(accepted), "one byte at a time": iotest.OneByteReader(strings.NewReader(accepted)),
		"with a byte order mark": strings.NewReader("\ufeff" + accepted),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := events(r, Limits{})
			if err != nil || got != want {
				t.Errorf("got %s, %v; want %s", got, err, want)
			}
		})
	}
}

func TestReaderCountsLines(t *testing.T) {
	r := New(strings.NewReader("<a>\n\n<b\nc='1'/>\n</a>"), Limits{})
	for _, want := range []struct {
		kind Kind
		line int
	}{{Start, 1}, {Text, 1}, {Start, 3}, {End, 3}, {Text, 4}, {End, 5}, {EOF, 5}} {
		k, err := r.Next()
		if err != nil || k != want.kind || (k != End && r.Line() != want.line) {
			t.Errorf("Next = %v on line %d, %v; want %v on line %d", k, r.Line(), err, want.kind, want.line)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		want      error
	}{
		{"nothing", "", ErrSyntax},
		{"text only", "hello", ErrSyntax},
		{"not closed", "<a><b></b>", ErrSyntax},
		{"closed wrongly", "<a><b></a></b>", ErrSyntax},
		{"two roots", "<a/><b/>", ErrSyntax},
		{"text after root", "<a/>x", ErrSyntax},
		{"doctype", `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, ErrDoctype},
		{"entity", "<a>&nbsp;</a>", ErrSyntax},
		{"bare ampersand", "<a>b & c</a>", ErrSyntax},
		{"nul reference", "<a>&#0;</a>", ErrSyntax},
		{"surrogate reference", "<a>&#xD800;</a>", ErrSyntax},
		{"control character", "<a>\x01</a>", ErrSyntax},
		{"latin-1 bytes", "<a>M\xfcll</a>", ErrEncoding},
		{"latin-1 declared", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, ErrEncoding},
		{"utf-16", "\xff\xfe<\x00a\x00", ErrEncoding},
		{"version 1.1", `<?xml version="1.1"?><a/>`, ErrSyntax},
		{"attribute twice", `<a b="1" b="2"/>`, ErrSyntax},
		{"attribute twice by namespace", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, ErrSyntax},
		{"attribute without quotes", `<a b=1/>`, ErrSyntax},
		{"attributes without blank", `<a b="1"c="2"/>`, ErrSyntax},
		{"less-than in attribute", `<a b="<"/>`, ErrSyntax},
		{"prefix not declared", `<p:a/>`, ErrSyntax},
		{"comment with dashes", `<a><!-- -- --></a>`, ErrSyntax},
		{"cdata end in text", `<a>]]></a>`, ErrSyntax},
		{"late declaration", `<a><?xml version="1.0"?></a>`, ErrSyntax},
		{"depth", strings.Repeat("<a>", 100), ErrLimit},
		{"attributes", "<a " + strings.Repeat("b='' ", 100) + "/>", ErrLimit},
		{"long text", "<a>" + strings.Repeat("x", 5000) + "</a>", ErrLimit},
		{"long comment", "<!--" + strings.Repeat("x", 5000) + "--><a/>", ErrLimit},
		{"long tag", "<a b='" + strings.Repeat("x", 5000) + "'/>", ErrLimit},
		{"endless tag", "<a " + strings.Repeat("x", 5000), ErrLimit},
		{"long name", "<" + strings.Repeat("x", 500) + "/>", ErrSyntax},
		{"cut in tag", "<a b", ErrSyntax},
		{"cut in comment", "<a><!-- ", ErrSyntax},
		{"cut in cdata", "<a><![CDATA[x", ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := events(strings.NewReader(tt.doc), Limits{MaxToken: 4096})
			var e *Error
			if !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Line < 1 {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestReaderKeepsReadErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, doc := range []string{"<a>", "<a>text", "<a", "<a><!--", ""} {
		_, err := events(io.MultiReader(strings.NewReader(doc), iotest.ErrReader(broken)), Limits{})
		if !errors.Is(err, broken) {
			t.Errorf("%q: %v, want the reader's error", doc, err)
		}
	}
}

// FuzzReader: whatever is accepted here is accepted by encoding/xml with the
// same elements, attributes and texts.
func FuzzReader(f *testing.F) {
	f.Add(accepted)
	f.Add(`<a b='&#10;c'>]]&gt;` + "\r\n\r" + `</a >`)
	f.Add(`<a xmlns:b="c"><b:d b:e="f"/></a>`)
	f.Fuzz(func(t *testing.T, doc string) {
		got, err := events(strings.NewReader(doc), Limits{MaxToken: 4096})
		if err != nil {
			return
		}
		want, err := standard(doc)
		if err != nil {
			t.Fatalf("accepted what encoding/xml refuses: %v", err)
		}
		if got != want {
			t.Fatalf("got %s\nwant %s", got, want)
		}
	})
}

func benchDocument() string {
	return "<r xmlns:xz='urn:x'>" + strings.Repeat(`<xz:modulText><xz:leikaTextmodul listURI="urn:l"><code>05</code></xz:leikaTextmodul>
  <xz:inhalt languageCode="de">&lt;p&gt;Den Antrag können Sie online, schriftlich oder persönlich bei der zuständigen Stelle einreichen.&lt;/p&gt;</xz:inhalt>
</xz:modulText>
`, 20000) + "</r>"
}

func BenchmarkToken(b *testing.B) {
	doc := benchDocument()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		t := New(strings.NewReader(doc), Limits{})
		for {
			k, err := t.Next()
			if err != nil {
				b.Fatal(err)
			}
			if k == EOF {
				break
			}
		}
	}
}

// BenchmarkEncodingXML is the same work by the standard library.
func BenchmarkEncodingXML(b *testing.B) {
	doc := benchDocument()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		d := xml.NewDecoder(strings.NewReader(doc))
		for {
			if _, err := d.Token(); err != nil {
				if errors.Is(err, io.EOF) {
					break
				}
				b.Fatal(err)
			}
		}
	}
}
