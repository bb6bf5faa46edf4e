package token

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Errors, wrapped in an *Error that says where.
var (
	ErrSyntax   = errors.New("token: not well-formed XML")
	ErrEncoding = errors.New("token: not UTF-8")
	ErrDoctype  = errors.New("token: document type declarations are not accepted")
	ErrLimit    = errors.New("token: over its limit")
)

// Error is what is wrong with a document, and where.
type Error struct {
	Line    int    // from 1
	Element string // local name of the innermost open element, "" at the top
	Err     error  // wraps one of the sentinels, or is what the reader said
}

// Error implements error.
func (e *Error) Error() string {
	if e.Element == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("line %d in <%s>: %v", e.Line, e.Element, e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Kind says what Next has found.
type Kind uint8

// The kinds of tokens. Comments and processing instructions are skipped.
const (
	EOF Kind = iota
	Start
	End
	Text
)

// Limits bound what a document can make a Reader hold. Zero values mean the
// defaults.
type Limits struct {
	MaxToken      int // bytes of one tag, text or comment; 1 MiB
	MaxDepth      int // open elements; 64
	MaxAttributes int // of one element; 32
}

// maxName is the longest name, in bytes.
const maxName = 128

// Attr is one attribute that is not a namespace declaration.
type Attr struct {
	Space, Local string
	Value        string
}

// Reader reads one document. It is not safe for concurrent use. What Text and
// Attrs return holds until the next call of Next.
type Reader struct {
	src    io.Reader
	limits Limits
	err    error // sticky

	buf  []byte
	pos  int  // start of what is not consumed
	end  bool // src is at its end
	line int  // of buf[pos]

	kind  Kind
	at    int // line on which the token began
	name  qname
	attrs []Attr
	text  []byte
	empty bool // the start tag just read closes itself

	open     []openElement
	bindings []binding
	names    map[string]string
	rootSeen bool
	started  bool
}

type qname struct{ space, local string }

type openElement struct {
	raw      string // as written, prefix included
	name     qname
	bindings int // to return to when it closes
}

type binding struct{ prefix, space string }

// New returns a Reader of r.
func New(r io.Reader, l Limits) *Reader {
	if l.MaxToken <= 0 {
		l.MaxToken = 1 << 20
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = 64
	}
	if l.MaxAttributes <= 0 {
		l.MaxAttributes = 32
	}
	return &Reader{
		src: r, limits: l, buf: make([]byte, 0, 64<<10), line: 1, names: map[string]string{},
		bindings: []binding{{"", ""}, {"xml", "http://www.w3.org/XML/1998/namespace"}},
	}
}

// Space returns the namespace of the element Next has found.
func (t *Reader) Space() string { return t.name.space }

// Local returns the local name of the element Next has found.
func (t *Reader) Local() string { return t.name.local }

// Attrs returns the attributes of the start tag.
func (t *Reader) Attrs() []Attr { return t.attrs }

// Text returns the decoded text; one text may come in several tokens.
func (t *Reader) Text() []byte { return t.text }

// Line returns the line on which the token began, from 1.
func (t *Reader) Line() int { return t.at }

// Depth returns the number of open elements, the one just started included
// and the one just ended not.
func (t *Reader) Depth() int { return len(t.open) }

// Next reads the next token. At the end of a complete document it returns
// EOF; every error is an *Error and final.
func (t *Reader) Next() (Kind, error) {
	if t.err != nil {
		return EOF, t.err
	}
	kind, err := t.next()
	if err != nil {
		e := &Error{Line: t.line, Err: err}
		if n := len(t.open); n > 0 {
			e.Element = t.open[n-1].name.local
		}
		t.err = e
		return EOF, e
	}
	t.kind = kind
	return kind, nil
}

func (t *Reader) next() (Kind, error) {
	if !t.started {
		t.started = true
		if err := t.prolog(); err != nil {
			return EOF, err
		}
	}
	if t.empty {
		t.empty = false
		t.pop()
		return End, nil
	}
	for {
		t.at = t.line
		if !t.more(1) {
			return EOF, t.finish()
		}
		if t.buf[t.pos] != '<' {
			kind, err := t.readText()
			if kind == Text || err != nil {
				return kind, err
			}
			continue
		}
		if !t.more(2) {
			return EOF, fmt.Errorf("%w: ends in a tag", ErrSyntax)
		}
		switch t.buf[t.pos+1] {
		case '!':
			kind, err := t.declaration()
			if kind == Text || err != nil {
				return kind, err
			}
		case '?':
			if err := t.instruction(); err != nil {
				return EOF, err
			}
		case '/':
			return End, t.endTag()
		default:
			return Start, t.startTag()
		}
	}
}

func (t *Reader) finish() error {
	if t.err != nil {
		return t.err
	}
	if len(t.open) > 0 {
		return fmt.Errorf("%w: ends inside <%s>", ErrSyntax, t.open[len(t.open)-1].raw)
	}
	if !t.rootSeen {
		return fmt.Errorf("%w: no element", ErrSyntax)
	}
	return nil
}

// more makes sure that n bytes are in the buffer; false at the end of the
// document or after a read error, which is kept.
func (t *Reader) more(n int) bool {
	for len(t.buf)-t.pos < n {
		if t.end {
			return false
		}
		t.fill()
	}
	return true
}

// fill reads more, moving what is not consumed to the front and growing the
// buffer when it is full.
func (t *Reader) fill() {
	if t.pos > 0 && (len(t.buf) == cap(t.buf) || t.pos == len(t.buf)) {
		t.buf = t.buf[:copy(t.buf, t.buf[t.pos:])]
		t.pos = 0
	}
	if len(t.buf) == cap(t.buf) {
		t.buf = append(t.buf, make([]byte, cap(t.buf))...)[:len(t.buf)]
	}
	for range 100 {
		n, err := t.src.Read(t.buf[len(t.buf):cap(t.buf)])
		t.buf = t.buf[:len(t.buf)+n]
		if err != nil {
			t.end = true
			if !errors.Is(err, io.EOF) {
				t.err = err
			}
			return
		}
		if n > 0 {
			return
		}
	}
	t.end, t.err = true, io.ErrNoProgress
}

// until returns what lies between pos+skip and the first mark after it,
// within MaxToken bytes, and consumes all of it.
func (t *Reader) until(skip int, mark string, what string) ([]byte, error) {
	from := skip
	for {
		if i := bytes.Index(t.buf[min(t.pos+from, len(t.buf)):], []byte(mark)); i >= 0 {
			body := t.buf[t.pos+skip : t.pos+from+i]
			if err := t.fits(from + i); err != nil {
				return nil, err
			}
			t.consume(from + i + len(mark))
			return body, nil
		}
		from = max(skip, len(t.buf)-t.pos-len(mark)+1)
		if err := t.fits(from); err != nil {
			return nil, err
		}
		if !t.more(len(t.buf) - t.pos + 1) {
			return nil, t.cut(what)
		}
	}
}

// cut is the error of a document that ends in the middle of something.
func (t *Reader) cut(what string) error {
	if t.err != nil {
		return t.err
	}
	return fmt.Errorf("%w: ends in %s", ErrSyntax, what)
}

func (t *Reader) fits(n int) error {
	if n > t.limits.MaxToken {
		return fmt.Errorf("%w: one piece of more than %d bytes", ErrLimit, t.limits.MaxToken)
	}
	return nil
}

// consume moves past n bytes and counts their lines.
func (t *Reader) consume(n int) {
	t.line += bytes.Count(t.buf[t.pos:t.pos+n], []byte{'\n'})
	t.pos += n
}

// intern returns b as a string; short ones are kept, up to a bound, because
// the same names and codes come again and again.
func (t *Reader) intern(b []byte) string {
	if s, ok := t.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) <= 64 && len(t.names) < 4096 {
		t.names[s] = s
	}
	return s
}

// valid reports whether b is UTF-8 of characters XML allows.
func valid(b []byte) error {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c >= 0x20 && c < 0x80 {
			continue
		}
		if c >= 0x80 {
			return validWide(b[i:])
		}
		if c != '\t' && c != '\n' && c != '\r' {
			return fmt.Errorf("%w: control character %#x", ErrSyntax, c)
		}
	}
	return nil
}

func validWide(b []byte) error {
	for i := 0; i < len(b); {
		c := b[i]
		if c < 0x80 {
			if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
				return fmt.Errorf("%w: control character %#x", ErrSyntax, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return fmt.Errorf("%w: byte %#x", ErrEncoding, c)
		}
		if r == 0xfffe || r == 0xffff {
			return fmt.Errorf("%w: character %#x", ErrSyntax, r)
		}
		i += n
	}
	return nil
}
