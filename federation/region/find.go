package region

import (
	"slices"
	"strings"
)

// maxFind bounds the answer of Find.
const maxFind = 500

// Find returns the current places whose name fits the pattern, which may hold
// the wildcard "*" for any text; upper and lower case, blanks and umlauts
// count as in Lookup. The shortest names come first, then the narrower areas.
// At most limit places are returned, never more than 500. Unlike Lookup it
// reads the whole register (a millisecond for all of Germany).
func (r *Register) Find(pattern string, limit int) []Place {
	parts, ok := foldPattern(pattern)
	if !ok || limit <= 0 {
		return nil
	}
	var refs []int32
	for key, list := range r.names.exact {
		if !matches(key, parts) {
			continue
		}
		for _, ref := range list {
			if ref >= 0 {
				refs = append(refs, ref)
			}
		}
	}
	slices.SortFunc(refs, func(x, y int32) int {
		p, q := r.at(x), r.at(y)
		if d := len(p.Name) - len(q.Name); d != 0 {
			return d
		}
		if d := q.Area.Len() - p.Area.Len(); d != 0 {
			return d
		}
		return p.Area.Compare(q.Area)
	})
	refs = slices.Compact(refs)
	var out []Place
	for _, ref := range refs[:min(len(refs), limit, maxFind)] {
		out = append(out, *r.at(ref))
	}
	return out
}

// foldPattern folds each part between wildcards; ok is false if nothing is
// left to look for.
func foldPattern(pattern string) (parts []string, ok bool) {
	if len(pattern) > maxQuery {
		return nil, false
	}
	for part := range strings.SplitSeq(pattern, "*") {
		var f folder
		n, readable := f.letters(part)
		if !readable {
			return nil, false
		}
		// Part of a word is no abbreviation, so nothing is expanded.
		parts = append(parts, strings.ReplaceAll(string(f.words[:n]), " ", ""))
		ok = ok || n > 0
	}
	return parts, ok
}

// matches reports whether key is the parts in order with anything between.
func matches(key string, parts []string) bool {
	last := len(parts) - 1
	if last == 0 {
		return key == parts[0]
	}
	if !strings.HasPrefix(key, parts[0]) {
		return false
	}
	key = key[len(parts[0]):]
	for _, part := range parts[1:last] {
		i := strings.Index(key, part)
		if i < 0 {
			return false
		}
		key = key[i+len(part):]
	}
	return strings.HasSuffix(key, parts[last])
}
