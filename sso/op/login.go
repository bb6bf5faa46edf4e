package op

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/passkey"
	"rathausnetz/sso/op/protocol"
)

// Login shows the login form of a flow and takes what is posted by it.
func (o *OP) Login(w http.ResponseWriter, r *http.Request) {
	p, ok := o.form(w, r)
	if !ok {
		return
	}
	s, err := o.step(r, p["handle"])
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	switch {
	case r.Method != http.MethodPost:
		o.loginForm(w, r, s, p)
	case p["upstream"] != "":
		o.begin(w, r, s, p["upstream"])
	case p["passkey"] != "":
		o.passkey(w, r, s, p)
	default:
		o.password(w, r, s, p)
	}
}

// step reads the flow of a handle and what belongs to it.
func (o *OP) step(r *http.Request, handle string) (*step, error) {
	f, err := o.flow(r, handle)
	if err != nil {
		return nil, err
	}
	return o.resume(r, handle, f)
}

func (o *OP) resume(r *http.Request, handle string, f *ledger.Flow) (*step, error) {
	if f.Request == nil {
		return nil, refusal(protocol.InvalidRequest, "not a login")
	}
	c, err := o.client(r.Context(), f.Request.Client, protocol.InvalidRequest)
	if err != nil {
		return nil, err
	}
	// The client may have changed since; its redirect URI must still hold.
	if !c.Redirects(f.Request.RedirectURI) {
		return nil, refusal(protocol.InvalidRequest, "redirect_uri is no longer registered")
	}
	s, err := o.session(r)
	if err != nil {
		return nil, err
	}
	return &step{client: c, request: f.Request, session: s, handle: handle, flow: f}, nil
}

// loginForm shows the form, unless the person has signed in meanwhile, in
// another tab.
func (o *OP) loginForm(w http.ResponseWriter, r *http.Request, s *step, p protocol.Params) {
	d := protocol.Decide(s.request, o.state(s), o.c.Now())
	if d.Step != protocol.Login {
		if _, err := o.takeFlow(r, s.handle); err != nil {
			o.page(w, r, s.client.ID, err)
			return
		}
		o.advance(w, r, s)
		return
	}
	mistake := sso.NoMistake
	if p["fehler"] == string(sso.UpstreamFailed) {
		mistake = sso.UpstreamFailed
	}
	words := p["suche"]
	if len(words) > maxWords {
		words = ""
	}
	o.showLogin(w, r, s, http.StatusOK, sso.LoginPage{Username: s.request.LoginHint, Mistake: mistake, Words: words})
}

// How many account sources a person reads through, and how long a word for
// one may be, in bytes.
const (
	fewChoices = 4
	maxWords   = 100
)

// showLogin draws the form; of said it takes what was typed and what was wrong.
func (o *OP) showLogin(w http.ResponseWriter, r *http.Request, s *step, status int, said sso.LoginPage) {
	csrf := o.names.Form(o.browser(w, r), s.handle)
	all := o.choices(s.request.Level, s.client.ID, "")
	page := sso.LoginPage{
		Action: o.c.Issuer.URL(LoginPath), CSRF: csrf, Handle: s.handle,
		Portal: s.client.Name, Level: s.request.Level, Username: said.Username, Mistake: said.Mistake, Wait: said.Wait,
		Upstreams: all, Search: len(all) > fewChoices, Words: said.Words,
		StepUp:   s.session != nil && s.session.Level != federation.LevelNone && s.session.Level < s.request.Level,
		Again:    s.session != nil && s.session.Level != federation.LevelNone && s.session.Level >= s.request.Level,
		Accounts: o.c.Accounts != nil && s.request.Level <= o.c.Accounts.MaxLevel(),
	}
	if page.Again && page.Username == "" {
		page.Username = o.username(r, s.session)
	}
	if said.Words != "" {
		page.Upstreams = o.choices(s.request.Level, s.client.ID, said.Words)
	}
	if page.Accounts && o.c.Passkeys != nil {
		options, err := o.c.Passkeys.Request(csrf)
		if err != nil {
			o.page(w, r, s.client.ID, err)
			return
		}
		page.Passkey = string(options)
	}
	o.c.Pages.LoginPage(w, r, status, page)
}

