package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"rathausnetz/portal/api"
)

func resolveCommand() *cobra.Command {
	var key, place, date string
	var explain bool
	cmd := &cobra.Command{
		Use: "resolve", Short: "Who is responsible for a Leistung in a place, and why", GroupID: "watch", Args: cobra.NoArgs,
		Example: "  rathausnetz resolve --leika 99036026017000 --place 49143 --explain",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"leika": {key}, "ort": {place}}
			if date != "" {
				q.Set("datum", date)
			}
			if explain {
				q.Set("explain", "1")
			}
			raw, err := question(cmd, api.PathResolve, q)
			if err != nil {
				return err
			}
			var a resolved
			if err := json.Unmarshal(raw, &a); err != nil {
				return err
			}
			return show(cmd, raw, func(w io.Writer) { a.print(w) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&key, "leika", "", "the 14-digit LeiKa key (required)")
	f.StringVar(&place, "place", "", "ARS, AGS, PLZ or name (required)")
	f.StringVar(&date, "date", "", "the day the answer is for, 2026-01-31; default: today")
	f.BoolVar(&explain, "explain", false, "every step with the rule that fired")
	offlineFlag(cmd)
	return cmd
}

// resolved is what the command reads of the interface's answer.
type resolved struct {
	Reason    string `json:"reason"`
	Matched   string `json:"matchedKey"`
	Area      string `json:"matchedArea"`
	Providers []struct {
		Reason string `json:"reason"`
		Member struct {
			Name string `json:"name"`
			ID   string `json:"id"`
		} `json:"member"`
		Title     map[string]string `json:"title"`
		Serial    uint64            `json:"serial"`
		Changed   string            `json:"geaendert"`
		Fetched   string            `json:"fetched"`
		Stale     bool              `json:"stale"`
		Reachable bool              `json:"reachable"`
	} `json:"providers"`
	AnsweredBy *struct {
		Entity string `json:"entity"`
		Name   string `json:"name"`
		At     string `json:"at"`
		Old    bool   `json:"old"`
	} `json:"answeredBy"`
	Notices []struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"notices"`
	Steps []struct {
		Rule    string `json:"rule"`
		Verdict string `json:"verdict"`
		Text    string `json:"text"`
	} `json:"steps"`
}

func (a resolved) print(w io.Writer) {
	for _, s := range a.Steps {
		fmt.Fprintf(w, "%-12s %-8s %s\n", s.Rule, s.Verdict, s.Text)
	}
	if len(a.Steps) > 0 {
		fmt.Fprintln(w)
	}
	if by := a.AnsweredBy; by != nil {
		state := "verified"
		if by.Old {
			state += "; it does not answer now, this is what it said then"
		}
		fmt.Fprintf(w, "answered by %s (%s) at %s, seal %s\n", by.Name, by.Entity, by.At, state)
	}
	for _, n := range a.Notices {
		if n.Kind == "neighbour-silent" {
			fmt.Fprintf(w, "cannot be known now: the place belongs to another Landkreis (%s), whose hub does not answer\n", n.Name)
			return
		}
	}
	if len(a.Providers) == 0 {
		fmt.Fprintf(w, "%s\n", map[string]string{"none": "nobody claims this", "unknown": "cannot be known now: a member that may be responsible is not reachable and no copy is held"}[a.Reason])
		return
	}
	for _, p := range a.Providers {
		state := "reachable"
		if !p.Reachable {
			state = "not reachable now"
		}
		if p.Stale {
			state += ", stale"
		}
		if p.Changed == "" {
			p.Changed = "unknown"
		}
		fmt.Fprintf(w, "%s (%s): %s\n  serial %d, changed %s, copy of %s, %s\n", p.Member.Name, p.Reason, p.Title["de"], p.Serial, p.Changed, p.Fetched, state)
	}
	fmt.Fprintf(w, "matched key %s at area %s\n", a.Matched, a.Area)
}
