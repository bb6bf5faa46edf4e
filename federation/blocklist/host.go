package blocklist

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// ErrHost is wrapped by every refusal of ParseHost.
var ErrHost = errors.New("blocklist: not a host that can be blocked")

const maxHost = 253 // bytes of a name, the limit of DNS

// ParseHost reads a host as an operator writes it and returns its one form:
// lower case, in ASCII, without a closing dot. An address with scheme, port or
// path is refused, as is a name under which strangers have theirs: "org",
// "co.uk".
func ParseHost(s string) (string, error) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "/?#@*") {
		return "", fmt.Errorf("%w: %.80q; name the host alone, for example example.org: everything below it is blocked with it", ErrHost, s)
	}
	h, ok := canonical(s)
	if !ok {
		return "", fmt.Errorf("%w: %.80q; write for example example.org, without a port", ErrHost, s)
	}
	if _, err := netip.ParseAddr(h); err == nil {
		return h, nil
	}
	if suffix, _ := publicsuffix.PublicSuffix(h); suffix == h || !strings.Contains(h, ".") {
		return "", fmt.Errorf("%w: under %q many people have their own names; name one of them", ErrHost, h)
	}
	return h, nil
}

// canonical returns the one form of a host name or IP address.
func canonical(s string) (string, bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(s, "]"), "["), ".")
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().WithZone("").String(), true
	}
	if s != "" && len(s) <= maxHost && !strings.ContainsFunc(s, unusual) {
		return s, true
	}
	h, err := idna.Lookup.ToASCII(s)
	if err != nil { // names that only exist, like those with an underscore
		h = strings.ToLower(s)
	}
	if h == "" || len(h) > maxHost || strings.ContainsFunc(h, func(r rune) bool {
		return r > '~' || r <= ' ' || strings.ContainsRune(`"'<>\^`+"`{|}:%", r)
	}) {
		return "", false
	}
	return strings.ToLower(h), true
}

// unusual reports whether r is none of the letters of nearly every host name.
func unusual(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-'
}

// hostOf is the host of a web address, "" if it has none.
func hostOf(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	h, _ := canonical(u.Hostname())
	return h
}

// Covers reports whether blocked stands for host, both in their one form.
func Covers(blocked, host string) bool {
	return host == blocked || strings.HasSuffix(host, "."+blocked)
}
