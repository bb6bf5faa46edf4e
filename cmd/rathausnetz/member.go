package main

import (
	"errors"
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

func inviteCommand() *cobra.Command {
	var name, short, kind, ars string
	var except, prefixes []string
	var own bool
	cmd := &cobra.Command{
		Use: "invite", Short: "Hub: make a one-time code for a new member", GroupID: "network", Args: cobra.NoArgs,
		Example: `  rathausnetz invite --name "Gemeinde Bissendorf" --ars 034590012012
  rathausnetz invite --name "Abfallwirtschaft" --kind unternehmen --ars 03459 --own-offers-only`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inv, err := invitation(name, short, kind, ars, except, prefixes, own)
			if err != nil {
				return err
			}
			r, err := call[portal.Invitation](cmd, "invite", portal.InviteRequest{By: operator(), Invitation: inv})
			if err != nil {
				return err
			}
			return show(cmd, r, func(w io.Writer) {
				fmt.Fprintf(w, "Code for %s, good once and until %s:\n\n%s\n\nThe new member runs: rathausnetz join CODE\nThen compare its words by telephone and run: rathausnetz member approve ENTITY\n", name, when(r.Expires), r.Code)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "legal name of the new member (required)")
	f.StringVar(&short, "short", "", "short name for badges; default: the name without its kind")
	f.StringVar(&kind, "kind", "", "gemeinde, samtgemeinde, landkreis or unternehmen; default: from the digits of --ars")
	f.StringVar(&ars, "ars", "", "its area: 12 digits a Gemeinde, 9 a Samtgemeinde, 5 a Kreis (required)")
	f.StringSliceVar(&except, "except", nil, "areas inside it that it may not claim")
	f.StringSliceVar(&prefixes, "leika-prefix", nil, "a utility may claim only keys that begin so")
	f.BoolVar(&own, "own-offers-only", false, "a utility may publish only offers without LeiKa key")
	return cmd
}

func invitation(name, short, kind, ars string, except, prefixes []string, own bool) (anchor.Invitation, error) {
	inv := anchor.Invitation{Name: name, ShortName: short}
	if strings.TrimSpace(name) == "" {
		return inv, errors.New("--name is missing: the legal name, for example \"Gemeinde Bissendorf\"")
	}
	if short == "" {
		inv.ShortName = name
		for _, k := range []string{"Gemeinde ", "Stadt ", "Samtgemeinde "} {
			inv.ShortName = strings.TrimPrefix(inv.ShortName, k)
		}
	}
	area, err := region.ParseArea(ars)
	if err != nil || area.IsBund() {
		return inv, fmt.Errorf("--ars %q: 5, 9 or 12 digits are needed", ars)
	}
	byLength := map[int]federation.Kind{12: federation.KindGemeinde, 9: federation.KindSamtgemeinde, 5: federation.KindLandkreis, 2: federation.KindLand}
	inv.Kind = byLength[area.Len()]
	if kind != "" {
		if inv.Kind, err = federation.ParseKind(kind); err != nil {
			return inv, fmt.Errorf("--kind: %w", err)
		}
	}
	if inv.Kind != federation.KindUnternehmen {
		inv.Seat = area
	}
	inv.Scope = federation.Scope{Subtree: []region.Area{area}, LeikaPrefixes: prefixes, OwnOffersOnly: own}
	for _, x := range except {
		a, err := region.ParseArea(x)
		if err != nil {
			return inv, fmt.Errorf("--except %q: %w", x, err)
		}
		inv.Scope.Except = append(inv.Scope.Except, a)
	}
	return inv, nil
}

func joinCommand() *cobra.Command {
	return &cobra.Command{
		Use: "join CODE", Short: "Member: use the one-time code of the hub", GroupID: "network", Args: cobra.MinimumNArgs(1),
		Long: "The node must be running (rathausnetz serve) and reachable at its public address:\nthe hub fetches its entity configuration from there before it believes anything.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := call[portal.JoinResult](cmd, "join", strings.Join(args, " "))
			if err != nil {
				return err
			}
			return show(cmd, r, func(w io.Writer) {
				fmt.Fprintf(w, "Asked %s to join. Read these words to the hub over the telephone:\n\n  %s\n\nAfter approval the node takes part by itself; see: rathausnetz status\n", r.Hub, strings.Join(r.Words, " "))
			})
		},
	}
}

func leaveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "leave", Short: "Member: forget the network, to join again or another one", GroupID: "network", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := call[struct{}](cmd, "leave", struct{}{}); err != nil {
				return err
			}
			return show(cmd, map[string]bool{"left": true}, func(w io.Writer) {
				fmt.Fprintln(w, "The network is forgotten; restart the node, then join with a new code. The hub keeps listing it until it is revoked there.")
			})
		},
	}
}

func memberCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "member", Short: "Hub: list and decide about members", GroupID: "network"}
	cmd.AddCommand(memberListCommand(), memberShowCommand())
	for verb, short := range map[string]string{
		"approve": "Admit a pending member", "refuse": "Decline a pending member", "suspend": "Stop serving a member until it is readmitted",
		"readmit": "Serve a suspended member again", "revoke": "End a membership at once and everywhere",
	} {
		cmd.AddCommand(decisionCommand(verb, short))
	}
	cmd.AddCommand(rescopeCommand(), unplanCommand())
	return cmd
}

func memberListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List all members and applicants", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ms, err := call[[]anchor.Member](cmd, "members", anchor.Filter{})
			if err != nil {
				return err
			}
			return show(cmd, ms, func(w io.Writer) {
				table(w, "STATE\tNAME\tENTITY\tSINCE", func(line func(string, ...any)) {
					for _, m := range ms {
						since := m.Decided
						if since.IsZero() {
							since = m.Requested
						}
						line("%s\t%s\t%s\t%s", m.State, m.Name, m.ID, when(since))
					}
				})
			})
		},
	}
}

func memberShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ENTITY", Short: "Show one member with its fingerprint words and scope", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ms, err := call[[]anchor.Member](cmd, "members", anchor.Filter{})
			if err != nil {
				return err
			}
			for _, m := range ms {
				if string(m.ID) == strings.TrimSuffix(args[0], "/") {
					return show(cmd, m, func(w io.Writer) { printMember(w, m) })
				}
			}
			return fmt.Errorf("%w: %s; see: rathausnetz member list", anchor.ErrNotMember, args[0])
		},
	}
}

func printMember(w io.Writer, m anchor.Member) {
	fmt.Fprintf(w, "%s (%s)\n  entity   %s\n  state    %s\n  words    %s\n", m.Name, m.Kind, m.ID, m.State, strings.Join(m.Words, " "))
	for label, areas := range map[string][]region.Area{"areas   ": m.Scope.Areas, "subtree ": m.Scope.Subtree, "except  ": m.Scope.Except} {
		for _, a := range areas {
			fmt.Fprintf(w, "  %s %s\n", label, a)
		}
	}
	if m.Reason != "" {
		fmt.Fprintf(w, "  reason   %s\n", m.Reason)
	}
	if m.Next != nil {
		fmt.Fprintf(w, "  from %s on: areas %v subtree %v except %v\n", m.Next.From.Format(time.DateOnly), m.Next.Scope.Areas, m.Next.Scope.Subtree, m.Next.Scope.Except)
	}
}

func decisionCommand(verb, short string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " ENTITY", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := federation.EntityID(strings.TrimSuffix(args[0], "/"))
			m, err := call[anchor.Member](cmd, verb, portal.Decision{ID: id, By: operator(), Reason: reason})
			if err != nil {
				return err
			}
			return show(cmd, m, func(w io.Writer) { fmt.Fprintf(w, "%s is now %s\n", m.Name, m.State) })
		},
	}
	if verb != "approve" && verb != "readmit" {
		cmd.Flags().StringVar(&reason, "reason", "", "for the audit trail; the member can read it")
	}
	return cmd
}
