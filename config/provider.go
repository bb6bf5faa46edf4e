package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation"
)

// provider validates the section op. A fault is put at the line of its key,
// or of its entry where the key is missing.
func (p *parser) provider(c *Config) {
	if !c.OP.Enabled && len(c.OP.Clients)+len(c.OP.Upstreams) > 0 {
		p.fault("op", "clients and upstreams belong to a provider", "set op.enabled: true, or remove them")
	}
	seen := map[string]bool{}
	for i, cl := range c.OP.Clients {
		p.client(c, fmt.Sprintf("op.clients[%d]", i), cl, seen)
	}
	seen = map[string]bool{}
	for i, u := range c.OP.Upstreams {
		p.upstream(c, fmt.Sprintf("op.upstreams[%d]", i), u, seen)
	}
}

// redis validates store.redis.
func (p *parser) redis(c *Config) {
	if c.Store.Redis.Replicas < 0 {
		p.fault("store.redis.replicas", "a number below 0 is not possible", "0 waits for none; with Sentinel or Cluster write replicas: 1")
	}
	if c.Store.Redis.Replicas > 0 && c.Store.Redis.Master == "" && !c.Store.Redis.Cluster && len(c.Store.Redis.Addrs) < 2 {
		p.fault("store.redis.replicas", "a single Redis has no replicas", "remove it, or name the Sentinels and the master")
	}
}

// at is fault for a key of an entry of a list.
func (p *parser) at(entry, key, what, remedy string) {
	full := join(entry, key)
	if p.lines[full] == 0 {
		p.lines[full] = p.lines[entry]
	}
	p.fault(full, what, remedy)
}

func (p *parser) client(c *Config, entry string, cl Client, seen map[string]bool) {
	switch {
	case cl.ID == "":
		p.at(entry, "id", "a client needs an id", "a plain word, for example id: bauportal")
	case strings.Contains(cl.ID, "://"):
		p.at(entry, "id", "the id "+cl.ID+" looks like an entity ID", "use a plain word for static clients")
	case seen[cl.ID]:
		p.at(entry, "id", "the id "+cl.ID+" stands here twice", "give every client its own id")
	}
	seen[cl.ID] = true
	switch {
	case cl.SecretFile == "" && cl.JWKSFile == "":
		p.at(entry, "secret_file", "the client has nothing to prove itself with", "name a secret_file, or a jwks_file with its public keys")
	case cl.SecretFile != "" && cl.JWKSFile != "":
		p.at(entry, "jwks_file", "secret_file and jwks_file exclude each other", "keep jwks_file, it is the stronger one")
	}
	p.readable(join(entry, "secret_file"), cl.SecretFile)
	p.readable(join(entry, "jwks_file"), cl.JWKSFile)
	if len(cl.RedirectURIs) == 0 {
		p.at(entry, "redirect_uris", "a client needs redirect_uris", "write each as the client sends it, byte for byte")
	}
	for i, u := range cl.RedirectURIs {
		p.address(c, entry, fmt.Sprintf("redirect_uris[%d]", i), u)
	}
	for i, u := range cl.PostLogoutRedirectURIs {
		p.address(c, entry, fmt.Sprintf("post_logout_redirect_uris[%d]", i), u)
	}
	if cl.BackchannelLogoutURI != "" {
		p.address(c, entry, "backchannel_logout_uri", cl.BackchannelLogoutURI)
	}
}

// address accepts https, and http on loopback names where the node allows it;
// no user part and no fragment.
func (p *parser) address(c *Config, entry, key, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(s, " \\*"):
		p.at(entry, key, fmt.Sprintf("%q is no complete address", s), "write for example https://dienst.example.de/zurueck, without * and #")
	case u.Scheme == "https" || u.Scheme == "http" && c.LoopbackHTTP && federation.IsLoopbackHost(u.Hostname()):
	default:
		p.at(entry, key, fmt.Sprintf("%q does not begin with https://", s), "")
	}
}

// ourClaims are the claims that an upstream's may be mapped to.
var ourClaims = []string{"name", "given_name", "family_name", "email", "locale"}

func (p *parser) upstream(c *Config, entry string, u Upstream, seen map[string]bool) {
	switch {
	case !shortID(u.ID):
		p.at(entry, "id", fmt.Sprintf("%q cannot be an id", u.ID), "1 to 32 lower-case letters, digits and hyphens; it is part of the redirect URI and never changed")
	case seen[u.ID]:
		p.at(entry, "id", "the id "+u.ID+" stands here twice", "give every upstream its own id")
	}
	seen[u.ID] = true
	if u.Name == "" {
		p.at(entry, "name", "the name on the button is missing", "write for example name: BundID")
	}
	if u.ClientID == "" {
		p.at(entry, "client_id", "the client_id is missing", "the source names it when the hub is registered there")
	}
	p.address(c, entry, "issuer", u.Issuer)
	for i, o := range u.Origins {
		p.address(c, entry, fmt.Sprintf("origins[%d]", i), o)
	}
	p.readable(join(entry, "secret_file"), u.SecretFile)
	p.levels(entry, u)
	for _, ours := range slices.Sorted(maps.Keys(u.Claims)) {
		if !slices.Contains(ourClaims, ours) {
			p.at(entry, "claims."+ours, "this claim is unknown", "known here: "+strings.Join(ourClaims, ", ")+"; the source's name stands behind the colon")
		}
	}
}

func (p *parser) levels(entry string, u Upstream) {
	if u.Max == federation.LevelNone {
		p.at(entry, "max", "the highest level the source may vouch for is missing", "one of basis, niedrig, substanziell, hoch")
	}
	switch {
	case u.ACR != "" && u.ACR != "eidas" && u.ACR != "stork":
		p.at(entry, "acr", fmt.Sprintf("%q is not possible", u.ACR), "one of eidas, stork; or say each value below levels")
	case u.ACR != "" && u.Levels != nil:
		p.at(entry, "levels", "acr and levels exclude each other", "remove acr")
	}
	for _, acr := range slices.Sorted(maps.Keys(u.Levels)) {
		if u.Levels[acr] == federation.LevelNone {
			p.at(entry, "levels."+acr, "a value cannot stand for no level", "leave it out: what is not listed is refused")
		}
	}
}

func shortID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
