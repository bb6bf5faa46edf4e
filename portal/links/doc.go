// Package links checks the web addresses in a node's own catalogue: which
// records they stand in, whether they answer, and what an editor should do.
//
// It is a polite visitor: robots.txt is honoured [RFC 9309], a host gets one
// request at a time with a pause between two, HEAD before GET, and a link is
// asked for at most once a day. It is a careful one too: it follows redirects
// itself, step by step, through the client it is given, whose dialer keeps it
// away from special-use addresses; it reads little and waits for a short time.
//
// A link is broken only after it failed on two different days. Results are
// kept in the store; the catalogue stays untouched.
package links