// username is the name that the person of a session signs in with here, "" for
// who comes from elsewhere: they are asked once more and need not type it.
func (o *OP) username(r *http.Request, s *ledger.Session) string {
	if o.c.Accounts == nil {
		return ""
	}
	acc, err := o.c.Accounts.Get(r.Context(), s.Account)
	if err != nil {
		return "" // the field stays empty
	}
	return acc.Username
}

// choices are the account sources that reach a level.
func (o *OP) choices(level federation.Level, client, words string) []sso.UpstreamChoice {
	if o.c.Choose != nil {
		return o.c.Choose(level, client, words)
	}
	var out []sso.UpstreamChoice
	for _, u := range o.c.Upstreams {
		if u.Reaches(level) {
			out = append(out, u.Choice())
		}
	}
	return out
}

// password signs in with an account of the provider's own.
func (o *OP) password(w http.ResponseWriter, r *http.Request, s *step, p protocol.Params) {
	if o.c.Accounts == nil {
		o.page(w, r, s.client.ID, refusal(protocol.InvalidRequest, "no accounts here"))
		return
	}
	acc, err := o.c.Accounts.Check(r.Context(), p["username"], p["password"], o.address(r))
	var many *account.LimitError
	switch {
	case errors.Is(err, account.ErrWrong):
		o.event(r.Context(), http.StatusUnauthorized, "login failed", s.client.ID, err)
		o.showLogin(w, r, s, http.StatusUnauthorized, sso.LoginPage{Username: p["username"], Mistake: sso.WrongPassword})
		return
	case errors.As(err, &many):
		o.event(r.Context(), http.StatusTooManyRequests, "login limited", s.client.ID, err)
		w.Header().Set("Retry-After", strconv.Itoa(int(many.Wait/time.Second)))
		o.showLogin(w, r, s, http.StatusTooManyRequests, sso.LoginPage{Username: p["username"], Mistake: sso.TooManyTries, Wait: many.Minutes()})
		return
	case err != nil:
		o.page(w, r, s.client.ID, err)
		return
	}
	o.enter(w, r, s, acc, []string{"pwd"})
}

// passkey signs in with a passkey. It was asked for with the token of this
// form, which the flow that enter takes makes used: an answer counts once.
func (o *OP) passkey(w http.ResponseWriter, r *http.Request, s *step, p protocol.Params) {
	if o.c.Accounts == nil || o.c.Passkeys == nil {
		o.page(w, r, s.client.ID, refusal(protocol.InvalidRequest, "no passkeys here"))
		return
	}
	id, amr, err := o.c.Passkeys.Check(r.Context(), p["csrf"], []byte(p["passkey"]))
	var acc *account.Account
	if err == nil {
		acc, err = o.c.Accounts.Get(r.Context(), id)
	}
	if err == nil && acc.Locked {
		err = fmt.Errorf("%w: the account is locked", passkey.ErrRefused)
	}
	switch {
	case errors.Is(err, passkey.ErrRefused), errors.Is(err, account.ErrNotFound):
		o.event(r.Context(), http.StatusUnauthorized, "login failed", s.client.ID, err)
		o.showLogin(w, r, s, http.StatusUnauthorized, sso.LoginPage{Mistake: sso.PasskeyFailed})
	case err != nil:
		o.page(w, r, s.client.ID, err)
	default:
		o.enter(w, r, s, acc, amr)
	}
}

// enter uses up the login and signs in to an account of the provider's own.
func (o *OP) enter(w http.ResponseWriter, r *http.Request, s *step, acc *account.Account, amr []string) {
	f, err := o.takeFlow(r, s.handle)
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	s.flow = f
	person := acc.Claims.Name
	if person == "" {
		person = acc.Username
	}
	o.signIn(w, r, s, ledger.SignedIn{
		Account: acc.ID, Person: person, Claims: acc.Claims, Level: acc.Level, AuthTime: o.c.Now(), AMR: amr,
	})
}

