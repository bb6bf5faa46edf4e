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
	"rathausnetz/federation/leika"
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
	path, err := cmd.Flags().GetString("config")
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
			e, err := portal.ImportRegister(dir, args[0])
			if err != nil {
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

func leikaCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "leika", Short: "LeiKa keys", GroupID: "content"}
	var register string
	showCmd := &cobra.Command{
		Use: "show KEY", Short: "The parts of a key, and the broader keys that are tried after it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := leika.Parse(args[0])
			if err != nil {
				return err
			}
			k := keyOutput{Key: id, URN: id.URN(), Depth: id.Depth(), Instanz: id.Instanz(), Gruppierung: id.Gruppierung(), Objekt: id.Objekt(),
				Verrichtung: id.Verrichtung(), Detail: id.Detail(), National: id.IsNational(), Reserved: id.IsReserved()}
			for b, ok := id.Broader(); ok; b, ok = b.Broader() {
				k.Broader = append(k.Broader, b)
			}
			if register != "" {
				if k.Name, err = nameOf(register, id); err != nil {
					return err
				}
			}
			return show(cmd, k, func(w io.Writer) { printKey(w, k) })
		},
	}
	showCmd.Flags().StringVar(&register, "register", "", "a CSV file with columns leika and name")
	cmd.AddCommand(showCmd)
	return cmd
}

type keyOutput struct {
	Key         leika.ID    `json:"leika"`
	Name        string      `json:"name,omitempty"`
	URN         string      `json:"urn"`
	Depth       leika.Depth `json:"depth"`
	Instanz     int         `json:"instanz"`
	Gruppierung int         `json:"gruppierung"`
	Objekt      int         `json:"objekt"`
	Verrichtung int         `json:"verrichtung"`
	Detail      int         `json:"detail"`
	National    bool        `json:"national"`
	Reserved    bool        `json:"reserved,omitempty"`
	Broader     []leika.ID  `json:"broader"`
}

func nameOf(path string, id leika.ID) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("--register: %w", err)
	}
	defer f.Close()
	reg, err := leika.ReadRegister(f)
	if err != nil {
		return "", fmt.Errorf("--register %s: %w", path, err)
	}
	name, _ := reg.Name(id)
	return name, nil
}

func printKey(w io.Writer, k keyOutput) {
	fmt.Fprintf(w, "%s  %s\n", k.Key, k.Name)
	fmt.Fprintf(w, "  Instanz %02d, Leistungsgruppierung %03d, Objekt %03d, Verrichtung %03d, Detail %03d (%s)\n", k.Instanz, k.Gruppierung, k.Objekt, k.Verrichtung, k.Detail, k.Depth)
	for _, b := range k.Broader {
		fmt.Fprintf(w, "  then %s\n", b)
	}
	if k.Reserved {
		fmt.Fprintln(w, "  reserved for tests: never a real Leistung")
	}
}
