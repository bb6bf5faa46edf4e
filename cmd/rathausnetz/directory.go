package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/config"
	"rathausnetz/portal"
	"rathausnetz/portal/api"
	"rathausnetz/portal/control"
)

// offlineFlag lets a command answer from a data folder.
func offlineFlag(cmd *cobra.Command) {
	cmd.Flags().String("data", "", "answer from the verified copies in this data folder; no node need run there")
}

// question is put to the running node or, with --data, to a data folder:
// to the node that runs there, else to the sealed copies in it.
func question(cmd *cobra.Command, path string, query url.Values) (json.RawMessage, error) {
	q := portal.Question{Path: path, Query: query}
	dir, err := cmd.Flags().GetString("data")
	if err != nil {
		return nil, err
	}
	if dir == "" {
		raw, err := call[json.RawMessage](cmd, "ask", q)
		if errors.Is(err, control.ErrNotRunning) {
			err = fmt.Errorf("%w; --data DIR answers from a data folder without it", err)
		}
		return raw, err
	}
	raw, err := control.Call[json.RawMessage](cmd.Context(), dir, "ask", q)
	if !errors.Is(err, control.ErrNotRunning) {
		return raw, err
	}
	cfg, err := offlineConfig(cmd, dir)
	if err != nil {
		return nil, err
	}
	o, err := portal.OpenOffline(cmd.Context(), cfg, time.Now, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return nil, err
	}
	return o.Ask(cmd.Context(), q)
}

// offlineConfig is the node's configuration if there is one, else what a data
// folder alone can tell. The name of a node that is not known matters for
// nothing but the order of equal answers.
func offlineConfig(cmd *cobra.Command, dir string) (config.Config, error) {
	path, err := configPath(cmd)
	if err != nil {
		return config.Config{}, err
	}
	cfg := config.Default()
	cfg.Entity, cfg.LoopbackHTTP = "https://data-folder.invalid", true
	if _, err := os.Stat(path); err == nil || cmd.Flags().Changed("config") {
		if cfg, err = config.Load(path, os.Environ()); err != nil {
			return cfg, err
		}
	}
	cfg.Data = dir
	return cfg, nil
}

// coverage is what the command reads of the interface's answer.
type coverage struct {
	Date   string `json:"date"`
	Places []struct {
		ARS  string `json:"ars"`
		Name string `json:"name"`
	} `json:"places"`
	Rows []coverageRow `json:"rows"`
}

type coverageRow struct {
	Leika string   `json:"leika"`
	Title string   `json:"title"`
	Signs []string `json:"signs"`
}

func coverageCommand() *cobra.Command {
	var place, key, date string
	var csv, gaps bool
	cmd := &cobra.Command{
		Use: "coverage", Short: "Which Leistung is offered where, and how", GroupID: "watch", Args: cobra.NoArgs,
		Example: "  rathausnetz coverage --csv > abdeckung.csv\n  rathausnetz coverage --gaps --place 034595402",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if place == "" {
				var err error
				if place, err = kreis(cmd); err != nil {
					return err
				}
			}
			q := url.Values{"ort": {place}}
			for name, value := range map[string]string{"leika": key, "datum": date} {
				if value != "" {
					q.Set(name, value)
				}
			}
			if csv {
				q.Set("format", "csv")
			}
			raw, err := question(cmd, api.PathCoverage, q)
			if err != nil {
				return err
			}
			return showCoverage(cmd, raw, csv, gaps)
		},
	}
	f := cmd.Flags()
	f.StringVar(&place, "place", "", "a Kreis, a Samtgemeinde or a Gemeinde: ARS, AGS, PLZ or name; default: the network's Landkreis")
	f.StringVar(&key, "leika", "", "only this 14-digit LeiKa key")
	f.StringVar(&date, "date", "", "the day the answer is for, 2026-01-31; default: today")
	f.BoolVar(&csv, "csv", false, "the whole matrix as a table for spreadsheets, in German")
	f.BoolVar(&gaps, "gaps", false, "only what nobody, or nobody known, offers in some place")
	cmd.MarkFlagsMutuallyExclusive("csv", "gaps")
	offlineFlag(cmd)
	return cmd
}

