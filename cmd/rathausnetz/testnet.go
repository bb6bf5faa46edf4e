package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/federation/region"
	"rathausnetz/testnet"
)

// startLimit bounds the start of a demonstration network, and startEach what
// every node beyond the first ones adds: each verifies and copies all others.
const (
	startLimit = 3 * time.Minute
	startEach  = 4 * time.Second
	crowd      = 30 // members that are too many for the collector's usual haste
	crowdBytes = 16 << 30
)

type testnetFlags struct {
	check, tls, verbose  bool
	anchors, follow      bool
	neighbour, events    bool
	port, members        int
	dir, kreis, register string
}

func testnetCommand() *cobra.Command {
	var f testnetFlags
	cmd := &cobra.Command{
		Use: "testnet", Short: "Run a whole Landkreis in one process, to look at and to test", GroupID: "run", Args: cobra.NoArgs,
		Example: `  rathausnetz testnet            the Landkreis Osnabrück, in your browser
  rathausnetz testnet --check    start it, make the five journeys, stop it`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			spec, err := f.spec(cmd)
			if err != nil {
				return err
			}
			begin := time.Now()
			if f.members > crowd { // memory is there; cores are what is short
				debug.SetGCPercent(300)
				debug.SetMemoryLimit(crowdBytes)
			}
			starting, cancel := context.WithTimeout(cmd.Context(), startLimit+time.Duration(max(0, f.members-crowd))*startEach)
			defer cancel()
			nw, err := testnet.Start(starting, spec)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, nw.Close()) }()
			if f.check {
				return checkNetwork(cmd, nw, time.Since(begin))
			}
			if f.events { // they are what is printed
				<-cmd.Context().Done()
				return nil
			}
			if err := show(cmd, nw.Members(), func(w io.Writer) { printNetwork(w, nw, time.Since(begin)) }); err != nil {
				return err
			}
			<-cmd.Context().Done()
			return nil
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.check, "check", false, "make the five journeys against the running network, then stop")
	fl.BoolVar(&f.tls, "tls", false, "https with a CA made in memory")
	fl.BoolVar(&f.anchors, "anchors", false, "a Land as trust anchor above two Landkreise")
	fl.BoolVar(&f.follow, "follow", false, "every second member is behind a firewall and hears the news by outbound https alone")
	fl.BoolVar(&f.neighbour, "neighbour", false, "the Landkreis Vechta beside it, and a look-up from one into the other")
	fl.IntVar(&f.port, "port", 8600, "first port; 0 takes free ones")
	fl.IntVar(&f.members, "members", 0, "how many nodes beside the hub (default: the demonstration's six)")
	fl.StringVar(&f.dir, "data", "", "keep the nodes' data in this folder (default: a temporary one)")
	fl.StringVar(&f.kreis, "kreis", "03459", "another Kreis of the register, 5 digits")
	fl.StringVar(&f.register, "register", "", "the official GV100AD file, for Kreise beyond the built-in one")
	fl.BoolVar(&f.events, "events", false, "print what happens, one line for each event, instead of the addresses")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "log what the nodes do")
	return cmd
}

