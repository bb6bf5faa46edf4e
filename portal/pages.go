package portal

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/mirror"
	"rathausnetz/portal/branding"
	"rathausnetz/portal/web"
	"rathausnetz/sso/rp"
	"rathausnetz/sso/session"
)

func (n *Node) openPages() error {
	area, verbund := n.networkArea()
	var err error
	n.web, err = web.New(web.Config{
		Self: n.cfg.Entity, Brand: n.current().brand, Home: n.began.Home, Area: area, Verbund: verbund,
		Directory: n.directory, Neighbours: unlinked{n.neighbours.client, &n.blocks.list}, Register: n.register, Network: portals{n}, Sessions: people{n}, Reports: remarks{n}, ReportGap: n.gap, Target: n.target,
		FormTargets: n.formTargets, Demo: n.cfg.Demo, Now: n.now, Log: n.log,
	})
	if err != nil {
		return err
	}
	return n.openBranding()
}

// openBranding shows what was published in the operator pages, if anything was.
func (n *Node) openBranding() error {
	n.branding = branding.New(branding.Config{Store: n.store, Start: n.current().brand, Show: n.web.SetBrand, Now: n.now, Log: n.log})
	if err := n.branding.Load(context.Background()); err != nil {
		n.log.Error("published brand was not read, the configured one is shown", "err", err)
	}
	return nil
}

// formTargets are the origins that sign-on forms may lead on to.
func (n *Node) formTargets() []string {
	out := n.rp.FormTargets()
	if n.op == nil {
		return out
	}
	for _, m := range (members{n}).Members() {
		out = append(out, m.ID.Origin())
	}
	for _, c := range n.current().cfg.OP.Clients {
		for _, u := range c.RedirectURIs {
			out = append(out, federation.EntityID(u).Origin())
		}
	}
	for _, u := range n.cfg.OP.Upstreams {
		for _, origin := range append([]string{u.Issuer}, u.Origins...) {
			out = append(out, federation.EntityID(origin).Origin())
		}
	}
	return out
}

// people tells the pages who is signed in.
type people struct{ n *Node }

func (p people) Person(r *http.Request) (web.Person, bool) {
	s, err := p.n.sessions.Get(r)
	if err != nil {
		return web.Person{}, false
	}
	now := p.n.now()
	person := web.Person{
		Name: s.Identity.Claims.Name, Level: s.Identity.Level, Since: s.Identity.AuthTime, Until: now.Add(s.RemainingAbsolute(now)),
		Issuer: string(s.Identity.Issuer),
	}
	switch issuer := s.Identity.Issuer; {
	case issuer == p.n.cfg.Entity && p.n.desk != nil:
		person.AccountHere = true
	case issuer == p.n.hub():
		person.AccountURL = issuer.URL(rp.LoginPath + "?zurueck=" + url.QueryEscape(accountPath))
	}
	for _, m := range (members(p)).Members() {
		if m.ID == s.Identity.Issuer {
			person.Issuer = m.Name
		}
	}
	if r.URL.Path == accountPath {
		person.Portals = p.others(r, s.Identity.Issuer)
	}
	return person, true
}

// Left implements web.Sessions.
func (p people) Left(r *http.Request) (web.Left, bool) {
	s, err := p.n.sessions.Peek(r)
	if err != nil {
		return web.Left{}, false
	}
	now := p.n.now()
	return web.Left{Now: s.Remaining(now), Absolute: s.RemainingAbsolute(now), Idle: session.LimitsOf(s.Identity.Level).Idle}, true
}

// accountPath is the one page that says where else a person is signed in.
const accountPath = "/konto"

// others are the portals with the same login. Only the provider knows them: a
// portal is told nothing of the others, so elsewhere the list is empty.
func (p people) others(r *http.Request, issuer federation.EntityID) []string {
	if p.n.op == nil || issuer != p.n.cfg.Entity {
		return nil
	}
	s, err := p.n.op.SessionOf(r)
	if err != nil || s == nil {
		if err != nil {
			p.n.log.Warn("portals of a login are not known", "err", err)
		}
		return nil
	}
	var out []string
	here := false
	for _, party := range s.Parties {
		if federation.EntityID(party.Client) == p.n.cfg.Entity {
			here = true
			continue
		}
		out = append(out, party.Name)
	}
	if !here {
		return nil // the browser's login is not the one of this session
	}
	return out
}

// portals tells the pages how the members' portals are doing.
type portals struct{ n *Node }

func (p portals) Portals() []web.Portal {
	var out []web.Portal
	since := p.since()
	for _, m := range (members(p)).Members() {
		self := m.ID == p.n.cfg.Entity
		w := web.Portal{Member: m, Self: self, Reachable: p.n.reachable(m.ID), Since: since[m.ID]}
		if c, ok := p.n.mirror.Copy(m.ID); ok && c.Catalogue != nil {
			w.HasCopy, w.Stale, w.Fetched, w.Serial, w.Offers = true, c.State != mirror.StateFresh, c.Checked, c.Serial, len(c.Catalogue.Offers)
		}
		out = append(out, w)
	}
	return out
}

func (p portals) since() map[federation.EntityID]time.Time {
	out := map[federation.EntityID]time.Time{}
	net := p.n.network.Load()
	if net == nil {
		return out
	}
	for _, peer := range net.discovery.Peers() {
		if t := out[peer.Entity]; t.IsZero() || peer.Since.After(t) {
			out[peer.Entity] = peer.Since
		}
	}
	return out
}
