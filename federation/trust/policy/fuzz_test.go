package policy

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzPolicy: whatever two policies and metadata are, there is a verdict, and
// applying the result a second time changes nothing that was subset away.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"t":{"a":{"value":1}}}`, `{"t":{"a":{"value":1}}}`, `{"t":{"a":2}}`)
	f.Add(`{"t":{"scope":{"subset_of":["a","b"]}}}`, `{"t":{"scope":{"add":["a"]}}}`, `{"t":{"scope":"a b c"}}`)
	f.Add(`{"t":{"a":{"one_of":[1,null]}}}`, `{"t":{"a":{"default":null}}}`, `{"t":{}}`)
	f.Fuzz(func(t *testing.T, above, below, metadata string) {
		var a, b any
		var m map[string]map[string]any
		if json.Unmarshal([]byte(above), &a) != nil || json.Unmarshal([]byte(below), &b) != nil || json.Unmarshal([]byte(metadata), &m) != nil {
			return
		}
		pa, err := Parse(a, nil)
		if err != nil {
			return
		}
		pb, err := Parse(b, nil)
		if err != nil {
			return
		}
		merged, err := Merge(pa, pb)
		if err != nil {
			if !errors.Is(err, ErrPolicy) {
				t.Errorf("%v", err)
			}
			return
		}
		once, err := merged.Apply(m)
		if err != nil {
			if !errors.Is(err, ErrMetadata) {
				t.Errorf("%v", err)
			}
			return
		}
		twice, err := merged.Apply(once)
		if err != nil {
			t.Fatalf("applied twice: %v", err)
		}
		for typ := range once {
			if !same(once[typ], twice[typ]) {
				t.Errorf("%v became %v", once[typ], twice[typ])
			}
		}
	})
}
