package federation

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ErrEntityID is wrapped by every refusal of ParseEntityID.
var ErrEntityID = errors.New("federation: not an entity ID")

// maxEntityID is the longest entity ID accepted, in bytes. An announcement of
// at most MaxAnnouncement bytes has to carry it.
const maxEntityID = 120

// EntityID names a member: an https URL with host, optional port and path,
// without a trailing slash, query, fragment or user part [OIDF §1.2].
// The zero value names nobody.
type EntityID string

// ParseEntityID accepts an https URL of at most 120 bytes in lower case; one
// trailing slash is removed. With loopback, plain http is accepted too, but
// only for the loopback names of IsLoopbackHost: a demonstration network
// needs no certificates.
func ParseEntityID(s string, loopback bool) (EntityID, error) {
	s = strings.TrimSuffix(s, "/")
	if len(s) > maxEntityID {
		return "", fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrEntityID, len(s), maxEntityID)
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", fmt.Errorf("%w: %q is not a URL", ErrEntityID, s)
	}
	switch {
	case u.Scheme == "http" && loopback && IsLoopbackHost(u.Hostname()):
	case u.Scheme != "https":
		return "", fmt.Errorf("%w: %q must begin with https://", ErrEntityID, s)
	}
	if u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#") {
		return "", fmt.Errorf("%w: %q must be scheme, host, optional port and path, nothing else", ErrEntityID, s)
	}
	if s != strings.ToLower(s) || strings.ContainsAny(s, "%\\ ") || strings.Contains(u.Path, "//") || hasDotSegment(u.Path) {
		return "", fmt.Errorf("%w: %q must be lower case and without %%, dot segments or doubled slashes", ErrEntityID, s)
	}
	return EntityID(s), nil
}

func hasDotSegment(path string) bool {
	for seg := range strings.SplitSeq(path, "/") {
		if seg == "." || seg == ".." {
			return true
		}
	}
	return false
}

// Host returns the host name without port, "" for the zero value.
func (e EntityID) Host() string {
	u, err := url.Parse(string(e))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Origin returns scheme, host and port: what a browser calls the origin.
func (e EntityID) Origin() string {
	u, err := url.Parse(string(e))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// URL appends path, which begins with a slash, to the entity ID.
func (e EntityID) URL(path string) string { return string(e) + path }

// IsLoopbackHost reports whether host (without port) can only ever mean this
// machine: localhost, a name under .localhost (RFC 6761 §6.3) or a loopback
// address.
func IsLoopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
