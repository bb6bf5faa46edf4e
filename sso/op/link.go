package op

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
	"rathausnetz/sso/upstream"
)

// LinkFresh is how long after signing in a person may change what their
// account is linked with: a browser that was left open must not be enough.
const LinkFresh = 15 * time.Minute

// LinkResult is what became of a change of links. It stands in the query of
// the page that linking returns to, under LinkParam.
type LinkResult string

// LinkParam is the query parameter of LinkResult.
const LinkParam = "verknuepfung"

// The results.
const (
	LinkDone    LinkResult = "ok"       // the identity belongs to the account now
	LinkRemoved LinkResult = "entfernt" // it does not any more
	LinkTaken   LinkResult = "belegt"   // it belongs to another account, and stays there
	LinkLast    LinkResult = "letzte"   // it is the only way to sign in, and stays
	LinkStale   LinkResult = "alt"      // signed in too long ago, see LinkFresh
	LinkFailed  LinkResult = "fehler"   // the person did not sign in at the source
)

// LinkForm is what a page needs to show and change the links of the account
// that is signed in. Each form on it posts to Action with CSRF and Handle in
// the fields "csrf" and "handle", and either "upstream" with the ID of a
// choice, or "entfernen" with the Key of an entry. The answer leads back to
// the page with a LinkResult.
type LinkForm struct {
	Action, CSRF, Handle string
	Fresh                bool                 // false: the person has to sign in anew first
	Choices              []sso.UpstreamChoice // sources that can be added
	Linked               []Linked             // oldest first
}

// Linked is one identity of an account.
type Linked struct {
	Key       string
	Name      string // of the source
	Since     time.Time
	Removable bool // false: there is no other way to sign in
}

// LinkForm returns the form for the account of the browser that sent r, nil if
// nobody is signed in there.
func (o *OP) LinkForm(w http.ResponseWriter, r *http.Request) (*LinkForm, error) {
	s, err := o.session(r)
	if err != nil || s == nil {
		return nil, err
	}
	list, err := o.links.List(r.Context(), s.Account)
	if err != nil {
		return nil, err
	}
	handle := linkHandle(s)
	f := &LinkForm{
		Action: o.c.Issuer.URL(LinkPath), CSRF: o.names.Form(o.browser(w, r), handle), Handle: handle,
		Fresh: o.fresh(s), Choices: o.choices(federation.LevelBasis, string(o.c.Issuer), ""),
	}
	for _, x := range list {
		f.Linked = append(f.Linked, Linked{
			Key: x.Key, Name: o.nameOf(x.Upstream), Since: x.Since, Removable: len(list) > 1 || !upstream.Made(s.Account),
		})
	}
	return f, nil
}

// linkHandle binds the form of the account page to a session.
func linkHandle(s *ledger.Session) string { return "konto." + protocol.Digest(s.Key) }

func (o *OP) fresh(s *ledger.Session) bool { return o.c.Now().Sub(s.LastAuth) < LinkFresh }

// nameOf is how a source is called; one that is not configured any more by its ID.
func (o *OP) nameOf(id string) string {
	if u := o.upstreams[id]; u != nil {
		return u.Choice().Name
	}
	return id
}

// Link takes the forms of LinkForm, and asks and takes the question of a
// step-up. Accounts are only ever linked here: by a person who is signed in to
// the one and has just signed in to the other, in one browser, and says so.
func (o *OP) Link(w http.ResponseWriter, r *http.Request) {
	p, ok := o.form(w, r)
	if !ok {
		return
	}
	switch {
	case r.Method != http.MethodPost:
		o.showLink(w, r, p["handle"])
	case p["decision"] != "":
		o.linkDecided(w, r, p)
	default:
		o.changeLinks(w, r, p)
	}
}

// changeLinks takes the form of the account page.
func (o *OP) changeLinks(w http.ResponseWriter, r *http.Request, p protocol.Params) {
	s, err := o.session(r)
	if err == nil && (s == nil || subtle.ConstantTimeCompare([]byte(linkHandle(s)), []byte(p["handle"])) != 1) {
		err = errForm
	}
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	switch {
	case !o.fresh(s):
		o.toAccount(w, r, LinkStale)
	case p["entfernen"] != "":
		o.unlink(w, r, s, p["entfernen"])
	default:
		o.beginLink(w, r, s, p["upstream"])
	}
}

func (o *OP) toAccount(w http.ResponseWriter, r *http.Request, result LinkResult) {
	q := url.Values{LinkParam: {string(result)}}
	http.Redirect(w, r, o.c.Issuer.URL(o.c.Account)+"?"+q.Encode(), http.StatusSeeOther)
}

func (o *OP) unlink(w http.ResponseWriter, r *http.Request, s *ledger.Session, key string) {
	err := o.links.Remove(r.Context(), s.Account, key, !upstream.Made(s.Account))
	switch {
	case errors.Is(err, upstream.ErrLast):
		o.toAccount(w, r, LinkLast)
	case err != nil:
		o.page(w, r, "", err)
	default:
		o.toAccount(w, r, LinkRemoved)
	}
}

