package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/portal"
)

func isZip(name string) bool { return strings.EqualFold(filepath.Ext(name), ".zip") }
func isXML(name string) bool { return strings.EqualFold(filepath.Ext(name), ".xml") }

func catalogCSVCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "csv", Short: "The published catalogue as a table: download, edit, check, apply",
		Example: `  rathausnetz catalog csv export leistungen.csv
  rathausnetz catalog csv check leistungen.csv
  rathausnetz catalog csv apply leistungen.csv`,
		Long: `The table has two columns for each field: the current value and "Neu …".
An empty new cell changes nothing; the word (leer) empties the field.
A node whose catalogue comes from catalog.source refuses to apply a table:
the next import from there would overwrite it.`,
	}
	cmd.AddCommand(csvExportCommand(),
		csvReadCommand("check", "Say line by line what a table would change; change nothing", false),
		csvReadCommand("apply", "Publish what a table changes, all of it or nothing", true))
	return cmd
}

func csvExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "Write the published offers as a table", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := ask[catalog.Catalogue](cmd, "catalogue", "catalog", nil)
			if err != nil {
				return err
			}
			if err := writeTable(args[0], &c); err != nil {
				return err
			}
			return show(cmd, map[string]any{"file": args[0], "offers": len(c.Offers)}, func(w io.Writer) {
				fmt.Fprintf(w, "%d offers written to %s\n", len(c.Offers), args[0])
			})
		},
	}
}

// writeTable never replaces a file: it may hold edits that nobody has applied.
func writeTable(path string, c *catalog.Catalogue) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and may hold edits; choose another name", path)
	}
	if err != nil {
		return err
	}
	return errors.Join(sheet.Write(f, c), f.Close())
}

func csvReadCommand(use, short string, apply bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " FILE", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := readTable(args[0])
			if err != nil {
				return err
			}
			rep, err := ask[portal.SheetReport](cmd, "table", "sheet", portal.SheetRequest{Name: args[0], Table: b, Apply: apply})
			if err != nil {
				return err
			}
			if err := show(cmd, rep, func(w io.Writer) { printSheet(w, args[0], rep) }); err != nil {
				return err
			}
			if !rep.OK {
				return exitStatus(2)
			}
			return nil
		},
	}
}

// maxTable is what fits into one request to the node.
const maxTable = 11 << 20

func readTable(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTable+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxTable {
		return nil, fmt.Errorf("%s is larger than %d MiB; split it by rows, each part with the first line", path, maxTable>>20)
	}
	return b, nil
}

func printSheet(w io.Writer, name string, rep portal.SheetReport) {
	for _, c := range rep.Changes {
		fmt.Fprintf(w, "%s:%d: %s %s: %q → %q\n", name, c.Line, c.ID, c.Field, short(c.Old), short(c.New))
	}
	for _, f := range rep.Findings {
		fmt.Fprintln(w, f)
	}
	switch {
	case !rep.OK:
		fmt.Fprintln(w, "cannot be applied; nothing was changed")
	case rep.Publication != nil:
		printPublished(w, *rep.Publication)
	case rep.ReadOnly != "":
		fmt.Fprintf(w, "every line is good, but this node will not apply it: %s\n", rep.ReadOnly)
	default:
		fmt.Fprintf(w, "%d changes can be applied; this was a dry run\n", len(rep.Changes))
	}
}

// short cuts a text so that a change stays one readable line.
func short(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
