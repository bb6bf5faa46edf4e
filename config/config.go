package config

import (
	"net/netip"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
)

// Config is one node. Paths are absolute after Load: relative ones in the
// file are taken relative to the file's folder.
type Config struct {
	// Entity is the node's public address and its name in the network.
	Entity federation.EntityID `yaml:"entity"`
	// Listen is host:port of the portal's own listener.
	Listen string `yaml:"listen"`
	// Data is the folder for keys, store and mirrored catalogues.
	Data string `yaml:"data"`
	// LoopbackHTTP allows plain http, and only for names that can mean
	// nothing but this machine. Never set it on a node others can reach.
	LoopbackHTTP bool `yaml:"loopback_http"`
	// Demo marks every page as a demonstration and serves demonstration forms.
	Demo bool `yaml:"demo"`

	TLS      TLS      `yaml:"tls"`
	Portal   Portal   `yaml:"portal"`
	Hub      Hub      `yaml:"hub"`
	OP       OP       `yaml:"op"`
	Gossip   Gossip   `yaml:"gossip"`
	Outbound Outbound `yaml:"outbound"`
	Catalog  Catalog  `yaml:"catalog"`
	Links    Links    `yaml:"links"`
	Admin    Admin    `yaml:"admin"`
	API      API      `yaml:"api"`
	Store    Store    `yaml:"store"`
	Register Register `yaml:"register"`
	Log      Log      `yaml:"log"`
	Metrics  Metrics  `yaml:"metrics"`
	// Proxies are the addresses whose X-Forwarded-For is believed.
	Proxies []netip.Prefix `yaml:"proxies"`
}

// TLS names the certificate of the own listener. Both empty: the listener
// speaks plain http behind a reverse proxy that terminates TLS.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	ACME ACME   `yaml:"acme"` // instead of Cert and Key
}

// ACME gets the certificate from an authority, by a challenge on the listener
// itself: port 443 of the public name must lead to it without a proxy that
// ends TLS.
type ACME struct {
	Enabled   bool   `yaml:"enabled"` // agrees to the terms of the authority
	Email     string `yaml:"email"`
	Directory string `yaml:"directory"` // empty: Let's Encrypt
}

// Portal names the file with name, colours, texts and pictures.
type Portal struct {
	File string `yaml:"file"`
}

// Hub makes this node the hub of its Landkreis: trust anchor, registry and
// issuer of trust marks for the areas it names.
type Hub struct {
	Enabled bool            `yaml:"enabled"`
	Name    string          `yaml:"name"`  // legal name
	Kind    federation.Kind `yaml:"kind"`  // landkreis or land
	Area    region.Area     `yaml:"area"`  // what it may hand out, with everything inside
	Short   string          `yaml:"short"` // short name for badges
	// Superior: the hub stands below another one, its Land's. It joins there
	// with a code, and admits members only after it was approved.
	Superior bool          `yaml:"superior"`
	OwnOnly  []region.Area `yaml:"own_only"` // areas the hub's own offers are limited to; empty: Area
	Pool     Pool          `yaml:"pool"`
}

// Pool is the hub's part among the hubs of other Landkreise: who they are, and
// a gossip of their own. Hubs below the same superior know each other by it.
type Pool struct {
	Bind      string `yaml:"bind"`      // host:port, UDP and TCP; empty: the hub knows no others
	Advertise string `yaml:"advertise"` // as seen by others; empty: Bind
	// KeyFile holds the keys of that gossip, the same at all hubs; see
	// "rathausnetz neighbour key". A hub below another one may leave it empty:
	// it then uses the keys of its superior.
	KeyFile    string      `yaml:"key_file"`
	Peers      []string    `yaml:"peers"` // host:port of hubs to try first
	Neighbours []Neighbour `yaml:"neighbours"`
}

// Enabled reports whether the hub takes part.
func (p Pool) Enabled() bool { return p.Bind != "" }

// Neighbour is a hub that no common superior vouches for: the operator does.
type Neighbour struct {
	Entity federation.EntityID `yaml:"entity"`
	// Fingerprint is the RFC 7638 thumbprint of its federation key, 43
	// characters, as "rathausnetz neighbour fingerprint" says there.
	Fingerprint string      `yaml:"fingerprint"`
	Area        region.Area `yaml:"area"` // for which its word counts: the 5 digits of its Kreis
}

// OP makes this node an OpenID Provider with accounts of its own.
type OP struct {
	Enabled bool     `yaml:"enabled"`
	Clients []Client `yaml:"clients"`
	// Upstreams are account sources elsewhere, beside the provider's own
	// accounts: any OpenID Provider, in the order of the login page.
	Upstreams []Upstream `yaml:"upstreams"`
}

