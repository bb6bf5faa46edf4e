package markup

import (
	"html"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
)

// maxURL is the longest link, in bytes.
const maxURL = 2048

// maxNesting is the deepest nesting of tags inside one text.
const maxNesting = 16

// Cleaner reduces foreign markup to the allowed tags. It is safe for
// concurrent use. A Cleaner is for texts that enter a catalogue; texts of a
// received catalogue are checked with IsClean and refused, never repaired:
// what was signed is what is shown.
type Cleaner struct {
	allowed, none  *bluemonday.Policy
	blocks, spaces *strings.Replacer
}

// New returns a Cleaner for p br h1–h6 b strong i em sup sub ul ol li
// and a href with an absolute https, http, mailto or tel address.
func New() *Cleaner {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "sup", "sub", "ul", "ol", "li")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http", "mailto", "tel")
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(false)
	return &Cleaner{
		allowed: p, none: bluemonday.StrictPolicy(),
		// What stands in blocks of its own must not run together when the
		// tags go; words with a tag inside must not fall apart.
		blocks: strings.NewReplacer("<div", "<p", "</div>", "</p>", "<DIV", "<p", "</DIV>", "</p>",
			"</td>", " </td>", "</th>", " </th>", "</tr>", "<br></tr>", "</TD>", " </TD>", "</TH>", " </TH>", "</TR>", "<br></TR>"),
		spaces: strings.NewReplacer("<br", " <br", "</p>", " </p>", "</li>", " </li>", "</div>", " </div>", "</td>", " </td>"),
	}
}

// HTML returns s reduced to the allowed tags, well nested and trimmed; the
// result always satisfies IsClean. Text that is clean already is returned as
// it is.
func (c *Cleaner) HTML(s string) string {
	s = strings.TrimSpace(s)
	if IsClean(s) {
		return s
	}
	if q, ok := quick(s); ok {
		if q = strings.TrimSpace(q); IsClean(q) {
			return q
		}
	}
	return c.thorough(s)
}

// thorough is HTML for any text.
func (c *Cleaner) thorough(s string) string {
	s = strings.TrimSpace(balance(c.allowed.Sanitize(c.blocks.Replace(dropControls(s)))))
	if !IsClean(s) {
		s = html.EscapeString(c.Plain(s))
	}
	return s
}

// Plain returns s without any markup and with single spaces: the form of
// titles and names. It is final: the Plain of the result is the result, so
// that a title stays the same however often it is exported and imported.
func (c *Cleaner) Plain(s string) string {
	for range 8 {
		before := s
		if strings.ContainsAny(s, "<&") {
			s = html.UnescapeString(c.none.Sanitize(c.spaces.Replace(s)))
		}
		s = strings.Join(strings.Fields(dropControls(s)), " ")
		if s == before {
			return s
		}
	}
	// Escaped again and again: nobody writes that but to see what happens.
	return strings.Join(strings.Fields(strings.NewReplacer("<", " ", "&", " ").Replace(s)), " ")
}

// dropControls removes what no text may hold: control characters other than
// tab and line feed, and bytes that are not UTF-8.
func dropControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return r
		}
		if r < 0x20 || r == 0x7f || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
}

// IsClean reports whether s is in the one form markup has in a catalogue:
// only the allowed tags, in lower case, without attributes but an absolute
// href, closed in order and at most 16 deep, no block inside a paragraph, and <, >, &, " and ' of the text
// written as &lt; &gt; &amp; &#34; &#39;.
func IsClean(s string) bool {
	var stack [maxNesting]string
	depth := 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '<':
			tag, end := tagAt(s[i:])
			switch {
			case tag == "":
				return false
			case tag == "br":
			case tag[0] == '/':
				if depth == 0 || stack[depth-1] != tag[1:] {
					return false
				}
				depth--
			case depth == maxNesting || implied(stack[:depth], tag) != depth:
				return false
			default:
				stack[depth] = tag
				depth++
			}
			i += end
		case c == '&':
			n := entity(s[i:])
			if n == 0 {
				return false
			}
			i += n
		case c == '>' || c == '"' || c == '\'' || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t'):
			return false
		default:
			i++
		}
	}
	return depth == 0 && utf8.ValidString(s)
}

