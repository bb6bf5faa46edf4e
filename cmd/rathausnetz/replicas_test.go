package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/store/storetest"
	"rathausnetz/federation/trust"
	"rathausnetz/testnet"
)

const replicaPassword = "Sommer-Apfel-Regen-17"

// balancer is the load balancer before the replicas: requests in turn, and the
// next replica if one cannot be connected to. It holds no state of a citizen.
type balancer struct {
	addrs   []string
	next    http.RoundTripper
	mu      sync.Mutex
	turn    int
	served  map[string]int
	busy    map[string]int
	arrived func(r *http.Request, to string) // before a request is handed on; may be nil
}

// newBalancer listens at addr until the test ends.
func newBalancer(t *testing.T, addr string, replicas ...string) *balancer {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	// Without connections kept open, a replica that is gone shows before
	// anything was sent to it, and even a POST may go to the other one.
	b := &balancer{addrs: replicas, served: map[string]int{}, busy: map[string]int{}, next: &http.Transport{DisableKeepAlives: true}}
	proxy := &httputil.ReverseProxy{
		Transport: b,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "replica.invalid", r.In.Host
			r.SetXForwarded()
		},
	}
	srv := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return b
}

// RoundTrip tries every replica once, beginning with the one whose turn it is.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	order := b.order()
	b.mu.Lock()
	arrived := b.arrived
	b.mu.Unlock()
	if arrived != nil {
		arrived(r, order[0])
	}
	var err error
	for _, addr := range order {
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", addr, time.Second); err != nil {
			continue
		}
		conn.Close()
		b.count(addr, 1)
		defer b.count(addr, -1)
		r.URL.Host = addr
		return b.next.RoundTrip(r)
	}
	return nil, err
}

// order is in which order to try; a replica without work comes first.
func (b *balancer) order() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	var out []string
	for i := range b.addrs {
		out = append(out, b.addrs[(b.turn+i)%len(b.addrs)])
	}
	slices.SortStableFunc(out, func(x, y string) int { return cmp.Compare(b.busy[x], b.busy[y]) })
	return out
}

func (b *balancer) count(addr string, by int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy[addr] += by
	b.served[addr] += max(by, 0)
}

// when calls do before the first request whose path contains part, with the
// replica that would be given it.
func (b *balancer) when(part string, do func(addr string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var once sync.Once
	b.arrived = func(r *http.Request, addr string) {
		if strings.Contains(r.URL.Path, part) {
			once.Do(func() { do(addr) })
		}
	}
}

// counts returns how many requests each replica was given, and begins anew.
func (b *balancer) counts() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.served
	b.served, b.arrived = map[string]int{}, nil
	return out
}

