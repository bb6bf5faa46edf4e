package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/portal"
	"rathausnetz/sso/op/account"
)

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "Hub: accounts for citizens", GroupID: "network"}
	cmd.AddCommand(accountAddCommand(), accountListCommand(), accountPasswordCommand(), accountDeleteCommand())
	for verb, short := range map[string]string{"lock": "Let nobody sign in with an account", "unlock": "Allow it again"} {
		cmd.AddCommand(&cobra.Command{
			Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				a, err := call[account.Account](cmd, "account"+verb, map[string]string{"username": args[0]})
				if err != nil {
					return err
				}
				return show(cmd, a, func(w io.Writer) { printAccount(w, a) })
			},
		})
	}
	return cmd
}

func accountAddCommand() *cobra.Command {
	var a portal.Account
	var level string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make an account; the password is read from standard input", Args: cobra.ExactArgs(1),
		Example: "  rathausnetz account add bauhof --level niedrig < password.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if a.Level, err = federation.ParseLevel(level); err != nil {
				return fmt.Errorf("--level: %w", err)
			}
			a.Username = args[0]
			if a.Password, err = readPassword(cmd); err != nil {
				return err
			}
			made, err := call[account.Account](cmd, "accountadd", a)
			if err != nil {
				return err
			}
			return show(cmd, made, func(w io.Writer) { printAccount(w, made) })
		},
	}
	cmd.Flags().StringVar(&a.Name, "full-name", "", "how pages and portals call the person")
	cmd.Flags().StringVar(&a.Email, "email", "", "handed to a portal only if the person agrees")
	cmd.Flags().StringVar(&level, "level", "basis", "what a login with it is worth: basis or niedrig")
	return cmd
}

// readPassword reads one line; a password in the arguments would stand in the
// shell's history and in the process list.
func readPassword(cmd *cobra.Command) (string, error) {
	if _, err := fmt.Fprint(cmd.ErrOrStderr(), "Password: "); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func accountPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use: "password NAME", Short: "Set a new password, read from standard input", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPassword(cmd)
			if err != nil {
				return err
			}
			a, err := call[account.Account](cmd, "accountpassword", map[string]string{"username": args[0], "password": p})
			if err != nil {
				return err
			}
			return show(cmd, a, func(w io.Writer) { printAccount(w, a) })
		},
	}
}

func accountDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete an account with everything kept about it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := call[struct{}](cmd, "accountdelete", map[string]string{"username": args[0]}); err != nil {
				return err
			}
			return show(cmd, map[string]string{"deleted": args[0]}, func(w io.Writer) { fmt.Fprintf(w, "%s is deleted\n", args[0]) })
		},
	}
}

func accountListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List all accounts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			as, err := call[[]account.Account](cmd, "accounts", nil)
			if err != nil {
				return err
			}
			return show(cmd, as, func(w io.Writer) {
				table(w, "NAME\tLEVEL\tLOCKED\tCREATED", func(line func(string, ...any)) {
					for _, a := range as {
						line("%s\t%s\t%v\t%s", a.Username, a.Level, a.Locked, when(a.Created))
					}
				})
			})
		},
	}
}

func printAccount(w io.Writer, a account.Account) {
	state := "open"
	if a.Locked {
		state = "locked"
	}
	fmt.Fprintf(w, "%s: level %s, %s\n", a.Username, a.Level, state)
}
