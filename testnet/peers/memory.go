//go:build peers

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/directory/directorytest"
)

// memoryWord makes this program the process whose memory is measured.
const memoryWord = "resident"

func memory(ctx context.Context, _ options, w io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b, err := exec.CommandContext(ctx, self, memoryWord).Output()
	if err != nil {
		return err
	}
	f := strings.Fields(string(b))
	if len(f) != 2 {
		return fmt.Errorf("not a measurement: %q", b)
	}
	kb, err := strconv.Atoi(f[1])
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n### Memory\n\n| target | |\n|---|---|\n| %s offers, texts on disk, index in memory: ≤ 500 MB resident | %d MB: %s |\n", f[0], kb/1024, verdict(kb <= 500*1024))
	return nil
}

// residentSet fills a directory as a node that keeps texts on disk does and
// says how much of it stays in memory.
func residentSet(stdout io.Writer) error {
	n := directorytest.New(directorytest.Spec{Seed: 1, Members: searchMembers, OnDisk: true, Texts: true})
	d := directory.New(directory.Config{Now: today})
	for i := range n.Len() {
		d.Replace(n.Source(i))
	}
	for _, q := range directorytest.Queries() {
		d.Search(directory.Query{Text: q, Place: n.Places()[0]})
	}
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Fprintf(stdout, "%d %s\n", d.Stats().Offers, strings.Fields(rest)[0])
		}
	}
	runtime.KeepAlive(d)
	return nil
}
