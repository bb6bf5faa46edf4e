package token

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readText reads character data up to the next tag. At the top level only
// blanks are allowed, and skipped: EOF is returned for them.
func (t *Reader) readText() (Kind, error) {
	n := 0
	for {
		i := bytes.IndexByte(t.buf[t.pos+n:], '<')
		if i >= 0 {
			n += i
			break
		}
		n = len(t.buf) - t.pos
		if err := t.fits(n); err != nil {
			return EOF, err
		}
		if !t.more(n + 1) {
			if t.err != nil {
				return EOF, t.err
			}
			break
		}
	}
	if err := t.fits(n); err != nil {
		return EOF, err
	}
	raw := t.buf[t.pos : t.pos+n]
	if len(t.open) == 0 {
		if len(bytes.Trim(raw, " \t\r\n")) > 0 {
			return EOF, fmt.Errorf("%w: text outside the root element", ErrSyntax)
		}
		t.consume(n)
		return EOF, nil
	}
	if bytes.Contains(raw, []byte("]]>")) {
		return EOF, fmt.Errorf("%w: ]]> in a text", ErrSyntax)
	}
	if err := valid(raw); err != nil {
		return EOF, err
	}
	var err error
	if t.text, err = decode(t.text[:0], raw); err != nil {
		return EOF, err
	}
	t.consume(n)
	return Text, nil
}

// decode appends raw with references replaced and line ends as \n.
func decode(dst, raw []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			return appendLines(dst, raw), nil
		}
		dst = appendLines(dst, raw[:i])
		raw = raw[i:]
		end := bytes.IndexByte(raw[:min(len(raw), 12)], ';')
		if end < 0 {
			return nil, fmt.Errorf("%w: & without a reference", ErrSyntax)
		}
		r, err := reference(string(raw[1:end]))
		if err != nil {
			return nil, err
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[end+1:]
	}
}

// appendLines appends raw with \r\n and \r written as \n [XML 1.0 §2.11].
func appendLines(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\r')
		if i < 0 {
			return append(dst, raw...)
		}
		dst = append(append(dst, raw[:i]...), '\n')
		raw = bytes.TrimPrefix(raw[i+1:], []byte("\n"))
	}
}

// reference returns the character of one of the five entities or of a
// numeric reference. There are no others: nothing can be declared.
func reference(s string) (rune, error) {
	switch s {
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "amp":
		return '&', nil
	case "quot":
		return '"', nil
	case "apos":
		return '\'', nil
	}
	num, ok := strings.CutPrefix(s, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(num, "x"); isHex {
		num, base = hex, 16
	}
	n, err := strconv.ParseUint(num, base, 32)
	r := rune(n)
	if !ok || err != nil || n > utf8.MaxRune || !utf8.ValidRune(r) || r == 0xfffe || r == 0xffff || (r < 0x20 && r != '\t' && r != '\n' && r != '\r') {
		return 0, fmt.Errorf("%w: reference &%s;", ErrSyntax, clip([]byte(s)))
	}
	return r, nil
}

// value decodes an attribute value; blanks become spaces [XML 1.0 §3.3.3].
func (t *Reader) value(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '<') >= 0 {
		return "", fmt.Errorf("%w: < in an attribute", ErrSyntax)
	}
	if err := valid(raw); err != nil {
		return "", err
	}
	if bytes.IndexByte(raw, '&') < 0 && !bytes.ContainsAny(raw, "\t\r\n") {
		return t.intern(raw), nil
	}
	spaced := bytes.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		return r
	}, appendLines(nil, raw))
	out, err := decode(nil, spaced)
	return string(out), err
}

// bind takes a namespace declaration; false if name is none.
func (t *Reader) bind(name, value string) (bool, error) {
	prefix, ok := "", name == "xmlns"
	if !ok {
		if prefix, ok = strings.CutPrefix(name, "xmlns:"); !ok {
			return false, nil
		}
		if prefix == "" || strings.Contains(prefix, ":") || value == "" || prefix == "xml" || prefix == "xmlns" {
			return false, fmt.Errorf("%w: namespace prefix %q", ErrSyntax, prefix)
		}
	}
	t.bindings = append(t.bindings, binding{prefix, value})
	return true, nil
}

// resolve splits a name and looks its prefix up, innermost first. The default
// namespace is for elements only [XML Names 1.0 §6.2].
func (t *Reader) resolve(raw string, element bool) (qname, error) {
	prefix, local, ok := strings.Cut(raw, ":")
	if !ok {
		prefix, local = "", raw
		if !element {
			return qname{local: local}, nil
		}
	} else if prefix == "" || local == "" || strings.Contains(local, ":") || nameLength([]byte(local)) == 0 {
		return qname{}, fmt.Errorf("%w: name %q", ErrSyntax, raw)
	}
	for i := len(t.bindings) - 1; i >= 0; i-- {
		if t.bindings[i].prefix == prefix {
			return qname{t.bindings[i].space, local}, nil
		}
	}
	return qname{}, fmt.Errorf("%w: namespace prefix %q is not declared", ErrSyntax, prefix)
}
