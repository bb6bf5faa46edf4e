package token

import (
	"bytes"
	"fmt"
	"strings"
)

// prolog skips a byte order mark and reads the XML declaration, which may
// name no other encoding than UTF-8.
func (t *Reader) prolog() error {
	t.more(5)
	b := t.buf[t.pos:]
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		t.pos += 3
		t.more(5)
	case bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\x00<")), bytes.HasPrefix(b, []byte("<\x00")):
		return fmt.Errorf("%w: UTF-16", ErrEncoding)
	}
	if !bytes.HasPrefix(t.buf[t.pos:], []byte("<?xml")) || !t.more(6) || !isSpace(t.buf[t.pos+5]) {
		return nil
	}
	body, err := t.until(len("<?xml"), "?>", "the XML declaration")
	if err != nil {
		return err
	}
	attrs := string(body)
	if v, ok := pseudo(attrs, "version"); !ok || v != "1.0" {
		return fmt.Errorf("%w: XML declaration without version 1.0", ErrSyntax)
	}
	if enc, ok := pseudo(attrs, "encoding"); ok && !strings.EqualFold(enc, "utf-8") {
		return fmt.Errorf("%w: the declaration says %q", ErrEncoding, enc)
	}
	return nil
}

// pseudo returns the value of name="…" in an XML declaration.
func pseudo(s, name string) (string, bool) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		rest = strings.TrimSpace(rest)
		if !ok || rest == "" || (rest[0] != '"' && rest[0] != '\'') {
			return "", false
		}
		value, after, ok := strings.Cut(rest[1:], rest[:1])
		if !ok {
			return "", false
		}
		if strings.TrimSpace(key) == name {
			return value, true
		}
		s = after
	}
	return "", false
}

// declaration reads what begins with <!: a comment, which is skipped, or
// CDATA, which is text.
func (t *Reader) declaration() (Kind, error) {
	t.more(len("<![CDATA["))
	b := t.buf[t.pos:]
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		body, err := t.until(len("<!--"), "--", "a comment")
		if err != nil {
			return EOF, err
		}
		if err := valid(body); err != nil {
			return EOF, err
		}
		if !t.more(1) || t.buf[t.pos] != '>' {
			return EOF, fmt.Errorf("%w: -- inside a comment", ErrSyntax)
		}
		t.consume(1)
		return EOF, nil
	case bytes.HasPrefix(b, []byte("<![CDATA[")):
		body, err := t.until(len("<![CDATA["), "]]>", "a CDATA section")
		if err != nil {
			return EOF, err
		}
		if len(t.open) == 0 {
			return EOF, fmt.Errorf("%w: text outside the root element", ErrSyntax)
		}
		if err := valid(body); err != nil {
			return EOF, err
		}
		t.text = appendLines(t.text[:0], body)
		return Text, nil
	case bytes.HasPrefix(b, []byte("<!DOCTYPE")):
		return EOF, ErrDoctype
	}
	return EOF, fmt.Errorf("%w: unknown declaration", ErrSyntax)
}

func (t *Reader) instruction() error {
	body, err := t.until(len("<?"), "?>", "a processing instruction")
	if err != nil {
		return err
	}
	n := nameLength(body)
	target := body[:n]
	if n == 0 || bytes.IndexByte(target, ':') >= 0 || (n < len(body) && !isSpace(body[n])) || bytes.EqualFold(target, []byte("xml")) {
		return fmt.Errorf("%w: processing instruction", ErrSyntax)
	}
	return valid(body)
}

// endTag reads </name> and checks that it closes what is open.
func (t *Reader) endTag() error {
	body, err := t.until(len("</"), ">", "an end tag")
	if err != nil {
		return err
	}
	n := nameLength(body)
	if len(bytes.Trim(body[n:], " \t\r\n")) > 0 || len(t.open) == 0 || t.open[len(t.open)-1].raw != string(body[:n]) {
		return fmt.Errorf("%w: </%s> closes nothing", ErrSyntax, clip(body))
	}
	t.pop()
	return nil
}

// pop closes the innermost element and makes it the current one.
func (t *Reader) pop() {
	last := len(t.open) - 1
	t.name, t.attrs = t.open[last].name, t.attrs[:0]
	t.bindings = t.bindings[:t.open[last].bindings]
	t.open = t.open[:last]
}

