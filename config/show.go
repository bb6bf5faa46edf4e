package config

import (
	"bytes"
	"fmt"
	"net/url"

	"go.yaml.in/yaml/v3"
)

// redactedMark stands for what Show has taken out.
const redactedMark = "redacted"

// Show writes the configuration as it holds, defaults and environment
// included, in the form of the file. With redact everything is taken out that
// a stranger need not read: internal addresses, user names, where secrets lie,
// and credentials in addresses. Secrets themselves stand in no configuration.
func (c Config) Show(redact bool) ([]byte, error) {
	if redact {
		c = c.redacted()
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return b.Bytes(), nil
}

// redacted returns a copy that shares nothing which is changed.
func (c Config) redacted() Config {
	for _, s := range []*string{&c.TLS.Key, &c.Store.Redis.PasswordFile, &c.Store.Redis.Username, &c.Admin.SecretFile, &c.Hub.Pool.KeyFile, &c.Gossip.Bind, &c.Gossip.Advertise, &c.Hub.Pool.Advertise} {
		hide(s)
	}
	c.Catalog.Source = withoutCredentials(c.Catalog.Source)
	c.Gossip.Peers = hidden(c.Gossip.Peers)
	c.Hub.Pool.Peers = hidden(c.Hub.Pool.Peers)
	c.Store.Redis.Addrs = hidden(c.Store.Redis.Addrs)
	c.Proxies, c.Outbound.Allow = nil, nil
	c.OP.Clients = append([]Client(nil), c.OP.Clients...)
	for i := range c.OP.Clients {
		hide(&c.OP.Clients[i].SecretFile)
	}
	c.OP.Upstreams = append([]Upstream(nil), c.OP.Upstreams...)
	for i := range c.OP.Upstreams {
		hide(&c.OP.Upstreams[i].SecretFile)
		hide(&c.OP.Upstreams[i].ClientID)
	}
	return c
}

func hide(s *string) {
	if *s != "" {
		*s = redactedMark
	}
}

func hidden(list []string) []string {
	out := make([]string, len(list))
	for i := range out {
		out[i] = redactedMark
	}
	return out
}

// withoutCredentials takes user, password and query out of an address.
func withoutCredentials(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return s
	}
	if u.User != nil {
		u.User = url.User(redactedMark)
	}
	if u.RawQuery != "" {
		u.RawQuery = redactedMark
	}
	return u.String()
}
