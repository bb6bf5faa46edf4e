package portal

import (
	"errors"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso/op/desk"
	"rathausnetz/sso/rp"
	"rathausnetz/sso/session"
)

// openDesk is where citizens look after their account; it is at the provider.
func (n *Node) openDesk() error {
	var err error
	n.desk, err = desk.New(desk.Config{
		Issuer: n.cfg.Entity, Name: n.began.Name, Provider: n.op, Accounts: n.accounts, Passkeys: n.passkeys,
		Citizens: citizens{n}, Pages: n.web, Now: n.now, Log: n.log,
	})
	return err
}

func (n *Node) deskRoutes() []route {
	var out []route
	for path, h := range n.desk.Handlers() {
		out = append(out, route{both, path, h})
	}
	// Where password managers look for the page.
	return append(out, route{get, "/.well-known/change-password", http.RedirectHandler(desk.PasswordPath, http.StatusSeeOther)})
}

// citizens tells the desk who sends a request. Two sessions must agree: that of
// this portal, which knows how long ago the person authenticated and guards
// forms, and that of the provider, which knows the account.
type citizens struct{ n *Node }

// Citizen implements desk.Citizens.
func (c citizens) Citizen(w http.ResponseWriter, r *http.Request, within time.Duration) (desk.Citizen, bool) {
	back := r.URL.EscapedPath()
	if r.URL.RawQuery != "" && r.Method != http.MethodPost {
		back = r.URL.RequestURI()
	}
	s, ok := c.n.rp.Require(w, r, federation.LevelBasis, rp.LoginOptions{MaxAge: within, Return: back})
	if !ok {
		return desk.Citizen{}, false
	}
	o, err := c.n.op.SessionOf(r)
	if err != nil {
		c.n.web.ServerError(w, r, err)
		return desk.Citizen{}, false
	}
	if o != nil && s.Identity.Issuer == c.n.cfg.Entity {
		sub, err := c.n.op.Subject(r.Context(), string(c.n.cfg.Entity), o.Account)
		if err != nil {
			c.n.web.ServerError(w, r, err)
			return desk.Citizen{}, false
		}
		if sub == s.Identity.Subject {
			return desk.Citizen{Account: o.Account, Name: o.Person, Session: o.Key, Upstream: o.Upstream, CSRF: s.CSRF()}, true
		}
	}
	// Signed in here, but the provider's session has ended or is of somebody
	// else: one login makes both of one person.
	c.n.rp.Begin(w, r, rp.LoginOptions{Issuer: c.n.cfg.Entity, MaxAge: within, Return: back})
	return desk.Citizen{}, false
}

// Leave implements desk.Citizens.
func (c citizens) Leave(w http.ResponseWriter, r *http.Request) error {
	_, err := c.n.sessions.End(r.Context(), w, r)
	if errors.Is(err, session.ErrNone) {
		return nil
	}
	return err
}
