package systemd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

// listen plays the manager: it returns what the next datagram says.
func listen(t *testing.T) (path string, next func() string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return path, func() string {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4096)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestNotify(t *testing.T) {
	path, next := listen(t)
	m, err := FromEnvironment(env(map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}), 7)
	if err != nil {
		t.Fatal(err)
	}
	if m.WatchdogEvery() != 15*time.Second {
		t.Errorf("watchdog every %v", m.WatchdogEvery())
	}
	for _, c := range []struct {
		tell func() error
		want string
	}{
		{func() error { return m.Ready("3 members") }, `^READY=1\nSTATUS=3 members\n$`},
		{m.Reloading, `^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+\n$`},
		{m.Alive, `^WATCHDOG=1\n$`},
		{m.Stopping, `^STOPPING=1\nSTATUS=stopping\n$`},
		{func() error { return m.Status("a\nREADY=1") }, `^STATUS=a; READY=1\n$`},
	} {
		if err := c.tell(); err != nil {
			t.Fatal(err)
		}
		if got := next(); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("said %q, want %s", got, c.want)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	var none *Manager
	m, err := FromEnvironment(env(map[string]string{"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8", "LISTEN_FDS": "1", "LISTEN_PID": "8"}), 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Manager{none, m} {
		if err := errors.Join(m.Ready("x"), m.Alive(), m.Stopping(), m.Reloading(), m.Status("x")); err != nil {
			t.Error(err)
		}
		if ln, err := m.Listeners(); len(ln) != 0 || err != nil {
			t.Errorf("sockets of another process taken: %v %v", ln, err)
		}
		if m.WatchdogEvery() != 0 {
			t.Error("watchdog of another process answered")
		}
	}
}

func TestFaults(t *testing.T) {
	for _, e := range []map[string]string{{"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "-1"}, {"LISTEN_FDS": "many"}, {"LISTEN_FDS": "1000"}} {
		if _, err := FromEnvironment(env(e), 7); !errors.Is(err, ErrManager) {
			t.Errorf("%v: %v", e, err)
		}
	}
	m, err := FromEnvironment(env(map[string]string{"NOTIFY_SOCKET": filepath.Join(t.TempDir(), "gone")}), 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Alive(); !errors.Is(err, ErrManager) {
		t.Errorf("a manager that is gone: %v", err)
	}
}

// TestListeners hands two sockets to a child process, as systemd does, and
// asks it over the first one what the second one is called.
func TestListeners(t *testing.T) {
	if os.Getenv("TAKE_OVER") != "" {
		takeOver(t)
		return
	}
	files := make([]*os.File, 2)
	addrs := make([]string, 2)
	for i := range files {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addrs[i] = ln.Addr().String()
		if files[i], err = ln.(*net.TCPListener).File(); err != nil {
			t.Fatal(err)
		}
		ln.Close()
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestListeners$", "-test.timeout", "30s")
	cmd.Env = append(os.Environ(), "TAKE_OVER=yes", "LISTEN_FDS=2", "LISTEN_FDNAMES=portal.socket:metrics")
	cmd.ExtraFiles = files
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		f.Close()
	}
	resp, err := http.Get("http://" + addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(b) != addrs[1] {
		t.Errorf("metrics taken over at %q, want %s; %v", b, addrs[1], err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// takeOver is the child: it serves one request and ends.
func takeOver(t *testing.T) {
	m, err := FromEnvironment(os.Getenv, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	lns, err := m.Listeners()
	if err != nil || lns["http"] == nil || lns["metrics"] == nil {
		t.Fatal(lns, err)
	}
	c, err := lns["http"].Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	addr := lns["metrics"].Addr().String()
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %s\r\n\r\n%s", strconv.Itoa(len(addr)), addr)
}
