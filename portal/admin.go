package portal

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/audit"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/signin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/sso/rp/provider"
)

// openAdmin builds the operator pages.
func (n *Node) openAdmin() error {
	n.trail = audit.New(audit.Config{Self: n.cfg.Entity, Keys: n.currentKeys, Store: n.store, Prefix: "node/audit", Now: n.now})
	if n.anchor != nil {
		n.trail = n.anchor.Trail() // one trail for everything at a hub
	}
	n.staff = staff.New(n.store, n.now)
	source, err := n.staffSource()
	if err != nil {
		return err
	}
	cfg := admin.Config{
		Self: n.cfg.Entity, Staff: n.staff, Sessions: staff.NewSessions(n.staff, n.secure()),
		SignIn: signin.New(n.store, n.cfg.Entity.URL(signin.CallbackPath), n.now, source),
		Trail:  n.trail, Asset: n.web.AssetURL, Demo: n.cfg.Demo, Now: n.now, Log: n.log,
		Look:     func() admin.Look { return admin.Look{Brand: n.web.Brand(), Mark: n.web.MarkURL} },
		Sections: n.adminSections(),
	}
	if len(n.cfg.Admin.Roles) > 0 {
		cfg.RolesOf = n.rolesOf
	}
	n.admin, err = admin.New(cfg)
	return err
}

// adminSections are the parts of the operator pages, in the order of the menu.
func (n *Node) adminSections() []admin.Section {
	var out []admin.Section
	if n.anchor != nil {
		out = append(out, n.hubPages().Section())
	}
	return append(out, n.officeSections()...)
}

// staffSource is where the staff signs in: the provider of the house, or that
// of the network.
func (n *Node) staffSource() (signin.Source, error) {
	a := n.cfg.Admin
	cfg := provider.Config{HTTP: n.outbound(forSignOn), ClientID: string(n.cfg.Entity), Loopback: !n.secure(), Now: n.now, Log: n.log}
	s := signin.Source{ID: "verbund", Name: "Mit dem Konto des Verbunds anmelden", ClientID: cfg.ClientID}
	s.Metadata = func(ctx context.Context) (*provider.Metadata, error) {
		return providers{n}.Provider(ctx, providers{n}.Home())
	}
	if a.Issuer == "" {
		cfg.Key = func(now time.Time) *trust.Key { return n.keys.At(now).Protocol[0] }
	} else {
		b, err := os.ReadFile(a.SecretFile)
		if err != nil {
			return s, fmt.Errorf("admin.secret_file: %w", err)
		}
		cfg.ClientID, cfg.Secret = a.ClientID, strings.TrimSpace(string(b))
		s = signin.Source{ID: "haus", Name: a.Name, ClientID: a.ClientID, Claim: a.RolesClaim}
		if s.Name == "" {
			s.Name = "Mit dem Konto der Verwaltung anmelden"
		}
		s.Metadata = func(ctx context.Context) (*provider.Metadata, error) { return s.Client.Discover(ctx, a.Issuer) }
	}
	var err error
	s.Client, err = provider.New(cfg)
	return s, err
}

// rolesOf is the operator's table from groups to roles.
func (n *Node) rolesOf(groups []string) staff.Roles {
	var out staff.Roles
	for _, r := range n.cfg.Admin.Roles {
		if role, err := staff.ParseRole(r.Role); err == nil && slices.Contains(groups, r.Group) {
			out |= role
		}
	}
	return out
}

// AdminLink is a one-time way into the operator pages.
type AdminLink struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// AdminLink makes a link that lets whoever opens it first into the operator
// pages of this node, within 15 minutes.
func (n *Node) AdminLink(ctx context.Context, by string) (AdminLink, error) {
	secret, expires, err := n.staff.Link(ctx)
	if err != nil {
		return AdminLink{}, err
	}
	return AdminLink{URL: n.admin.LinkURL(secret), Expires: expires}, n.trail.Note(ctx, by, "staff-link-made", "", "")
}
