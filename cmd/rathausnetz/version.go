package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"rathausnetz/portal/metrics"
)

// build says which program this is; the linker and the compiler have written
// it into the binary.
func build() metrics.Build {
	b := metrics.Build{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value + b.Revision
		case "vcs.modified":
			if s.Value == "true" {
				b.Revision += "+changed"
			}
		}
	}
	return b
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which program this is, and what it was built from", GroupID: "run", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := build()
			platform := runtime.GOOS + "/" + runtime.GOARCH
			out := map[string]string{"version": b.Version, "revision": b.Revision, "go": b.Go, "platform": platform}
			return show(cmd, out, func(w io.Writer) {
				fmt.Fprintf(w, "rathausnetz %s\n", b.Version)
				if b.Revision != "" {
					fmt.Fprintf(w, "revision    %s\n", b.Revision)
				}
				fmt.Fprintf(w, "built with  %s for %s\n", b.Go, platform)
			})
		},
	}
}
