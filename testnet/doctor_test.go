package testnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/portal"
	"rathausnetz/portal/doctor"
)

// patient is a member of a running network, as the doctor is shown it.
type patient struct {
	t   *testing.T
	nw  *Network
	m   *Member
	cfg config.Config
}

func (p *patient) examine() []doctor.Finding {
	machine := doctor.Look(p.t.Context(), p.cfg, p.m.now(), net.DefaultResolver, trust.SpecialUse)
	node := p.m.Node()
	if node == nil {
		return doctor.Judge(machine, nil)
	}
	facts := node.Examine(p.t.Context())
	return doctor.Judge(machine, &facts)
}

// finds waits until the doctor names a fault with its remedy.
func (p *patient) finds(check string, v doctor.Verdict, says, remedy string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 40*time.Second)
	defer cancel()
	err := Await(ctx, func() error {
		all := p.examine()
		for _, f := range all {
			if f.Check == check && f.Verdict == v && strings.Contains(f.Says, says) && strings.Contains(f.Remedy, remedy) {
				return nil
			}
		}
		return fmt.Errorf("no %s %q: …%s… %s\n%+v", v, check, says, remedy, all)
	})
	if err != nil {
		p.t.Error(err)
	}
}

func (p *patient) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// healthy waits until nothing is wrong.
func (p *patient) healthy() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 40*time.Second)
	defer cancel()
	p.must(Await(ctx, func() error {
		for _, f := range p.examine() {
			if f.Verdict != doctor.OK {
				return fmt.Errorf("%+v", f)
			}
		}
		return nil
	}))
}

