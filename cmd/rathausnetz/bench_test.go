package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rathausnetz/federation/trust"
)

// BenchmarkTestnet starts the built binary with its seven default nodes and
// reports the seconds to the first page, the seconds until the whole Landkreis
// is up, and the resident memory then.
func BenchmarkTestnet(b *testing.B) {
	bin := buildBinary(b)
	tr := http.DefaultTransport.(*http.Transport).Clone()
	trust.GuardTransport(tr, true)
	client := &http.Client{Transport: tr, Timeout: 5 * time.Second}
	defer tr.CloseIdleConnections()
	for b.Loop() {
		cmd := exec.Command(bin, "testnet", "--port", "18600")
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		for {
			resp, err := client.Get("http://landkreis.localhost:18600/")
			if err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
			}
			if time.Since(begin) > time.Minute {
				b.Fatal("no page after a minute")
			}
			<-time.After(10 * time.Millisecond)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s/first-page")
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // "The Landkreis is up …"
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s/all-up")
		mb, err := residentMB(cmd.Process.Pid)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(mb, "MB-resident")
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			b.Fatal(err)
		}
		stopping := time.Now()
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(stopping).Seconds(), "s/stop")
	}
}

func residentMB(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS for process %d", pid)
}
