package protocol

import (
	"net/url"
	"strings"
)

// AddQuery appends parameters, given as name and value in turn, to a URI whose
// own bytes stay as they were registered. Empty values are left out.
func AddQuery(uri string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(uri)
	sep := byte('?')
	if strings.Contains(uri, "?") {
		sep = '&'
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		b.WriteByte(sep)
		b.WriteString(url.QueryEscape(pairs[i]))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(pairs[i+1]))
		sep = '&'
	}
	return b.String()
}

// BackURL is the one function that builds an answer to a client: code or
// error, state, and always iss [RFC 9207 §2].
func (q *Request) BackURL(issuer, code string, r *Refusal) string {
	if r != nil {
		return AddQuery(q.RedirectURI, "error", r.Code, "error_description", r.Why, "state", q.State, "iss", issuer)
	}
	return AddQuery(q.RedirectURI, "code", code, "state", q.State, "iss", issuer)
}
