package op

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
	"rathausnetz/sso/upstream"
)

// errForm is a form without, with a foreign or with a used CSRF token.
var errForm = errors.New("op: form token missing, foreign or used")

// errBusy is more begun than one address may begin.
var errBusy = errors.New("op: too many logins begun from one address")

// The cookies: one names the session and changes with every login, the other
// names the browser and binds logins on their way to it.
func (o *OP) cookieName() string {
	if o.c.Secure {
		return "__Host-rn-op"
	}
	return "rn-op"
}

func (o *OP) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: o.c.Secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// cookie returns 32 bytes in base64url; any other value is nobody's.
func (o *OP) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) != 43 {
		return ""
	}
	return c.Value
}

// leftName is the cookie that says that the person who signed in through a
// source has logged out here: the source may still know them, so the next one
// at this browser is asked anew.
func (o *OP) leftName() string { return o.cookieName() + "-x" }

func (o *OP) left(r *http.Request) bool {
	_, err := r.Cookie(o.leftName())
	return err == nil
}

// browser returns the value that binds forms to this browser, set if missing.
func (o *OP) browser(w http.ResponseWriter, r *http.Request) string {
	name := o.cookieName() + "-b"
	v := o.cookie(r, name)
	if v == "" {
		v = ledger.Random()
		o.setCookie(w, name, v)
		// For what else is done in this request.
		r.AddCookie(&http.Cookie{Name: name, Value: v})
	}
	return v
}

// form begins the handler of a page with a form: GET shows the page, POST takes
// a form that was made for this browser. Everything else it answers itself.
func (o *OP) form(w http.ResponseWriter, r *http.Request) (p protocol.Params, ok bool) {
	harden(w)
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return nil, false
	}
	p, err := o.query(w, r)
	if err == nil && r.Method == http.MethodPost {
		err = o.checkForm(r, p)
	}
	if err != nil {
		o.page(w, r, "", err)
		return nil, false
	}
	return p, true
}

// checkForm refuses a form that was not made for this browser and handle.
func (o *OP) checkForm(r *http.Request, p protocol.Params) error {
	b := o.cookie(r, o.cookieName()+"-b")
	want := o.names.Form(b, p["handle"])
	if b == "" || p["handle"] == "" || subtle.ConstantTimeCompare([]byte(want), []byte(p["csrf"])) != 1 {
		return errForm
	}
	return nil
}

// flow returns the flow of a handle if it belongs to this browser.
func (o *OP) flow(r *http.Request, handle string) (*ledger.Flow, error) {
	f, err := o.ledger.Flow(r.Context(), handle)
	return o.mine(r, f, err)
}

// takeFlow is flow, once.
func (o *OP) takeFlow(r *http.Request, handle string) (*ledger.Flow, error) {
	f, err := o.ledger.TakeFlow(r.Context(), handle)
	return o.mine(r, f, err)
}

func (o *OP) mine(r *http.Request, f *ledger.Flow, err error) (*ledger.Flow, error) {
	if errors.Is(err, ledger.ErrUnknown) {
		return nil, &protocol.Refusal{Code: protocol.InvalidRequest, Why: "this login has ended or was used"}
	}
	if err != nil {
		return nil, err
	}
	b := o.cookie(r, o.cookieName()+"-b")
	if b == "" || f.Browser != protocol.Digest(b) {
		return nil, &protocol.Refusal{Code: protocol.InvalidRequest, Why: "this login belongs to another browser"}
	}
	return f, nil
}

// session returns the living session of the browser, nil if there is none or
// its account may no longer sign in.
func (o *OP) session(r *http.Request) (*ledger.Session, error) {
	v := o.cookie(r, o.cookieName())
	if v == "" {
		return nil, nil
	}
	s, err := o.ledger.Session(r.Context(), v)
	if errors.Is(err, ledger.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch err := o.mayEnter(r.Context(), s.Account); {
	case errors.Is(err, errLocked):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return s, nil
}

// errLocked is an account of the provider's own that was locked or removed.
var errLocked = refusal(protocol.AccessDenied, "the account is locked or was removed")

// mayEnter refuses an account that was locked, by whichever way its person
// signs in. An account that an upstream's identity has made has no lock.
func (o *OP) mayEnter(ctx context.Context, id string) error {
	if o.c.Accounts == nil || upstream.Made(id) {
		return nil
	}
	acc, err := o.c.Accounts.Get(ctx, id)
	if errors.Is(err, account.ErrNotFound) || err == nil && acc.Locked {
		return errLocked
	}
	return err
}

// address stands for where a request comes from; whoever fronts this handler
// has put the real peer into RemoteAddr.
func (o *OP) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if host == "" || federation.IsLoopbackHost(host) {
		return "" // the operator's own machine
	}
	return o.names.Address(host)
}

// Address stands for where r comes from, to count attempts by; "" for the
// operator's own machine.
func (o *OP) Address(r *http.Request) string { return o.address(r) }
