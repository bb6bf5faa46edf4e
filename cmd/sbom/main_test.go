package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// The test binary is a Go binary like any other: what it was built with must
// be in its bill.
func TestBill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(self, &out); err != nil {
		t.Fatal(err)
	}
	var bom struct {
		SpecVersion string
		Components  []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(out.Bytes(), &bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != "1.6" {
		t.Errorf("specVersion %q, want 1.6", bom.SpecVersion)
	}
	for _, want := range []string{"std", "github.com/CycloneDX/cyclonedx-go"} {
		i := slices.IndexFunc(bom.Components, func(c struct{ Name, Version, Purl string }) bool { return c.Name == want })
		if i < 0 {
			t.Errorf("%s is missing", want)
			continue
		}
		if c := bom.Components[i]; c.Version == "" || !strings.HasPrefix(c.Purl, "pkg:golang/"+want+"@") {
			t.Errorf("%s: version %q, purl %q", want, c.Version, c.Purl)
		}
	}
}

func TestNotABinary(t *testing.T) {
	if err := run("main.go", &bytes.Buffer{}); err == nil {
		t.Error("a text file has a bill of materials")
	}
}
