package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/portal/web"
	"rathausnetz/sso/rp"
	"rathausnetz/sso/session"
)

func (n *Node) secure() bool { return strings.HasPrefix(string(n.cfg.Entity), "https://") }

func (n *Node) openSessions() error {
	var err error
	n.sessions, err = session.New(session.Config{Store: n.store, Secure: n.secure(), Trusted: providers{n}.trusted, Now: n.now, Log: n.log})
	return err
}

func (n *Node) openSignOn() error {
	var err error
	n.rp, err = rp.New(rp.Config{
		Self: n.cfg.Entity, Name: n.began.Name, Keys: n.keys, Sessions: n.sessions, Providers: providers{n},
		HTTP: n.outbound(forSignOn), Store: n.store, Pages: n.web, Secure: n.secure(), Now: n.now, Log: n.log,
	})
	if err != nil || !n.cfg.OP.Enabled {
		return err
	}
	return n.openProvider()
}

// Session returns the session of a request at this portal, for whoever runs
// several nodes in one process and has to compare them. Errors as of
// session.Manager.Get.
func (n *Node) Session(r *http.Request) (*session.Session, error) { return n.sessions.Get(r) }

// providers answers from verified membership which OpenID Providers there are.
type providers struct{ n *Node }

// Provider implements rp.Providers; it opens no connection.
func (p providers) Provider(ctx context.Context, issuer federation.EntityID) (*rp.Provider, error) {
	p.n.settle(ctx)
	net := p.n.network.Load()
	if net == nil {
		return nil, fmt.Errorf("%w: this node has not joined a network", rp.ErrUnknownProvider)
	}
	chain, err := net.roster.Chain(issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", rp.ErrUnknownProvider, issuer, err)
	}
	md, ok, err := chain.Metadata.OP()
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: %s runs none", rp.ErrUnknownProvider, issuer)
	}
	var own []string
	if c, err := net.roster.Chain(p.n.cfg.Entity); err == nil {
		own = c.Compacts()
	}
	return rp.FromMetadata(md, own), nil
}

// Issuers implements rp.Providers: the hub, and every member that runs one.
func (p providers) Issuers() []federation.EntityID {
	var out []federation.EntityID
	if home := p.Home(); home != "" {
		out = append(out, home)
	}
	if net := p.n.network.Load(); net != nil {
		for _, m := range net.roster.Members() {
			if m.IsOP && !slices.Contains(out, m.ID) {
				out = append(out, m.ID)
			}
		}
	}
	return out
}

// Home implements rp.Providers: the hub.
func (p providers) Home() federation.EntityID { return p.n.hub() }

// trusted is asked for every page of a signed-in person.
func (p providers) trusted(issuer federation.EntityID) bool {
	p.n.settle(context.Background())
	_, err := members(p).Chain(issuer)
	return err == nil
}

// target is where "Online beantragen" leads: to the login of the portal that
// has the form, so that the citizen arrives signed in [OIDC §4]. A form
// without login, or one that is not at the member's portal, is linked as it
// is. No token and no personal data travels in the link.
func (n *Node) target(m federation.Member, d catalog.Onlinedienst) string {
	if d.Level == federation.LevelNone || m.LoginURI == "" || !strings.HasPrefix(d.URL, string(m.ID)+"/") {
		return d.URL
	}
	q := url.Values{"iss": {string(providers{n}.Home())}, "target_link_uri": {d.URL}}
	return m.LoginURI + "?" + q.Encode()
}

// maxForm is the largest form that is read, in bytes.
const maxForm = 64 << 10

// form serves the demonstration form of an offer. It may be filled in by
// whoever is signed in at all; the offer's own level is asked for when it is
// needed, at sending, and what was typed is kept over the login.
func (n *Node) form(next func(http.ResponseWriter, *http.Request, web.Form)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, ok := n.ownForm(r.URL.Path)
		switch {
		case !ok:
			n.web.NotFound(w, r)
		case d.Level == federation.LevelNone:
			next(w, r, web.Form{})
		case r.Method == http.MethodPost:
			n.sendForm(w, r, d.Level, next)
		default:
			n.showForm(w, r, d.Level, next)
		}
	}
}

func (n *Node) showForm(w http.ResponseWriter, r *http.Request, need federation.Level, next func(http.ResponseWriter, *http.Request, web.Form)) {
	s, ok := n.rp.Require(w, r, min(need, federation.LevelNiedrig), rp.LoginOptions{})
	if !ok {
		return
	}
	f := web.Form{Need: need}
	d, err := n.sessions.Draft(r.Context(), s, r.URL.Path)
	switch {
	case err == nil:
		f.Kept = d.Values
	case !errors.Is(err, session.ErrNoDraft):
		n.log.Warn("draft not read", "err", err)
	}
	next(w, r, f)
}

func (n *Node) sendForm(w http.ResponseWriter, r *http.Request, need federation.Level, next func(http.ResponseWriter, *http.Request, web.Form)) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if r.PostForm.Get(web.FormWish) == "" { // nothing is sent, the page says what is missing
		need = min(need, federation.LevelNiedrig)
	}
	s, err := n.sessions.Get(r)
	var o rp.LoginOptions
	if err != nil || !s.Reaches(need) { // a login is on its way
		if o.Draft, err = n.sessions.SaveDraft(r.Context(), session.Draft{Path: r.URL.Path, Values: r.PostForm}); err != nil {
			n.log.Warn("draft not kept", "err", err)
		}
	}
	if s, ok := n.rp.Require(w, r, need, o); ok {
		if _, err := n.sessions.TakeDraft(r.Context(), s, r.URL.Path); err != nil && !errors.Is(err, session.ErrNoDraft) {
			n.log.Warn("draft not removed", "err", err)
		}
		next(w, r, web.Form{Need: need})
	}
}

// ownForm finds the Onlinedienst of the own catalogue that is served at path.
func (n *Node) ownForm(path string) (catalog.Onlinedienst, bool) {
	c, ok := n.mirror.Copy(n.cfg.Entity)
	if !ok || c.Catalogue == nil {
		return catalog.Onlinedienst{}, false
	}
	want := n.cfg.Entity.URL(path)
	for i := range c.Catalogue.Offers {
		for _, d := range c.Catalogue.Offers[i].Onlinedienste {
			if d.URL == want {
				return d, true
			}
		}
	}
	return catalog.Onlinedienst{}, false
}
