package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rathausnetz/federation/anchor"
	"rathausnetz/portal/backup"
)

// TestBackupOfAHub writes down a hub while it runs and is read, destroys it,
// and puts it back: no member has to join again, and the audit trail is whole.
func TestBackupOfAHub(t *testing.T) {
	bin := buildBinary(t)
	hub := newProcess(t, bin, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := newProcess(t, bin, "melle", "Stadt Melle")
	essen := newProcess(t, bin, "bad-essen", "Gemeinde Bad Essen")
	hub.serve()
	melle.join(hub, "Stadt Melle", "034590024024")
	essen.join(hub, "Gemeinde Bad Essen", "034590003003")
	hub.sees(melle, "alive")
	hub.sees(essen, "alive")
	hub.must(hub.with("invite", "--name", "Gemeinde Ostercappeln", "--ars", "034590029029")...)
	r := hub.readers(2, "/", "/verbund", "/suche?q=auto")
	hub.more(r, 10)

	file := filepath.Join(t.TempDir(), "hub.backup")
	said := hub.must(hub.with("backup", file)...)
	for _, want := range []string{"keys/federation.jwks", "private keys", "audit trail", "not in it: the source of the catalogue"} {
		if !strings.Contains(said, want) {
			t.Errorf("backup does not say %q: %s", want, said)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v %v", info.Mode(), err)
	}
	close(r.stop)
	r.wg.Wait()
	if n := r.failed.Load(); n > 0 {
		t.Errorf("%d requests failed meanwhile: %s", n, *r.first.Load())
	}
	trail := hub.audit()
	words := hub.must(hub.with("member", "show", melle.entity)...)

	if out, err := hub.run(hub.with("restore", file)...); err == nil || !strings.Contains(err.Error(), "would overwrite") || !strings.Contains(out, "in the way") {
		t.Errorf("restore over a node: %q %v", out, err)
	}
	hub.kill()
	if err := os.RemoveAll(hub.dir); err != nil {
		t.Fatal(err)
	}
	melle.sees(hub, "dead")
	if out := hub.must("restore", file, "--dry-run"); !strings.Contains(out, "nothing was written") || !strings.Contains(out, filepath.Join(hub.dir, "data")) {
		t.Errorf("dry run: %s", out)
	}
	if _, err := os.Stat(hub.dir); !os.IsNotExist(err) {
		t.Error("the dry run has written something")
	}
	hub.must("restore", file)
	if err := os.MkdirAll(filepath.Join(hub.dir, "catalog"), 0o700); err != nil { // its source was not in the backup
		t.Fatal(err)
	}
	hub.serve()

	if out := hub.must(hub.with("audit", "verify")...); !strings.Contains(out, "the chain holds") {
		t.Errorf("audit verify: %s", out)
	}
	after := hub.audit()
	if len(after) < len(trail) {
		t.Fatalf("%d of %d audit entries are left", len(after), len(trail))
	}
	for i, rec := range trail {
		if after[i] != rec {
			t.Errorf("audit entry %d was %+v, is %+v", i+1, rec, after[i])
		}
	}
	if got := hub.must(hub.with("member", "show", melle.entity)...); got != words {
		t.Errorf("the hub knows Melle as %s\nbefore %s", got, words)
	}
	for _, p := range []*process{melle, essen} {
		p.sees(hub, "alive")
		hub.sees(p, "alive")
		p.await(func() error {
			_, err := p.run(p.with("trust", "explain", hub.entity)...)
			return err
		})
	}
	exported := filepath.Join(t.TempDir(), "trail.jsonl")
	hub.must(hub.with("audit", "export", exported)...)
	lines, err := os.ReadFile(exported)
	if err != nil || strings.Count(string(lines), "\n") < len(trail) || !strings.Contains(string(lines), `"action":"invite"`) {
		t.Errorf("exported trail: %s %v", lines, err)
	}
	hub.must(hub.with("invite", "--name", "Gemeinde Belm", "--ars", "034590004004")...)
}

func (p *process) audit() []anchor.Record {
	p.t.Helper()
	var rs []anchor.Record
	if err := json.Unmarshal([]byte(p.must(p.with("audit", "list", "--json")...)), &rs); err != nil {
		p.t.Fatal(err)
	}
	if len(rs) == 0 {
		p.t.Fatal("the audit trail is empty")
	}
	return rs
}

// A member that does not run is written down as well, its pictures and secrets
// with it, and a damaged backup is refused.
func TestBackupOfAStoppedMember(t *testing.T) {
	p := newProcess(t, buildBinary(t), "melle", "Stadt Melle")
	for name, content := range map[string]string{"wappen.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`, "leika.csv": "leika;name\n"} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(elsewhere, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.edit("portal.yaml", "#wappen: {file: wappen.svg", "wappen: {file: wappen.svg")
	p.edit("node.yaml", "#register:", "register: {leika: leika.csv}\nop: {enabled: true, clients: [{id: fach, secret_file: "+elsewhere+", redirect_uris: [\"https://fach.example/cb\"]}]}\n#register:")
	file := filepath.Join(t.TempDir(), "melle.backup")
	var m backup.Manifest
	if err := json.Unmarshal([]byte(p.must(p.with("backup", file, "--json")...)), &m); err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, f := range m.Files {
		have[f.Name] = f.Secret
	}
	for _, want := range []string{"config/node.yaml", "config/portal.yaml", "config/wappen.svg", "config/leika.csv", "data/keys/federation.jwks", "outside" + elsewhere} {
		if _, ok := have[want]; !ok {
			t.Errorf("%s is not in the backup: %v", want, have)
		}
	}
	if have["outside"+elsewhere] == "" || have["data/keys/protocol.jwks"] == "" || have["config/portal.yaml"] != "" {
		t.Errorf("secrets: %v", have)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "moved", "node.yaml")
	if _, err := p.run("restore", file, "--config", moved); err == nil || !strings.Contains(err.Error(), "backup: the file cannot be used") {
		t.Errorf("a damaged backup: %v", err)
	}
	p.must(p.with("backup", file)...)
	if err := os.Remove(elsewhere); err != nil {
		t.Fatal(err)
	}
	p.must("restore", file, "--config", moved)
	if out := p.must("config", "check", "--config", moved); !strings.Contains(out, "can be used") {
		t.Errorf("config check of what was restored: %s", out)
	}
	if got, err := os.ReadFile(elsewhere); err != nil || string(got) != "s3cret" {
		t.Error(fmt.Sprintf("%q", got), err)
	}
}
