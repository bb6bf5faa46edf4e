package directory

import (
	"html"
	"strings"
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
	s = single(plain(s, 8*limit), limit)
	if len(s) <= limit {
		return s
	}
	s = cut(s, limit-len("…"))
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		s = s[:i]
	}
	return strings.TrimRight(s, " ,.;:–-") + "…"
}

// single returns the words of s with one blank between them, as many as are
// needed for more than most bytes.
func single(s string, most int) string {
	b := make([]byte, 0, most+64)
	for w := range strings.FieldsSeq(s) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		if b = append(b, w...); len(b) > most {
			break
		}
	}
	return string(b)
}
