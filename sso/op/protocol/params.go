package protocol

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// Limits of one set of parameters.
const (
	MaxParams = 64 << 10 // bytes, encoded
	maxCount  = 64
	maxValue  = 32 << 10
)

// Params are request parameters, each given once. A parameter without a value
// counts as left out [RFC 6749 §3.1].
type Params map[string]string

// ParseParams reads a query or form body. A parameter given twice, broken
// encoding, invalid UTF-8 and anything beyond the limits are refused.
func ParseParams(raw string) (Params, *Refusal) {
	if len(raw) > MaxParams {
		return nil, refuse(InvalidRequest, "parameters too large")
	}
	p := make(Params, 12)
	seen := make(map[string]bool, 12)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		rawName, rawVal, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(rawName)
		val, err2 := url.QueryUnescape(rawVal)
		switch {
		case err != nil || err2 != nil || !utf8.ValidString(name) || !utf8.ValidString(val):
			return nil, refuse(InvalidRequest, "parameters are not encoded as a form")
		case seen[name]:
			return nil, refuse(InvalidRequest, "a parameter is given twice")
		case len(seen) == maxCount || len(val) > maxValue:
			return nil, refuse(InvalidRequest, "too many or too long parameters")
		}
		seen[name] = true
		if val != "" {
			p[name] = val
		}
	}
	return p, nil
}

// printable reports whether s has only the characters a state or nonce may
// have [RFC 6749 §A.5] and at most n bytes.
func printable(s string, n int) bool {
	if len(s) > n {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
