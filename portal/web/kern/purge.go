package kern

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ErrCSS is wrapped by every refusal of Purge.
var ErrCSS = errors.New("kern: stylesheet cannot be read")

// Purge returns css without rules for classes that used does not name,
// without switches for a theme chosen by hand, and without custom properties
// that nothing refers to. The text of others (extra stylesheets) counts as a
// reference to the properties it names.
func Purge(css string, used map[string]bool, others ...string) (string, error) {
	rules, err := parse(css)
	if err != nil {
		return "", err
	}
	rules = keepRules(rules, used)
	for {
		next, dropped := dropProperties(rules, others)
		rules = next
		if dropped == 0 {
			break
		}
	}
	var out strings.Builder
	write(&out, rules)
	return out.String(), nil
}

// Classes returns the kern-… class names that text mentions, whatever the
// language it is written in.
func Classes(texts ...string) map[string]bool {
	used := map[string]bool{}
	for _, t := range texts {
		for _, name := range classWord.FindAllString(t, -1) {
			used[name] = true
		}
	}
	return used
}

var (
	classWord    = regexp.MustCompile(`kern-[a-z0-9]+(?:(?:__|--|-)[a-z0-9]+)*`)
	classInRule  = regexp.MustCompile(`\.(-?[_a-zA-Z][_a-zA-Z0-9-]*)`)
	negation     = regexp.MustCompile(`:not\([^()]*(?:\([^()]*\)[^()]*)*\)`)
	choice       = regexp.MustCompile(`:(?:is|where)\(([^()]*)\)`)
	propertyUsed = regexp.MustCompile(`var\(\s*(--[a-zA-Z0-9-]+)`)
)

// A rule is either a style rule (selectors and declarations) or an at-rule
// (prelude and nested rules, or declarations).
type rule struct {
	head   string // selector list or at-rule prelude
	decls  []string
	nested []rule
}

func parse(css string) ([]rule, error) {
	rules, rest, err := parseList(css, 0)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("%w: closing brace too many", ErrCSS)
	}
	return rules, err
}

func parseList(css string, depth int) (rules []rule, rest string, err error) {
	if depth > 4 {
		return nil, "", fmt.Errorf("%w: nested too deep", ErrCSS)
	}
	for {
		css = strings.TrimSpace(css)
		if css == "" || css[0] == '}' {
			return rules, css, nil
		}
		end := scan(css, "{;")
		if end < 0 {
			return nil, "", fmt.Errorf("%w: %q has no end", ErrCSS, clip(css))
		}
		head := strings.TrimSpace(css[:end])
		if css[end] == ';' { // @charset, @import
			css = css[end+1:]
			continue
		}
		css = css[end+1:]
		r := rule{head: head}
		if strings.HasPrefix(head, "@") && !strings.HasPrefix(head, "@font-face") {
			if r.nested, css, err = parseList(css, depth+1); err != nil {
				return nil, "", err
			}
		} else {
			end := scan(css, "}")
			if end < 0 {
				return nil, "", fmt.Errorf("%w: %q is not closed", ErrCSS, clip(head))
			}
			r.decls, css = split(css[:end], ';'), css[end:]
		}
		if css == "" {
			return nil, "", fmt.Errorf("%w: %q is not closed", ErrCSS, clip(head))
		}
		css = css[1:]
		rules = append(rules, r)
	}
}

// scan returns the index of the first byte of s that is in stop, outside
// strings and parentheses; -1 if there is none.
func scan(s, stop string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\'':
			for i++; i < len(s) && s[i] != c; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case depth == 0 && strings.IndexByte(stop, c) >= 0:
			return i
		}
	}
	return -1
}

func split(s string, sep byte) []string {
	var parts []string
	for s != "" {
		i := scan(s, string(sep))
		part := s
		if i < 0 {
			s = ""
		} else {
			part, s = s[:i], s[i+1:]
		}
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func keepRules(rules []rule, used map[string]bool) []rule {
	var out []rule
	for _, r := range rules {
		if strings.HasPrefix(r.head, "@") {
			if strings.HasPrefix(r.head, "@media") {
				if r.nested = keepRules(r.nested, used); len(r.nested) == 0 {
					continue
				}
			}
			if strings.HasPrefix(r.head, "@font-face") {
				continue // the portal brings its own subset
			}
			out = append(out, r)
			continue
		}
		var keep []string
		for _, sel := range split(r.head, ',') {
			if s, ok := keepSelector(sel, used); ok {
				keep = append(keep, s)
			}
		}
		if len(keep) > 0 && len(r.decls) > 0 {
			r.head = strings.Join(keep, ",")
			out = append(out, r)
		}
	}
	return out
}

func keepSelector(sel string, used map[string]bool) (string, bool) {
	dead := false
	sel = choice.ReplaceAllStringFunc(sel, func(c string) string {
		inner := choice.FindStringSubmatch(c)[1]
		keep := slices.DeleteFunc(split(inner, ','), func(s string) bool { return !plausible(s, used) })
		if len(keep) == 0 {
			dead = true
		}
		return c[:strings.IndexByte(c, '(')+1] + strings.Join(keep, ",") + ")"
	})
	return sel, !dead && plausible(sel, used)
}

// plausible reports whether every class outside :not() is in use. Themes
// chosen by attribute are out: the portal follows the reader's system.
func plausible(sel string, used map[string]bool) bool {
	sel = negation.ReplaceAllString(sel, "")
	if strings.Contains(sel, "[data-kern-theme") {
		return false
	}
	for _, m := range classInRule.FindAllStringSubmatch(sel, -1) {
		if !used[m[1]] {
			return false
		}
	}
	return true
}

// dropProperties removes declarations of custom properties that no rule and
// no other stylesheet reads.
func dropProperties(rules []rule, others []string) ([]rule, int) {
	read := map[string]bool{}
	var collect func([]rule)
	collect = func(rs []rule) {
		for _, r := range rs {
			for _, d := range r.decls {
				for _, m := range propertyUsed.FindAllStringSubmatch(d, -1) {
					read[m[1]] = true
				}
			}
			collect(r.nested)
		}
	}
	collect(rules)
	for _, o := range others {
		for _, m := range propertyUsed.FindAllStringSubmatch(o, -1) {
			read[m[1]] = true
		}
	}
	dropped := 0
	var prune func([]rule) []rule
	prune = func(rs []rule) []rule {
		var out []rule
		for _, r := range rs {
			r.decls = slices.DeleteFunc(slices.Clone(r.decls), func(d string) bool {
				name, _, _ := strings.Cut(d, ":")
				unread := strings.HasPrefix(name, "--") && !read[strings.TrimSpace(name)]
				if unread {
					dropped++
				}
				return unread
			})
			r.nested = prune(r.nested)
			if len(r.decls) > 0 || len(r.nested) > 0 {
				out = append(out, r)
			}
		}
		return out
	}
	return prune(rules), dropped
}

func write(out *strings.Builder, rules []rule) {
	for _, r := range rules {
		out.WriteString(r.head)
		out.WriteByte('{')
		out.WriteString(strings.Join(r.decls, ";"))
		write(out, r.nested)
		out.WriteString("}\n")
	}
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
