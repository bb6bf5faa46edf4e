package op

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

// Authorize is the authorization endpoint [OIDC §3.1.2]. There are no CORS
// headers here, and nothing is redirected before the redirect URI is proven.
func (o *OP) Authorize(w http.ResponseWriter, r *http.Request) {
	harden(w)
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	p, err := o.query(w, r)
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	c, q, err := o.request(r.Context(), p)
	var bad *protocol.Refusal
	if errors.As(err, &bad) && bad.Back {
		o.back(w, r, q, bad)
		return
	}
	if err != nil {
		o.page(w, r, p["client_id"], err)
		return
	}
	s, err := o.session(r)
	if err != nil {
		o.page(w, r, c.ID, err)
		return
	}
	o.advance(w, r, &step{client: c, request: q, session: s})
}

// query returns the parameters of a GET or POST.
func (o *OP) query(w http.ResponseWriter, r *http.Request) (protocol.Params, error) {
	if r.Method == http.MethodPost {
		return form(w, r)
	}
	p, bad := protocol.ParseParams(r.URL.RawQuery)
	if bad != nil {
		return nil, bad
	}
	return p, nil
}

// request finds the client and what it asks, by whichever way the parameters
// come [OIDF §12.1.1], and judges it.
func (o *OP) request(ctx context.Context, p protocol.Params) (*Client, *protocol.Request, error) {
	c, err := o.client(ctx, p["client_id"], protocol.InvalidRequest)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case p["request_uri"] != "" && p["request"] != "":
		return nil, nil, refusal(protocol.InvalidRequest, "request and request_uri")
	case p["request_uri"] != "":
		p, err = o.pushed(ctx, c, p["request_uri"])
	case p["request"] != "":
		p, err = o.object(ctx, c, p["request"])
	case c.Federated:
		err = refusal(protocol.InvalidRequest, "members send pushed or signed requests only")
	}
	if err != nil {
		return nil, nil, err
	}
	q, bad := protocol.Check(c, p)
	if bad != nil {
		return c, q, bad
	}
	return c, q, o.hint(c, q)
}

func (o *OP) pushed(ctx context.Context, c *Client, uri string) (protocol.Params, error) {
	handle, ok := strings.CutPrefix(uri, requestURIPrefix)
	if !ok {
		// Never fetched: that would be a request forged by whoever sends it.
		return nil, refusal(protocol.RequestURIRefused, "request_uri is not one of ours")
	}
	push, err := o.ledger.TakePushed(ctx, handle)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return nil, refusal(protocol.RequestURIUnknown, "request_uri unknown, used or expired")
	case err != nil:
		return nil, err
	case push.Client != c.ID:
		return nil, refusal(protocol.RequestURIUnknown, "request_uri of another client")
	}
	return push.Params, nil
}

// hint reads an id_token_hint: whom the client expects.
func (o *OP) hint(c *Client, q *protocol.Request) error {
	if q.Hint == "" {
		return nil
	}
	h, bad := protocol.ReadHint(q.Hint, string(o.c.Issuer), o.c.Keys.ProtocolJWKS())
	q.Hint = ""
	if bad != nil || h.Audience != c.ID || q.Subject != "" && q.Subject != h.Subject {
		return &protocol.Refusal{Code: protocol.InvalidRequest, Why: "id_token_hint is not an ID token for this client", Back: true}
	}
	q.Subject = h.Subject
	return nil
}

// back answers the client. It is called for proven redirect URIs only.
func (o *OP) back(w http.ResponseWriter, r *http.Request, q *protocol.Request, bad *protocol.Refusal) {
	o.event(r.Context(), http.StatusSeeOther, "refused to client", q.Client, bad)
	http.Redirect(w, r, q.BackURL(string(o.c.Issuer), "", bad), http.StatusSeeOther)
}

// step is a request somewhere on its way.
type step struct {
	client    *Client
	request   *protocol.Request
	session   *ledger.Session // nil: not signed in
	handle    string          // of its flow; "" if none was kept yet
	flow      *ledger.Flow
	confirmed bool // the information page has just been answered with yes
}

func (s *step) fresh() bool {
	return s.flow != nil && s.session != nil && s.flow.Fresh != "" && s.flow.Fresh == s.session.Key
}

func (o *OP) state(s *step) protocol.State {
	st := protocol.State{Asked: s.request.Subject, Reachable: o.reach, Confirmed: s.confirmed}
	if s.session == nil {
		return st
	}
	st.Level, st.AuthTime = s.session.Level, s.session.Auth
	st.Subject = o.names.Subject(s.client.SectorOf(), s.session.Account)
	st.Available = available(s.session.Claims)
	if s.fresh() {
		st.Fresh, st.FreshLevel = true, s.flow.FreshLevel
	}
	if party := s.session.Party(s.client.ID); party != nil {
		st.Known, st.Granted = true, party.Claims
	}
	if s.client.Own || s.confirmed {
		st.Known, st.Granted = true, protocol.Personal()
	}
	return st
}

