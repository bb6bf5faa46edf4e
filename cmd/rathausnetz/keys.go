package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/federation/trust"
)

// announceLead is how long a new key is shown before it signs: longer than a
// statement lives, so that everybody has seen it by then.
const announceLead = 25 * time.Hour

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Show and change the keys of this node", GroupID: "run",
		Long: "Federation keys sign statements and catalogues, protocol keys logins. To change one:\nannounce a new key and restart; after 25 hours restart, it signs; a day later retire the old one and restart.",
	}
	cmd.AddCommand(keysListCommand(), keysAnnounceCommand(), keysRetireCommand())
	return cmd
}

// keyFolder is where the configured node has its keys.
func keyFolder(cmd *cobra.Command) (data, keys string, err error) {
	cfg, err := loadConfig(cmd)
	return cfg.Data, filepath.Join(cfg.Data, "keys"), err
}

func keysListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys and which of them sign", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, dir, err := keyFolder(cmd)
			if err != nil {
				return err
			}
			keys, err := trust.ListKeys(dir, time.Now())
			if err != nil {
				return err
			}
			return show(cmd, keys, func(w io.Writer) {
				table(w, "ROLE\tSTATE\tKEY\tMADE\tSIGNS FROM", func(line func(string, ...any)) {
					for _, k := range keys {
						line("%s\t%s\t%s\t%s\t%s", k.Role, k.State, k.ID, when(k.Created), when(k.From))
					}
				})
			})
		},
	}
}

func keysAnnounceCommand() *cobra.Command {
	var lead time.Duration
	cmd := &cobra.Command{
		Use: "announce federation|protocol", Short: "Make a new key that is shown at once and signs later", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, dir, err := keyFolder(cmd)
			if err != nil {
				return err
			}
			if lead < 0 || lead > 90*24*time.Hour {
				return fmt.Errorf("--in %s: between 0s and 2160h (90 days)", lead)
			}
			k, err := trust.AnnounceKey(dir, trust.Role(args[0]), time.Now(), lead)
			if err != nil {
				return err
			}
			if err := giveBack(data); err != nil {
				return err
			}
			from := time.Now().Add(lead)
			return show(cmd, map[string]any{"key": k.ID(), "from": from}, func(w io.Writer) {
				fmt.Fprintf(w, "new %s key %s\nrestart the node now: the key is shown then. Restart it again after %s: from then on it signs.\n", args[0], k.ID(), when(from))
			})
		},
	}
	cmd.Flags().DurationVar(&lead, "in", announceLead, "when it begins to sign; 0s only if the old key is lost or in other hands")
	return cmd
}

func keysRetireCommand() *cobra.Command {
	var compromised string
	cmd := &cobra.Command{
		Use: "retire federation|protocol", Short: "Take away the keys that do not sign any more", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, dir, err := keyFolder(cmd)
			if err != nil {
				return err
			}
			gone, err := trust.RetireKeys(dir, trust.Role(args[0]), time.Now(), compromised)
			if err != nil {
				return err
			}
			if err := giveBack(data); err != nil {
				return err
			}
			return show(cmd, map[string]int{"retired": len(gone)}, func(w io.Writer) {
				if len(gone) == 0 {
					fmt.Fprintln(w, "every key still signs or will; nothing was changed")
					return
				}
				fmt.Fprintf(w, "%d retired; restart the node\n", len(gone))
			})
		},
	}
	cmd.Flags().StringVar(&compromised, "compromised", "", "take away this key at once, because others may have it")
	return cmd
}
