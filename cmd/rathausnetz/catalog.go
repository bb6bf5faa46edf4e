package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/xzufi"
	"rathausnetz/portal"
)

func catalogCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "catalog", Short: "The own catalogue: validate, import, publish, export", GroupID: "content"}
	cmd.AddCommand(catalogValidateCommand(), catalogPublishCommand("publish", "Read the source, check it, publish what has changed"),
		catalogPublishCommand("import", "The same as publish, for a file that is not the configured source"), catalogDiffCommand(), catalogShowCommand(), catalogExportCommand())
	return cmd
}

// catalogOutput is what validate and diff print.
type catalogOutput struct {
	OK     bool          `json:"ok"`
	Offers int           `json:"offers"`
	Units  int           `json:"units"`
	Report *xzufi.Report `json:"report"`
	Error  string        `json:"error,omitempty"`
}

func catalogValidateCommand() *cobra.Command {
	var loopback bool
	cmd := &cobra.Command{
		Use: "validate SOURCE", Short: "Check an XZuFi file, folder or .zip without publishing anything", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			batch, err := xzufi.ReadPath(args[0], xzufi.Options{Loopback: loopback})
			if err != nil {
				return err
			}
			gates := &catalog.GateInput{Scope: federation.Everything(), Loopback: loopback}
			c, rep, err := xzufi.Import(nil, batch, xzufi.ImportOptions{Member: "https://validate.invalid", Gates: gates})
			out := catalogOutput{OK: err == nil, Report: rep}
			if err != nil {
				out.Error = err.Error()
			} else {
				out.Offers, out.Units = len(c.Offers), len(c.Units)
			}
			if err := show(cmd, out, func(w io.Writer) { printReport(w, out) }); err != nil {
				return err
			}
			if !out.OK {
				return exitStatus(2)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&loopback, "loopback-http", false, "accept http links to names that mean this machine")
	return cmd
}

func printReport(w io.Writer, out catalogOutput) {
	for _, f := range out.Report.Findings {
		fmt.Fprintln(w, f)
	}
	if out.Report.Omitted > 0 {
		fmt.Fprintf(w, "… and %d more findings\n", out.Report.Omitted)
	}
	for _, name := range out.Report.SkippedNames() {
		fmt.Fprintf(w, "element not understood and skipped: %s, %d times\n", name, out.Report.Skipped[name])
	}
	if out.OK {
		fmt.Fprintf(w, "%d offers and %d units can be published\n", out.Offers, out.Units)
		return
	}
	fmt.Fprintf(w, "cannot be published: %s\n", out.Error)
}

func catalogPublishCommand(use, short string) *cobra.Command {
	var r portal.PublishRequest
	cmd := &cobra.Command{
		Use: use + " [SOURCE]", Short: short, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := from(&r, args); err != nil {
				return err
			}
			rep, err := call[portal.PublishReport](cmd, "publish", r)
			if err != nil {
				return err
			}
			return show(cmd, rep, func(w io.Writer) { printPublished(w, rep) })
		},
	}
	cmd.Flags().BoolVar(&r.AllowMassDelete, "allow-mass-delete", false, "let more than a fifth of the stock go")
	cmd.Flags().BoolVar(&r.DryRun, "dry-run", false, "read, check and compare; publish nothing")
	return cmd
}

func catalogDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff [SOURCE]", Short: "What a publication would change", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := portal.PublishRequest{DryRun: true, AllowMassDelete: true}
			if err := from(&r, args); err != nil {
				return err
			}
			rep, err := call[portal.PublishReport](cmd, "publish", r)
			if err != nil {
				return err
			}
			return show(cmd, rep.Diff, func(w io.Writer) { printDiff(w, rep.Diff) })
		},
	}
}

// from makes the source absolute: the node runs in a folder of its own.
func from(r *portal.PublishRequest, args []string) error {
	if len(args) == 0 {
		return nil
	}
	abs, err := filepath.Abs(args[0])
	r.Source = abs
	return err
}

func printPublished(w io.Writer, r portal.PublishReport) {
	printDiff(w, r.Diff)
	switch {
	case r.Published:
		fmt.Fprintf(w, "published as serial %d: %d offers, %d units, manifest %s\n", r.Serial, r.Offers, r.Units, r.Digest.Short())
	case r.Diff.IsZero():
		fmt.Fprintf(w, "nothing has changed; serial %d stays\n", r.Serial)
	default:
		fmt.Fprintln(w, "dry run: nothing was published")
	}
}

func printDiff(w io.Writer, d catalog.Diff) {
	for _, part := range []struct {
		name string
		c    catalog.Changes
	}{{"offer", d.Offers}, {"unit", d.Units}, {"delegation", d.Delegations}} {
		for _, id := range part.c.Added {
			fmt.Fprintf(w, "+ %s %s\n", part.name, id)
		}
		for _, id := range part.c.Removed {
			fmt.Fprintf(w, "- %s %s\n", part.name, id)
		}
		for _, c := range part.c.Changed {
			fmt.Fprintf(w, "~ %s %s\n", part.name, c.ID)
		}
	}
}

func catalogShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show [ID]", Short: "The published catalogue, or one record of it", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := call[catalog.Catalogue](cmd, "catalog", nil)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return showOffer(cmd, &c, catalog.ID(args[0]))
			}
			return show(cmd, c, func(w io.Writer) {
				table(w, "ID\tLEIKA\tTITLE\tCHANGED", func(line func(string, ...any)) {
					for i := range c.Offers {
						o := &c.Offers[i]
						title, _ := o.Title.In("de")
						line("%s\t%s\t%s\t%s", o.ID, o.Leika, title, o.Geaendert.Format("2006-01-02"))
					}
				})
				fmt.Fprintf(w, "serial %d, %d offers, %d units, %d delegations\n", c.Serial, len(c.Offers), len(c.Units), len(c.Delegations))
			})
		},
	}
}

func showOffer(cmd *cobra.Command, c *catalog.Catalogue, id catalog.ID) error {
	for i := range c.Offers {
		if c.Offers[i].ID == id {
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(c.Offers[i])
		}
	}
	return fmt.Errorf("the catalogue has no offer %s; see: rathausnetz catalog show", id)
}

func catalogExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export FOLDER", Short: "Write the published catalogue as XZuFi 2.2 with index.txt", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := call[catalog.Catalogue](cmd, "catalog", nil)
			if err != nil {
				return err
			}
			if err := xzufi.Write(args[0], &c); err != nil {
				return err
			}
			return show(cmd, map[string]any{"folder": args[0], "offers": len(c.Offers)}, func(w io.Writer) {
				fmt.Fprintf(w, "%d offers written to %s\n", len(c.Offers), args[0])
			})
		},
	}
}
