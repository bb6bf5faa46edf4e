package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager plays the service manager of one process.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &manager{t: t, conn: c, path: path}
}

// hears waits for a message with this in it, and returns it.
func (m *manager) hears(want string) string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	b := make([]byte, 4096)
	for {
		n, err := m.conn.Read(b)
		if err != nil {
			m.t.Fatalf("%s was not said: %v", want, err)
		}
		if s := string(b[:n]); strings.Contains(s, want) {
			return s
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestService runs a hub under a service manager that hands over its socket,
// looks at its metrics, and stops it.
func TestService(t *testing.T) {
	bin := buildBinary(t)
	hub := newProcess(t, bin, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	m := newManager(t)
	public := "127.0.0.1" + hub.entity[strings.LastIndex(hub.entity, ":"):]
	ln, err := net.Listen("tcp", public)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	metrics := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	var out bytes.Buffer
	hub.log = &logBuffer{}
	hub.cmd = exec.Command(bin, hub.with("serve")...)
	hub.cmd.Env = append(hub.env, "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=400000", "LISTEN_FDS=1", "RATHAUSNETZ_METRICS_LISTEN="+metrics, "RATHAUSNETZ_LOG_FORMAT=json")
	hub.cmd.Stdout, hub.cmd.Stderr, hub.cmd.ExtraFiles = &out, hub.log, []*os.File{socket}
	if err := hub.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	socket.Close()
	hub.done = make(chan error, 1)
	go func(c *exec.Cmd, done chan error) { done <- c.Wait() }(hub.cmd, hub.done)

	if s := m.hears("READY=1"); !strings.Contains(s, "STATUS="+hub.entity) {
		t.Errorf("ready without a status: %q", s)
	}
	m.hears("WATCHDOG=1")
	m.hears("STATUS=" + hub.entity + ": hub, 1 members")
	for _, url := range []string{"http://" + public + "/healthz", "http://" + public + "/readyz", "http://" + metrics + "/readyz"} {
		if status, body := get(t, url); status != http.StatusOK {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	if status, _ := get(t, "http://"+public+"/metrics"); status != http.StatusNotFound {
		t.Errorf("the public listener shows metrics: %d", status)
	}
	hub.await(func() error {
		_, page := get(t, "http://"+metrics+"/metrics")
		for _, want := range []string{`rathausnetz_node_state{state="hub"} 1`, `rathausnetz_http_requests_total{method="GET",route="/healthz",status="2xx"}`,
			`rathausnetz_http_requests_total{method="GET",route="none",status="4xx"} 1`, `rathausnetz_publications_total{result="ok"} 1`,
			`rathausnetz_store_errors_total{operation="get"} 0`, "rathausnetz_data_free_bytes ", "process_resident_memory_bytes "} {
			if !strings.Contains(page, want) {
				return fmt.Errorf("%s is missing in:\n%s", want, page)
			}
		}
		return nil
	})
	if err := hub.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.hears("STOPPING=1")
	if err := <-hub.done; err != nil {
		t.Error(err)
	}
	hub.cmd = nil
	if s := out.String(); !strings.Contains(s, hub.entity+", hub of 03459, listens on "+public) || !strings.Contains(s, "metrics on "+metrics) || strings.Count(s, "\n") != 1 {
		t.Errorf("greeting: %q", s)
	}
}
