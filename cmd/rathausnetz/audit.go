package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"rathausnetz/federation/audit"
	"rathausnetz/portal"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Read, verify and export the audit trail of this node", GroupID: "network"}
	cmd.AddCommand(auditListCommand(), auditVerifyCommand(), auditExportCommand())
	return cmd
}

// auditPage is how many records are fetched at a time.
const auditPage = 5000

// trail hands over all records, oldest first.
func trail(cmd *cobra.Command, each func(audit.Record) error) error {
	for from := uint64(1); ; {
		page, err := call[[]audit.Record](cmd, "audit", portal.AuditRange{From: from, Limit: auditPage})
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
			from = r.Seq + 1
		}
		if len(page) < auditPage {
			return nil
		}
	}
}

func auditListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Print the trail, oldest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rs := []audit.Record{}
			if err := trail(cmd, func(r audit.Record) error { rs = append(rs, r); return nil }); err != nil {
				return err
			}
			return show(cmd, rs, func(w io.Writer) {
				table(w, "NO\tAT\tBY\tACTION\tSUBJECT\tREASON", func(line func(string, ...any)) {
					for _, r := range rs {
						line("%d\t%s\t%s\t%s\t%s\t%s", r.Seq, when(r.At), r.By, r.Action, r.Subject, r.Reason)
					}
				})
			})
		},
	}
}

func auditVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Check that no record was removed or changed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := call[uint64](cmd, "auditverify", nil)
			if err != nil {
				return err
			}
			return show(cmd, map[string]any{"records": n, "ok": true}, func(w io.Writer) { fmt.Fprintf(w, "%d records, the chain holds\n", n) })
		},
	}
}

func auditExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "Verify the trail and write it as JSON lines, for an archive", Args: cobra.ExactArgs(1),
		Long: "Each line is one record and names the SHA-256 of the one before. The file is written whole or\nnot at all, mode 0600; a trail that does not verify is not exported.",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			verified, err := call[uint64](cmd, "auditverify", nil)
			if err != nil {
				return err
			}
			out, err := renameio.NewPendingFile(args[0], renameio.WithStaticPermissions(0o600))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, out.Cleanup()) }()
			enc, n := json.NewEncoder(out), uint64(0)
			if err := trail(cmd, func(r audit.Record) error { n++; return enc.Encode(r) }); err != nil {
				return err
			}
			if n < verified {
				return fmt.Errorf("only %d of %d records could be read", n, verified)
			}
			if err := out.CloseAtomicallyReplace(); err != nil {
				return err
			}
			return show(cmd, map[string]any{"records": n, "file": args[0]}, func(w io.Writer) { fmt.Fprintf(w, "%d records are in %s\n", n, args[0]) })
		},
	}
}
