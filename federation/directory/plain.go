package directory

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain returns the text of reduced HTML, tags as blanks, at most limit bytes
// of the source; text without tags and entities is returned as it is.
func plain(s string, limit int) string {
	s = cut(s, limit)
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for s != "" {
		text, rest, tag := strings.Cut(s, "<")
		b.WriteString(text)
		if !tag {
			break
		}
		b.WriteByte(' ')
		_, s, _ = strings.Cut(rest, ">")
	}
	return html.UnescapeString(b.String())
}

// cut returns at most limit bytes of s, whole runes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// teaser returns the beginning of a text for a list: whole words, at most
// limit bytes and an ellipsis where something was left out.
func teaser(s string, limit int) string {
	s = single(cut(s, 8*limit), limit)
	if len(s) <= limit {
		return s
	}
	s = cut(s, limit-len("…"))
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		s = s[:i]
	}
	return strings.TrimRight(s, " ,.;:–-") + "…"
}

// single returns the words of reduced HTML with one blank between them, as
// many as are needed for more than most bytes. Tags separate words.
func single(s string, most int) string {
	b := make([]byte, 0, most+64)
	blank := false
	for i := 0; i < len(s) && len(b) <= most; {
		c := s[i]
		size := 1
		if ordinary(c) {
			for i+size < len(s) && ordinary(s[i+size]) {
				size++
			}
		}
		switch {
		case c == '<':
			blank = true
			if size = strings.IndexByte(s[i:], '>') + 1; size == 0 {
				size = len(s) - i
			}
			i += size
			continue
		case c == ' ' || c >= '\t' && c <= '\r':
			blank, i = true, i+1
			continue
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); unicode.IsSpace(r) {
				blank, i = true, i+size
				continue
			}
		}
		text := s[i : i+size]
		if c == '&' {
			text, size = entity(s[i:])
		}
		i += size
		if c == '&' && strings.TrimSpace(text) == "" { // a blank written as an entity
			blank = true
			continue
		}
		if blank && len(b) > 0 {
			b = append(b, ' ')
		}
		blank = false
		b = append(b, text...)
	}
	return string(b)
}

// ordinary reports whether c is a letter or sign of its own, without meaning
// in HTML.
func ordinary(c byte) bool { return c > ' ' && c < utf8.RuneSelf && c != '<' && c != '&' }

// entity reads what begins with an ampersand and returns the text it stands
// for and its length in s.
func entity(s string) (text string, length int) {
	const longest = 33 // CounterClockwiseContourIntegral
	for i := 1; i < min(len(s), longest); i++ {
		switch c := s[i]; {
		case c == ';':
			return html.UnescapeString(s[:i+1]), i + 1
		case c != '#' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z'):
			return s[:1], 1
		}
	}
	return s[:1], 1
}