// signIn opens a session under a new cookie and goes on. A session of another
// person in this browser ends everywhere: they have left.
func (o *OP) signIn(w http.ResponseWriter, r *http.Request, s *step, in ledger.SignedIn) {
	ctx := r.Context()
	old := s.session
	n := ledger.Enter(old, in, o.c.Now())
	cookie := ledger.Random()
	n.Key = protocol.Digest(cookie)
	s.session = &n
	s.flow.Fresh, s.flow.FreshLevel = n.Key, in.Level
	code, err := o.open(ctx, s)
	if err == nil {
		err = o.leave(ctx, old, in.Account, n.Key)
	}
	if err != nil {
		o.page(w, r, s.client.ID, err)
		return
	}
	o.setCookie(w, o.cookieName(), cookie)
	o.c.Log.InfoContext(ctx, "signed in", "peer", s.client.ID)
	if code != "" {
		http.Redirect(w, r, s.request.BackURL(string(o.c.Issuer), code, nil), http.StatusSeeOther)
		return
	}
	o.advance(w, r, s)
}

// open keeps the session of a login. Where nothing else has to be asked, the
// code is written in the same go and returned; a store that syncs to disk is
// then waited for once.
func (o *OP) open(ctx context.Context, s *step) (code string, err error) {
	d := protocol.Decide(s.request, o.state(s), o.c.Now())
	if d.Step != protocol.Issue || d.Level >= federation.LevelHoch {
		return "", o.ledger.Open(ctx, *s.session)
	}
	g := o.grant(s, d.Level)
	s.session.Join(g.party)
	err = ledger.Together(
		func() error { return o.ledger.Open(ctx, *s.session) },
		func() error { return o.ledger.Note(ctx, s.session.Account, g.handover) },
		func() (err error) {
			code, err = o.ledger.IssueCode(ctx, g.code)
			return err
		},
	)
	return code, err
}

// leave ends the session that a login replaces. The same person's goes on
// under the new key.
func (o *OP) leave(ctx context.Context, old *ledger.Session, account, key string) error {
	if old == nil {
		return nil
	}
	if old.Account == account {
		return o.ledger.Move(ctx, account, old.Key, key)
	}
	_, err := o.End(ctx, old.Key)
	return err
}

// Confirm shows the information page before the first hand-over to a client,
// and takes the decision.
func (o *OP) Confirm(w http.ResponseWriter, r *http.Request) {
	p, ok := o.form(w, r)
	if !ok {
		return
	}
	if r.Method == http.MethodPost {
		o.decided(w, r, p)
		return
	}
	s, err := o.step(r, p["handle"])
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	d := protocol.Decide(s.request, o.state(s), o.c.Now())
	if d.Step != protocol.Confirm {
		if _, err := o.takeFlow(r, s.handle); err != nil {
			o.page(w, r, s.client.ID, err)
			return
		}
		o.advance(w, r, s)
		return
	}
	o.showConfirm(w, r, s, d.Level)
}

func (o *OP) showConfirm(w http.ResponseWriter, r *http.Request, s *step, level federation.Level) {
	page := sso.ConfirmPage{
		Action: o.c.Issuer.URL(ConfirmPath), CSRF: o.names.Form(o.browser(w, r), s.handle), Handle: s.handle,
		Portal: s.client.Name, PortalURL: s.client.ID, Level: level, Person: s.session.Person,
		Claims: among(s.request.Claims, available(s.session.Claims)),
	}
	for _, party := range s.session.Parties {
		if party.Client != s.client.ID {
			page.LoggedInAt = append(page.LoggedInAt, party.Name)
		}
	}
	o.c.Pages.ConfirmPage(w, r, page)
}

// decided takes the flow: a decision counts once.
func (o *OP) decided(w http.ResponseWriter, r *http.Request, p protocol.Params) {
	f, err := o.takeFlow(r, p["handle"])
	var bad *protocol.Refusal
	if errors.As(err, &bad) {
		err = errors.Join(errForm, err) // a used form is no form
	}
	if err != nil {
		o.page(w, r, "", replayed(err))
		return
	}
	s, err := o.resume(r, p["handle"], f)
	if err != nil {
		o.page(w, r, "", err)
		return
	}
	if p["decision"] != "yes" {
		o.back(w, r, s.request, &protocol.Refusal{Code: protocol.AccessDenied, Why: "the person said no", Back: true})
		return
	}
	s.confirmed = true
	o.advance(w, r, s)
}

// replayed lets a used form be answered as a bad form.
func replayed(err error) error {
	if errors.Is(err, errForm) {
		return errForm
	}
	return err
}
