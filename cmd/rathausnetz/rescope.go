package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/region"
	"rathausnetz/portal"
)

type rescopeFlags struct {
	subtree, areas, except, prefixes []string
	own                              bool
	from, reason                     string
}

func rescopeCommand() *cobra.Command {
	var f rescopeFlags
	cmd := &cobra.Command{
		Use: "rescope ENTITY", Short: "Change what a member may claim, now or on a day", Args: cobra.ExactArgs(1),
		Long: "What is not named stays: --except alone keeps the areas. With --from the change is\nplanned: every portal says so beforehand, and it happens by itself on that day.",
		Example: `  rathausnetz member rescope https://melle.example --subtree 034590024024,034590008008
  rathausnetz member rescope https://melle.example --subtree 034590024024,034590008008 --from 2027-01-01`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d := portal.Decision{ID: federation.EntityID(strings.TrimSuffix(args[0], "/")), By: operator(), Reason: f.reason}
			verb := "rescope"
			if f.from != "" {
				verb = "plan"
				var err error
				if d.From, err = time.Parse(time.DateOnly, f.from); err != nil {
					return fmt.Errorf("--from %q: write the day as 2027-01-01", f.from)
				}
			}
			var err error
			if d.Scope, err = f.scope(cmd, d.ID); err != nil {
				return err
			}
			m, err := call[anchor.Member](cmd, verb, d)
			if err != nil {
				return err
			}
			return show(cmd, m, func(w io.Writer) { printMember(w, m) })
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.subtree, "subtree", nil, "areas with everything inside them")
	fl.StringSliceVar(&f.areas, "area", nil, "exactly these areas")
	fl.StringSliceVar(&f.except, "except", nil, "and nothing inside these")
	fl.StringSliceVar(&f.prefixes, "leika-prefix", nil, "only keys that begin so")
	fl.BoolVar(&f.own, "own-offers-only", false, "only offers without LeiKa key")
	fl.StringVar(&f.from, "from", "", "the day it begins, 2027-01-01; default: at once")
	fl.StringVar(&f.reason, "reason", "", "for the audit trail, with --from")
	return cmd
}

// scope is the member's present one with what the flags name in its place.
func (f *rescopeFlags) scope(cmd *cobra.Command, id federation.EntityID) (federation.Scope, error) {
	ms, err := call[[]anchor.Member](cmd, "members", anchor.Filter{})
	if err != nil {
		return federation.Scope{}, err
	}
	var s federation.Scope
	for _, m := range ms {
		if m.ID == id {
			s = m.Scope
		}
	}
	named := cmd.Flags().Changed
	if named("subtree") || named("area") {
		s.Subtree, s.Areas = nil, nil
	}
	for _, part := range []struct {
		flag string
		in   []string
		out  *[]region.Area
	}{{"subtree", f.subtree, &s.Subtree}, {"area", f.areas, &s.Areas}, {"except", f.except, &s.Except}} {
		if !named(part.flag) {
			continue
		}
		*part.out = nil
		for _, text := range part.in {
			a, err := region.ParseArea(text)
			if err != nil {
				return s, fmt.Errorf("--%s: %w", part.flag, err)
			}
			*part.out = append(*part.out, a)
		}
	}
	if named("leika-prefix") {
		s.LeikaPrefixes = f.prefixes
	}
	if named("own-offers-only") {
		s.OwnOffersOnly = f.own
	}
	return s, nil
}

func unplanCommand() *cobra.Command {
	return &cobra.Command{
		Use: "unplan ENTITY", Short: "Take back what rescope --from has planned", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := call[anchor.Member](cmd, "unplan", portal.Decision{ID: federation.EntityID(strings.TrimSuffix(args[0], "/")), By: operator()})
			if err != nil {
				return err
			}
			return show(cmd, m, func(w io.Writer) { printMember(w, m) })
		},
	}
}
