package docs

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of security.md anew")

const tableStart, tableEnd = "<!-- numbered tests -->\n", "<!-- end -->\n"

// attack is one numbered negative test.
type attack struct {
	group  string
	number int
	name   string
	file   string
}

// TestSecurityTable keeps the table of security.md equal to the numbered
// tests in the code: -update writes it.
func TestSecurityTable(t *testing.T) {
	attacks, err := numbered()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| number | test | file |\n|---|---|---|\n")
	for _, a := range attacks {
		fmt.Fprintf(&b, "| %s%d | `%s` | `%s` |\n", a.group, a.number, a.name, a.file)
	}
	raw, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), tableStart)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatal("security.md has lost the marks around its table")
	}
	want := before + tableStart + b.String() + tableEnd + after
	if want == string(raw) {
		return
	}
	if !*update {
		t.Fatal("security.md does not list the numbered tests; run: go test ./docs -update")
	}
	if err := os.WriteFile("security.md", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func numbered() ([]attack, error) {
	name := regexp.MustCompile(`(?m)^func (Test([A-J])(\d+)_\w+)\(`)
	var out []attack
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range name.FindAllStringSubmatch(string(src), -1) {
			n, err := strconv.Atoi(m[3])
			if err != nil {
				return err
			}
			out = append(out, attack{m[2], n, m[1], strings.TrimPrefix(filepath.ToSlash(path), "../")})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b attack) int {
		if a.number != b.number {
			return a.number - b.number
		}
		return strings.Compare(a.name, b.name)
	})
	return out, err
}
