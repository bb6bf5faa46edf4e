package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rathausnetz/portal/web/kern"
)

func main() {
	if err := run(os.Getenv("KERN_CSS"), ".."); err != nil {
		fmt.Fprintln(os.Stderr, "purge:", err)
		os.Exit(1)
	}
}

func run(source, web string) error {
	if source == "" {
		return fmt.Errorf("KERN_CSS is not set: npm install @kern-ux/native, then name its dist/kern.min.css")
	}
	css, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	own, err := os.ReadFile(filepath.Join(web, "static", "files", "portal.css"))
	if err != nil {
		return err
	}
	texts, err := Pages(web)
	if err != nil {
		return err
	}
	out, err := kern.Purge(string(css), kern.Classes(texts...), string(own))
	if err != nil {
		return err
	}
	const notice = "/*! KERN 2.7.2, EUPL-1.2, cut down to the rules in use; see KERN-LICENSE.md */\n"
	return os.WriteFile(filepath.Join(web, "static", "files", "kern.css"), []byte(notice+out), 0o644)
}

// Pages returns the text of every template and Go file of the pages.
func Pages(web string) ([]string, error) {
	var texts []string
	for _, pattern := range []string{"templates/*.html", "templates/parts/*.html", "*.go", "../admin/templates/*.html", "../admin/templates/parts/*.html", "../admin/*.go",
		"../admin/*/templates/*.html", "../admin/*/templates/parts/*.html", "../admin/*/*.go"} {
		names, err := filepath.Glob(filepath.Join(web, pattern))
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(b))
		}
	}
	return texts, nil
}
