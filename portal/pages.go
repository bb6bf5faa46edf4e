package portal

import (
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web"
)

func (n *Node) openPages() error {
	area, verbund := n.portal.Network.Area, n.portal.Network.Name
	if area == (region.Area{}) {
		area = n.portal.Home.Truncate(5)
		if n.cfg.Hub.Enabled {
			area = n.cfg.Hub.Area
		}
	}
	if verbund == "" {
		verbund = n.register.Name(area)
	}
	var err error
	n.web, err = web.New(web.Config{
		Self: n.cfg.Entity, Brand: n.brand, Home: n.portal.Home, Area: area, Verbund: verbund,
		Directory: n.directory, Register: n.register, Network: portals{n}, Sessions: people{n}, Target: n.target,
		FormTargets: n.formTargets, Demo: n.cfg.Demo, Now: n.now, Log: n.log,
	})
	return err
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
	for _, c := range n.cfg.OP.Clients {
		for _, u := range c.RedirectURIs {
			out = append(out, federation.EntityID(u).Origin())
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
	for _, m := range (members(p)).Members() {
		if m.ID == s.Identity.Issuer {
			person.Issuer = m.Name
		}
	}
	return person, true
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
