package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rathausnetz/portal/links"
)

func linksCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "links", Short: "Show which web addresses in your texts do not work", GroupID: "content", Args: cobra.NoArgs,
		Long: "The node checks the addresses in its own catalogue, each once a day at most (links.every).\nAn address is broken when it failed on two different days.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := call[[]links.Row](cmd, "links", nil)
			if err != nil {
				return err
			}
			return show(cmd, rows, func(w io.Writer) { printLinks(w, rows, all) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that are in order or not checked yet")
	return cmd
}

func printLinks(w io.Writer, rows []links.Row, all bool) {
	count := map[links.State]int{}
	for _, r := range rows {
		count[r.State]++
	}
	if shown := slices.DeleteFunc(slices.Clone(rows), func(r links.Row) bool {
		return !all && (r.State == links.OK || r.State == links.Unchecked)
	}); len(shown) > 0 {
		table(w, "STATE\tWHY\tCHECKED\tRECORD\tFIELD\tADDRESS", func(line func(string, ...any)) {
			for _, r := range shown {
				line("%s\t%s\t%s\t%s\t%s\t%s", r.State, r.Reason, when(r.Checked), r.Record, r.Field, printable(r.URL))
			}
		})
	}
	var sums []string
	for _, s := range slices.Sorted(maps.Keys(count)) {
		sums = append(sums, fmt.Sprintf("%s %d", s, count[s]))
	}
	if len(sums) == 0 {
		sums = []string{"nothing is published yet"}
	}
	fmt.Fprintln(w, strings.Join(sums, ", "))
}