// tagAt reads one tag at the start of s: its name, with a slash in front
// for an end tag, and its length; "" if it is not an allowed one.
func tagAt(s string) (name string, length int) {
	end := strings.IndexByte(s, '>')
	if end < 0 {
		return "", 0
	}
	body := s[1:end]
	if url, ok := strings.CutPrefix(body, `a href="`); ok {
		url, ok = strings.CutSuffix(url, `"`)
		if !ok || !cleanHref(url) {
			return "", 0
		}
		return "a", end + 1
	}
	switch body {
	case "p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "sup", "sub", "ul", "ol", "li",
		"/p", "/h1", "/h2", "/h3", "/h4", "/h5", "/h6", "/b", "/strong", "/i", "/em", "/sup", "/sub", "/ul", "/ol", "/li", "/a":
		return body, end + 1
	}
	return "", 0
}

func cleanHref(url string) bool {
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok || len(url) > maxURL || rest == "" {
		return false
	}
	switch scheme {
	case "https", "http":
		if !strings.HasPrefix(rest, "//") || len(rest) < 3 || rest[2] == '/' {
			return false
		}
	case "mailto", "tel":
	default:
		return false
	}
	for i := 0; i < len(url); i++ {
		switch c := url[i]; {
		case c <= ' ' || c == '"' || c == '<' || c == '>' || c == '\'' || c == '\\' || c == 0x7f:
			return false
		case c == '&' && entity(url[i:]) == 0:
			return false
		}
	}
	return true
}

// entity returns the length of the character reference at the start of s, 0
// if it is not one of the five that are used.
func entity(s string) int {
	for _, e := range [...]string{"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"} {
		if strings.HasPrefix(s, e) {
			return len(e)
		}
	}
	return 0
}

// balance closes what is open and drops what closes nothing. s holds only
// tags a sanitiser has let through; anything else of it becomes text.
func balance(s string) string {
	var b strings.Builder
	var stack []string
	pop := func(to int) {
		for len(stack) > to {
			b.WriteString("</" + stack[len(stack)-1] + ">")
			stack = stack[:len(stack)-1]
		}
	}
	for s != "" {
		if s[0] != '<' {
			n := strings.IndexByte(s, '<')
			if n < 0 {
				n = len(s)
			}
			b.WriteString(html.EscapeString(html.UnescapeString(s[:n])))
			s = s[n:]
			continue
		}
		tag, n := tagAt(s)
		switch {
		case strings.HasPrefix(s, "<br/>"):
			b.WriteString("<br>")
			n = len("<br/>")
		case tag == "":
			if n = strings.IndexByte(s, '>') + 1; n == 0 {
				n = len(s)
			}
		case tag == "br":
			b.WriteString("<br>")
		case tag[0] == '/':
			if at := lastIndex(stack, tag[1:]); at >= 0 {
				pop(at)
			}
		default:
			pop(implied(stack, tag))
			if len(stack) < maxNesting {
				b.WriteString(s[:n])
				stack = append(stack, tag)
			}
		}
		s = s[n:]
	}
	pop(0)
	return b.String()
}

// implied returns how much of the stack stays open when tag opens: a block
// ends an open paragraph, an item the item before it, a link the link.
func implied(stack []string, tag string) int {
	switch tag {
	case "li":
		if at := lastIndex(stack, "li"); at >= 0 && at > max(lastIndex(stack, "ul"), lastIndex(stack, "ol")) {
			return at
		}
	case "a":
		if at := lastIndex(stack, "a"); at >= 0 {
			return at
		}
	case "p", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6":
		if at := lastIndex(stack, "p"); at >= 0 {
			return at
		}
	}
	return len(stack)
}

func lastIndex(stack []string, tag string) int {
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i] == tag {
			return i
		}
	}
	return -1
}
