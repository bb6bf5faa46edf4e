//go:build peers

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options are what the command line may change.
type options struct {
	only   string // resolve, search, http, pages, memory; empty: all
	sizes  []int  // members of the networks for resolve
	rounds int
	dir    string // for everything the peers write
	node   string // the program under test
	write  string // the file whose section is replaced; empty: standard output only
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) > 0 {
		if args[0] == memoryWord { // what a measurement starts as a process of its own
			return residentSet(stdout)
		}
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	var report bytes.Buffer
	started := time.Now()
	fmt.Fprintf(&report, "Taken by `make bench-peers` on %s: %s.\n", started.Format("2 January 2006"), machine())
	for _, part := range []struct {
		name string
		run  func(context.Context, options, io.Writer) error
	}{{"resolve", resolve}, {"search", finding}, {"http", requests}, {"pages", pages}, {"memory", memory}} {
		if o.only != "" && !strings.Contains(o.only, part.name) {
			continue
		}
		progress("%s", part.name)
		if err := part.run(ctx, o, &report); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Fprintf(&report, "\nThe whole run took %d minutes.\n", int(time.Since(started).Minutes()+0.5))
	if _, err := stdout.Write(report.Bytes()); err != nil || o.write == "" {
		return err
	}
	return replaceSection(o.write, report.String())
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.StringVar(&o.only, "only", "", "a list of resolve, search, http, pages, memory; empty: all")
	f.IntVar(&o.rounds, "rounds", 5, "how often the peers take turns")
	f.StringVar(&o.node, "node", "bin/rathausnetz", "the program whose answers over HTTP are measured")
	f.StringVar(&o.write, "write", "", "the file between whose marks the tables are put")
	small := f.Bool("small", false, "the small network only, to try things out")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.sizes = []int{1130, 12417}
	if *small {
		o.sizes = o.sizes[:1]
	}
	o.dir, err = os.MkdirTemp("", "rathausnetz-peers-")
	if err == nil {
		err = os.Chmod(o.dir, 0o755) // PostgreSQL runs as a user of its own
	}
	return o, err
}

// The marks of the section that replaceSection writes.
const (
	beginMark = "<!-- bench-peers begin -->"
	endMark   = "<!-- bench-peers end -->"
)

var errMarks = errors.New("the file has no place for the tables")

func replaceSection(path, text string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), beginMark)
	_, after, closed := strings.Cut(rest, endMark)
	if !ok || !closed {
		return fmt.Errorf("%w: %s needs the lines %s and %s", errMarks, path, beginMark, endMark)
	}
	return os.WriteFile(filepath.Clean(path), []byte(before+beginMark+"\n"+text+endMark+after), 0o644)
}

// progress tells whoever waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}