// tagLength finds the end of the start tag at pos, quotes considered, and
// returns the number of bytes up to and with >.
func (t *Reader) tagLength() (int, error) {
	var quote byte
	for i := 1; ; {
		for ; t.pos+i < len(t.buf); i++ {
			switch c := t.buf[t.pos+i]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				return i + 1, nil
			case c == '<':
				return 0, fmt.Errorf("%w: < inside a tag", ErrSyntax)
			}
		}
		if err := t.fits(i); err != nil {
			return 0, err
		}
		if !t.more(i + 1) {
			return 0, t.cut("a tag")
		}
	}
}

func (t *Reader) startTag() error {
	n, err := t.tagLength()
	if err != nil {
		return err
	}
	if err := t.fits(n); err != nil {
		return err
	}
	body := t.buf[t.pos+1 : t.pos+n-1]
	if t.empty = bytes.HasSuffix(body, []byte("/")); t.empty {
		body = body[:len(body)-1]
	}
	if len(t.open) == 0 && t.rootSeen {
		return fmt.Errorf("%w: a second root element", ErrSyntax)
	}
	if len(t.open) == t.limits.MaxDepth {
		return fmt.Errorf("%w: more than %d elements inside each other", ErrLimit, t.limits.MaxDepth)
	}
	t.rootSeen = true
	length := nameLength(body)
	if length == 0 || length > maxName {
		return fmt.Errorf("%w: <%s> is no name of at most %d ASCII letters, digits and .-_", ErrSyntax, clip(body), maxName)
	}
	el := openElement{raw: t.intern(body[:length]), bindings: len(t.bindings)}
	if err := t.attributes(body[length:]); err != nil {
		return err
	}
	if el.name, err = t.resolve(el.raw, true); err != nil {
		return err
	}
	for i := range t.attrs {
		q, err := t.resolve(t.attrs[i].Local, false)
		if err != nil {
			return err
		}
		t.attrs[i].Space, t.attrs[i].Local = q.space, q.local
		for _, a := range t.attrs[:i] {
			if a.Local == q.local && a.Space == q.space {
				return fmt.Errorf("%w: attribute %s twice", ErrSyntax, q.local)
			}
		}
	}
	t.open, t.name = append(t.open, el), el.name
	t.consume(n)
	return nil
}

// attributes reads name="value" pairs; namespace declarations become
// bindings, the others are left unresolved in t.attrs.
func (t *Reader) attributes(b []byte) error {
	t.attrs = t.attrs[:0]
	count := 0
	for {
		rest := bytes.TrimLeft(b, " \t\r\n")
		if len(rest) == 0 {
			return nil
		}
		n := nameLength(rest)
		if n == 0 || n > maxName || len(rest) == len(b) {
			return fmt.Errorf("%w: attribute at %q", ErrSyntax, clip(rest))
		}
		if count++; count > t.limits.MaxAttributes {
			return fmt.Errorf("%w: more than %d attributes", ErrLimit, t.limits.MaxAttributes)
		}
		name := t.intern(rest[:n])
		rest = bytes.TrimLeft(rest[n:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '=' {
			return fmt.Errorf("%w: attribute %s without a value", ErrSyntax, name)
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
		if len(rest) < 2 || (rest[0] != '"' && rest[0] != '\'') {
			return fmt.Errorf("%w: attribute %s without quotes", ErrSyntax, name)
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return fmt.Errorf("%w: attribute %s without an end", ErrSyntax, name)
		}
		value, err := t.value(rest[1 : 1+end])
		if err != nil {
			return err
		}
		b = rest[end+2:]
		if bound, err := t.bind(name, value); err != nil {
			return err
		} else if !bound {
			t.attrs = append(t.attrs, Attr{Local: name, Value: value})
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// nameLength returns the length of the name at the start of b: ASCII letters,
// digits, . - _ and colons, not beginning with a digit, dot or hyphen.
func nameLength(b []byte) int {
	for i, c := range b {
		letter := (c|0x20 >= 'a' && c|0x20 <= 'z') || c == '_' || c == ':'
		if !letter && (i == 0 || (c != '.' && c != '-' && (c < '0' || c > '9'))) {
			return i
		}
	}
	return len(b)
}

func clip(b []byte) string {
	if len(b) > 40 {
		b = b[:40]
	}
	return strings.ToValidUTF8(string(b), "�")
}
