package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"rathausnetz/config"
	"rathausnetz/federation/store"
	"rathausnetz/portal"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run one node", GroupID: "run", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			log := newLogger(cmd.ErrOrStderr(), cfg.Log)
			store.SetRedisLog(log)
			node, err := portal.Open(cfg, portal.Options{Log: log, Control: true})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, node.Close()) }()
			fmt.Fprintf(cmd.OutOrStdout(), "%s listens on %s\n", cfg.Entity, node.Addr())
			return node.Run(cmd.Context())
		},
	}
}

// installed is where a package keeps the configuration.
const installed = "/etc/rathausnetz/node.yaml"

// configPath is --config; without it node.yaml in the current folder, and
// where there is none the installed one.
func configPath(cmd *cobra.Command) (string, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil || cmd.Flags().Changed("config") {
		return path, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(installed); err == nil {
			return installed, nil
		}
	}
	return path, nil
}

func loadConfig(cmd *cobra.Command) (config.Config, error) {
	path, err := configPath(cmd)
	if err != nil {
		return config.Config{}, err
	}
	return config.Load(path, os.Environ())
}

func newLogger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // config.Load has refused anything else already
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
