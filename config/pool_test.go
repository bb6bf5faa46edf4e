package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rathausnetz/federation/region"
)

const poolHub = `entity: https://portal.landkreis.example
hub: {enabled: true, name: Landkreis Osnabrück, area: "03459", %s}
`

const poolPart = `pool: {bind: "0.0.0.0:7947", key_file: pool.key, peers: ["192.0.2.7:7947"], neighbours: [{entity: "https://portal.vechta.example/", fingerprint: SaSOTbdmBM0gHbf3SIqjHx1kB60EArDdtrlZ_kc2pLQ, area: "03460"}]}`

func TestPool(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pool.key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func(part string) (Config, error) {
		return Parse(filepath.Join(dir, "node.yaml"), []byte(strings.Replace(poolHub, "%s", part, 1)), nil)
	}
	c, err := parse(poolPart)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Hub.Pool
	if !p.Enabled() || p.KeyFile != filepath.Join(dir, "pool.key") || len(p.Neighbours) != 1 || p.Neighbours[0].Entity != "https://portal.vechta.example" || p.Neighbours[0].Area != region.MustArea("03460") {
		t.Errorf("%+v", p)
	}
	if _, err := parse(`superior: true, pool: {bind: "0.0.0.0:7947"}`); err != nil {
		t.Errorf("below a Land an address is enough: %v", err)
	}
	for name, x := range map[string]struct{ part, want string }{
		"no bind":           {`pool: {key_file: pool.key}`, "hub.pool.bind: the address for the gossip of hubs is missing"},
		"no key":            {`pool: {bind: "0.0.0.0:7947"}`, "hub.pool.key_file: the keys of the gossip of hubs are missing"},
		"key not there":     {`pool: {bind: "0.0.0.0:7947", key_file: none.key}`, "none.key cannot be read"},
		"short fingerprint": {strings.Replace(poolPart, "SaSOT", "", 1), "neighbours[0].fingerprint: a fingerprint has 43 characters"},
		"own area":          {strings.Replace(poolPart, `"03460"`, `"03459"`, 1), "neighbours[0].area: this is an area of the own Landkreis"},
		"no area":           {strings.Replace(poolPart, `, area: "03460"`, "", 1), "neighbours[0].area: the area of the neighbour is missing"},
		"plain http":        {strings.Replace(poolPart, "https:", "http:", 1), "neighbours[0].entity"},
		"itself":            {strings.Replace(poolPart, "portal.vechta", "portal.landkreis", 1), "neighbours[0].entity"},
		"twice":             {strings.Replace(poolPart, "neighbours: [", `neighbours: [{entity: "https://a.example", fingerprint: SaSOTbdmBM0gHbf3SIqjHx1kB60EArDdtrlZ_kc2pLQ, area: "03460"}, `, 1), "stands here twice"},
	} {
		if _, err := parse(x.part); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
