package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/testnet"
)

// printEvents prints one line for each event, as JSON with --json.
func printEvents(cmd *cobra.Command) func(testnet.Event) {
	var mu sync.Mutex
	w := cmd.OutOrStdout()
	enc := json.NewEncoder(w)
	asJSON := wantsJSON(cmd)
	return func(e testnet.Event) {
		mu.Lock()
		defer mu.Unlock()
		if asJSON {
			_ = enc.Encode(e) // a reader that is gone cannot be told
			return
		}
		_, _ = e.WriteTo(w)
	}
}

// printFigures says what the network took on this machine.
func printFigures(w io.Writer, f testnet.Figures) {
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	fmt.Fprintf(w, "\n%d nodes in one process, %d offers in all:\n", f.Nodes, f.Offers)
	table(w, "FIGURE\tVALUE", func(line func(string, ...any)) {
		line("all up: every node serves every catalogue\t%s", ms(f.Up))
		line("one changed offer, published until served by the last, median of %d\t%s", f.Trials, ms(f.Median))
		line("the same, worst of %d\t%s", f.Trials, ms(f.Worst))
		line("processor time for each replaced copy, all included\t%s", f.CPUPerPull.Round(10*time.Microsecond))
		line("a dead node labelled by all others\t%s", ms(f.Dead))
		line("memory of the process\t%d MB, %.1f MB a node", f.Resident>>20, float64(f.Resident)/float64(f.Nodes)/(1<<20))
		line("goroutines\t%d, %d a node", f.Goroutines, f.Goroutines/f.Nodes)
		line("idle, each node\t%.2f %% of a core, %.0f bytes of gossip a second", 100*f.IdleCPU, f.IdleBytes)
	})
}