// certificate writes a self-signed one and its key, and returns their paths.
func certificate(t *testing.T, host string, until time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestDoctor plants faults in a running network, one after the other. The
// doctor names each and says what to do; without any it finds nothing.
func TestDoctor(t *testing.T) {
	nw := startNetwork(t, Spec{Members: 3})
	settled(t, nw)
	hub, m, other := nw.Hub(), nw.Members()[1], nw.Members()[2]
	p := &patient{t: t, nw: nw, m: m, cfg: m.config()}
	p.healthy()
	p.onTheMachine()

	// In the running node.
	m.SetClock(5 * time.Minute)
	p.finds("clock", doctor.Failure, "5m0s off the hub's", "timedatectl set-ntp true")
	m.SetClock(-30 * time.Second)
	p.finds("clock", doctor.Warning, "30s off", "timedatectl")
	m.SetClock(0)

	source := filepath.Join(p.cfg.Catalog.Source, "index.txt")
	index, err := os.ReadFile(source)
	p.must(err)
	p.must(os.WriteFile(source, []byte("gone.xml\n"), 0o600))
	if _, err := m.Node().Publish(t.Context(), portal.PublishRequest{}); err == nil {
		t.Error("a broken source was published")
	}
	p.finds("catalogue", doctor.Failure, "the last publication failed", "rathausnetz catalog diff")
	p.must(os.WriteFile(source, index, 0o600))
	_, err = m.Node().Publish(t.Context(), portal.PublishRequest{})
	p.must(err)

	p.must(other.Kill())
	p.finds("peers", doctor.Warning, other.Legal, "their IT has to start them")
	m.SetClock(2 * time.Hour)
	p.finds("copies", doctor.Warning, other.Legal, "rathausnetz status")
	m.SetClock(0)
	p.must(other.Restart(t.Context()))
	settled(t, nw)
	p.healthy()

	m.CutOff(true)
	p.finds("gossip", doctor.Failure, "UDP does not", "open UDP and TCP of gossip.bind")
	p.finds("peers", doctor.Failure, "nobody is heard", "both directions")
	m.CutOff(false)
	settled(t, nw)
	p.healthy()

	p.must(hub.Kill())
	p.finds("hub", doctor.Failure, string(hub.Entity), "TCP 443 to the hub")
	c := NewCitizen(nw.Transport()) // the dead hub makes nobody unready
	if err := c.Open(t.Context(), m.Entity.URL("/readyz")); err != nil || c.Status() != 200 {
		t.Errorf("readyz without a hub: %d %v", c.Status(), err)
	}
	p.finds("sign-on", doctor.Failure, "connection refused", "nobody can sign in")
	m.SetClock(21 * time.Hour)
	p.finds("membership", doctor.Warning, "was not renewed", "see that the hub answers")
	m.SetClock(26 * time.Hour)
	p.finds("membership", doctor.Failure, "cannot be verified", "ask the hub's operator why")
	m.SetClock(0)
	p.must(hub.Restart(t.Context()))
	settled(t, nw)

	p.otherHubKeys()
	p.must(m.Stop())
	p.finds("node", doctor.Failure, "no running node", "rathausnetz serve")
	p.must(os.Remove(m.dir("data", "membership.json")))
	p.must(m.start(t.Context()))
	p.finds("membership", doctor.Warning, "not joined", "rathausnetz join CODE")
}

// onTheMachine plants faults in files, name and certificate of the patient.
func (p *patient) onTheMachine() {
	t, good := p.t, p.cfg
	keys := filepath.Join(good.Data, "keys")
	p.must(os.Chmod(filepath.Join(keys, "federation.jwks"), 0o644))
	p.finds("permissions", doctor.Failure, "federation.jwks", "chmod 600 "+keys)
	p.must(os.Chmod(filepath.Join(keys, "federation.jwks"), 0o600))
	p.must(os.Rename(keys, keys+"-away"))
	p.finds("secrets", doctor.Failure, "protocol.jwks (no such file", "rathausnetz restore")
	p.must(os.Rename(keys+"-away", keys))

	p.cfg.Data = filepath.Join(t.TempDir(), "nowhere")
	p.finds("data folder", doctor.Failure, "cannot be written: no such file", "chown")
	p.cfg = good

	p.cfg.Entity = "https://portal.nirgends.invalid"
	p.finds("name", doctor.Failure, "portal.nirgends.invalid is not found", "DNS")
	p.cfg.Entity = "https://10.1.2.3"
	p.finds("name", doctor.Failure, "10.1.2.3, which no node calls", "outbound.allow")
	p.cfg = good

	host := good.Entity.Host()
	p.cfg.TLS.Cert, p.cfg.TLS.Key = certificate(t, host, time.Now().Add(-24*time.Hour))
	p.finds("certificate", doctor.Failure, "it ended on", "rathausnetz reload")
	p.cfg.TLS.Cert, p.cfg.TLS.Key = certificate(t, host, time.Now().Add(5*24*time.Hour))
	p.finds("certificate", doctor.Warning, "it ends on", "renew")
	p.cfg.TLS.Cert, p.cfg.TLS.Key = certificate(t, "portal.anders.example", time.Now().Add(90*24*time.Hour))
	p.finds("certificate", doctor.Failure, "not for the public name", "for the name in entity")
	_, p.cfg.TLS.Key = certificate(t, host, time.Now().Add(90*24*time.Hour))
	p.finds("certificate", doctor.Failure, "cannot be used", "tls.cert and tls.key")
	p.cfg = good
}

// otherHubKeys has the patient remember other keys than the hub shows: as if
// somebody else had taken the hub's address.
func (p *patient) otherHubKeys() {
	p.must(p.m.Stop())
	path := p.m.dir("data", "membership.json")
	b, err := os.ReadFile(path)
	p.must(err)
	var state map[string]any
	p.must(json.Unmarshal(b, &state))
	k, err := trust.NewKey()
	p.must(err)
	state["ticket"].(map[string]any)["hub_keys"] = k.Public()
	changed, err := json.Marshal(state)
	p.must(err)
	p.must(os.WriteFile(path, changed, 0o600))
	p.must(p.m.start(p.t.Context()))
	p.finds("hub fingerprint", doctor.Failure, "keys that nobody has vouched for", "by telephone")
	p.must(p.m.Stop())
	p.must(os.WriteFile(path, b, 0o600))
	p.must(p.m.start(p.t.Context()))
	settled(p.t, p.nw)
	p.finds("hub fingerprint", doctor.OK, string(federation.EntityID(p.nw.Hub().Entity)), "")
}
