package rp

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// ErrTarget is wrapped by every refusal of a place to return to.
var ErrTarget = errors.New("rp: not a page of this portal to return to")

// maxTarget is the longest return path, in bytes.
const maxTarget = 2048

// cleanTarget accepts a path with optional query of this portal, and nothing a
// browser or a proxy could read as something else: no scheme, no host, no
// backslash, control character, dot segment, doubled slash or encoded slash,
// dot or backslash, no fragment. It is compared, never normalised
// [SSO.md §7, 2]. The pages of sign-on themselves are no targets.
func (r *RP) cleanTarget(s string) (string, error) {
	if s == "" {
		return "/", nil
	}
	if len(s) > maxTarget || s[0] != '/' {
		return "", fmt.Errorf("%w: it must be a path of at most %d bytes", ErrTarget, maxTarget)
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '\\' || c == '#' {
			return "", fmt.Errorf("%w: character not allowed", ErrTarget)
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", fmt.Errorf("%w: it is not a path", ErrTarget)
	}
	raw, _, _ := strings.Cut(s, "?")
	if clean := path.Clean(raw); clean != raw && clean+"/" != raw {
		return "", fmt.Errorf("%w: dot segment or doubled slash", ErrTarget)
	}
	lower := strings.ToLower(raw)
	for _, enc := range []string{"%2e", "%2f", "%5c", "%25", ";"} {
		if strings.Contains(lower, enc) {
			return "", fmt.Errorf("%w: encoded separator", ErrTarget)
		}
	}
	for _, own := range []string{LoginPath, LogoutPath, "/op", "/federation", "/.well-known"} {
		if under(raw, own) {
			return "", fmt.Errorf("%w: a page of sign-on itself", ErrTarget)
		}
	}
	if !r.allowed(raw) {
		return "", fmt.Errorf("%w: not among the pages a login leads to", ErrTarget)
	}
	return s, nil
}

func (r *RP) allowed(raw string) bool {
	if r.c.Targets == nil || raw == "/" {
		return true
	}
	for _, p := range r.c.Targets {
		if under(raw, strings.TrimSuffix(p, "/")) {
			return true
		}
	}
	return false
}

// under reports whether path is prefix or inside it; /op is not above /opfer.
func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// linkTarget accepts target_link_uri: an absolute URL of this portal
// [OIDC §4]. What it points to inside the portal is judged by cleanTarget.
func (r *RP) linkTarget(s string) (string, error) {
	if s == "" {
		return "/", nil
	}
	rest, ok := strings.CutPrefix(s, string(r.c.Self))
	if !ok || (rest != "" && rest[0] != '/' && rest[0] != '?') {
		return "", fmt.Errorf("%w: target_link_uri is not at %s", ErrTarget, r.c.Self)
	}
	if rest == "" || rest[0] == '?' {
		rest = "/" + rest
	}
	return r.cleanTarget(rest)
}
