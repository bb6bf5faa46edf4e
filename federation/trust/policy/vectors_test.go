package policy

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

type vector struct {
	N           int            `json:"n"`
	Combination []string       `json:"combination"`
	TA          map[string]any `json:"TA"`
	INT         map[string]any `json:"INT"`
	Merged      map[string]any `json:"merged"`
	Metadata    map[string]any `json:"metadata"`
	Resolved    map[string]any `json:"resolved"`
	Error       string         `json:"error"`
}

// sharedData walks up from the test's folder to a sibling shared/data of the
// repository root.
func sharedData(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "shared", "data", name))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("test data are not there: %v", err)
	}
	return b
}

func TestVectors(t *testing.T) {
	var all []vector
	if err := json.Unmarshal(sharedData(t, "metadata_policy_vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1010 {
		t.Fatalf("%d vectors, want 1010", len(all))
	}
	bad := 0
	for _, v := range all {
		if why := v.check(); why != "" {
			if bad++; bad <= 20 {
				t.Errorf("vector %d %v: %s\n TA %v\n INT %v\n metadata %v", v.N, v.Combination, why, v.TA, v.INT, v.Metadata)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d vectors do not hold", bad, len(all))
	}
}

func (v vector) check() string {
	const typ = "t"
	parse := func(m map[string]any) (Policy, error) { return Parse(map[string]any{typ: m}, nil) }
	ta, err := parse(v.TA)
	var sub, merged Policy
	if err == nil {
		sub, err = parse(v.INT)
	}
	if err == nil {
		merged, err = Merge(ta, sub)
	}
	if v.Error == "invalid_policy" {
		if !errors.Is(err, ErrPolicy) {
			return "policy accepted"
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	got := map[string]any{}
	for name, ops := range merged[typ] {
		got[name] = map[string]any(ops)
	}
	if v.Merged != nil && !same(got, v.Merged) {
		return "merged differs"
	}
	out, err := merged.Apply(map[string]map[string]any{typ: v.Metadata})
	if v.Error == "invalid_metadata" {
		if !errors.Is(err, ErrMetadata) {
			return "metadata accepted"
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	if !same(out[typ], v.Resolved) {
		b, _ := json.Marshal(out[typ])
		w, _ := json.Marshal(v.Resolved)
		return "resolved " + string(b) + " want " + string(w)
	}
	return ""
}

// same compares JSON values; lists are sets [OIDF §6.1.3.1].
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, there := y[k]
			if !there || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && len(x) == len(y) && within(x, y) && within(y, x)
	}
	return reflect.DeepEqual(a, b)
}