// kreis is the seat of the first Landkreis in the network.
func kreis(cmd *cobra.Command) (string, error) {
	raw, err := question(cmd, api.PathMembers, url.Values{"limit": {"500"}})
	if err != nil {
		return "", err
	}
	var list struct {
		Items []struct {
			Kind string `json:"kind"`
			Seat string `json:"seat"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return "", err
	}
	for _, m := range list.Items {
		if m.Kind == "landkreis" && m.Seat != "" {
			return m.Seat, nil
		}
	}
	return "", errors.New("there is no Landkreis in this network; say which area with --place")
}

func showCoverage(cmd *cobra.Command, raw json.RawMessage, csv, gaps bool) error {
	if csv {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		_, err := io.WriteString(cmd.OutOrStdout(), text)
		return err
	}
	var c coverage
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if gaps {
		c.Rows = slices.DeleteFunc(c.Rows, func(r coverageRow) bool { return !slices.ContainsFunc(r.Signs, missing) })
		if c.Rows == nil {
			c.Rows = []coverageRow{}
		}
	}
	return show(cmd, c, func(w io.Writer) { c.print(w, gaps) })
}

func missing(sign string) bool { return sign == "nobody" || sign == "unknown" }

// print writes one line for each Leistung: how many places have which sign or,
// for gaps, the places themselves.
func (c coverage) print(w io.Writer, gaps bool) {
	signs := []string{"online", "described", "parent", "conflict", "nobody", "unknown"}
	header := "LEIKA\tLEISTUNG\t" + strings.ToUpper(strings.Join(signs, "\t"))
	if gaps {
		header = "LEIKA\tLEISTUNG\tNOBODY\tUNKNOWN"
	}
	table(w, header, func(line func(string, ...any)) {
		for _, r := range c.Rows {
			places := map[string][]string{}
			for i, sign := range r.Signs {
				places[sign] = append(places[sign], c.Places[i].Name)
			}
			if gaps {
				line("%s\t%s\t%s\t%s", r.Leika, r.Title, strings.Join(places["nobody"], ", "), strings.Join(places["unknown"], ", "))
				continue
			}
			cells := make([]string, len(signs))
			for i, sign := range signs {
				cells[i] = fmt.Sprint(len(places[sign]))
			}
			line("%s\t%s\t%s", r.Leika, r.Title, strings.Join(cells, "\t"))
		}
	})
	fmt.Fprintf(w, "%d Leistungen, %d places, on %s\n", len(c.Rows), len(c.Places), c.Date)
}

// conflicts is what the command reads of the interface's answer.
type conflicts struct {
	Total int `json:"totalCount"`
	Items []struct {
		Leika   string `json:"leika"`
		Title   string `json:"title"`
		Area    string `json:"area"`
		Name    string `json:"name"`
		Members []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"members"`
	} `json:"items"`
}

func conflictsCommand() *cobra.Command {
	var date string
	cmd := &cobra.Command{
		Use: "conflicts", Short: "Leistungen that more than one member claims in one place", GroupID: "watch", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"limit": {"500"}}
			if date != "" {
				q.Set("datum", date)
			}
			raw, err := question(cmd, api.PathConflicts, q)
			if err != nil {
				return err
			}
			var c conflicts
			if err := json.Unmarshal(raw, &c); err != nil {
				return err
			}
			return show(cmd, raw, func(w io.Writer) { c.print(w) })
		},
	}
	cmd.Flags().StringVar(&date, "date", "", "the day the answer is for, 2026-01-31; default: today")
	offlineFlag(cmd)
	return cmd
}

func (c conflicts) print(w io.Writer) {
	if c.Total == 0 {
		fmt.Fprintln(w, "no conflicts: nothing is claimed twice")
		return
	}
	table(w, "LEIKA\tLEISTUNG\tPLACE\tMEMBERS", func(line func(string, ...any)) {
		for _, x := range c.Items {
			names := make([]string, len(x.Members))
			for i := range x.Members {
				names[i] = x.Members[i].Name
			}
			line("%s\t%s\t%s %s\t%s", x.Leika, x.Title, x.Area, x.Name, strings.Join(names, ", "))
		}
	})
	fmt.Fprintf(w, "%d of %d conflicts\n", len(c.Items), c.Total)
}
