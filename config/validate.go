package config

import (
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"rathausnetz/federation"
)

// minInterval keeps an import schedule from hammering its source.
const minInterval = time.Minute

// Links are other people's servers: not more than daily, not without a rest.
const (
	minLinkInterval = 24 * time.Hour
	minLinkPause    = time.Second
)

func (p *parser) validate(c *Config) {
	p.entity(c)
	p.hostPort("listen", c.Listen)
	p.hostPort("gossip.bind", c.Gossip.Bind)
	if c.Gossip.Advertise != "" {
		p.hostPort("gossip.advertise", c.Gossip.Advertise)
	}
	if c.Gossip.Follow && c.Hub.Enabled {
		p.fault("gossip.follow", "a hub cannot follow: its members ask it for the news", "remove it, and open the gossip port of the hub")
	}
	if c.Gossip.Follow && c.Gossip.Advertise != "" {
		p.fault("gossip.advertise", "a node that follows has no gossip address", "remove gossip.advertise, or gossip.follow")
	}
	if c.Metrics.Listen != "" {
		p.hostPort("metrics.listen", c.Metrics.Listen)
	}
	for _, a := range c.Gossip.Peers {
		p.hostPort("gossip.peers", a)
	}
	if c.Data == "" {
		p.fault("data", "the data folder is missing", "name a folder that belongs to the node alone")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		p.fault("tls", "certificate and key belong together", "give both tls.cert and tls.key, or neither")
	}
	p.acme(c)
	p.files(c)
	p.hub(c)
	p.pool(c)
	p.catalog(c)
	p.links(c)
	p.provider(c)
	p.redis(c)
	p.admin(c)
	p.api(c)
	p.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	p.oneOf("log.format", c.Log.Format, "text", "json")
}

func (p *parser) acme(c *Config) {
	a := c.TLS.ACME
	if !a.Enabled {
		return
	}
	if c.TLS.Cert != "" {
		p.fault("tls.acme", "the certificate comes from files already", "remove tls.cert and tls.key, or tls.acme")
	}
	if u, err := url.Parse(string(c.Entity)); err == nil && (u.Scheme != "https" || u.Port() != "") {
		p.fault("tls.acme", "an authority looks at port 443 of the public name only", "use an entity with https:// and without a port, or tls.cert and tls.key")
	}
	if a.Directory != "" && !strings.HasPrefix(a.Directory, "https://") {
		p.fault("tls.acme.directory", "\""+a.Directory+"\" does not begin with https://", "write the address of the authority's directory, or leave it out for Let's Encrypt")
	}
}

func (p *parser) entity(c *Config) {
	if c.Entity == "" {
		p.fault("entity", "the node's public address is missing", "write for example entity: https://portal.example.de")
		return
	}
	id, err := federation.ParseEntityID(string(c.Entity), c.LoopbackHTTP)
	if err != nil {
		remedy := ""
		if u, e := url.Parse(string(c.Entity)); e == nil && u.Scheme == "http" && federation.IsLoopbackHost(u.Hostname()) {
			remedy = "for a trial on this machine set loopback_http: true"
		}
		p.fault("entity", strings.TrimPrefix(err.Error(), federation.ErrEntityID.Error()+": "), remedy)
		return
	}
	c.Entity = id
}

func (p *parser) hostPort(key, s string) {
	_, port, err := net.SplitHostPort(s)
	if err != nil || port == "" {
		p.fault(key, "\""+s+"\" is not host:port", "write for example 127.0.0.1:8600")
	}
}

func (p *parser) files(c *Config) {
	p.readable("tls.cert", c.TLS.Cert)
	p.readable("tls.key", c.TLS.Key)
	p.readable("portal.file", c.Portal.File)
	p.readable("catalog.delegations", c.Catalog.Delegations)
	p.readable("register.plz", c.Register.PLZ)
	p.readable("register.leika", c.Register.Leika)
	p.readable("store.redis.password_file", c.Store.Redis.PasswordFile)
	for _, f := range c.Register.GV100AD {
		p.readable("register.gv100ad", f)
	}
	if !strings.Contains(c.Catalog.Source, "://") {
		p.readable("catalog.source", c.Catalog.Source)
	}
}

func (p *parser) readable(key, path string) {
	if path == "" {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		p.fault(key, path+" cannot be read: "+err.Error(), "check the path and its permissions")
		return
	}
	f.Close()
}

func (p *parser) hub(c *Config) {
	if !c.Hub.Enabled {
		return
	}
	if c.Hub.Name == "" {
		p.fault("hub.name", "the hub's legal name is missing", "write for example name: Landkreis Osnabrück")
	}
	if c.Hub.Kind != federation.KindLandkreis && c.Hub.Kind != federation.KindLand {
		p.fault("hub.kind", "a hub is a landkreis or a land", "write kind: landkreis")
	}
	if c.Hub.Superior && c.Hub.Kind != federation.KindLandkreis {
		p.fault("hub.superior", "only a landkreis has a hub above it", "remove it, or set kind: landkreis")
	}
	if c.Hub.Area.IsBund() && !p.faulted("hub.area") {
		p.fault("hub.area", "the area the hub may hand out is missing", "write the 5 digits of the Kreis, for example \"03459\" with quotes")
	}
}

func (p *parser) catalog(c *Config) {
	if s := c.Catalog.Source; strings.Contains(s, "://") && !strings.HasPrefix(s, "https://") {
		p.fault("catalog.source", "a catalogue is fetched over https only", "write https://…, or a path")
	}
	if c.Catalog.Every != 0 && c.Catalog.Every < minInterval {
		p.fault("catalog.every", "more often than once a minute is refused", "write for example every: 6h")
	}
}

func (p *parser) links(c *Config) {
	if c.Links.Every != 0 && c.Links.Every < minLinkInterval {
		p.fault("links.every", "a link is asked for once a day at most", "write for example every: 24h, or 0s to switch the checker off")
	}
	if c.Links.Pause < minLinkPause {
		p.fault("links.pause", "a host gets a rest of at least a second", "write for example pause: 2s")
	}
}

func (p *parser) api(c *Config) {
	if c.API.PerMinute == 0 || c.API.PerMinute < -1 {
		p.fault("api.per_minute", "at least one request a minute must be answered", "write for example per_minute: 6000, or -1 for no limit")
	}
}

func (p *parser) oneOf(key, s string, allowed ...string) {
	for _, a := range allowed {
		if s == a {
			return
		}
	}
	p.fault(key, "\""+s+"\" is not possible", "one of "+strings.Join(allowed, ", "))
}
