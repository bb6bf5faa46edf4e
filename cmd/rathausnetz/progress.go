package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rathausnetz/portal/control"
)

const (
	quiet     = time.Second // what is done by then needs no progress
	redraw    = 200 * time.Millisecond
	lineEvery = 5 * time.Second // where there is no terminal to redraw
)

// busy runs f and says on the error output how far it is, once it has taken a
// second: a bar on a terminal, a line from time to time elsewhere. f reports
// bytes as they are read; total is their expected sum, 0 if it is not known.
func busy[T any](cmd *cobra.Command, what string, total int64, f func(read func(int64)) (T, error)) (T, error) {
	p := &progress{what: what, total: total, w: cmd.ErrOrStderr(), stop: make(chan struct{})}
	if file, ok := p.w.(*os.File); ok {
		p.terminal = term.IsTerminal(int(file.Fd()))
	}
	var wg sync.WaitGroup
	wg.Go(p.run)
	v, err := f(func(n int64) { p.done.Add(n) })
	close(p.stop)
	wg.Wait()
	return v, err
}

// ask is call for what may take the node a while.
func ask[Out any](cmd *cobra.Command, what, verb string, args any) (Out, error) {
	cfg, err := loadConfig(cmd)
	if err != nil {
		var none Out
		return none, err
	}
	return busy(cmd, what, 0, func(func(int64)) (Out, error) {
		return control.Call[Out](cmd.Context(), cfg.Data, verb, args)
	})
}

type progress struct {
	what     string
	total    int64
	w        io.Writer
	terminal bool
	done     atomic.Int64
	stop     chan struct{}
}

func (p *progress) run() {
	begin := time.Now()
	select {
	case <-p.stop:
		return
	case <-time.After(quiet):
	}
	if p.terminal {
		p.bar()
		return
	}
	for {
		fmt.Fprintf(p.w, "%s: %s\n", p.what, p.far(time.Since(begin)))
		select {
		case <-p.stop:
			return
		case <-time.After(lineEvery):
		}
	}
}

func (p *progress) far(took time.Duration) string {
	const mb = 1e6
	took = took.Round(time.Second)
	switch done := float64(p.done.Load()) / mb; {
	case p.total > 0:
		return fmt.Sprintf("%.1f of %.1f MB, %v", done, float64(p.total)/mb, took)
	case done > 0:
		return fmt.Sprintf("%.1f MB, %v", done, took)
	}
	return took.String()
}

func (p *progress) bar() {
	total := p.total
	if total <= 0 {
		total = -1 // a spinner
	}
	// Without an interval of its own the bar starts no goroutine.
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(p.what), progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionShowBytes(p.total > 0), progressbar.OptionSetElapsedTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		var err error
		if p.total > 0 {
			err = bar.Set64(min(p.done.Load(), p.total))
		} else {
			err = bar.Add(1)
		}
		if err != nil {
			return // a bar that cannot be drawn must not stop the work
		}
		select {
		case <-p.stop:
			_ = bar.Finish() // clears the line
			return
		case <-tick.C:
		}
	}
}

// sizeOf is how many bytes reading a source will bring, 0 if that is not known
// beforehand: an archive is larger than its file.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	if !info.IsDir() {
		if isZip(path) {
			return 0
		}
		return info.Size()
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return 0
	}
	var sum int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && isXML(e.Name()) {
			sum += info.Size()
		}
	}
	return sum
}
