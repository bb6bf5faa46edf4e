package op

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

func refusal(code, why string) error { return &protocol.Refusal{Code: code, Why: why} }

// client finds a client; whoever is none is refused with code.
func (o *OP) client(ctx context.Context, id, code string) (*Client, error) {
	if id == "" {
		return nil, refusal(protocol.InvalidRequest, "client_id is missing")
	}
	c, err := o.c.Clients.Client(ctx, id)
	switch {
	case errors.Is(err, ErrUnknownClient):
		return nil, errors.Join(refusal(code, "no such client here"), err)
	case err != nil && !errors.Is(err, store.ErrUnavailable):
		return nil, errors.Join(refusal(code, "the client could not be verified"), err)
	}
	return c, err
}

// authenticate returns the client that a request proves to come from
// [RFC 6749 §2.3], [RFC 7523 §2.2]. Exactly one method may be used. unknown is
// the error code for whoever is no client.
func (o *OP) authenticate(r *http.Request, p protocol.Params, unknown string) (*Client, error) {
	header := r.Header.Values("Authorization")
	methods := len(header)
	for _, name := range []string{"client_assertion", "client_secret"} {
		if p[name] != "" {
			methods++
		}
	}
	switch {
	case methods > 1:
		return nil, refusal(protocol.InvalidRequest, "more than one client authentication")
	case p["client_secret"] != "":
		return nil, refusal(protocol.InvalidClient, "client_secret_post is not supported")
	case len(header) == 1:
		return o.basic(r.Context(), header[0], p, unknown)
	case p["client_assertion"] == "":
		return nil, refusal(protocol.InvalidClient, "no client authentication")
	}
	return o.assertion(r.Context(), p, unknown)
}

func (o *OP) basic(ctx context.Context, header string, p protocol.Params, unknown string) (*Client, error) {
	bad := refusal(protocol.InvalidClient, "client_secret_basic does not hold")
	id, secret, ok := (&http.Request{Header: http.Header{"Authorization": {header}}}).BasicAuth()
	if !ok {
		return nil, bad
	}
	// RFC 6749 §2.3.1: both parts are form-encoded first.
	id, err := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if err != nil || err2 != nil || p["client_id"] != "" && p["client_id"] != id {
		return nil, bad
	}
	c, err := o.client(ctx, id, unknown)
	if err != nil {
		return nil, err
	}
	if !c.CheckSecret(secret) {
		return nil, bad
	}
	return c, nil
}

func (o *OP) assertion(ctx context.Context, p protocol.Params, unknown string) (*Client, error) {
	if p["client_assertion_type"] != protocol.AssertionURN {
		return nil, refusal(protocol.InvalidClient, "client_assertion_type is not jwt-bearer")
	}
	id := p["client_id"]
	if id == "" {
		id = issuerOf(p["client_assertion"])
	}
	if id == "" {
		return nil, refusal(protocol.InvalidClient, "the client assertion names no client")
	}
	c, err := o.client(ctx, id, unknown)
	if err != nil {
		return nil, err
	}
	used, bad := protocol.Assertion(c, p["client_assertion"], string(o.c.Issuer), o.c.Now())
	if bad != nil {
		return nil, bad
	}
	// Only now: a jti that is recorded unproven could be burnt by anybody.
	err = o.ledger.Use(ctx, c.ID, used)
	if errors.Is(err, ledger.ErrReplay) {
		return nil, refusal(protocol.InvalidClient, "client assertion: jti was used before")
	}
	return c, err
}

// issuerOf reads whom an assertion claims to be of, unverified.
func issuerOf(compact string) string {
	t, err := (trust.Door{Algorithms: []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"}}).Peek(compact, []string{"JWT", "client-authentication+jwt", ""})
	if err != nil {
		return ""
	}
	var v struct {
		Issuer string `json:"iss"`
	}
	if t.Into(&v) != nil {
		return ""
	}
	return v.Issuer
}

// requestURIPrefix begins the handles of pushed requests [RFC 9126 §2.2].
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// PAR takes a pushed authorization request of an authenticated client
// [RFC 9126]: plain parameters, or a signed request object.
func (o *OP) PAR(w http.ResponseWriter, r *http.Request) {
	harden(w)
	if !allow(w, r, http.MethodPost) {
		return
	}
	p, err := form(w, r)
	if err != nil {
		o.jsonError(w, r, "", err)
		return
	}
	handle, err := o.push(r, p)
	if err != nil {
		o.jsonError(w, r, p["client_id"], err)
		return
	}
	o.writeJSON(w, http.StatusCreated, map[string]any{
		"request_uri": requestURIPrefix + handle, "expires_in": int(ledger.PushedLife.Seconds()),
	})
}

func (o *OP) push(r *http.Request, p protocol.Params) (string, error) {
	unknown := protocol.InvalidClient
	if strings.HasPrefix(p["client_id"], "https://") || strings.HasPrefix(p["client_id"], "http://") {
		unknown = protocol.InvalidTrustChain // it claims to be a member [OIDF §12.1.3]
	}
	c, err := o.authenticate(r, p, unknown)
	if err != nil {
		return "", err
	}
	if p["request_uri"] != "" {
		return "", refusal(protocol.InvalidRequest, "request_uri inside a pushed request")
	}
	if p["client_id"] != "" && p["client_id"] != c.ID {
		return "", refusal(protocol.InvalidRequest, "client_id is not the authenticated client")
	}
	if p["request"] != "" {
		if p, err = o.object(r.Context(), c, p["request"]); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"client_assertion", "client_assertion_type"} {
		delete(p, name)
	}
	if _, bad := protocol.Check(c, p); bad != nil {
		return "", bad
	}
	return o.ledger.Push(r.Context(), c.ID, p)
}

// object opens a request object and uses it up.
func (o *OP) object(ctx context.Context, c *Client, compact string) (protocol.Params, error) {
	p, used, bad := protocol.Object(c, compact, string(o.c.Issuer), o.c.Now())
	if bad != nil {
		return nil, bad
	}
	err := o.ledger.Use(ctx, c.ID, used)
	if errors.Is(err, ledger.ErrReplay) {
		return nil, refusal(protocol.InvalidRequestObject, "request object: jti was used before")
	}
	return p, err
}
