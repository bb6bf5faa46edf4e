package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/testnet/data"
)

// wires are machines with one cable each to a common bridge: network
// namespaces, the bridge in one of its own, nothing in that of the machine.
type wires struct {
	t      *testing.T
	prefix string
	net    string // "10.77.0.": the first three numbers of every address
}

func newWires(t *testing.T, n int, net string) *wires {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("network namespaces need ip (iproute2)")
	}
	w := &wires{t: t, prefix: fmt.Sprintf("rn%d", os.Getpid()), net: net}
	if out, err := exec.Command("ip", "netns", "add", w.space(0)).CombinedOutput(); err != nil {
		t.Skipf("this machine makes no network namespaces: %s", out)
	}
	t.Cleanup(func() {
		for i := range n + 1 {
			exec.Command("ip", "netns", "del", w.space(i)).Run()
		}
	})
	w.ip("-n", w.space(0), "link", "add", "br0", "type", "bridge")
	w.ip("-n", w.space(0), "link", "set", "br0", "up")
	for i := 1; i <= n; i++ {
		w.ip("netns", "add", w.space(i))
		w.ip("-n", w.space(0), "link", "add", w.port(i), "type", "veth", "peer", "name", "eth0", "netns", w.space(i))
		w.ip("-n", w.space(0), "link", "set", w.port(i), "master", "br0", "up")
		w.ip("-n", w.space(i), "link", "set", "lo", "up")
		w.ip("-n", w.space(i), "addr", "add", w.addr(i)+"/24", "dev", "eth0")
		w.ip("-n", w.space(i), "link", "set", "eth0", "up")
	}
	return w
}

func (w *wires) space(i int) string { return fmt.Sprintf("%s-%d", w.prefix, i) } // 0: the bridge
func (w *wires) port(i int) string  { return fmt.Sprintf("p%d", i) }
func (w *wires) addr(i int) string  { return fmt.Sprintf("%s%d", w.net, i) }

func (w *wires) ip(args ...string) {
	w.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		w.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// cable pulls a machine's cable out ("down") or puts it back ("up").
func (w *wires) cable(i int, state string) {
	w.t.Helper()
	w.ip("-n", w.space(0), "link", "set", w.port(i), state)
}

// certificate writes one self-signed certificate for all addresses, its key,
// and returns their paths.
func (w *wires) certificate(n int) (cert, key string) {
	w.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	for i := 1; i <= n; i++ {
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(w.addr(i)))
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		w.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		w.t.Fatal(err)
	}
	dir := w.t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(w.t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	writeFile(w.t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	return cert, key
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
}

// machine is a node on machine i with the demonstration's catalogue of name.
func (w *wires) machine(i int, bin, cert, key, name, legal string, initArgs ...string) *process {
	w.t.Helper()
	p := &process{t: w.t, bin: filepath.Join(w.t.TempDir(), "run"), dir: filepath.Join(w.t.TempDir(), name), entity: "https://" + w.addr(i) + ":8443"}
	writeFile(w.t, p.bin, fmt.Appendf(nil, "#!/bin/sh\nexec ip netns exec %s %s \"$@\"\n", w.space(i), bin))
	p.env = append(os.Environ(), "SSL_CERT_FILE="+cert, "RATHAUSNETZ_TLS_CERT="+cert, "RATHAUSNETZ_TLS_KEY="+key,
		"RATHAUSNETZ_GOSSIP_BIND="+w.addr(i)+":7946", "RATHAUSNETZ_CATALOG_SOURCE="+filepath.Join(p.dir, "catalog"))
	p.must(append(append([]string{"init", "--entity", p.entity, "--name", legal, "--listen", w.addr(i) + ":8443"}, initArgs...), p.dir)...)
	file := filepath.Join(p.dir, "node.yaml")
	conf, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	writeFile(w.t, file, append(conf, "\noutbound:\n  allow: [10.77.0.0/24]\n"...))
	if err := os.Mkdir(filepath.Join(p.dir, "catalog"), 0o700); err != nil {
		w.t.Fatal(err)
	}
	files, err := data.FS.ReadDir(name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext == ".xml" || ext == ".txt" {
			b, err := data.FS.ReadFile(name + "/" + f.Name())
			if err != nil {
				w.t.Fatal(err)
			}
			writeFile(w.t, filepath.Join(p.dir, "catalog", f.Name()), bytes.ReplaceAll(b, []byte("https://"+name+".demo.invalid"), []byte(p.entity)))
		}
	}
	w.t.Cleanup(p.kill)
	return p
}

// publishChange publishes the catalogue with another address of its forms.
func (p *process) publishChange() {
	p.t.Helper()
	file := filepath.Join(p.dir, "catalog", "onlinedienste.xml")
	b, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	changed := bytes.ReplaceAll(b, []byte(p.entity+"/antrag/"), []byte(p.entity+"/antrag/neu-"))
	if bytes.Equal(b, changed) {
		p.t.Fatalf("%s has no form to change", file)
	}
	writeFile(p.t, file, changed)
	p.must(p.with("catalog", "publish")...)
}

// agree returns nil if all nodes hold the same serials and see each other.
func agree(want map[string]uint64, all ...*process) error {
	for _, p := range all {
		s, err := p.status()
		if err != nil {
			return err
		}
		good := 0
		for _, m := range s.Members {
			if m.Serial == want[string(m.Member)] && m.Copy == "fresh" && slices.Contains([]string{"alive", "self", "follows"}, m.Gossip) {
				good++
			}
		}
		if good != len(all) {
			return fmt.Errorf("%s: %d of %d as wanted %v: %+v", p.entity, good, len(all), want, s.Members)
		}
	}
	return nil
}

// TestThreeNamespaces cuts one of three machines off, lets both sides publish,
// and puts the cable back: within 10 s all three agree.
func TestThreeNamespaces(t *testing.T) {
	w := newWires(t, 3, "10.77.0.")
	bin := buildBinary(t)
	cert, key := w.certificate(3)
	hub := w.machine(1, bin, cert, key, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := w.machine(2, bin, cert, key, "melle", "Stadt Melle")
	essen := w.machine(3, bin, cert, key, "bad-essen", "Gemeinde Bad Essen")
	hub.serve()
	melle.join(hub, "Stadt Melle", "034590024024")
	essen.join(hub, "Gemeinde Bad Essen", "034590003003")
	want := map[string]uint64{hub.entity: 1, melle.entity: 1, essen.entity: 1}
	hub.await(func() error { return agree(want, hub, melle, essen) })

	w.cable(3, "down")
	hub.sees(essen, "dead")
	essen.sees(hub, "dead")
	melle.publishChange()
	essen.publishChange()
	want[melle.entity], want[essen.entity] = 2, 2

	healed := time.Now()
	w.cable(3, "up")
	hub.await(func() error { return agree(want, hub, melle, essen) })
	if took := time.Since(healed); took > 10*time.Second {
		t.Errorf("agreed %v after the cable was back, want at most 10 s", took)
	} else {
		t.Logf("agreed %v after the cable was back", took.Round(time.Millisecond))
	}
}
