package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: the exit status is its result. The first
// signal ends the context and lets everything stop in order; the second kills.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(stderr, "rathausnetz: %v\n", err)
	return 1
}

// exitStatus ends the command with a status after it has said everything.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "rathausnetz",
		Short:         "Public-service portals of a Landkreis that act as one",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringP("config", "c", "node.yaml", "configuration of the node; without it here, "+installed)
	root.PersistentFlags().Bool("json", false, "answer as JSON")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "network", Title: "Membership (hub and members):"},
		&cobra.Group{ID: "content", Title: "Catalogue and places:"},
		&cobra.Group{ID: "watch", Title: "Watch and explain:"},
	)
	root.AddCommand(
		testnetCommand(), serveCommand(), initCommand(), configCommand(), reloadCommand(), versionCommand(), manCommand(), adminCommand(),
		inviteCommand(), joinCommand(), leaveCommand(), memberCommand(), neighbourCommand(), blockCommand(), unblockCommand(), blocksCommand(), auditCommand(), accountCommand(),
		backupCommand(), restoreCommand(), doctorCommand(),
		catalogCommand(), linksCommand(), reportCommand(), regionCommand(), leikaCommand(),
		statusCommand(), resolveCommand(), coverageCommand(), conflictsCommand(), trustCommand(), keysCommand(),
	)
	return root
}
