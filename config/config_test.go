package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
)

const good = `entity: https://portal.bissendorf.example/
listen: 127.0.0.1:8601
data: state
hub:
  enabled: true
  name: Landkreis Osnabrück
  area: 03459
gossip:
  bind: 0.0.0.0:7946
  peers:
    - 192.0.2.1:7946
catalog:
  every: 6h
proxies: [10.0.0.1, 10.1.0.0/16]
api: {per_minute: 60000}
op:
  clients:
    - id: fachverfahren
      own: true
      secret_file: /dev/null
      redirect_uris: ["https://forms.example/cb"]
  enabled: true
  upstreams:
    - id: bundid
      name: BundID
      issuer: https://anmeldung.example/realms/buergerkonto
      client_id: rathausnetz
      max: hoch
      levels:
        STORK-QAA-Level-1: basis
        "3": substanziell
      claims: {given_name: givenName}
      places: ["03459", "034040000000"]
`

func TestParse(t *testing.T) {
	c, err := Parse("/etc/rathausnetz/node.yaml", []byte(good), []string{"RATHAUSNETZ_LOG_LEVEL=debug", "PATH=/bin", "RATHAUSNETZ_REQUIRE=redis"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Entity != "https://portal.bissendorf.example" || c.Data != "/etc/rathausnetz/state" || c.Log.Level != "debug" {
		t.Errorf("entity %q, data %q, level %q", c.Entity, c.Data, c.Log.Level)
	}
	if c.Hub.Area != region.MustArea("03459") || c.Hub.Kind != federation.KindLandkreis || c.Catalog.Every != 6*time.Hour {
		t.Errorf("hub %+v, every %v", c.Hub, c.Catalog.Every)
	}
	if c.API.PerMinute != 60000 || Default().API.PerMinute != 6000 {
		t.Errorf("per_minute %d, by default %d", c.API.PerMinute, Default().API.PerMinute)
	}
	if len(c.Proxies) != 2 || c.Proxies[0].Bits() != 32 || len(c.OP.Clients) != 1 || c.OP.Clients[0].RedirectURIs[0] != "https://forms.example/cb" {
		t.Errorf("proxies %v, clients %+v", c.Proxies, c.OP.Clients)
	}
	u := c.OP.Upstreams[0]
	if u.Levels["STORK-QAA-Level-1"] != federation.LevelBasis || u.Levels["3"] != federation.LevelSubstanziell || u.Max != federation.LevelHoch ||
		u.Claims["given_name"] != "givenName" || len(u.Places) != 2 || !c.OP.Clients[0].Own {
		t.Errorf("upstream %+v, client %+v", u, c.OP.Clients[0])
	}
}

// Each case is one fault in an otherwise usable file.
func TestFaults(t *testing.T) {
	cases := map[string]struct{ file, want string }{
		"unknown key":        {"entity: https://a.example\nlissten: 127.0.0.1:1\n", `n.yaml:2: lissten: this key is unknown; did you mean "listen"?`},
		"unknown nested":     {"entity: https://a.example\ngossip:\n  bnd: x:1\n", `n.yaml:3: gossip.bnd: this key is unknown; did you mean "bind"?`},
		"no number":          {"entity: https://a.example\napi: {per_minute: viel}\n", `n.yaml:2: api.per_minute: "viel" is not a whole number`},
		"no requests":        {"entity: https://a.example\napi: {per_minute: 0}\n", "api.per_minute: at least one request a minute must be answered"},
		"nothing near":       {"entity: https://a.example\ntls:\n  zertifikat: x\n", "known here: acme, cert, key"},
		"twice":              {"entity: https://a.example\nlisten: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", "n.yaml:"},
		"missing entity":     {"listen: 127.0.0.1:1\n", "entity: the node's public address is missing"},
		"hub follows":        {"entity: https://a.example\nhub: {enabled: true, name: A, area: \"03459\"}\ngossip: {follow: true}\n", "gossip.follow: a hub cannot follow"},
		"follows, address":   {"entity: https://a.example\ngossip: {follow: true, advertise: \"a.example:7946\"}\n", "gossip.advertise: a node that follows has no gossip address"},
		"plain http":         {"entity: http://a.example\n", "n.yaml:1: entity: \"http://a.example\" must begin with https://"},
		"loopback forbidden": {"entity: http://a.localhost\n", "set loopback_http: true"},
		"not host:port":      {"entity: https://a.example\nlisten: 8600\n", `n.yaml:2: listen: "8600" is not host:port`},
		"links too often":    {"entity: https://a.example\nlinks:\n  every: 1h\n", `n.yaml:3: links.every: a link is asked for once a day at most`},
		"links without rest": {"entity: https://a.example\nlinks:\n  pause: 10ms\n", `n.yaml:3: links.pause: a host gets a rest of at least a second`},
		"duration":           {"entity: https://a.example\ncatalog:\n  every: daily\n", `n.yaml:3: catalog.every: "daily" is not a span of time`},
		"too often":          {"entity: https://a.example\ncatalog:\n  every: 5s\n", "more often than once a minute"},
		"plain source":       {"entity: https://a.example\ncatalog:\n  source: http://x.example/\n", "over https only"},
		"bool":               {"entity: https://a.example\ndemo: ja\n", `n.yaml:2: demo: "ja" is neither true nor false`},
		"block needed":       {"entity: https://a.example\ntls: yes\n", "n.yaml:2: tls: a block of keys is needed"},
		"list needed":        {"entity: https://a.example\nproxies: 10.0.0.1\n", "n.yaml:2: proxies: a list is needed"},
		"address":            {"entity: https://a.example\nproxies: [nginx]\n", "n.yaml:2: proxies[0]: \"nginx\" is no address"},
		"half tls":           {"entity: https://a.example\ntls:\n  cert: n.yaml\n", "belong together"},
		"no such file":       {"entity: https://a.example\nportal:\n  file: nope.yaml\n", "nope.yaml cannot be read"},
		"no such keys":       {"entity: https://a.example\nregister:\n  leika: nope.csv\n", "nope.csv cannot be read"},
		"hub without area":   {"entity: https://a.example\nhub:\n  enabled: true\n  name: X\n", "hub.area"},
		"area digits":        {"entity: https://a.example\nhub:\n  area: 0345\n", "n.yaml:3: hub.area"},
		"log level":          {"entity: https://a.example\nlog:\n  level: laut\n", "one of debug, info, warn, error"},
		"client twice":       {"entity: https://a.example\nop:\n  clients:\n    - {id: a, redirect_uris: [x]}\n    - {id: a, redirect_uris: [x]}\n", "n.yaml:5: op.clients[1].id: the id a stands here twice"},
		"client, no proof":   {"entity: https://a.example\nop:\n  clients:\n    - {id: a, redirect_uris: [x]}\n", "n.yaml:4: op.clients[0].secret_file: the client has nothing to prove itself with"},
		"client, http":       {"entity: https://a.example\nop:\n  clients:\n    - id: a\n      redirect_uris:\n        - http://a.example/cb\n", `n.yaml:6: op.clients[0].redirect_uris[0]: "http://a.example/cb" does not begin with https://`},
		"client, pattern":    {"entity: https://a.example\nop:\n  clients:\n    - id: a\n      redirect_uris: [\"https://a.example/*\"]\n", "without * and #"},
		"upstream, no op":    {"entity: https://a.example\nop:\n  upstreams: [{id: a}]\n", "n.yaml:2: op: clients and upstreams belong to a provider"},
		"upstream, empty":    {"entity: https://a.example\nop:\n  enabled: true\n  upstreams:\n    - id: a\n", "n.yaml:5: op.upstreams[0].max: the highest level"},
		"upstream, id":       {"entity: https://a.example\nop:\n  upstreams:\n    - id: Bund ID\n", `n.yaml:4: op.upstreams[0].id: "Bund ID" cannot be an id`},
		"upstream, key":      {"entity: https://a.example\nop:\n  upstreams:\n    - id: a\n      clientid: x\n", `n.yaml:5: op.upstreams[0].clientid: this key is unknown; did you mean "client_id"?`},
		"upstream, level":    {"entity: https://a.example\nop:\n  upstreams:\n    - id: a\n      levels:\n        x: sehr hoch\n", "n.yaml:6: op.upstreams[0].levels.x: "},
		"upstream, claim":    {"entity: https://a.example\nop:\n  upstreams:\n    - id: a\n      claims: {vorname: x}\n", "n.yaml:5: op.upstreams[0].claims.vorname: this claim is unknown"},
		"upstream, table":    {"entity: https://a.example\nop:\n  upstreams:\n    - id: a\n      acr: saml\n", "n.yaml:5: op.upstreams[0].acr: \"saml\" is not possible"},
		"replicas":           {"entity: https://a.example\nstore:\n  redis:\n    replicas: viele\n", `n.yaml:4: store.redis.replicas: "viele" is not a whole number`},
		"upstream, place":    {"entity: https://a.example\nop:\n  upstreams:\n    - id: a\n      places: [\"0345\"]\n", "n.yaml:5: op.upstreams[0].places[0]: "},
		"not yaml":           {"entity: [\n", "check indentation"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(filepath.Join(t.TempDir(), "n.yaml"), []byte(c.file), nil)
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant …%s…", err, c.want)
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := Parse("n.yaml", []byte("lisen: x\ndmeo: true\nlog: {level: laut}\n"), []string{"RATHAUSNETZ_LISTN=x"})
	for _, want := range []string{"lisen", "dmeo", "log.level", "entity", "RATHAUSNETZ_LISTN"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in: %v", want, err)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.yaml")
	if _, err := Load(path, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "rathausnetz init") {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nil); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nil); !errors.Is(err, ErrConfig) {
		t.Errorf("oversize: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: [1, {b: c}]\n- x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse("n.yaml", b, nil); err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("error without ErrConfig: %v", err)
		}
	})
}
