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
	cmd.AddCommand(accountAddCommand(), accountListCommand(), accountPasswordCommand(), accountCodeCommand(),
		accountEndCommand("lock", "Let nobody sign in with an account, and sign it out everywhere", "locked"),
		accountEndCommand("delete", "Delete an account with everything kept about it, and sign it out everywhere", "deleted"),
		accountUnlockCommand())
	return cmd
}

func accountUnlockCommand() *cobra.Command {
	return &cobra.Command{
		Use: "unlock NAME", Short: "Allow it again, and forget failed attempts", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := call[account.Account](cmd, "accountunlock", map[string]string{"username": args[0]})
			if err != nil {
				return err
			}
			return show(cmd, a, func(w io.Writer) { printAccount(w, a) })
		},
	}
}

// accountEndCommand is a verb that ends what an account is signed in to.
func accountEndCommand(verb, short, done string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := call[portal.AccountEnd](cmd, "account"+verb, map[string]string{"username": args[0]})
			if err != nil {
				return err
			}
			return show(cmd, e, func(w io.Writer) { printEnd(w, e, done) })
		},
	}
}

func printEnd(w io.Writer, e portal.AccountEnd, done string) {
	fmt.Fprintf(w, "%s is %s\n", e.Account.Username, done)
	for _, p := range e.Portals {
		state := "signed out"
		if !p.OK {
			state = "does not answer yet; it is told again for some minutes"
		}
		fmt.Fprintf(w, "  %s: %s\n", p.Portal, state)
	}
}

func accountCodeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "code NAME", Short: "Print a code with which a person sets a new password", Args: cobra.ExactArgs(1),
		Long: "Print a code with which a person sets a new password: for who has forgotten it. Make sure who they are,\nthen hand the code over in person or by telephone. It is good once, for 24 hours, and ends an earlier one.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := call[portal.AccountCode](cmd, "accountcode", map[string]string{"username": args[0]})
			if err != nil {
				return err
			}
			return show(cmd, c, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n\nfor %s, once, until %s, at\n%s\n", c.Code, c.Username, when(c.Until), c.URL)
			})
		},
	}
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
			e, err := call[portal.AccountEnd](cmd, "accountpassword", map[string]string{"username": args[0], "password": p})
			if err != nil {
				return err
			}
			return show(cmd, e, func(w io.Writer) { printEnd(w, e, "signed out: the new password counts") })
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