// beginLink leads to the source that is to be added. The person is asked anew
// there: a login that another person has left behind is not theirs.
func (o *OP) beginLink(w http.ResponseWriter, r *http.Request, s *ledger.Session, id string) {
	u := o.upstreams[id]
	if u == nil {
		o.page(w, r, "", refusal(protocol.InvalidRequest, "no such source of accounts"))
		return
	}
	location, pending, err := u.Begin(r.Context(), upstream.Request{Level: federation.LevelBasis, Fresh: true})
	if err != nil {
		o.event(r.Context(), http.StatusBadGateway, "upstream not reached", id, err)
		o.toAccount(w, r, LinkFailed)
		return
	}
	offer, err := o.links.Offer(r.Context(), s.Account, s.Key)
	if err == nil {
		err = o.ledger.SaveFlow(r.Context(), pending.State, ledger.Flow{
			Browser: protocol.Digest(o.browser(w, r)), Pending: pending, Link: &ledger.Link{Offer: offer},
		})
	}
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	http.Redirect(w, r, location, http.StatusSeeOther)
}

// linkReturned takes the source's answer to beginLink.
func (o *OP) linkReturned(w http.ResponseWriter, r *http.Request, u Upstream, f *ledger.Flow) {
	person, err := u.Finish(r.Context(), f.Pending, r.URL.Query())
	if err != nil {
		o.event(r.Context(), http.StatusSeeOther, "upstream login failed", u.ID(), err)
		o.toAccount(w, r, LinkFailed)
		return
	}
	s, err := o.session(r)
	if err == nil && s == nil {
		err = errForm // logged out meanwhile
	}
	if err == nil {
		err = o.accept(r.Context(), s, f.Link.Offer, person)
	}
	switch {
	case errors.Is(err, upstream.ErrLinked):
		o.event(r.Context(), http.StatusSeeOther, "link refused", u.ID(), err)
		o.toAccount(w, r, LinkTaken)
	case err != nil:
		o.page(w, r, "", err)
	default:
		o.toAccount(w, r, LinkDone)
	}
}

func (o *OP) accept(ctx context.Context, s *ledger.Session, offer string, person *upstream.Person) error {
	account, err := o.links.Accept(ctx, offer, s.Key, person)
	switch {
	case errors.Is(err, upstream.ErrNoOffer):
		return errors.Join(errForm, err)
	case err != nil:
		return err
	case account != s.Account:
		return errForm
	}
	o.c.Log.Info("account source linked", "peer", person.Upstream)
	return nil
}

// askLink leads to the question whether a source that nobody uses yet shall
// belong to the account of this browser: in a step-up the person is signed in
// at both sides.
func (o *OP) askLink(w http.ResponseWriter, r *http.Request, s *step, person *upstream.Person) {
	offer, err := o.links.Offer(r.Context(), s.session.Account, s.session.Key)
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	f := *s.flow
	f.Pending, f.Link = nil, &ledger.Link{Offer: offer, Person: person}
	handle, err := o.ledger.PutFlow(r.Context(), f)
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	http.Redirect(w, r, o.pageURL(LinkPath, handle), http.StatusSeeOther)
}

func (o *OP) showLink(w http.ResponseWriter, r *http.Request, handle string) {
	s, err := o.step(r, handle)
	if err == nil && (s.flow.Link == nil || s.flow.Link.Person == nil || s.session == nil) {
		err = refusal(protocol.InvalidRequest, "nothing to link")
	}
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	person := s.flow.Link.Person
	o.c.Pages.LinkPage(w, r, sso.LinkPage{
		Action: o.c.Issuer.URL(LinkPath), CSRF: o.names.Form(o.browser(w, r), handle), Handle: handle,
		Person: s.session.Person, Upstream: o.nameOf(person.Upstream), Other: person.Claims.Name, Portal: s.client.Name,
	})
}

// linkDecided takes the answer, once. With no the person goes on as whom the
// source says, which is somebody new here; the session there was ends.
func (o *OP) linkDecided(w http.ResponseWriter, r *http.Request, p protocol.Params) {
	f, err := o.takeFlow(r, p["handle"])
	if err == nil && (f.Link == nil || f.Link.Person == nil) {
		err = errForm
	}
	var bad *protocol.Refusal
	if errors.As(err, &bad) {
		err = errors.Join(errForm, err)
	}
	if err != nil {
		o.page(w, r, "", replayed(err))
		return
	}
	s, err := o.resume(r, "", f)
	if err == nil && p["decision"] == "yes" {
		if s.session == nil {
			err = errForm
		} else {
			err = o.accept(r.Context(), s.session, f.Link.Offer, f.Link.Person)
		}
	}
	if err != nil {
		o.page(w, r, "", replayed(err))
		return
	}
	person := f.Link.Person
	f.Link = nil
	o.vouched(w, r, s, person)
}
