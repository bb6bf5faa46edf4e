package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestFaultTable compares faults.md with the code: each test it names is in the
// file it names.
func TestFaultTable(t *testing.T) {
	raw, err := os.ReadFile("faults.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("^\\| .* \\| ((?:`Test[\\w/]+`(?:, )?)+) \\| `([\\w./]+_test\\.go)` \\|$")
	rows := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| fault |") {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not a row of fault, test and file: %s", line)
			continue
		}
		rows++
		src, err := os.ReadFile("../" + m[2])
		if err != nil {
			t.Error(err)
			continue
		}
		for name := range strings.SplitSeq(m[1], ", ") {
			test, part, _ := strings.Cut(strings.Trim(name, "`"), "/")
			if !strings.Contains(string(src), "func "+test+"(") || part != "" && !strings.Contains(string(src), `"`+part+`"`) {
				t.Errorf("%s has no %s", m[2], name)
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d faults", rows)
	}
}
