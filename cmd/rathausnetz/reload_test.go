package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// readers ask a node for pages until they are stopped, and count.
type readers struct {
	wg     sync.WaitGroup
	stop   chan struct{}
	pages  atomic.Int64
	failed atomic.Int64
	first  atomic.Pointer[string] // of the failures
}

func (p *process) readers(n int, paths ...string) *readers {
	r := &readers{stop: make(chan struct{})}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	base := "http://127.0.0.1" + p.entity[strings.LastIndex(p.entity, ":"):]
	for i := range n {
		r.wg.Go(func() {
			for j := i; ; j++ {
				select {
				case <-r.stop:
					return
				default:
				}
				resp, err := client.Get(base + paths[j%len(paths)])
				why := ""
				switch {
				case err != nil:
					why = err.Error()
				case resp.StatusCode != http.StatusOK:
					why = resp.Status + " " + resp.Request.URL.Path
				}
				if resp != nil {
					resp.Body.Close()
				}
				if why != "" {
					r.failed.Add(1)
					r.first.CompareAndSwap(nil, &why)
				}
				r.pages.Add(1)
			}
		})
	}
	return r
}

// more waits until n further pages were read.
func (p *process) more(r *readers, n int64) {
	p.t.Helper()
	target := r.pages.Load() + n
	p.await(func() error {
		if got := r.pages.Load(); got < target {
			return fmt.Errorf("%d of %d pages", got, target)
		}
		return nil
	})
}

func (p *process) edit(name, old, new string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		p.t.Fatalf("%s does not contain %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), old, new, 1)), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) hup() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) logs(want string, times int) {
	p.t.Helper()
	p.await(func() error {
		if got := strings.Count(p.log.String(), want); got < times {
			return fmt.Errorf("%q stands in the log %d times, not %d", want, got, times)
		}
		return nil
	})
}

// TestReloadUnderLoad changes the configuration of a node while it is read by
// many: with SIGHUP it takes over what is good, and keeps everything as it was
// when anything is broken. No request fails either way.
func TestReloadUnderLoad(t *testing.T) {
	hub := newProcess(t, buildBinary(t), "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	hub.serve()
	hub.sees(hub, "self")
	r := hub.readers(4, "/", "/suche?q=auto", "/verbund", "/marke.css", "/api/v1/members")
	hub.more(r, 50)

	const kept = "configuration not reloaded, the old one stays"
	for _, fault := range []struct{ file, old, new, why string }{
		{"node.yaml", "listen: ", "lisen: ", `lisen: this key is unknown; did you mean`},
		{"node.yaml", "level: info", "level: loud", `log.level`},
		{"portal.yaml", `main_color: "#175c3a"`, `main_color: "green"`, "portal file cannot be used"},
		{"portal.yaml", "name: ", "nome: ", "nome"},
		{"node.yaml", "#register:", "register: {leika: nowhere.csv}\n#register:", "nowhere.csv"},
	} {
		before, err := os.ReadFile(filepath.Join(hub.dir, fault.file))
		if err != nil {
			t.Fatal(err)
		}
		hub.edit(fault.file, fault.old, fault.new)
		said := strings.Count(hub.log.String(), kept)
		hub.hup()
		hub.logs(kept, said+1)
		if line := lastLine(hub.log.String(), kept); !strings.Contains(line, fault.why) {
			t.Errorf("the log does not say %q: %s", fault.why, line)
		}
		if out, err := hub.run(hub.with("reload")...); err == nil || !strings.Contains(err.Error(), fault.why) {
			t.Errorf("reload says %q %v", out, err)
		}
		hub.more(r, 20)
		if page := hub.page("/marke.css"); !strings.Contains(page, "#175c3a") {
			t.Errorf("after %q the colour is gone", fault.why)
		}
		if err := os.WriteFile(filepath.Join(hub.dir, fault.file), before, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	hub.edit("portal.yaml", `main_color: "#175c3a"`, `main_color: "#8f1d2c"`)
	hub.edit("portal.yaml", "greeting: Willkommen im Serviceportal", "greeting: Moin")
	hub.edit("node.yaml", "level: info", "level: debug")
	hub.edit("node.yaml", "format: text", "format: json")
	hub.edit("node.yaml", "area: \"03459\"", "area: \"034\"")
	hub.hup()
	hub.logs(`"msg":"configuration reloaded","changed":"log.format log.level"`, 1)
	hub.logs(`"msg":"changed in the configuration, needs a restart","keys":"hub.area"`, 1)
	hub.logs(`"msg":"request"`, 1) // at level debug
	hub.more(r, 20)
	if page := hub.page("/"); !strings.Contains(page, "Moin") {
		t.Error("the greeting was not taken over")
	}
	if css := hub.page("/marke.css"); !strings.Contains(css, "#8f1d2c") {
		t.Error("the colour was not taken over")
	}
	if out := hub.must(hub.with("reload")...); !strings.Contains(out, "needs a restart: hub.area") {
		t.Errorf("reload says %q", out)
	}
	close(r.stop)
	r.wg.Wait()
	if n := r.failed.Load(); n > 0 {
		t.Errorf("%d of %d requests failed, the first: %s", n, r.pages.Load(), *r.first.Load())
	}
	t.Logf("%d pages read meanwhile", r.pages.Load())
}

func lastLine(log, containing string) string {
	last := ""
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, containing) {
			last = line
		}
	}
	return last
}

// TestRenewedCertificate replaces the certificate of a running node: with a
// good one, which is in use without a restart, and with a broken one, which is
// not.
func TestRenewedCertificate(t *testing.T) {
	p := newProcess(t, buildBinary(t), "melle", "Stadt Melle")
	listener := "127.0.0.1" + p.entity[strings.LastIndex(p.entity, ":"):]
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put := func(serial int64) {
		t.Helper()
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"portal.test.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
		if err != nil {
			t.Fatal(err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		writeFile(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	}
	serial := func() int64 {
		c, err := tls.Dial("tcp", listener, &tls.Config{InsecureSkipVerify: true}) // who it is does not matter here
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	put(1)
	p.env = append(p.env, "RATHAUSNETZ_ENTITY=https://portal.test.example", "RATHAUSNETZ_TLS_CERT="+cert, "RATHAUSNETZ_TLS_KEY="+key)
	p.serve()
	if got := serial(); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	put(2)
	p.await(func() error {
		if got := serial(); got != 2 {
			return fmt.Errorf("certificate %d is in use, not the renewed one", got)
		}
		return nil
	})
	writeFile(t, key, []byte("broken"))
	p.hup()
	p.logs("configuration not reloaded, the old one stays", 1)
	if got := serial(); got != 2 {
		t.Errorf("certificate %d after a broken one", got)
	}
	put(3)
	if out := p.must(p.with("reload")...); !strings.Contains(out, "reloaded") {
		t.Error(out)
	}
	if got := serial(); got != 3 { // at once
		t.Errorf("certificate %d after a reload", got)
	}
}
