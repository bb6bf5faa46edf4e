package portal

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/admin/signin"
)

// statements signs the node's entity configuration and keeps it for a short
// time: the endpoint is public and a signature costs more than a request.
type statements struct {
	mu      sync.Mutex
	compact string
	until   time.Time
	mark    string
	issuers int
	changes uint64 // of the hub's registry
}

// forget has the statement signed anew: what it says may have changed.
func (s *statements) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compact = ""
}

// fresh reports whether what is kept was signed within the last configMinutes.
// After the clock was put back it was signed in the future, and nobody would
// believe it.
func (s *statements) fresh(now time.Time) bool {
	left := s.until.Sub(now)
	return left > 0 && left <= configMinutes
}

// configuration answers {entity}/.well-known/openid-federation [OIDF §9].
func (n *Node) configuration(w http.ResponseWriter, r *http.Request) {
	compact, err := n.entityConfiguration(r.Context())
	if err != nil {
		n.log.Error("entity configuration cannot be made", "err", err)
		http.Error(w, "entity configuration is not available now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/entity-statement+jwt")
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte(compact))
}

func (n *Node) entityConfiguration(ctx context.Context) (string, error) {
	s := n.member.get()
	issuers, changes := len(providers{n}.Issuers()), uint64(0)
	if n.anchor != nil {
		changes = n.anchor.Changes()
	}
	n.statements.mu.Lock()
	defer n.statements.mu.Unlock()
	if c := &n.statements; c.compact != "" && c.fresh(n.now()) && c.mark == s.Mark.Mark && c.issuers == issuers && c.changes == changes {
		return c.compact, nil
	}
	in := trust.ConfigurationInput{
		Self: n.cfg.Entity, Key: n.keys.Federation[0], Keys: n.keys.FederationJWKS(), Metadata: trust.Metadata{}, Now: n.now(),
	}
	if err := n.describe(&in); err != nil {
		return "", err
	}
	if s.Ticket != nil && s.Ticket.Hub != n.cfg.Entity {
		in.AuthorityHints = []federation.EntityID{s.Ticket.Hub}
	}
	if s.Mark.Mark != "" {
		in.Marks = []trust.MarkRef{s.Mark}
	}
	if n.anchor != nil {
		if err := n.anchor.Contribute(ctx, &in); err != nil {
			return "", err
		}
	}
	compact, err := trust.Configuration(in)
	if err != nil {
		return "", err
	}
	n.statements.compact, n.statements.until = compact, n.now().Add(configMinutes)
	n.statements.mark, n.statements.issuers, n.statements.changes = s.Mark.Mark, issuers, changes
	return compact, nil
}

// describe fills in the roles this node plays.
func (n *Node) describe(in *trust.ConfigurationInput) error {
	look := n.web.Brand()
	entity := map[string]any{"organization_name": look.Name}
	if look.Contact.Phone != "" {
		entity["phone"] = look.Contact.Phone
	}
	if n.cfg.Gossip.Follow {
		entity[followsParameter] = true
	} else if a := n.gossipAddress(); a != "" {
		entity[gossipParameter] = a
	}
	if a := poolAddress(n.cfg); a != "" {
		entity[poolParameter] = a
	}
	in.Metadata[trust.TypeEntity] = entity
	party := n.rp.Metadata()
	party.RedirectURIs = append(party.RedirectURIs, n.cfg.Entity.URL(signin.CallbackPath))
	if err := in.Metadata.Set(trust.TypeRP, party); err != nil {
		return err
	}
	if n.op == nil {
		return nil
	}
	return in.Metadata.Set(trust.TypeOP, n.op.Metadata())
}

// gossipAddress is where others reach this node's gossip: as configured, else
// the public host name with the gossip port. "" if the port is chosen freely.
func (n *Node) gossipAddress() string {
	return advertised(n.cfg.Gossip.Bind, n.cfg.Gossip.Advertise, n.cfg.Entity)
}

func advertised(bind, advertise string, self federation.EntityID) string {
	if advertise != "" {
		return advertise
	}
	host, port, err := net.SplitHostPort(bind)
	if err != nil || port == "0" {
		return ""
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = self.Host()
	}
	return net.JoinHostPort(host, port)
}
