package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"rathausnetz/config"
	"rathausnetz/federation/store"
	"rathausnetz/portal"
	"rathausnetz/portal/systemd"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run one node", GroupID: "run", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			hup := make(chan os.Signal, 1)
			signal.Notify(hup, syscall.SIGHUP)
			defer signal.Stop(hup)
			sink := newLog(cmd.ErrOrStderr(), cfg.Log)
			log := slog.New(sink)
			store.SetRedisLog(log)
			opt := portal.Options{
				Log: log, Control: true, Build: build(), Process: true,
				Load:     func() (config.Config, error) { return loadConfig(cmd) },
				OnReload: func(c config.Config) { sink.set(c.Log) },
			}
			if err := takeOver(&opt); err != nil {
				return err
			}
			node, err := portal.Open(cfg, opt)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, node.Close()) }()
			fmt.Fprintln(cmd.OutOrStdout(), greeting(cfg, node))
			idle := make([]byte, reserve)
			defer runtime.KeepAlive(idle)
			return runAndReload(cmd, node, hup)
		},
	}
}

func reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Have the running node read its configuration anew", GroupID: "run", Args: cobra.NoArgs,
		Long: "If anything in the configuration is wrong, the node keeps the old one and this command says why.\nWhat only a restart brings about is named. SIGHUP does the same.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := call[portal.Reloaded](cmd, "reload", struct{}{})
			if err != nil {
				return err
			}
			return show(cmd, r, func(w io.Writer) {
				fmt.Fprintln(w, "The configuration was reloaded.")
				if len(r.Changed) > 0 {
					fmt.Fprintf(w, "changed: %s\n", strings.Join(r.Changed, ", "))
				}
				if len(r.Restart) > 0 {
					fmt.Fprintf(w, "needs a restart: %s\n", strings.Join(r.Restart, ", "))
				}
			})
		},
	}
}

// runAndReload runs the node and reads its configuration anew at each SIGHUP.
func runAndReload(cmd *cobra.Command, node *portal.Node, hup <-chan os.Signal) error {
	g, ctx := errgroup.WithContext(cmd.Context())
	ended := make(chan struct{})
	g.Go(func() error {
		defer close(ended)
		return node.Run(ctx)
	})
	g.Go(func() error {
		for {
			select {
			case <-ended:
				return nil
			case <-hup:
				// What is wrong is in the log; the node goes on as it was.
				_, _ = node.Reload()
			}
		}
	})
	return g.Wait()
}

// takeOver uses what the service manager has prepared: its sockets, by the
// names http and metrics.
func takeOver(opt *portal.Options) error {
	var err error
	if opt.Service, err = systemd.FromEnvironment(os.Getenv, os.Getpid()); err != nil {
		return err
	}
	sockets, err := opt.Service.Listeners()
	if err != nil {
		return err
	}
	opt.Listener, opt.Metrics = sockets["http"], sockets["metrics"]
	delete(sockets, "http")
	delete(sockets, "metrics")
	for name, ln := range sockets {
		ln.Close()
		err = errors.Join(err, fmt.Errorf("the service manager hands over a socket named %q; http and metrics are known", name))
	}
	return err
}

// greeting says in one line what has started and where.
func greeting(cfg config.Config, node *portal.Node) string {
	kind := "member"
	switch {
	case cfg.Hub.Enabled:
		kind = "hub of " + cfg.Hub.Area.String()
	case cfg.OP.Enabled:
		kind = "member with accounts"
	}
	line := fmt.Sprintf("rathausnetz %s: %s, %s, listens on %s, data in %s", version, cfg.Entity, kind, node.Addr(), cfg.Data)
	if a := node.MetricsAddr(); a != nil {
		line += fmt.Sprintf(", metrics on %s", a)
	}
	return line
}

// reserve is memory that is counted and never touched, in bytes: the collector
// waits until there is as much garbage as in use, and a small node would
// otherwise collect some hundred times a second while it answers many.
const reserve = 32 << 20

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
