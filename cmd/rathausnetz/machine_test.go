package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// machine is a computer as an operator has it: Debian with systemd, a name, an
// address, a file system of its own. It runs in a systemd-nspawn container on
// a network namespace of wires.
type machine struct {
	t      *testing.T
	name   string
	space  string
	addr   string
	root   string
	leader int // the container's first process
	done   chan struct{}
}

// debian is the folder that make deps fills with debootstrap.
func debian(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".tools", "debian"))
	if err != nil {
		t.Fatal(err)
	}
	missing := ""
	switch _, err := os.Stat(filepath.Join(root, ".complete")); {
	case os.Geteuid() != 0:
		missing = "containers need root"
	case err != nil:
		missing = "no Debian in .tools/debian: make deps"
	default:
		if _, err := exec.LookPath("systemd-nspawn"); err != nil {
			missing = "no systemd-nspawn: make deps"
		}
	}
	if missing == "" {
		return root
	}
	if slices.Contains(strings.Split(os.Getenv("RATHAUSNETZ_REQUIRE"), ","), "nspawn") {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// newMachine lays a writable layer over the common Debian; boot starts it.
func (w *wires) newMachine(i int, base, name string) *machine {
	w.t.Helper()
	m := &machine{t: w.t, name: name, space: w.space(i), addr: w.addr(i), done: make(chan struct{})}
	dir := w.t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		w.t.Fatalf("tmpfs: %v", err)
	}
	w.t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	for _, sub := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
	m.root = filepath.Join(dir, "root")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", base, filepath.Join(dir, "upper"), filepath.Join(dir, "work"))
	if err := unix.Mount("overlay", m.root, "overlay", 0, options); err != nil {
		w.t.Fatalf("overlay: %v", err)
	}
	w.t.Cleanup(func() { unix.Unmount(m.root, unix.MNT_DETACH) })
	return m
}

// put writes a file of the machine.
func (m *machine) put(path string, b []byte, mode os.FileMode) {
	m.t.Helper()
	full := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(full, b, mode); err != nil {
		m.t.Fatal(err)
	}
}

// boot starts systemd and waits until it has reached its target.
func (m *machine) boot() {
	m.t.Helper()
	var console bytes.Buffer
	cmd := exec.Command("systemd-nspawn", "--quiet", "-D", m.root, "--register=no", "--keep-unit", "--network-namespace-path=/run/netns/"+m.space,
		"--machine="+m.name, "--hostname="+m.name, "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe", "-b")
	cmd.Stdout, cmd.Stderr = &console, &console
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() { cmd.Wait(); close(m.done) }()
	m.t.Cleanup(func() { m.off(cmd) })
	m.until("systemd to start", 60*time.Second, func() error {
		select {
		case <-m.done:
			m.t.Fatalf("%s did not boot:\n%s", m.name, console.String())
		default:
		}
		var err error
		if m.leader, err = firstProcess(cmd.Process.Pid); err != nil {
			return err
		}
		out, _ := m.run(context.Background(), "systemctl is-system-running")
		if s := strings.TrimSpace(out); s != "running" && s != "degraded" {
			return fmt.Errorf("state %q", s)
		}
		return nil
	})
}

// firstProcess finds the systemd that a container was started with: its helper
// has another child before that.
func firstProcess(container int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", container, container))
	if err != nil {
		return 0, err
	}
	for _, field := range strings.Fields(string(b)) {
		if name, err := os.ReadFile("/proc/" + field + "/comm"); err == nil && strings.TrimSpace(string(name)) == "systemd" {
			return strconv.Atoi(field)
		}
	}
	return 0, fmt.Errorf("no systemd among %q", b)
}

func (m *machine) off(cmd *exec.Cmd) {
	if m.leader != 0 {
		m.run(context.Background(), "systemctl poweroff")
	}
	select {
	case <-m.done:
	case <-time.After(20 * time.Second):
		cmd.Process.Signal(syscall.SIGKILL)
		<-m.done
	}
}

// run executes a script as root on the machine; any command that fails ends it.
func (m *machine) run(ctx context.Context, script string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "-t", strconv.Itoa(m.leader), "-m", "-u", "-i", "-n", "-p", "--wdns=/root", "--",
		"/usr/bin/env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
		"/bin/bash", "-euo", "pipefail", "-c", script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is run whose failure ends the test, with the node's own words.
func (m *machine) must(script string) string {
	m.t.Helper()
	out, err := m.run(context.Background(), script)
	if err != nil {
		log, _ := m.run(context.Background(), "journalctl --no-pager -n 30 -u 'rathausnetz*' -u nginx -u caddy")
		m.t.Fatalf("on %s:\n%s\n%v\n%s\njournal:\n%s", m.name, script, err, out, log)
	}
	return out
}

// until tries f until it returns nil.
func (m *machine) until(what string, limit time.Duration, f func() error) {
	m.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			m.t.Fatalf("%s: waited %v for %s: %v", m.name, limit, what, err)
		}
	}
}

// browser is an HTTP transport that dials from inside the machine's network,
// where names mean what its hosts file says.
func (m *machine) browser(hosts map[string]string, base *http.Transport) *http.Transport {
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		type result struct {
			conn net.Conn
			err  error
		}
		ch := make(chan result, 1)
		go func() {
			// The thread is in another namespace afterwards and must not be
			// used for anything else: it ends with the goroutine.
			runtime.LockOSThread()
			f, err := os.Open("/run/netns/" + m.space)
			if err != nil {
				ch <- result{nil, err}
				return
			}
			defer f.Close()
			if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
				ch <- result{nil, err}
				return
			}
			ip, ok := hosts[host]
			if !ok {
				ch <- result{nil, fmt.Errorf("no host %s", host)}
				return
			}
			var d net.Dialer
			c, err := d.DialContext(ctx, network, net.JoinHostPort(ip, port))
			ch <- result{c, err}
		}()
		r := <-ch
		return r.conn, r.err
	}
	return base
}
