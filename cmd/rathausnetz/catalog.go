package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/xzufi"
	"rathausnetz/portal"
)

func catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "catalog", Short: "The own catalogue: validate, import, publish, export", GroupID: "content",
		Long: `The own catalogue comes either from catalog.source in the configuration (an
editorial system: the node reads it again and again), or is kept by the node
itself: "import" takes a delivery over, "csv apply" edits it, "publish"
publishes it again after a change of the register or of the granted areas.`,
	}
	cmd.AddCommand(catalogValidateCommand(), catalogPublishCommand(), catalogImportCommand(), catalogDiffCommand(), catalogShowCommand(), catalogExportCommand(), catalogCSVCommand())
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
	var register string
	cmd := &cobra.Command{
		Use: "validate SOURCE", Short: "Check an XZuFi file, folder or .zip, or a .yaml file, without publishing anything", Args: cobra.ExactArgs(1),
		Long: `Checks a delivery as a publication would, but for the areas the hub has granted.
Exit status 2: it was read, but cannot be published.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			gates := &catalog.GateInput{Scope: federation.Everything(), Loopback: loopback, Now: time.Now()}
			if register != "" {
				reg, err := portal.OpenLeika("", register)
				if err != nil {
					return fmt.Errorf("--register: %w", err)
				}
				gates.Register = reg.Has
			}
			out, err := busy(cmd, "reading", sizeOf(args[0]), func(read func(int64)) (catalogOutput, error) {
				return validate(args[0], gates, read)
			})
			if err != nil {
				return err
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
	cmd.Flags().StringVar(&register, "register", "", "a CSV file with columns leika and name; a key that it does not list is refused")
	return cmd
}

func validate(source string, gates *catalog.GateInput, read func(int64)) (catalogOutput, error) {
	const nobody = "https://validate.invalid" // the checks need a member, and it does not matter which
	batch, err := portal.ReadSource(source, nobody, xzufi.Options{Loopback: gates.Loopback, Progress: read})
	if err != nil {
		return catalogOutput{}, err
	}
	c, rep, err := xzufi.Import(nil, batch, xzufi.ImportOptions{Member: nobody, Gates: gates})
	out := catalogOutput{OK: err == nil, Report: rep}
	if err != nil {
		out.Error = err.Error()
	} else {
		out.Offers, out.Units = len(c.Offers), len(c.Units)
	}
	return out, nil
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

func catalogPublishCommand() *cobra.Command {
	var r portal.PublishRequest
	cmd := &cobra.Command{
		Use: "publish", Short: "Read the node's own source, check it, publish what has changed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return publish(cmd, "publish", r) },
	}
	publishFlags(cmd, &r)
	return cmd
}

func catalogImportCommand() *cobra.Command {
	var r portal.PublishRequest
	cmd := &cobra.Command{
		Use: "import SOURCE", Short: "Take a delivery over: check it, keep it as the node's own source, publish it", Args: cobra.ExactArgs(1),
		Long: `Reads an XZuFi file, folder, .zip or https URL, or a .yaml file. Only if it is
good as a whole it replaces what the node kept before. A node with
catalog.source refuses: the next import from there would overwrite it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := from(&r, args); err != nil {
				return err
			}
			return publish(cmd, "import", r)
		},
	}
	publishFlags(cmd, &r)
	return cmd
}

func publishFlags(cmd *cobra.Command, r *portal.PublishRequest) {
	cmd.Flags().BoolVar(&r.AllowMassDelete, "allow-mass-delete", false, "let more than a fifth of the stock go")
	cmd.Flags().BoolVar(&r.DryRun, "dry-run", false, "read, check and compare; publish nothing")
}

func publish(cmd *cobra.Command, verb string, r portal.PublishRequest) error {
	rep, err := ask[portal.PublishReport](cmd, verb, verb, r)
	if err != nil {
		return err
	}
	return show(cmd, rep, func(w io.Writer) { printPublished(w, rep) })
}

func catalogDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff [SOURCE]", Short: "What publishing the own source, or importing another one, would change", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := portal.PublishRequest{DryRun: true, AllowMassDelete: true}
			if err := from(&r, args); err != nil {
				return err
			}
			rep, err := ask[portal.PublishReport](cmd, "diff", "publish", r)
			if err != nil {
				return err
			}
			return show(cmd, rep.Diff, func(w io.Writer) {
				printDiff(w, rep.Diff)
				if rep.Diff.IsZero() {
					fmt.Fprintln(w, "nothing would change")
				}
			})
		},
	}
}

// from makes the source absolute: the node runs in a folder of its own.
func from(r *portal.PublishRequest, args []string) (err error) {
	if len(args) == 0 {
		return nil
	}
	if r.Source = args[0]; strings.Contains(r.Source, "://") {
		return nil
	}
	r.Source, err = filepath.Abs(r.Source)
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
			fmt.Fprintf(w, "~ %s %s: %s\n", part.name, c.ID, strings.Join(c.Fields, ", "))
		}
	}
}

func catalogShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show [ID]", Short: "The published catalogue, or one record of it", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := ask[catalog.Catalogue](cmd, "catalogue", "catalog", nil)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return showRecord(cmd, &c, catalog.ID(args[0]))
			}
			return show(cmd, c, func(w io.Writer) {
				table(w, "ID\tLEIKA\tTITLE\tCHANGED", func(line func(string, ...any)) {
					for i := range c.Offers {
						o := &c.Offers[i]
						title, _ := o.Title.In("de")
						line("%s\t%s\t%s\t%s", o.ID, o.Leika, title, day(o.Geaendert))
					}
				})
				fmt.Fprintf(w, "serial %d, %d offers, %d units, %d delegations\n", c.Serial, len(c.Offers), len(c.Units), len(c.Delegations))
			})
		},
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

// showRecord prints one record; its many fields are readable as JSON only.
func showRecord(cmd *cobra.Command, c *catalog.Catalogue, id catalog.ID) error {
	var record any
	for i := range c.Offers {
		if c.Offers[i].ID == id {
			record = c.Offers[i]
		}
	}
	for i := range c.Units {
		if record == nil && c.Units[i].ID == id {
			record = c.Units[i]
		}
	}
	if record == nil {
		return fmt.Errorf("the catalogue has no record %s; see: rathausnetz catalog show", id)
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(record)
}

func catalogExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export FOLDER", Short: "Write the published catalogue as XZuFi 2.2 with index.txt, into a folder or a .zip", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := ask[catalog.Catalogue](cmd, "catalogue", "catalog", nil)
			if err != nil {
				return err
			}
			if err := writeExport(args[0], &c); err != nil {
				return err
			}
			return show(cmd, map[string]any{"folder": args[0], "offers": len(c.Offers)}, func(w io.Writer) {
				fmt.Fprintf(w, "%d offers written to %s\n", len(c.Offers), args[0])
			})
		},
	}
}

func writeExport(path string, c *catalog.Catalogue) error {
	if !isZip(path) {
		return xzufi.Write(path, c)
	}
	var b bytes.Buffer
	if err := xzufi.WriteZip(&b, c); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
