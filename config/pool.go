package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"

	"rathausnetz/federation"
)

// pool checks the hub's part among other hubs.
func (p *parser) pool(c *Config) {
	l := c.Hub.Pool
	if !l.Enabled() {
		if l.Advertise != "" || l.KeyFile != "" || len(l.Peers) > 0 || len(l.Neighbours) > 0 {
			p.fault("hub.pool.bind", "the address for the gossip of hubs is missing", "write for example bind: 0.0.0.0:7947")
		}
		return
	}
	if !c.Hub.Enabled || c.Hub.Kind != federation.KindLandkreis {
		p.fault("hub.pool", "only the hub of a Landkreis has neighbours", "remove hub.pool")
		return
	}
	p.hostPort("hub.pool.bind", l.Bind)
	if l.Advertise != "" {
		p.hostPort("hub.pool.advertise", l.Advertise)
	}
	for _, a := range l.Peers {
		p.hostPort("hub.pool.peers", a)
	}
	p.readable("hub.pool.key_file", l.KeyFile)
	if l.KeyFile == "" && !c.Hub.Superior {
		p.fault("hub.pool.key_file", "the keys of the gossip of hubs are missing", "make a file with: rathausnetz neighbour key, and give it to all hubs")
	}
	for i := range l.Neighbours {
		p.neighbour(c, i)
	}
}

func (p *parser) neighbour(c *Config, i int) {
	n := &c.Hub.Pool.Neighbours[i]
	key := fmt.Sprintf("hub.pool.neighbours[%d]", i)
	loopback := false
	if u, err := url.Parse(string(n.Entity)); err == nil {
		loopback = c.LoopbackHTTP && federation.IsLoopbackHost(u.Hostname())
	}
	id, err := federation.ParseEntityID(string(n.Entity), loopback)
	if err != nil || id == c.Entity {
		p.fault(key+".entity", fmt.Sprintf("%q is not the public address of another hub", n.Entity), "write for example entity: https://portal.landkreis.example")
	} else {
		n.Entity = id
	}
	if b, err := base64.RawURLEncoding.DecodeString(n.Fingerprint); err != nil || len(b) != 32 {
		p.fault(key+".fingerprint", "a fingerprint has 43 characters", "ask the other hub's operator for what this says there: rathausnetz neighbour fingerprint")
	}
	switch {
	case n.Area.Len() != 5:
		p.fault(key+".area", "the area of the neighbour is missing", "write the 5 digits of its Kreis, for example \"03460\" with quotes")
	case n.Area.Covers(c.Hub.Area) || c.Hub.Area.Covers(n.Area):
		p.fault(key+".area", "this is an area of the own Landkreis", "write the 5 digits of the neighbour's Kreis")
	}
	if slices.ContainsFunc(c.Hub.Pool.Neighbours[:i], func(o Neighbour) bool { return o.Entity == n.Entity || o.Area == n.Area }) {
		p.fault(key, "this neighbour or its area stands here twice", "remove one of the two")
	}
}
