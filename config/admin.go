package config

import (
	"net/url"

	"rathausnetz/federation"
)

// Admin says where the staff signs in for the operator pages. Without an issuer
// it is the provider of the network, and roles come from invitations alone.
type Admin struct {
	Issuer     string `yaml:"issuer"` // an OpenID Provider of the house
	Name       string `yaml:"name"`   // on its button
	ClientID   string `yaml:"client_id"`
	SecretFile string `yaml:"secret_file"`
	// RolesClaim names the claim with a person's groups, for example groups or
	// realm_access.roles; Roles says what they may do here.
	RolesClaim string      `yaml:"roles_claim"`
	Roles      []AdminRole `yaml:"roles"`
}

// AdminRole gives a role to everybody in a group.
type AdminRole struct {
	Group string `yaml:"group"`
	Role  string `yaml:"role"` // redaktion, verbund or leitung
}

func (p *parser) admin(c *Config) {
	a := c.Admin
	if a.Issuer == "" {
		if a.ClientID+a.SecretFile+a.RolesClaim != "" || len(a.Roles) > 0 {
			p.fault("admin.issuer", "the address of the provider is missing", "write for example issuer: https://login.landkreis.example/realms/haus, or remove the block")
		}
		return
	}
	u, err := url.Parse(a.Issuer)
	loopback := err == nil && c.LoopbackHTTP && u.Scheme == "http" && federation.IsLoopbackHost(u.Hostname())
	if err != nil || u.Host == "" || u.Scheme != "https" && !loopback || u.RawQuery+u.Fragment != "" {
		p.fault("admin.issuer", "\""+a.Issuer+"\" is no address of a provider", "write https://… as its discovery document names it")
	}
	if a.ClientID == "" || a.SecretFile == "" {
		p.fault("admin.client_id", "client_id and secret_file are needed with an issuer", "register this node there as a confidential client")
	}
	p.readable("admin.secret_file", a.SecretFile)
	if (a.RolesClaim == "") != (len(a.Roles) == 0) {
		p.fault("admin.roles_claim", "roles_claim and roles belong together", "give both, or neither: then roles come from invitations")
	}
	for _, r := range a.Roles {
		if r.Group == "" {
			p.fault("admin.roles", "an entry has no group", "write for example - {group: portal-leitung, role: leitung}")
		}
		p.oneOf("admin.roles", r.Role, "redaktion", "verbund", "leitung")
	}
}