// newReplicas makes two folders of one hub: one name, one set of keys, one
// Redis, two listeners.
func newReplicas(t *testing.T, redis string) (replicas [2]*process, b *balancer) {
	t.Helper()
	bin := buildBinary(t)
	ports := freePorts(t, 5)
	local := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
	entity := "http://landkreis.localhost:" + strconv.Itoa(ports[0])
	for i := range replicas {
		p := &process{t: t, bin: bin, dir: filepath.Join(t.TempDir(), "hub"), entity: entity, env: os.Environ()}
		p.must("init", "--entity", entity, "--name", "Landkreis Osnabrück", "--hub", "--area", "03459",
			"--loopback-http", "--listen", local(1+i), p.dir)
		file := filepath.Join(p.dir, "node.yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		conf := strings.Replace(string(text), "bind: 0.0.0.0:7946", fmt.Sprintf("bind: %s\n  peers: [%q]", local(3+i), local(4-i)), 1)
		conf += fmt.Sprintf("\nstore:\n  redis:\n    addrs: [%q]\nproxies: [127.0.0.1]\n", redis)
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		replicas[i] = p
		t.Cleanup(p.kill)
	}
	replicas[1].takeKeys(replicas[0])
	b = newBalancer(t, local(0), local(1), local(2))
	for _, p := range replicas {
		p.serve()
	}
	return replicas, b
}

// takeKeys gives a replica the keys of another.
func (p *process) takeKeys(from *process) {
	p.t.Helper()
	src := filepath.Join(from.dir, "data", "keys")
	files, err := os.ReadDir(src)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(src, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(p.dir, "data", "keys", f.Name()), b, 0o600)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// addAccount makes an account as the operator does, password on standard input.
func (p *process) addAccount(name string) {
	p.t.Helper()
	cmd := exec.Command(p.bin, p.with("account", "add", name, "--full-name", "Probe "+name, "--level", "niedrig")...)
	cmd.Env, cmd.Stdin = p.env, strings.NewReader(replicaPassword+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("account add: %v: %s", err, out)
	}
}

// TestReplicasLogin runs a hub as two processes on one Redis and kills one of
// them in the middle of a login, at each moment where something is held for
// the citizen: the citizen goes on as if nothing had happened.
func TestReplicasLogin(t *testing.T) {
	redis := storetest.StartRedis(t)
	replicas, b := newReplicas(t, redis.Addr)
	moments := []struct {
		name string
		page string // one dies while the citizen reads this page
		path string // or when a request to this path is about to be handed on
		// either: the one that has served the citizen before may be the victim.
		either bool
	}{
		{name: "nobody"},
		{name: "password asked", page: "password"},
		{name: "hand-over asked", page: "decision"},
		{name: "code issued", path: "/anmelden/rueckkehr/", either: true},
		{name: "code redeemed", path: "/token"},
		{name: "signed in", page: "account"},
	}
	for i, m := range moments {
		for v, victim := range replicas {
			t.Run(fmt.Sprintf("%s/%d", m.name, v+1), func(t *testing.T) {
				name := fmt.Sprintf("probe-%d-%d", i, v)
				replicas[1-v].addAccount(name)
				b.counts()
				if m.path != "" {
					// First the one that is about to be given the request, then the
					// other one, which has served what came before. While a code is
					// redeemed the other one is at work for this very citizen, and what
					// it holds in its hands is lost: then it is always the first.
					b.when(m.path, func(addr string) {
						at := slices.Index(b.addrs, addr)
						if m.either {
							at = (at + v) % len(replicas)
						}
						victim = replicas[at]
						victim.kill()
					})
				}
				loginThrough(t, victim.entity, name, func(page string) {
					if page == m.page {
						victim.kill()
					}
				})
				served := b.counts()
				for _, addr := range b.addrs {
					if m.name == "nobody" && served[addr] == 0 {
						t.Errorf("replica %s served nothing: %v", addr, served)
					}
				}
				if (victim.cmd == nil) == (m.name == "nobody") {
					t.Fatal("not the death that was meant")
				}
				if victim.cmd == nil {
					victim.serve() // and the next citizen comes at once
				}
			})
		}
	}
}

// loginThrough signs a citizen in at the portal and looks at the account;
// reading is called with the name of each page while the citizen reads it.
func loginThrough(t *testing.T, entity, name string, reading func(page string)) {
	t.Helper()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	trust.GuardTransport(tr, true)
	defer tr.CloseIdleConnections()
	c := testnet.NewCitizen(tr)
	step := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if c.Status() != http.StatusOK {
			t.Fatalf("%s: status %d at %s: %.300s", what, c.Status(), c.URL(), c.Text())
		}
	}
	step("open", c.Open(t.Context(), entity+"/anmelden?zurueck=/konto"))
	reading("password")
	step("password", c.Submit(t.Context(), map[string]string{"username": name, "password": replicaPassword}))
	reading("decision")
	step("hand-over", c.Submit(t.Context(), map[string]string{"decision": "yes"}))
	reading("account")
	for range 2 { // each replica has its turn
		step("account", c.Open(t.Context(), entity+"/konto"))
		if err := c.Expect("Probe " + name); err != nil {
			t.Fatal(err)
		}
	}
}
