package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rathausnetz/portal"
)

func adminCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "Operator pages in the browser", GroupID: "run"}
	cmd.AddCommand(&cobra.Command{
		Use: "login-link", Short: "Make a one-time link into the operator pages, good for 15 minutes", Args: cobra.NoArgs,
		Long: "Whoever opens the link first may do everything there. Use it for the first access:\ninvite people with their own accounts under \"Zugänge\", then it is needed no more.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := call[portal.AdminLink](cmd, "adminlink", operator())
			if err != nil {
				return err
			}
			return show(cmd, l, func(w io.Writer) { fmt.Fprintf(w, "Good once and until %s:\n\n%s\n", when(l.Expires), l.URL) })
		},
	})
	return cmd
}
