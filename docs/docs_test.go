// Package docs holds the code to what the documents say: the package table,
// the doors to libraries, package comments and the source tags.
package docs

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "rathausnetz"

type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

type row struct {
	may   []string
	doors []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func table(t *testing.T) map[string]row {
	t.Helper()
	b, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	words := func(cell string) []string {
		var w []string
		for _, m := range code.FindAllStringSubmatch(cell, -1) {
			w = append(w, m[1])
		}
		return w
	}
	rows := map[string]row{}
	for line := range strings.SplitSeq(string(b), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		rows[words(cells[1])[0]] = row{may: words(cells[3]), doors: words(cells[4])}
	}
	if len(rows) < 15 {
		t.Fatalf("only %d rows found in the package table", len(rows))
	}
	return rows
}

func allowed(may []string, imp string) bool {
	for _, m := range may {
		if base, tree := strings.CutSuffix(m, "/…"); imp == base || tree && strings.HasPrefix(imp, base+"/") {
			return true
		}
	}
	return false
}

func TestPackageTable(t *testing.T) {
	rows := table(t)
	doorOf := map[string]string{}
	for name, r := range rows {
		for _, d := range r.doors {
			doorOf[d] = name
		}
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		r, ok := rows[name]
		if !ok {
			t.Errorf("package %s is not in the table of architecture.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module+"/"); ok && !allowed(r.may, ours) {
				t.Errorf("%s imports %s, which the table does not allow", name, ours)
			}
			for door, owner := range doorOf {
				if (imp == door || strings.HasPrefix(imp, door+"/")) && owner != name && !allowed(r.doors, door) {
					t.Errorf("%s imports %s; the door to it is %s", name, imp, owner)
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil {
			t.Errorf("%s has no doc.go", p.ImportPath)
		}
	}
}

// TestSourceTags compares the tags in comments, [OIDF §3.1], with sources.md.
func TestSourceTags(t *testing.T) {
	b, err := os.ReadFile("sources.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| \[([^\]]+)\] \|`).FindAllStringSubmatch(string(b), -1) {
		known[m[1]] = true
	}
	tag := regexp.MustCompile(`\[([A-Z][A-Za-z]*(?:[ -][A-Z0-9][A-Za-z0-9.-]*)?(?:\.md)?)(?: (?:§[0-9A-Z][0-9A-Za-z.]*|[a-z][A-Za-z]*))\]`)
	seen := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.SplitSeq(string(src), "\n") {
			_, comment, ok := strings.Cut(line, "//")
			if !ok {
				continue
			}
			for _, m := range tag.FindAllStringSubmatch(comment, -1) {
				seen++
				if !known[m[1]] {
					t.Errorf("%s: source tag [%s] is not in sources.md", path, m[1])
				}
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d tags found, %v", seen, err)
	}
}
