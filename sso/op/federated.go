package op

import (
	"errors"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
	"rathausnetz/sso/upstream"
)

// begin leads to a source of accounts elsewhere. What is on its way is kept
// here, bound to the browser, and found again by the state.
func (o *OP) begin(w http.ResponseWriter, r *http.Request, s *step, id string) {
	u := o.upstreams[id]
	if u == nil || !u.Reaches(s.request.Level) {
		o.page(w, r, s.client.ID, refusal(protocol.InvalidRequest, "no such source of accounts"))
		return
	}
	ask := upstream.Request{
		Level: s.request.Level, Hint: s.request.LoginHint,
		Fresh: s.request.Prompt.Login || s.request.MaxAge == 0 || s.request.Level >= federation.LevelHoch || o.left(r),
	}
	if s.request.MaxAge > 0 {
		ask.MaxAge = time.Duration(min(s.request.MaxAge, 1<<31)) * time.Second
	}
	location, pending, err := u.Begin(r.Context(), ask)
	if err != nil {
		o.event(r.Context(), http.StatusBadGateway, "upstream not reached", id, err)
		o.showLogin(w, r, s, http.StatusBadGateway, sso.LoginPage{Mistake: sso.UpstreamFailed})
		return
	}
	f := *s.flow
	f.Pending = pending
	if err := o.ledger.SaveFlow(r.Context(), pending.State, f); err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	http.Redirect(w, r, location, http.StatusSeeOther)
}

// Return takes the answer of an upstream. An answer whose state is not bound
// to this browser signs nobody in [RFC 9700 §4.7].
func (o *OP) Return(w http.ResponseWriter, r *http.Request) {
	harden(w)
	if !allow(w, r, http.MethodGet) {
		return
	}
	id := r.PathValue("id")
	u := o.upstreams[id]
	p, err := o.query(w, r)
	if err == nil && (u == nil || p["state"] == "") {
		err = refusal(protocol.InvalidRequest, "answer of no known source")
	}
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	f, err := o.takeFlow(r, p["state"])
	if err == nil && (f.Pending == nil || f.Pending.Upstream != id) {
		err = refusal(protocol.InvalidRequest, "answer of another source")
	}
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	if f.Link != nil {
		o.linkReturned(w, r, u, f)
		return
	}
	s, err := o.resume(r, "", f)
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	o.returned(w, r, u, s)
}

func (o *OP) returned(w http.ResponseWriter, r *http.Request, u Upstream, s *step) {
	person, err := u.Finish(r.Context(), s.flow.Pending, r.URL.Query())
	if err != nil {
		o.notSignedIn(w, r, s, u.ID(), err)
		return
	}
	_, known, err := o.links.Find(r.Context(), person)
	switch {
	case err != nil:
		o.page(w, r, s.client.ID, err)
	case !known && s.session != nil: // signed in at both sides
		o.askLink(w, r, s, person)
	default:
		o.vouched(w, r, s, person)
	}
}

// vouched signs in whom a source has vouched for.
func (o *OP) vouched(w http.ResponseWriter, r *http.Request, s *step, person *upstream.Person) {
	acc, _, err := o.links.Account(r.Context(), person)
	if err == nil {
		err = o.mayEnter(r.Context(), acc)
	}
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	if o.left(r) {
		o.setCookie(w, o.leftName(), "")
	}
	name := person.Claims.Name
	if name == "" {
		name = o.nameOf(person.Upstream)
	}
	o.signIn(w, r, s, ledger.SignedIn{
		Account: acc, Person: name, Upstream: person.Upstream, Claims: person.Claims,
		Level: person.Level, AuthTime: person.AuthTime, AMR: person.AMR,
	})
}

// notSignedIn tells the client what is final, and lets the person try again
// otherwise.
func (o *OP) notSignedIn(w http.ResponseWriter, r *http.Request, s *step, id string, err error) {
	o.event(r.Context(), http.StatusSeeOther, "upstream login failed", id, err)
	var denied *upstream.DeniedError
	code := ""
	switch {
	case errors.As(err, &denied), errors.Is(err, upstream.ErrOverstate), errors.Is(err, upstream.ErrACR):
		code = protocol.AccessDenied
	case errors.Is(err, upstream.ErrLevel), errors.Is(err, upstream.ErrCannot):
		code = protocol.UnmetRequirements
	}
	if code != "" {
		o.back(w, r, s.request, &protocol.Refusal{Code: code, Why: "the account source did not sign the person in as asked", Back: true})
		return
	}
	f := *s.flow
	f.Pending = nil
	handle, err := o.ledger.PutFlow(r.Context(), f)
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	http.Redirect(w, r, o.pageURL(LoginPath, handle)+"&fehler="+string(sso.UpstreamFailed), http.StatusSeeOther)
}
