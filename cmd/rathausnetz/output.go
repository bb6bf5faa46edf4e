package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/portal/control"
)

// call asks the running node of the configured data folder to do a verb.
func call[Out any](cmd *cobra.Command, verb string, args any) (Out, error) {
	cfg, err := loadConfig(cmd)
	if err != nil {
		var none Out
		return none, err
	}
	return control.Call[Out](cmd.Context(), cfg.Data, verb, args)
}

// show prints v as JSON with --json, else what text writes.
func show(cmd *cobra.Command, v any, text func(w io.Writer)) error {
	if wantsJSON(cmd) {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	text(cmd.OutOrStdout())
	return nil
}

func wantsJSON(cmd *cobra.Command) bool {
	ok, err := cmd.Flags().GetBool("json")
	return err == nil && ok
}

// table writes aligned columns.
func table(w io.Writer, header string, rows func(line func(format string, args ...any))) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, header)
	rows(func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) })
	_ = t.Flush() // a terminal that is gone cannot be told
}

// operator names who gives an order, for the audit trail.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "operator"
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
