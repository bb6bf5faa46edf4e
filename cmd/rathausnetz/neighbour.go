package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/portal"
)

func neighbourCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "neighbour", Short: "The hubs of other Landkreise", GroupID: "network"}
	cmd.AddCommand(neighbourList(), neighbourFingerprint(), neighbourKey())
	return cmd
}

func neighbourList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Which other Landkreise this node knows, and how they are", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := call[[]portal.NeighbourStatus](cmd, "neighbours", struct{}{})
			if err != nil {
				return err
			}
			return show(cmd, list, func(w io.Writer) { printNeighbours(w, list) })
		},
	}
}

func printNeighbours(w io.Writer, list []portal.NeighbourStatus) {
	if len(list) == 0 {
		fmt.Fprintln(w, "no other Landkreis is known here")
		return
	}
	table(w, "LANDKREIS\tADDRESS\tAREA\tGOSSIP\tPROOF UNTIL\tLAST ERROR", func(line func(string, ...any)) {
		for _, n := range list {
			gossip := n.Gossip
			if gossip == "" {
				gossip = "-" // a member hears nothing of other hubs
			}
			line("%s\t%s\t%s\t%s\t%s\t%s", n.Name, n.Entity, areas(n.Scope), gossip, when(n.Until), oneLine(n.Error))
		}
	})
}

func areas(s federation.Scope) string {
	var out []string
	for _, a := range append(append(s.Areas[:len(s.Areas):len(s.Areas)], s.Subtree...), s.Except...) {
		out = append(out, a.String())
	}
	return strings.Join(out, " ")
}

func neighbourFingerprint() *cobra.Command {
	return &cobra.Command{
		Use: "fingerprint", Short: "What the operator of another hub writes into hub.pool.neighbours about this one", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			keys, err := trust.LoadKeys(filepath.Join(cfg.Data, "keys"))
			if err != nil {
				return err
			}
			print, err := portal.Fingerprint(keys)
			if err != nil {
				return err
			}
			entry := map[string]string{"entity": string(cfg.Entity), "fingerprint": print, "area": cfg.Hub.Area.String()}
			return show(cmd, entry, func(w io.Writer) {
				fmt.Fprintf(w, "- entity: %s\n  fingerprint: %s\n  area: %q\n", cfg.Entity, print, cfg.Hub.Area)
			})
		},
	}
}

func neighbourKey() *cobra.Command {
	return &cobra.Command{
		Use: "key FILE", Short: "Make a key file for the gossip of hubs, to be given to all of them", Args: cobra.ExactArgs(1),
		Long: `Make a key file for the gossip of hubs. Give it to the operators of all hubs on
a safe way and name it in hub.pool.key_file. Each line is one key, the first one
encrypts. To rotate: add the new key last at all hubs, then move it first at all
hubs, then remove the old one.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := portal.WritePoolKey(args[0]); err != nil {
				return err
			}
			return show(cmd, map[string]string{"file": args[0]}, func(w io.Writer) { fmt.Fprintf(w, "key written to %s\n", args[0]) })
		},
	}
}
