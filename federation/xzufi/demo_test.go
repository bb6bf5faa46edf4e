package xzufi

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// TestDemonstrationRoundTrip: for each catalogue of the demonstration network
// import → export → import gives the same bytes and the same manifest digest.
func TestDemonstrationRoundTrip(t *testing.T) {
	indexes, err := filepath.Glob("../../testnet/data/*/index.txt")
	if err != nil || len(indexes) == 0 {
		t.Fatalf("no demonstration catalogues: %v", err)
	}
	// Members are named by their short names, because ports are not known.
	opt := Options{Loopback: true, Entity: func(s string) (federation.EntityID, error) {
		if e, err := federation.ParseEntityID(s, true); err == nil {
			return e, nil
		}
		return federation.ParseEntityID("https://"+strings.ToLower(s)+".example", false)
	}}
	for _, index := range indexes {
		dir := filepath.Dir(index)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			b, err := ReadPath(dir, opt)
			if err != nil {
				t.Fatal(err)
			}
			c, rep := mustImport(t, nil, b, ImportOptions{})
			if len(rep.Skipped) > 0 || len(rep.Orphans) > 0 || len(c.Offers) == 0 {
				t.Errorf("%d offers, skipped %v, orphans %v", len(c.Offers), rep.Skipped, rep.Orphans)
			}
			for _, f := range rep.Findings {
				if f.Code != catalog.CodeNoKey && f.Code != catalog.CodeLanguageGap {
					t.Logf("finding: %v", f)
				}
			}
			files, err := Files(c)
			if err != nil {
				t.Fatal(err)
			}
			second, again := reimport(t, files)
			if !reflect.DeepEqual(files, again) {
				t.Error("export, import, export gives other bytes")
			}
			if digest(t, c) != digest(t, second) {
				t.Errorf("another manifest digest: %+v", catalog.Compare(c, second))
			}
		})
	}
}
