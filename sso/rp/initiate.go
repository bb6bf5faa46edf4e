package rp

import (
	"fmt"
	"net/http"
	"net/url"

	"rathausnetz/federation"
)

// maxForm is the largest form body read, in bytes.
const maxForm = 64 << 10

// Initiate is third-party initiated login [OIDC §4]: GET or POST InitiatePath
// with iss, target_link_uri and login_hint. Another portal sends a citizen here
// to arrive signed in. Only providers of the network and pages of this portal
// are accepted; an unknown iss causes no outbound request, and only a
// navigation of a whole window begins a login.
func (r *RP) Initiate(w http.ResponseWriter, req *http.Request) {
	harden(w)
	o, err := r.initiation(w, req)
	if err != nil {
		r.fail(w, req, err, "")
		return
	}
	s, err := r.c.Sessions.Get(req)
	if err == nil && s.Identity.Issuer == o.Issuer {
		http.Redirect(w, req, o.Return, http.StatusSeeOther)
		return
	}
	r.Begin(w, req, o)
}

func (r *RP) initiation(w http.ResponseWriter, req *http.Request) (LoginOptions, error) {
	var o LoginOptions
	var q url.Values
	switch req.Method {
	case http.MethodGet:
		var err error
		if q, err = answerOf(req.URL.RawQuery); err != nil {
			return o, err
		}
	case http.MethodPost:
		req.Body = http.MaxBytesReader(w, req.Body, maxForm)
		if err := req.ParseForm(); err != nil {
			return o, fmt.Errorf("%w: form", errRequest)
		}
		q = req.PostForm
		for _, v := range q {
			if len(v) > 1 {
				return o, fmt.Errorf("%w: %d times the same parameter", errRequest, len(v))
			}
		}
	default:
		return o, errMethod
	}
	// A frame or an image is no citizen who wants to go somewhere
	// [SSO.md §10 G103]. Browsers that do not send the header are limited by
	// address like the others.
	if d := req.Header.Get("Sec-Fetch-Dest"); d != "" && d != "document" {
		return o, fmt.Errorf("%w: a login begins in a window, not in a %.16q", errRequest, d)
	}
	iss, err := federation.ParseEntityID(q.Get("iss"), !r.c.Secure)
	if err != nil || string(iss) != q.Get("iss") {
		return o, fmt.Errorf("%w: iss", ErrUnknownProvider)
	}
	if _, err := r.provider(req.Context(), iss); err != nil {
		return o, err
	}
	target, err := r.linkTarget(q.Get("target_link_uri"))
	if err != nil {
		return o, err
	}
	o.Issuer, o.Return, o.Hint = iss, target, q.Get("login_hint")
	return o, nil
}
