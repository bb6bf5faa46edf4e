package markup

import (
	"html"
	"strings"
	"unicode/utf8"
)

// quick does what the sanitiser and balance do, for the faults that texts of
// editorial systems have again and again: attributes at allowed tags, tags
// that only colour a text, self-closed breaks, quotes and named characters. ok
// is false for everything else. Whatever it returns has still to pass IsClean,
// so that it can be mistaken about the words of a text but never about what is
// safe.
func quick(s string) (out string, ok bool) {
	if !plainBytes(s) {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(s) + 64)
	for s != "" {
		n := strings.IndexByte(s, '<')
		if n < 0 {
			n = len(s)
		}
		switch text := s[:n]; {
		case strings.Contains(text, "&#"): // broken ones are read in more than one way
			return "", false
		case strings.ContainsAny(text, `&"'>`):
			b.WriteString(html.EscapeString(html.UnescapeString(text)))
		default:
			b.WriteString(text)
		}
		if s = s[n:]; s == "" {
			break
		}
		if _, n = tagAt(s); n > 0 {
			b.WriteString(s[:n])
		} else if n = styleEnd(s); n > 0 {
			// goes, as its start does
		} else if n = simpleTag(s, &b); n == 0 {
			return "", false
		}
		s = s[n:]
	}
	return b.String(), true
}

// plainBytes reports whether s holds nothing that dropControls would remove.
func plainBytes(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s) && !strings.ContainsAny(s, "\ufffd\u2028\u2029")
}

// simpleTag reads one start tag with attributes in double quotes and writes it
// without them; of a link the address stays. It returns the length of the tag,
// 0 if there is anything unusual about it.
func simpleTag(s string, b *strings.Builder) int {
	i := 1
	for i < len(s) && isLower(s[i]) || i < len(s) && i > 1 && s[i] >= '1' && s[i] <= '6' {
		i++
	}
	name, href := s[1:i], ""
	switch name {
	case "p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "sup", "sub", "ul", "ol", "li", "a", "span", "font", "u":
	default:
		return 0
	}
	for {
		gap := i
		for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t') {
			i++
		}
		if strings.HasPrefix(s[i:], ">") {
			break
		}
		if name == "br" && strings.HasPrefix(s[i:], "/>") {
			i++
			break
		}
		start := i
		for i < len(s) && (isLower(s[i]) || s[i] == '-') {
			i++
		}
		attr := s[start:i]
		if attr == "" || gap == start || !strings.HasPrefix(s[i:], `="`) {
			return 0
		}
		i += len(`="`)
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return 0
		}
		if attr == "href" {
			if href != "" || !plainHref(s[i:i+n]) {
				return 0
			}
			href = s[i : i+n]
		}
		i += n + 1
	}
	switch {
	case name == "span", name == "font", name == "u":
	case name != "a":
		b.WriteString("<" + name + ">")
	case href == "":
		return 0
	default:
		b.WriteString(`<a href="` + href + `">`)
	}
	return i + 1
}

// styleEnd returns the length of an end tag that goes without a trace, 0 if s
// begins with something else.
func styleEnd(s string) int {
	for _, tag := range [...]string{"</span>", "</font>", "</u>"} {
		if strings.HasPrefix(s, tag) {
			return len(tag)
		}
	}
	return 0
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// plainHref reports whether an address is one that needs no parsing: https or
// http, a host, and characters that mean themselves everywhere.
func plainHref(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	for i := 0; i < len(rest); i++ {
		if c := rest[i]; !isLower(c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && !strings.ContainsRune("-._/=", rune(c)) {
			return false
		}
	}
	return rest != "" && isLower(rest[0]) && cleanHref(s)
}
