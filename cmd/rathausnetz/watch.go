package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/portal"
)

func statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "What this node knows about itself and the others", GroupID: "watch", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := call[portal.Status](cmd, "status", struct{}{})
			if err != nil {
				return err
			}
			return show(cmd, s, func(w io.Writer) { printStatus(w, s) })
		},
	}
}

func printStatus(w io.Writer, s portal.Status) {
	fmt.Fprintf(w, "%s: %s", s.Entity, s.State)
	if s.Hub != "" && s.Hub != s.Entity {
		fmt.Fprintf(w, " of %s", s.Hub)
	}
	fmt.Fprintf(w, ", %d others alive, directory version %d\n\n", s.Alive, s.Index)
	table(w, "MEMBER\tGOSSIP\tRTT\tCOPY\tSERIAL\tOFFERS\tBYTES\tAGE\tLAST ERROR", func(line func(string, ...any)) {
		for _, m := range s.Members {
			line("%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s", m.Name, m.Gossip, m.RTT.Round(10*time.Microsecond), m.Copy, m.Serial, m.Offers, m.Bytes, age(m.Checked), oneLine(m.Error))
		}
	})
	if len(s.Verdicts) == 0 {
		return
	}
	fmt.Fprintln(w)
	table(w, "NOT BELIEVED\tSTATE\tSINCE\tREASON", func(line func(string, ...any)) {
		for _, v := range s.Verdicts {
			line("%s\t%s\t%s\t%s", v.ID, v.State, when(v.Since), oneLine(v.Reason))
		}
	})
}

// age is how long ago a copy was confirmed.
func age(t time.Time) string {
	switch d := time.Since(t); {
	case t.IsZero():
		return "-"
	case d < time.Minute:
		return max(d, 0).Round(time.Second).String()
	case d < 48*time.Hour:
		return d.Round(time.Minute).String()
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// oneLine keeps a joined error inside its row.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

func trustCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "trust", Short: "Explain why an entity is believed, or not", GroupID: "watch"}
	cmd.AddCommand(&cobra.Command{
		Use: "explain ENTITY", Short: "Verify an entity afresh and print every rule with its verdict", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := call[portal.TrustExplanation](cmd, "trust", federation.EntityID(args[0]))
			if err != nil {
				return err
			}
			if err := show(cmd, x, func(w io.Writer) { printTrust(w, x) }); err != nil {
				return err
			}
			if !x.Trusted {
				return exitStatus(2)
			}
			return nil
		},
	})
	return cmd
}

func printTrust(w io.Writer, x portal.TrustExplanation) {
	table(w, "VERDICT\tRULE\tSUBJECT\tDETAIL", func(line func(string, ...any)) {
		for _, s := range x.Steps {
			line("%s\t%s\t%s\t%s", s.Verdict, s.Rule, s.Subject, s.Detail)
		}
	})
	if x.Trusted {
		fmt.Fprintf(w, "\n%s is believed as %s until %s\n", x.Entity, x.Member.Name, when(x.Expires))
		return
	}
	fmt.Fprintf(w, "\n%s is not believed: %s\n", x.Entity, x.Error)
}
