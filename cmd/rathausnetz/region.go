package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/config"
	"rathausnetz/federation/region"
	"rathausnetz/portal"
)

func regionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "region", Short: "The register of municipalities: AGS, ARS, PLZ, names", GroupID: "content"}
	cmd.PersistentFlags().String("data", "", "data folder (default: that of the configuration, else ./data)")
	cmd.AddCommand(regionImportCommand(), regionLookupCommand())
	return cmd
}

// dataFolder is --data, else that of the configuration if there is one.
func dataFolder(cmd *cobra.Command) (string, []string, error) {
	dir, err := cmd.Flags().GetString("data")
	if err != nil || dir != "" {
		return dir, nil, err
	}
	path, err := configPath(cmd)
	if err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && !cmd.Flags().Changed("config") {
		return config.Default().Data, nil, nil
	}
	cfg, err := loadConfig(cmd)
	return cfg.Data, cfg.Register.GV100AD, err
}

func regionImportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Check an official GV100AD file and keep it in the data folder", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, _, err := dataFolder(cmd)
			if err != nil {
				return err
			}
			e, err := busy(cmd, "register", 0, func(func(int64)) (*region.Edition, error) { return portal.ImportRegister(dir, args[0]) })
			if err != nil {
				return err
			}
			if err := giveBack(dir); err != nil {
				return err
			}
			out := map[string]any{"date": e.Date.Format("2006-01-02"), "places": len(e.Places)}
			return show(cmd, out, func(w io.Writer) {
				fmt.Fprintf(w, "register of %s with %d areas kept in %s; a running node reads it at its next start\n", e.Date.Format("2006-01-02"), len(e.Places), dir)
			})
		},
	}
}

func regionLookupCommand() *cobra.Command {
	var date string
	cmd := &cobra.Command{
		Use: "lookup KEY-OR-NAME", Short: "What an AGS, ARS, PLZ or name means", Args: cobra.MinimumNArgs(1),
		Example: "  rathausnetz region lookup 49577\n  rathausnetz region lookup Bersenbrück",
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := parseDate(date)
			if err != nil {
				return err
			}
			dir, files, err := dataFolder(cmd)
			if err != nil {
				return err
			}
			reg, err := portal.OpenRegister(dir, files)
			if err != nil {
				return err
			}
			query := strings.Join(args, " ")
			l := reg.Lookup(query, at)
			if err := show(cmd, describe(reg, query, l), func(w io.Writer) { printLookup(w, reg, query, l) }); err != nil {
				return err
			}
			if !l.Known() {
				return exitStatus(2)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&date, "date", "", "the day the answer is for, 2026-01-31; default: the latest edition")
	return cmd
}

func parseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fmt.Errorf("--date %q: write year-month-day, for example 2026-01-31", s)
	}
	return t, nil
}

// lookupOutput is the look-up with what a script wants beside it.
type lookupOutput struct {
	Query string `json:"query"`
	region.Lookup
	Candidates []placeOutput `json:"candidates"`
}

type placeOutput struct {
	region.Place
	Level   string   `json:"level"`
	Parents []string `json:"parents"` // ARS, narrower first
}

func describe(reg *region.Register, query string, l region.Lookup) lookupOutput {
	out := lookupOutput{Query: query, Lookup: l, Candidates: []placeOutput{}}
	for _, p := range l.Candidates {
		o := placeOutput{Place: p, Level: levelOf(p.Area), Parents: []string{}}
		for _, parent := range reg.Parents(p.Area) {
			o.Parents = append(o.Parents, parent.Area.String())
		}
		out.Candidates = append(out.Candidates, o)
	}
	return out
}

func levelOf(a region.Area) string {
	return map[int]string{0: "Bund", 2: "Land", 3: "Regierungsbezirk", 5: "Kreis", 9: "Gemeindeverband", 12: "Gemeinde"}[a.Len()]
}

func printLookup(w io.Writer, reg *region.Register, query string, l region.Lookup) {
	if !l.Known() {
		fmt.Fprintf(w, "%q is not known in the register\n", query)
		return
	}
	fmt.Fprintf(w, "understood as %s\n", l.Understood)
	for _, s := range l.Succession {
		fmt.Fprintf(w, "%s (%s) exists no longer since an edition between %s and %s; ", s.Old.FullName, s.Old.Area, s.After.Format(time.DateOnly), s.Before.Format(time.DateOnly))
		if len(s.New) == 0 {
			fmt.Fprintln(w, "no successor is known")
			continue
		}
		fmt.Fprintf(w, "its successor is below (%s)\n", s.Evidence)
	}
	table(w, "ARS\tAGS\tNAME\tLEVEL\tPLZ\tINSIDE", func(line func(string, ...any)) {
		for _, p := range l.Candidates {
			var inside []string
			for _, parent := range reg.Parents(p.Area) {
				inside = append(inside, parent.FullName)
			}
			line("%s\t%s\t%s\t%s\t%s\t%s", p.Area, p.AGS, p.FullName, levelOf(p.Area), p.PLZ, strings.Join(inside, ", "))
		}
	})
}
