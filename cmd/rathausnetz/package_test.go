package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestMonitoringNames holds dashboard and alarms to the metrics there are.
func TestMonitoringNames(t *testing.T) {
	files, err := filepath.Glob("../../portal/metrics/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of the metrics: %v", err)
	}
	var source strings.Builder
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil {
			t.Fatal(err)
		} else if !strings.HasSuffix(f, "_test.go") {
			source.Write(b)
		}
	}
	name := regexp.MustCompile(`rathausnetz_([a-z_]+)`)
	for _, file := range []string{"package/grafana.json", "package/alerts.yaml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range name.FindAllStringSubmatch(string(b), -1) {
			seen[m[1]] = true
		}
		if len(seen) < 8 {
			t.Errorf("%s names only %d metrics", file, len(seen))
		}
		for n := range seen {
			base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(n, "")
			if !strings.Contains(source.String(), `"`+base+`"`) {
				t.Errorf("%s uses rathausnetz_%s, which portal/metrics does not have", file, n)
			}
		}
	}
}

func TestMonitoringFiles(t *testing.T) {
	b, err := os.ReadFile("package/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &board); err != nil || len(board.Panels) == 0 {
		t.Errorf("dashboard: %v, %d panels", err, len(board.Panels))
	}
	if b, err = os.ReadFile("package/alerts.yaml"); err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(b, &rules); err != nil || len(rules.Groups) == 0 {
		t.Fatalf("alarms: %v", err)
	}
	for _, r := range rules.Groups[0].Rules {
		if r.Alert == "" || r.Expr == "" || r.Annotations["summary"] == "" || r.Annotations["remedy"] == "" {
			t.Errorf("alarm %q lacks an expression, a sentence or a remedy", r.Alert)
		}
	}
}

// TestPackageFiles finds every file that the package shall hold, but for what
// its build makes.
func TestPackageFiles(t *testing.T) {
	b, err := os.ReadFile("package/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Contents []struct{ Src, Dst string }
		Scripts  map[string]string
	}
	if err := yaml.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, c := range p.Contents {
		if !strings.HasPrefix(c.Src, "dist/") && !strings.HasPrefix(c.Src, "bin/") {
			paths = append(paths, c.Src)
		}
	}
	for _, s := range p.Scripts {
		paths = append(paths, s)
	}
	if len(paths) < 8 {
		t.Errorf("only %d files", len(paths))
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join("..", "..", path)); err != nil {
			t.Error(err)
		}
	}
}

// TestUnits lets systemd itself judge the units.
func TestUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	for _, unit := range []string{"package/rathausnetz.service", "package/rathausnetz@.service"} {
		if out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit).CombinedOutput(); err != nil {
			t.Errorf("%s: exposure above 2.0: %v\n%s", unit, err, out[max(0, len(out)-600):])
		}
	}
}
