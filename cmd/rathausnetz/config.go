package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check or show the configuration", GroupID: "run"}
	cmd.AddCommand(configCheckCommand(), configShowCommand())
	return cmd
}

func configCheckCommand() *cobra.Command {
	return &cobra.Command{
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
	}
}

func configShowCommand() *cobra.Command {
	var redact bool
	cmd := &cobra.Command{
		Use: "show", Short: "Print the configuration as it holds, with defaults and environment", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			b, err := cfg.Show(redact)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(b)
			return err
		},
	}
	cmd.Flags().BoolVar(&redact, "redacted", false, "leave out internal addresses, user names and where secrets lie: for a message to somebody else")
	return cmd
}
