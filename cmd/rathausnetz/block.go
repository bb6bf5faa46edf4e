package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rathausnetz/federation/anchor"
	"rathausnetz/federation/blocklist"
	"rathausnetz/portal"
)

func blockCommand() *cobra.Command {
	return hostCommand("block", "Hub: no portal of the network links to a host any more",
		"A host stands for itself and everything below it: example.org takes in www.example.org.\nThe words of a link stay; the text says that the link is blocked.",
		"%s is blocked; every portal that hears of it stops linking there, the others at their next refresh\n")
}

func unblockCommand() *cobra.Command {
	return hostCommand("unblock", "Hub: portals may link to a host again", "It is taken back for exactly the host that was blocked.", "%s is open again\n")
}

func hostCommand(verb, short, long, done string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " HOST", Short: short, Long: long, GroupID: "network", Args: cobra.ExactArgs(1),
		Example: "  rathausnetz " + verb + " example.org --reason \"taken over by strangers\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := call[anchor.Blocked](cmd, verb, portal.BlockRequest{By: operator(), Host: args[0], Reason: reason})
			if err != nil {
				return err
			}
			return show(cmd, b, func(w io.Writer) { fmt.Fprintf(w, done, b.Host) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "for the audit trail; every member can read it (required)")
	return cmd
}

func blocksCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "blocks", Short: "List the hosts that this node does not link to", GroupID: "network", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ds, err := call[[]blocklist.Decision](cmd, "blocks", nil)
			if err != nil {
				return err
			}
			return show(cmd, ds, func(w io.Writer) { printBlocks(w, ds, all) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that are open again")
	return cmd
}

func printBlocks(w io.Writer, ds []blocklist.Decision, all bool) {
	table(w, "HOST\tSTATE\tSINCE\tBY\tREASON", func(line func(string, ...any)) {
		for _, d := range ds {
			state := "blocked"
			if !d.Blocked {
				state = "open"
			}
			if d.Blocked || all {
				line("%s\t%s\t%s\t%s\t%s", d.Host, state, when(d.At), d.Issuer.Host(), printable(d.Reason))
			}
		}
	})
}
