package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/config"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/control"
	"rathausnetz/portal/doctor"
)

// Exit statuses of the doctor, as monitoring plugins have them.
const (
	exitWarning = 1
	exitFailure = 2
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Find out what is wrong with this node, and what to do", GroupID: "watch", Args: cobra.NoArgs,
		Long: "Looks at configuration, files, disk, name and certificate on this machine, and asks the\nrunning node about hub, clock, peers, copies and sign-on. The hub connects back, to see the\nnode from outside. Exit status: 0 all is well, 1 warnings, 2 failures.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := examine(cmd)
			if err := show(cmd, findings, func(w io.Writer) { printFindings(w, findings) }); err != nil {
				return err
			}
			switch doctor.Worst(findings) {
			case doctor.Failure:
				return exitStatus(exitFailure)
			case doctor.Warning:
				return exitStatus(exitWarning)
			}
			return nil
		},
	}
}

func examine(cmd *cobra.Command) []doctor.Finding {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return configFindings(err)
	}
	findings := []doctor.Finding{{Check: "configuration", Verdict: doctor.OK, Says: "can be used"}}
	machine := doctor.Look(cmd.Context(), cfg, time.Now(), net.DefaultResolver, trust.SpecialUse)
	node, err := control.Call[doctor.Node](cmd.Context(), cfg.Data, "examine", struct{}{})
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return append(findings, doctor.Judge(machine, nil)...)
	case err != nil:
		bad := doctor.Finding{Check: "node", Verdict: doctor.Failure, Says: err.Error(), Remedy: "run this command as root or as the user of the node"}
		list := append(findings, doctor.Judge(machine, nil)...)
		list[len(list)-1] = bad // it runs, but does not answer
		return list
	}
	return append(findings, doctor.Judge(machine, &node)...)
}

// configFindings is one finding for each fault of the configuration.
func configFindings(err error) []doctor.Finding {
	var out []doctor.Finding
	for _, f := range config.Faults(err) {
		where := f.Key
		if f.Line > 0 {
			where = fmt.Sprintf("line %d: %s", f.Line, f.Key)
		}
		out = append(out, doctor.Finding{Check: "configuration", Verdict: doctor.Failure, Says: where + ": " + f.What, Remedy: f.Remedy})
	}
	if len(out) == 0 {
		out = []doctor.Finding{{Check: "configuration", Verdict: doctor.Failure, Says: err.Error(), Remedy: "name the right file with --config"}}
	}
	return out
}

func printFindings(w io.Writer, findings []doctor.Finding) {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Check))
	}
	count := map[doctor.Verdict]int{}
	for _, f := range findings {
		count[f.Verdict]++
		fmt.Fprintf(w, "%-7s  %-*s  %s\n", f.Verdict, width, f.Check, oneLine(f.Says))
		if f.Remedy != "" {
			fmt.Fprintf(w, "%s  what to do: %s\n", strings.Repeat(" ", 7+2+width), f.Remedy)
		}
	}
	fmt.Fprintf(w, "\n%d checks: %d ok, %d warnings, %d failures\n", len(findings), count[doctor.OK], count[doctor.Warning], count[doctor.Failure])
}
