package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command has a page that names it.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if status := run([]string{"man", dir}, &out, &errs); status != 0 {
		t.Fatal(errs.String())
	}
	n := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.HasParent() && !c.IsAvailableCommand() {
			return
		}
		n++
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		b, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil || !strings.Contains(string(b), ".SH NAME") {
			t.Errorf("%s: %v", name, err)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	if n < 40 {
		t.Errorf("only %d pages", n)
	}
}

func TestVersion(t *testing.T) {
	var out, errs bytes.Buffer
	if status := run([]string{"version", "--json"}, &out, &errs); status != 0 || !strings.Contains(out.String(), `"platform"`) || !strings.Contains(out.String(), `"go": "go1.`) {
		t.Errorf("%s %s", out.String(), errs.String())
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out.Reset()
		if status := run([]string{"completion", shell}, &out, &errs); status != 0 || out.Len() < 500 {
			t.Errorf("completion for %s: %d bytes %s", shell, out.Len(), errs.String())
		}
	}
}