func (f testnetFlags) spec(cmd *cobra.Command) (testnet.Spec, error) {
	s := testnet.Spec{Dir: f.dir, BasePort: f.port, TLS: f.tls, Members: f.members, Anchors: f.anchors, Follow: f.follow, Neighbour: f.neighbour, Control: f.dir != ""}
	if f.anchors && (f.check || f.members > 0 || cmd.Flags().Changed("kreis")) {
		return s, errors.New("--anchors: it has its own Landkreise and members; leave --check, --members and --kreis out")
	}
	if f.neighbour && (f.anchors || f.members > 0 || f.register != "" || cmd.Flags().Changed("kreis")) {
		return s, errors.New("--neighbour: it has its own Landkreise and members; leave --anchors, --members, --register and --kreis out")
	}
	if f.check && !cmd.Flags().Changed("port") {
		s.BasePort = 0
	}
	if f.events {
		s.OnEvent = printEvents(cmd)
	}
	begin := time.Now()
	s.OnJoined = func(in, of int) { // hundreds take minutes
		fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d members hold everything after %s\n", in, of, time.Since(begin).Round(time.Second))
	}
	level := slog.LevelError
	if f.verbose {
		level = slog.LevelInfo
	}
	s.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	var err error
	if s.Kreis, err = region.ParseArea(f.kreis); err != nil || s.Kreis.Len() != 5 {
		return s, fmt.Errorf("--kreis %q: the 5 digits of a Kreis are needed", f.kreis)
	}
	if f.register == "" {
		if f.kreis != "03459" {
			return s, errors.New("--kreis: the built-in register knows only 03459; add --register with the official GV100AD file")
		}
		return s, nil
	}
	file, err := os.Open(f.register)
	if err != nil {
		return s, fmt.Errorf("--register: %w", err)
	}
	defer file.Close()
	e, err := region.ReadGV100AD(file)
	if err != nil {
		return s, fmt.Errorf("--register %s: %w", f.register, err)
	}
	s.Register = region.NewRegister(e)
	return s, nil
}

func printNetwork(w io.Writer, nw *testnet.Network, took time.Duration) {
	what := "The Landkreis is up after %s. Every portal shows all offers, each in its own design:\n\n"
	if nw.Member("land") != nil {
		what = "Two Landkreise below one Land are up after %s. Every portal shows all offers of its own Landkreis:\n\n"
	}
	if nw.Member("vechta") != nil {
		what = "Two Landkreise side by side are up after %s. Every portal shows all offers of its own; /umzug leads from one into the other:\n\n"
	}
	fmt.Fprintf(w, what, took.Round(10*time.Millisecond))
	table(w, "PORTAL\tADDRESS\tAREA", func(line func(string, ...any)) {
		for _, m := range nw.Members() {
			line("%s\t%s\t%s", m.Legal, m.Entity, m.Area)
		}
	})
	if l, err := nw.Hub().Node().AdminLink(context.Background(), "testnet"); err == nil {
		fmt.Fprintf(w, "\nThe hub's operator pages, once within 15 minutes: %s\n", l.URL)
	}
	fmt.Fprintf(w, "\nSign in anywhere with %s and %s; where a password is not enough, with the button %q. Everything here is a demonstration; nothing is sent to any authority.\nStop with Ctrl-C.\n", testnet.DemoUser, testnet.DemoPassword, testnet.SourceName)
}

func checkNetwork(cmd *cobra.Command, nw *testnet.Network, started time.Duration) error {
	results := nw.Check(cmd.Context())
	failed := 0
	fig, figErr := nw.Measure(cmd.Context())
	if figErr != nil {
		failed++
	}
	for _, r := range results {
		if r.Error != "" {
			failed++
		}
	}
	err := show(cmd, map[string]any{"started_ms": started.Milliseconds(), "members": len(nw.Members()), "journeys": results, "figures": fig}, func(w io.Writer) {
		fmt.Fprintf(w, "started %d nodes in %s\n", len(nw.Members()), started.Round(time.Millisecond))
		table(w, "JOURNEY\tRESULT\tTIME", func(line func(string, ...any)) {
			for _, r := range results {
				verdict := "holds"
				if r.Error != "" {
					verdict = "FAILS"
				}
				line("%s\t%s\t%s", r.Name, verdict, r.Took.Round(time.Millisecond))
			}
		})
		for _, r := range results {
			if r.Error != "" {
				fmt.Fprintf(w, "\n%s: %s\n", r.Name, r.Error)
			}
		}
		if figErr != nil {
			fmt.Fprintf(w, "\nfigures: %v\n", figErr)
			return
		}
		printFigures(w, fig)
	})
	if err == nil && failed > 0 {
		return exitStatus(1)
	}
	return err
}
