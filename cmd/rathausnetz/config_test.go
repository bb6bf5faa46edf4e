package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// faulty has a fault in each line that ends with a comment: the key it is named
// under, and what the suggestion must say.
const faulty = `entity: portal.bissendorf.example   # entity: must begin with https://
lisen: 127.0.0.1:8600               # lisen: did you mean "listen"?
data: /tmp/rathausnetz
loopback_http: ja                   # loopback_http: write one of these
tls:                                # tls: give both tls.cert and tls.key
  cert: nowhere.pem                 # tls.cert: check the path and its permissions
portal:
  file: missing.yaml                # portal.file: check the path and its permissions
hub:                                # hub.name: write for example name: Landkreis
  enabled: true
  kind: gemeinde                    # hub.kind: write kind: landkreis
  area: 0345                        # hub.area: digits
gossip:
  bind: 7946                        # gossip.bind: write for example 127.0.0.1:8600
  peer: [a:1]                       # gossip.peer: did you mean "peers"?
catalog:
  source: http://bus.example/x.zip  # catalog.source: write https://
  every: daily                      # catalog.every: write for example 30m or 6h
metrics:
  listen: all                       # metrics.listen: write for example
outbound:
  allow: [10.0.0.0/8, intern]       # outbound.allow[1]: write for example 10.0.0.5
store:
  redis: 127.0.0.1:6379             # store.redis: write the keys below it, indented
proxies: nginx                      # proxies: write each entry on its own line after a dash
log:
  level: laut                       # log.level: one of debug, info, warn, error
  format: xml                       # log.format: one of text, json
`

// TestConfigCheckNamesEveryFault plants more than fifteen faults in one file.
// Each is named with its line, its key and what to do.
func TestConfigCheckNamesEveryFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(path, []byte(faulty), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if status := run([]string{"config", "check", "--config", path}, &out, &errs); status != 1 {
		t.Errorf("exit status %d", status)
	}
	said := strings.Split(strings.TrimSpace(errs.String()), "\n")
	planted := regexp.MustCompile(`# (\S+): (.+)$`)
	n := 0
	for i, line := range strings.Split(faulty, "\n") {
		m := planted.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n++
		where := fmt.Sprintf("%s:%d: %s: ", path, i+1, m[1])
		found := false
		for _, s := range said {
			found = found || strings.HasPrefix(s, where) && strings.Contains(s, m[2])
		}
		if !found {
			t.Errorf("no line %s…%s", where, m[2])
		}
	}
	if n < 15 || len(said) != n+1 { // the first says that it cannot be used
		t.Errorf("%d faults planted, %d named:\n%s", n, len(said)-1, errs.String())
	}
}

func TestConfigShow(t *testing.T) {
	dir := t.TempDir()
	path, secret := filepath.Join(dir, "node.yaml"), filepath.Join(dir, "top-secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := `entity: https://a.example
op: {enabled: true, clients: [{id: fach, secret_file: top-secret, redirect_uris: ["https://fach.example/cb"]}]}
store: {redis: {addrs: ["10.9.8.7:6379"], username: geheim, password_file: top-secret}}
gossip: {bind: "10.9.8.6:7946", peers: ["10.9.8.5:7946"]}
catalog: {source: "https://me:pass@bus.example/x.zip?token=abc"}
outbound: {allow: [10.9.8.0/24]}
proxies: [10.9.8.4]
`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := func(args ...string) string {
		var out, errs bytes.Buffer
		if status := run(append([]string{"config", "show", "--config", path}, args...), &out, &errs); status != 0 {
			t.Fatal(errs.String())
		}
		return out.String()
	}
	plain, redacted := shown(), shown("--redacted")
	if err := os.WriteFile(path, []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := shown(); again != plain {
		t.Errorf("what is shown means something else:\n%s\n%s", plain, again)
	}
	for _, s := range []string{"10.9.8.", "geheim", "top-secret", "pass", "abc"} {
		if !strings.Contains(plain, s) {
			t.Errorf("%q is not shown", s)
		}
		if strings.Contains(strings.ReplaceAll(redacted, "password_file", ""), s) {
			t.Errorf("%q is not redacted:\n%s", s, redacted)
		}
	}
	for _, s := range []string{"entity: https://a.example", "id: fach", "level: info", "https://redacted@bus.example/x.zip"} {
		if !strings.Contains(redacted, s) {
			t.Errorf("%q is redacted", s)
		}
	}
}
