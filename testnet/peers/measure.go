//go:build peers

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is what one peer needed for one kind of work.
type sample struct {
	times []time.Duration // of single requests
	cpu   time.Duration   // of all of them, the peer's own processes included
	count int
}

// clocked is how long reading the clock takes, taken off short times.
func clocked() time.Duration {
	times := make([]time.Duration, 4096)
	for i := range times {
		start := time.Now()
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// take runs f count times and notes each; pids are the peer's processes.
func (s *sample) take(count int, pids []int, f func(i int) error) error {
	off := clocked()
	before := used(pids)
	for i := range count {
		start := time.Now()
		if err := f(i); err != nil {
			return err
		}
		s.times = append(s.times, max(0, time.Since(start)-off))
	}
	s.cpu += used(pids) - before
	s.count += count
	return nil
}

// percentile returns the time that p percent of the requests did not exceed.
func (s *sample) percentile(p int) time.Duration {
	times := slices.Clone(s.times)
	slices.Sort(times)
	return times[min(len(times)*p/100, len(times)-1)]
}

func (s *sample) perRequest() time.Duration { return s.cpu / time.Duration(max(1, s.count)) }

// used is the processor time of this process and of pids with all the
// children they have waited for.
func used(pids []int) time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	sum := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	for _, pid := range pids {
		sum += processTime(pid)
	}
	return sum
}

// processTime is the processor time of one process; schedstat counts in
// nanoseconds, for each thread.
func processTime(pid int) time.Duration {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0
	}
	var sum time.Duration
	for _, t := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, t.Name()))
		if err != nil {
			continue
		}
		ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		if err == nil {
			sum += time.Duration(ns)
		}
	}
	return sum
}

// family lists pid and its children.
func family(pid int) []int {
	out := []int{pid}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return out
	}
	for f := range strings.FieldsSeq(string(b)) {
		if child, err := strconv.Atoi(f); err == nil {
			out = append(out, child)
		}
	}
	return out
}

// daemon starts a peer and returns how to end it.
func daemon(name string, args ...string) (pid int, stop func(), err error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	return cmd.Process.Pid, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // its status says only that it was asked to end
	}, nil
}

// machine names the processor, for the reader of the table.
func machine() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	model := "unknown processor"
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			model = strings.TrimSpace(v)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%d cores (%s), %s, load %s at the start", runtime.NumCPU(), model, runtime.Version(), strings.Fields(string(load))[0])
}

// micro writes a time in microseconds with about three digits.
func micro(d time.Duration) string {
	us := float64(d.Nanoseconds()) / 1000
	switch {
	case us < 1:
		return fmt.Sprintf("%.3f", us)
	case us < 100:
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.0f", us)
}

func ratio(b, a time.Duration) float64 { return float64(b) / float64(max(a, 1)) }

// verdict says whether a target is met.
func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "**missed**"
}
