package storetest

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Redis is one redis-server that a test has started.
type Redis struct {
	Addr string
	Cmd  *exec.Cmd // for signals
}

// StartRedis starts redis-server on a free loopback port, without files, and
// stops it when the test ends. It skips the test if there is no redis-server,
// and fails it if RATHAUSNETZ_REQUIRE contains "redis".
func StartRedis(t testing.TB, extra ...string) *Redis {
	t.Helper()
	path := Require(t, "redis-server")
	port := FreePort(t)
	addr := net.JoinHostPort("127.0.0.1", port)
	args := append([]string{
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
	}, extra...)
	r := &Redis{Addr: addr, Cmd: exec.Command(path, args...)}
	r.Cmd.Stderr = t.Output()
	if err := r.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Kill(t) })
	AwaitPort(t, addr)
	return r
}

// Kill ends the server at once and waits for its end; it may be called twice.
func (r *Redis) Kill(t testing.TB) {
	t.Helper()
	if r.Cmd.ProcessState != nil {
		return
	}
	if err := r.Cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	_ = r.Cmd.Wait() // killed: its exit status says nothing
}

// Require returns the path of a program, or skips or fails the test as
// StartRedis does.
func Require(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err == nil:
		return path
	case strings.Contains(os.Getenv("RATHAUSNETZ_REQUIRE"), "redis"):
		t.Fatalf("%s is required and not installed", program)
	default:
		t.Skipf("%s is not installed", program)
	}
	return ""
}

// FreePort returns a TCP port that was free a moment ago.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// AwaitPort returns when a server answers PING at addr; it fails after 10 s.
func AwaitPort(t testing.TB, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ping(ctx, addr) {
		select {
		case <-ctx.Done():
			t.Fatalf("nothing answers at %s", addr)
		case <-tick.C:
		}
	}
}

func ping(ctx context.Context, addr string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	return err == nil && strings.HasPrefix(string(answer[:n]), "+PONG")
}

// Await calls ok until it is true, and fails the test after 10 s.
func Await(t testing.TB, ok func(context.Context) bool) {
	t.Helper()
	AwaitFor(t, 10*time.Second, ok)
}

// AwaitFor is Await with a limit of the caller's, for what takes an election.
func AwaitFor(t testing.TB, limit time.Duration, ok func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("condition not met within %s", limit)
		case <-tick.C:
		}
	}
}
