package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/portal"
	"rathausnetz/testnet"
	"rathausnetz/testnet/data"
)

// buildBinary builds the command once for a test.
func buildBinary(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "rathausnetz")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is packaged
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// process is one node as its operator has it: a folder, a binary, a command line.
type process struct {
	t      *testing.T
	bin    string
	dir    string
	entity string
	env    []string
	cmd    *exec.Cmd
	done   chan error
	log    *logBuffer
}

// logBuffer may be read while the process writes.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func newProcess(t *testing.T, bin, name, legal string, initArgs ...string) *process {
	t.Helper()
	ports := freePorts(t, 2)
	p := &process{t: t, bin: bin, dir: filepath.Join(t.TempDir(), name), entity: "http://" + name + ".localhost:" + strconv.Itoa(ports[0])}
	p.env = append(os.Environ(), "RATHAUSNETZ_GOSSIP_BIND=127.0.0.1:"+strconv.Itoa(ports[1]))
	args := append([]string{"init", "--entity", p.entity, "--name", legal, "--loopback-http", "--listen", "127.0.0.1:" + strconv.Itoa(ports[0])}, initArgs...)
	p.must(append(args, p.dir)...)
	src, err := data.FS.ReadDir(name)
	if err != nil {
		t.Fatal(err)
	}
	catalog := filepath.Join(p.dir, "catalog")
	if err := os.Mkdir(catalog, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, e := range src {
		if ext := filepath.Ext(e.Name()); ext == ".xml" || ext == ".txt" {
			b, err := data.FS.ReadFile(name + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			b = bytes.ReplaceAll(b, []byte("https://"+name+".demo.invalid"), []byte(p.entity))
			if err := os.WriteFile(filepath.Join(catalog, e.Name()), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.env = append(p.env, "RATHAUSNETZ_CATALOG_SOURCE="+catalog)
	t.Cleanup(p.kill)
	return p
}

// run is one command of the operator, with its output.
func (p *process) run(args ...string) (string, error) {
	cmd := exec.Command(p.bin, args...)
	cmd.Env = p.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("rathausnetz %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

func (p *process) must(args ...string) string {
	p.t.Helper()
	out, err := p.run(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// with adds the node's configuration to a command.
func (p *process) with(args ...string) []string {
	return append(args, "--config", filepath.Join(p.dir, "node.yaml"))
}

func (p *process) serve() {
	p.t.Helper()
	p.log = &logBuffer{}
	p.cmd = exec.Command(p.bin, p.with("serve")...)
	p.cmd.Env, p.cmd.Stderr = p.env, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.done = make(chan error, 1)
	go func(c *exec.Cmd, done chan error) { done <- c.Wait() }(p.cmd, p.done)
	p.await(func() error {
		_, err := p.run(p.with("status")...)
		return err
	})
}

func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Kill()
	<-p.done
	p.cmd = nil
	if p.t.Failed() {
		p.t.Logf("%s said:\n%s", p.entity, p.log)
	}
}

func (p *process) await(condition func() error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	if err := testnet.Await(ctx, condition); err != nil {
		p.t.Fatalf("%v\n%s said:\n%s", err, p.entity, p.log)
	}
}

func (p *process) status() (portal.Status, error) {
	var s portal.Status
	out, err := p.run(p.with("status", "--json")...)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(out), &s)
}

// sees waits until this node sees another with this gossip state and at least
// one offer.
func (p *process) sees(other *process, gossip string) {
	p.t.Helper()
	p.await(func() error {
		s, err := p.status()
		if err != nil {
			return err
		}
		for _, m := range s.Members {
			if string(m.Member) == other.entity && m.Gossip == gossip && m.Offers > 0 {
				return nil
			}
		}
		return fmt.Errorf("%s does not see %s as %s: %+v %+v", p.entity, other.entity, gossip, s.Members, s.Verdicts)
	})
}

func (p *process) page(path string) string {
	p.t.Helper()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	trust.GuardTransport(tr, true)
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Get(p.entity + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s%s: %d %v", p.entity, path, resp.StatusCode, err)
	}
	return string(b)
}

// join is the afternoon of a new member: invitation, code, telephone, approval.
func (p *process) join(hub *process, legal, ars string) {
	p.t.Helper()
	p.serve()
	var inv portal.Invitation
	if err := json.Unmarshal([]byte(hub.must(hub.with("invite", "--json", "--name", legal, "--ars", ars)...)), &inv); err != nil {
		p.t.Fatal(err)
	}
	var joined portal.JoinResult
	if err := json.Unmarshal([]byte(p.must(p.with("join", "--json", inv.Code)...)), &joined); err != nil {
		p.t.Fatal(err)
	}
	if shown := hub.must(hub.with("member", "show", p.entity)...); !strings.Contains(shown, strings.Join(joined.Words, " ")) {
		p.t.Fatalf("the words %v are not what the hub sees: %s", joined.Words, shown)
	}
	if _, err := p.run(p.with("join", inv.Code)...); err == nil || !strings.Contains(err.Error(), "used already") {
		p.t.Errorf("second join of the same node: %v", err)
	}
	hub.must(hub.with("member", "approve", p.entity)...)
}

// TestThreeProcesses runs a hub and two members as real processes: they join,
// one is killed, the others answer with its offers labelled, it comes back and
// everything heals without help.
func TestThreeProcesses(t *testing.T) {
	bin := buildBinary(t)
	hub := newProcess(t, bin, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := newProcess(t, bin, "melle", "Stadt Melle")
	essen := newProcess(t, bin, "bad-essen", "Gemeinde Bad Essen")
	hub.serve()
	melle.join(hub, "Stadt Melle", "034590024024")
	essen.join(hub, "Gemeinde Bad Essen", "034590003003")
	all := []*process{hub, melle, essen}
	for _, p := range all {
		for _, o := range all {
			if o != p {
				p.sees(o, "alive")
			}
		}
	}

	melle.kill()
	for _, p := range []*process{hub, essen} {
		p.sees(melle, "dead")
		if page := p.page("/verbund"); !strings.Contains(page, "Stadt Melle") {
			t.Errorf("%s forgot a member that is down", p.entity)
		}
		if page := p.page("/behoerden/melle.localhost"); !strings.Contains(page, "antwortet") {
			t.Errorf("%s shows the offers of Melle without a label", p.entity)
		}
	}

	melle.serve()
	for _, p := range []*process{hub, essen} {
		p.sees(melle, "alive")
		melle.sees(p, "alive")
	}
	if err := melle.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-melle.done:
		melle.cmd = nil
		if err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("did not stop within 10 s of SIGTERM")
	}
}
