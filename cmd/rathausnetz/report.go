package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rathausnetz/portal/report"
)

// maxShown is how much of a remark one line of the list shows, in characters.
const maxShown = 60

func reportCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "report", Short: "What people found wrong in your texts, and what nobody answers for", GroupID: "content"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the remarks on texts of this node", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				es, err := call[[]report.Entry](cmd, "reports", nil)
				if err != nil {
					return err
				}
				return show(cmd, es, func(w io.Writer) { printReports(w, es) })
			},
		},
		&cobra.Command{
			Use: "close REFERENCE", Short: "Say that a remark is done; who wrote it can read that", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				e, err := call[report.Entry](cmd, "reportclose", args[0])
				if err != nil {
					return err
				}
				return show(cmd, e, func(w io.Writer) { fmt.Fprintf(w, "%s is %s\n", e.Reference, e.State) })
			},
		},
		&cobra.Command{
			Use: "gaps", Short: "Hub: list what nobody answers for, the most asked for first", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				gs, err := call[[]report.Gap](cmd, "gaps", nil)
				if err != nil {
					return err
				}
				return show(cmd, gs, func(w io.Writer) {
					table(w, "LEIKA\tAREA\tTOLD\tFIRST\tLAST", func(line func(string, ...any)) {
						for _, g := range gs {
							line("%s\t%s\t%d\t%s\t%s", g.Leika, g.Area, g.Count, when(g.First), when(g.Last))
						}
					})
				})
			},
		},
	)
	return cmd
}

func printReports(w io.Writer, es []report.Entry) {
	table(w, "REFERENCE\tSTATE\tRECEIVED\tFROM\tOFFER\tTEXT", func(line func(string, ...any)) {
		for _, e := range es {
			text := []rune(printable(e.Text))
			if len(text) > maxShown {
				text = append(text[:maxShown], '…')
			}
			line("%s\t%s\t%s\t%s\t%s\t%s", e.Reference, e.State, when(e.Received), e.From.Host(), e.Offer, string(text))
		}
	})
}

// printable keeps foreign text on one line and out of the terminal's controls.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
