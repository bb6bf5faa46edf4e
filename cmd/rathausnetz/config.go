package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check the configuration", GroupID: "run"}
	cmd.AddCommand(&cobra.Command{
		Use: "check", Short: "Read the configuration and name every fault at once", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return show(cmd, map[string]any{"ok": true, "entity": cfg.Entity}, func(w io.Writer) {
				fmt.Fprintf(w, "the configuration of %s can be used\n", cfg.Entity)
			})
		},
	})
	return cmd
}