// Client is a static relying party: a third party's online service.
type Client struct {
	ID           string   `yaml:"id"`
	Name         string   `yaml:"name"`
	SecretFile   string   `yaml:"secret_file"` // client_secret_basic
	JWKSFile     string   `yaml:"jwks_file"`   // private_key_jwt, instead of a secret
	RedirectURIs []string `yaml:"redirect_uris"`
	// PostLogoutRedirectURIs are where a logout may lead back to.
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`
	// BackchannelLogoutURI is told when a person logs out; without it the
	// result of a logout says that this service was not reached.
	BackchannelLogoutURI string `yaml:"backchannel_logout_uri"`
	// Own: a service of the operator of this node itself. Nothing is handed to
	// anybody else, so there is no information page.
	Own bool `yaml:"own"`
}

// Upstream is one source of accounts.
type Upstream struct {
	// ID is part of the redirect URI and of what is remembered; never change
	// it. Lower-case letters, digits and hyphens.
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`    // on the button
	Issuer   string   `yaml:"issuer"`  // byte for byte as its discovery document says
	Origins  []string `yaml:"origins"` // of endpoints that are not at the issuer's origin
	ClientID string   `yaml:"client_id"`
	// SecretFile holds the secret for client_secret_basic. Empty: private_key_jwt
	// with this node's protocol key, which the source reads at /op/jwks.
	SecretFile string `yaml:"secret_file"`
	Scope      string `yaml:"scope"` // empty: openid profile email
	// Max is the highest level the source may vouch for. An answer above it is
	// refused, not lowered.
	Max federation.Level `yaml:"max"`
	// ACR is the table from acr values to levels: "eidas" (the default) or
	// "stork", unless Levels says each.
	ACR    string                      `yaml:"acr"`
	Levels map[string]federation.Level `yaml:"levels"`
	// Claims names the source's claim for each of ours (name, given_name,
	// family_name, email, locale) where it differs.
	Claims map[string]string `yaml:"claims"`
	// Places are the areas whose people usually have an account there; empty:
	// everywhere.
	Places []region.Area `yaml:"places"`
}

// Gossip is the node's part in finding the others.
type Gossip struct {
	Bind      string `yaml:"bind"`      // host:port, UDP and TCP
	Advertise string `yaml:"advertise"` // as seen by others; empty: Bind
	// Peers are host:port of nodes to try first; the hub names its own at
	// approval, so a member usually leaves this empty.
	Peers []string `yaml:"peers"`
	// Follow takes no part in gossip: the node hears the news by outbound
	// HTTPS from its hub or any member. For a node behind a firewall whose
	// portal is public but whose gossip port is not; Bind is not used then.
	Follow bool `yaml:"follow"`
}

// Outbound limits whom the node calls. Special-use addresses are refused,
// because a member's metadata must not lead into the operator's own network.
type Outbound struct {
	// Allow exempts networks, for authorities inside an administration's own
	// network.
	Allow []netip.Prefix `yaml:"allow"`
}

// Catalog says where the own catalogue comes from.
type Catalog struct {
	// Source is an XZuFi file, folder, .zip or https URL with index.txt, or a
	// YAML file. Empty: the node keeps its catalogue itself, see
	// "rathausnetz catalog import".
	Source string `yaml:"source"`
	// Every is how often Source is read again; 0 means only on request.
	Every time.Duration `yaml:"every"`
	// Delegations is a YAML file of what the node has delegated.
	Delegations string `yaml:"delegations"`
}

// Links says how the addresses in the own catalogue are checked.
type Links struct {
	// Every is how often a link that is in order is asked for; 0 switches the
	// checker off.
	Every time.Duration `yaml:"every"`
	// Pause is the rest a host gets between two requests.
	Pause time.Duration `yaml:"pause"`
}

// API says how much the JSON interfaces answer.
type API struct {
	// PerMinute is how many requests one client may make in a minute; -1 is
	// without limit, for a node that is reached by its own front end only.
	PerMinute int `yaml:"per_minute"`
}

// Store chooses where sessions, one-time objects, accounts and the registry
// are kept: one file in Data, or Redis for several replicas of this node.
type Store struct {
	Redis Redis `yaml:"redis"`
}

// Redis addresses a single server, a Sentinel group (Master set) or a Cluster
// (several addresses, no Master).
type Redis struct {
	Addrs        []string `yaml:"addrs"`
	Master       string   `yaml:"master"`
	Username     string   `yaml:"username"`
	PasswordFile string   `yaml:"password_file"`
	TLS          bool     `yaml:"tls"`
	Cluster      bool     `yaml:"cluster"` // a Cluster reached by one address
	// Replicas is how many Redis replicas must have confirmed a write before it
	// counts. A failover loses what was not confirmed: set 1 with Sentinel or
	// Cluster, and run two replicas, so that one may be away.
	Replicas int `yaml:"replicas"`
}

// Register names the files of areas beyond the built-in Kreis.
type Register struct {
	GV100AD []string `yaml:"gv100ad"` // oldest edition first
	PLZ     string   `yaml:"plz"`     // plz;ags
	// Leika is a CSV file with the columns leika and name. With it a key that
	// is not listed stops a publication.
	Leika string `yaml:"leika"`
}

// Metrics opens a listener of its own for the monitoring.
type Metrics struct {
	// Listen is host:port for /metrics, /healthz and /readyz without TLS; empty:
	// no such listener. It is for the monitoring alone, never for the public.
	Listen string `yaml:"listen"`
}

// Log chooses what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text or json
}

// Default is the configuration before the file is read.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8600",
		Data:   "data",
		Gossip: Gossip{Bind: "0.0.0.0:7946"},
		Hub:    Hub{Kind: federation.KindLandkreis},
		Links:  Links{Every: 24 * time.Hour, Pause: 2 * time.Second},
		API:    API{PerMinute: 6000},
		Log:    Log{Level: "info", Format: "text"},
	}
}