// advance takes a request one step further: to a page, or back to the client.
func (o *OP) advance(w http.ResponseWriter, r *http.Request, s *step) {
	d := protocol.Decide(s.request, o.state(s), o.c.Now())
	switch d.Step {
	case protocol.Refuse:
		o.back(w, r, s.request, d.Refusal)
	case protocol.Issue:
		o.issue(w, r, s, d.Level)
	case protocol.Confirm:
		o.toPage(w, r, s, ConfirmPath)
	default:
		o.toPage(w, r, s, LoginPath)
	}
}

// toPage keeps the request and leads to a page with an address of its own, so
// that loading it again does no harm.
func (o *OP) toPage(w http.ResponseWriter, r *http.Request, s *step, path string) {
	browser := protocol.Digest(o.browser(w, r))
	f := ledger.Flow{Request: s.request, Browser: browser}
	if s.flow != nil {
		f.Fresh, f.FreshLevel = s.flow.Fresh, s.flow.FreshLevel
	}
	var err error
	if s.handle == "" && !s.client.Federated && !o.limit.allow(o.address(r), o.c.Now()) {
		o.page(w, r, s.client.ID, errBusy)
		return
	}
	if s.handle == "" {
		s.handle, err = o.ledger.PutFlow(r.Context(), f)
	} else {
		err = o.ledger.SaveFlow(r.Context(), s.handle, f)
	}
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	http.Redirect(w, r, o.pageURL(path, s.handle), http.StatusSeeOther)
}

func (o *OP) pageURL(path, handle string) string {
	return o.c.Issuer.URL(path) + "?handle=" + url.QueryEscape(handle)
}

// issue hands out a code and leads back.
func (o *OP) issue(w http.ResponseWriter, r *http.Request, s *step, level federation.Level) {
	if err := o.standing(r.Context(), s.client, level); err != nil {
		o.event(r.Context(), http.StatusSeeOther, "membership not confirmed", s.client.ID, err)
		o.back(w, r, s.request, &protocol.Refusal{Code: protocol.Unavailable, Why: "the membership of this portal could not be confirmed for level hoch", Back: true})
		return
	}
	code, err := o.code(r.Context(), s, level)
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	http.Redirect(w, r, s.request.BackURL(string(o.c.Issuer), code, nil), http.StatusSeeOther)
}

// standing asks whether a member's membership holds now, before level hoch.
func (o *OP) standing(ctx context.Context, c *Client, level federation.Level) error {
	if level < federation.LevelHoch || !c.Federated || o.c.Standing == nil {
		return nil
	}
	return o.c.Standing(ctx, c.ID)
}

func (o *OP) code(ctx context.Context, s *step, level federation.Level) (string, error) {
	g := o.grant(s, level)
	var code string
	err := ledger.Together(
		func() error {
			return o.ledger.Change(ctx, s.session.Key, func(x *ledger.Session) { x.Join(g.party) })
		},
		func() error { return o.ledger.Note(ctx, s.session.Account, g.handover) },
		func() (err error) {
			code, err = o.ledger.IssueCode(ctx, g.code)
			return err
		},
	)
	return code, err
}

// grant is what is written when a code is issued.
type grant struct {
	party    ledger.Party
	handover ledger.Handover
	code     protocol.Code
}

func (o *OP) grant(s *step, level federation.Level) grant {
	now := o.c.Now()
	auth := s.session.Auth
	if s.fresh() {
		auth = s.session.LastAuth
	}
	claims := among(s.request.Claims, available(s.session.Claims))
	return grant{
		party:    ledger.Party{Client: s.client.ID, Name: s.client.Name, Since: now, Last: now, Level: level, Claims: claims},
		handover: ledger.Handover{Client: s.client.ID, Name: s.client.Name, At: now, Level: level, Claims: claims},
		code: protocol.Code{
			Client: s.client.ID, RedirectURI: s.request.RedirectURI, Challenge: s.request.Challenge,
			Nonce: s.request.Nonce, Request: s.request.Digest,
			Account: s.session.Account, Session: s.session.Key,
			Subject: o.names.Subject(s.client.SectorOf(), s.session.Account),
			SID:     o.names.SID(s.client.ID, s.session.ID),
			Level:   level, AuthTime: auth.Unix(), AMR: s.session.AMR, Claims: claims,
			Expires: now.Add(protocol.CodeLife).UnixMilli(),
		},
	}
}

// claim returns the value of a personal claim.
func claim(c sso.Claims, name string) string {
	switch name {
	case "name":
		return c.Name
	case "given_name":
		return c.GivenName
	case "family_name":
		return c.FamilyName
	case "email":
		return c.Email
	case "locale":
		return c.Locale
	}
	return ""
}

// available returns the names of the claims that have a value.
func available(c sso.Claims) []string {
	return slices.DeleteFunc(protocol.Personal(), func(name string) bool { return claim(c, name) == "" })
}

func among(names, allowed []string) []string {
	var out []string
	for _, name := range names {
		if slices.Contains(allowed, name) {
			out = append(out, name)
		}
	}
	return out
}
