package storetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Sentinel is a master with one replica and three Sentinels.
type Sentinel struct {
	Addrs           []string // of the Sentinels
	Name            string   // of the master, for RedisConfig.Master
	Master, Replica *Redis
}

// StartSentinel starts a Sentinel group that has found itself; the master is
// called down after one second. Skips like StartRedis.
func StartSentinel(t testing.TB) *Sentinel {
	t.Helper()
	path := Require(t, "redis-sentinel")
	s := &Sentinel{Name: "mymaster"}
	s.Master = StartRedis(t, "--repl-diskless-sync-delay", "0")
	host, port, err := net.SplitHostPort(s.Master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	s.Replica = StartRedis(t, "--replicaof", host+" "+port)
	for range 3 {
		own := FreePort(t)
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s %s %s 2\n"+
			"sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 5000\n",
			own, filepath.Dir(conf), s.Name, host, port, s.Name, s.Name)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := &Redis{Addr: net.JoinHostPort("127.0.0.1", own), Cmd: exec.Command(path, conf)}
		if err := r.Cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Kill(t) })
		AwaitPort(t, r.Addr)
		s.Addrs = append(s.Addrs, r.Addr)
	}
	for _, addr := range s.Addrs {
		Await(t, func(ctx context.Context) bool {
			answer := cli(ctx, addr, "sentinel", "master", s.Name)
			return after(answer, "num-slaves") == "1" && after(answer, "num-other-sentinels") == "2"
		})
	}
	Await(t, func(ctx context.Context) bool {
		return strings.Contains(cli(ctx, s.Replica.Addr, "info", "replication"), "master_link_status:up")
	})
	return s
}

// StartCluster starts a Cluster of three masters and returns their addresses.
func StartCluster(t testing.TB) []string {
	t.Helper()
	program := Require(t, "redis-cli")
	var addrs []string
	for len(addrs) < 3 {
		addrs = append(addrs, StartRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
			"--cluster-port", FreePort(t), "--cluster-config-file", "nodes.conf").Addr)
	}
	args := append([]string{"--cluster", "create"}, append(addrs, "--cluster-yes")...)
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, addr := range addrs {
		Await(t, func(ctx context.Context) bool {
			return strings.Contains(cli(ctx, addr, "cluster", "info"), "cluster_state:ok")
		})
	}
	return addrs
}

// cli returns what redis-cli prints, "" if it fails.
func cli(ctx context.Context, addr string, args ...string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	out, err := exec.CommandContext(ctx, "redis-cli", append([]string{"-h", host, "-p", port}, args...)...).Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// after returns the line that follows the one that is name.
func after(answer, name string) string {
	lines := strings.Split(answer, "\n")
	for i, line := range lines[:len(lines)-1] {
		if strings.TrimSpace(line) == name {
			return strings.TrimSpace(lines[i+1])
		}
	}
	return ""
}

// Follow makes r a replica of whoever the Sentinels take for the master now,
// and reports whether that is somebody other than the first one and r is in
// step with it. Call it until it is true.
func (s *Sentinel) Follow(ctx context.Context, r *Redis) bool {
	answer := strings.Fields(cli(ctx, s.Addrs[0], "sentinel", "get-master-addr-by-name", s.Name))
	if len(answer) != 2 || net.JoinHostPort(answer[0], answer[1]) == s.Master.Addr {
		return false
	}
	if !strings.Contains(cli(ctx, r.Addr, "info", "replication"), "master_port:"+answer[1]) {
		cli(ctx, r.Addr, "replicaof", answer[0], answer[1])
	}
	return strings.Contains(cli(ctx, r.Addr, "info", "replication"), "master_link_status:up")
}
