package signin

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestGroups(t *testing.T) {
	const claims = `{"groups":["a","b"],"one":"x","realm_access":{"roles":["r"]},"https://x.example/roles":["u"],"n":7,"deep":{"a":{"b":["d"]}},"mixed":["a",1]}`
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(claims), &m); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"groups": {"a", "b"}, "one": {"x"}, "realm_access.roles": {"r"}, "https://x.example/roles": {"u"}, "deep.a.b": {"d"},
		"n": nil, "nothing": nil, "groups.x": nil, "": nil, ".": nil, "mixed": nil,
	} {
		if got := groups(m, path); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add("e30.eyJhIjoxfQ.x")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := payload(s)
		if err == nil {
			groups(m, "a.b.c")
		}
	})
}
