package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command has a page that names it, and no text is taken for a macro.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if status := run([]string{"man", dir}, &out, &errs); status != 0 {
		t.Fatal(errs.String())
	}
	macros := map[string]bool{".TH": true, ".SH": true, ".B": true, ".BR": true, ".TP": true, ".PP": true, ".nf": true, ".fi": true}
	n := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.HasParent() && !c.IsAvailableCommand() {
			return
		}
		n++
		b, err := os.ReadFile(filepath.Join(dir, manName(c)+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		page := string(b)
		if !strings.Contains(page, ".SH NAME\n"+roff(manName(c))+` \- `) || !strings.Contains(page, ".SH DESCRIPTION\n") {
			t.Errorf("%s: %s", manName(c), page)
		}
		for line := range strings.SplitSeq(page, "\n") {
			if word, _, _ := strings.Cut(line, " "); strings.HasPrefix(line, ".") && !macros[word] || strings.HasPrefix(line, "'") {
				t.Errorf("%s: the line %q is a macro", manName(c), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	root := newRoot()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	walk(root)
	if n < 40 {
		t.Errorf("only %d pages", n)
	}
	if got := roff("a-b\\c\n.d\n'e"); got != "a\\-b\\ec\n\\&.d\n\\&'e" {
		t.Errorf("%q", got)
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
