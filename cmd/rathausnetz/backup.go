package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"rathausnetz/config"
	"rathausnetz/portal"
	"rathausnetz/portal/backup"
	"rathausnetz/portal/control"
)

func backupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write one file with everything the node needs to be itself again", GroupID: "run", Args: cobra.ExactArgs(1),
		Long: "The node may run meanwhile: its store is copied as it is at one moment. The file holds\nprivate keys and is not encrypted. It is written whole or not at all, mode 0600.",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			from, err := configPath(cmd)
			if err != nil {
				return err
			}
			if from, err = filepath.Abs(from); err != nil {
				return err
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			m, err := writeBackup(cmd, from, cfg, args[0])
			if err != nil {
				return err
			}
			return show(cmd, m, func(w io.Writer) { printBackup(w, args[0], m) })
		},
	}
}

func writeBackup(cmd *cobra.Command, from string, cfg config.Config, to string) (m backup.Manifest, err error) {
	m = backup.Manifest{Entity: string(cfg.Entity), Version: version, Made: time.Now(), Config: "config/" + filepath.Base(from), From: from}
	if len(cfg.Store.Redis.Addrs) > 0 {
		m.Missing = []string{"everything in Redis (accounts, sessions; at a hub members and the audit trail): back up the Redis servers themselves"}
	}
	if cfg.Catalog.Source != "" {
		m.Missing = append(m.Missing, "the source of the catalogue, "+cfg.Catalog.Source+": it belongs to whoever writes it")
	}
	snap, err := control.Call[portal.Snapshot](cmd.Context(), cfg.Data, "snapshot", struct{}{})
	if errors.Is(err, control.ErrNotRunning) {
		snap, err = portal.SnapshotStopped(cmd.Context(), cfg)
	}
	if err != nil {
		return m, err
	}
	if snap.Path != "" {
		defer func() { err = errors.Join(err, os.Remove(snap.Path)) }()
	}
	files, err := portal.BackupFiles(from, cfg, snap.Path)
	if err != nil {
		return m, err
	}
	out, err := renameio.NewPendingFile(to, renameio.WithStaticPermissions(0o600))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, out.Cleanup()) }()
	if m, err = backup.Write(out, m, files); err != nil {
		return m, err
	}
	return m, out.CloseAtomicallyReplace()
}

func printBackup(w io.Writer, file string, m backup.Manifest) {
	fmt.Fprintf(w, "%s: %d files, %d bytes, of %s\n", file, len(m.Files), m.Bytes(), m.Entity)
	for _, s := range m.Missing {
		fmt.Fprintf(w, "not in it: %s\n", s)
	}
	fmt.Fprintf(w, "\nIt holds these secrets. Keep it locked away, and not on this machine:\n")
	table(w, "FILE\tWHAT IT IS", func(line func(string, ...any)) {
		for _, f := range m.Secrets() {
			line("%s\t%s", f.Name, f.Secret)
		}
	})
}

// restored is what the restore command says.
type restored struct {
	backup.Manifest
	DryRun    bool     `json:"dry_run"`
	Data      string   `json:"data"` // folder
	Conflicts []string `json:"conflicts,omitempty"`
}

func restoreCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup back where the configuration belongs", GroupID: "run", Args: cobra.ExactArgs(1),
		Long: "Verifies the whole file first, and never overwrites anything. The configuration goes\nback where it came from, or to --config; the data where the configuration says.\nDo not run two nodes with the same keys.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := restoreFrom(cmd, args[0], dry)
			if r.Entity != "" && (err == nil || errors.Is(err, backup.ErrExists)) {
				err = errors.Join(show(cmd, r, func(w io.Writer) { printRestored(w, r) }), err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "verify, and say what would be written; write nothing")
	return cmd
}

func restoreFrom(cmd *cobra.Command, file string, dry bool) (r restored, err error) {
	r.DryRun = dry
	in, err := os.Open(file)
	if err != nil {
		return r, err
	}
	defer in.Close()
	var place backup.Place
	if r.Manifest, r.Data, place, err = readBackup(cmd, in); err != nil {
		return r, err
	}
	if r.Conflicts = backup.Conflicts(r.Manifest, place); len(r.Conflicts) > 0 {
		return r, fmt.Errorf("%w: %s and %d more; move them away first", backup.ErrExists, r.Conflicts[0], len(r.Conflicts)-1)
	}
	if dry {
		return r, nil
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return r, err
	}
	if err := backup.Restore(in, r.Manifest, place); err != nil {
		return r, err
	}
	return r, giveBack(r.Data)
}

// readBackup verifies a backup and finds out where its parts belong: where
// they came from, unless --config says otherwise.
func readBackup(cmd *cobra.Command, in io.ReadSeeker) (m backup.Manifest, data string, place backup.Place, err error) {
	if m, _, err = backup.Read(in); err != nil {
		return m, "", nil, err
	}
	if _, err = in.Seek(0, io.SeekStart); err != nil {
		return m, "", nil, err
	}
	_, kept, err := backup.Read(in, m.Config)
	if err != nil {
		return m, "", nil, err
	}
	to := m.From
	if cmd.Flags().Changed("config") {
		if to, err = cmd.Flags().GetString("config"); err != nil {
			return m, "", nil, err
		}
	}
	if to, err = filepath.Abs(to); err != nil {
		return m, "", nil, err
	}
	if data, err = config.DataFolder(to, kept[m.Config], os.Environ()); err != nil {
		return m, "", nil, err
	}
	rest := portal.BackupPlace(to, data)
	return m, data, func(name string) (string, bool) {
		if name == m.Config {
			return to, true
		}
		return rest(name)
	}, nil
}

func printRestored(w io.Writer, r restored) {
	fmt.Fprintf(w, "%s, made %s with rathausnetz %s: %d files, every digest holds\n", r.Entity, when(r.Made), r.Version, len(r.Files))
	for _, s := range r.Missing {
		fmt.Fprintf(w, "not in it: %s\n", s)
	}
	switch {
	case len(r.Conflicts) > 0:
		for _, p := range r.Conflicts[:min(len(r.Conflicts), 10)] {
			fmt.Fprintf(w, "in the way: %s\n", p)
		}
	case r.DryRun:
		fmt.Fprintf(w, "data would go to %s; nothing was written\n", r.Data)
	default:
		fmt.Fprintf(w, "data is in %s\nnext: rathausnetz serve, then rathausnetz status and, at a hub, rathausnetz audit verify\n", r.Data)
	}
}
