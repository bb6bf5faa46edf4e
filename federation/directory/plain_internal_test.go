package directory

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSingle: one pass over reduced HTML gives the words that taking off the
// tags, the entities and the blanks one after the other gives.
func TestSingle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.SampledFrom([]string{"Hund", "ä", "ß", " ", "\n", "\u00a0", "<p>", "</p>", `<a href="https://x.example/?a=1&amp;b=2">`, "<br>", "&amp;", "&lt;", "&nbsp;", "&#228;", "& ", "1"})).Draw(t, "pieces")
		s := strings.Join(pieces, "")
		want := strings.Join(strings.Fields(plain(s, len(s))), " ")
		if got := single(s, len(s)+1); got != want {
			t.Fatalf("single(%q) = %q, want %q", s, got, want)
		}
		if got := single(s, 5); !strings.HasPrefix(want, got) && len(got) <= 5 {
			t.Fatalf("the beginning of %q is %q", want, got)
		}
	})
}

// TestMemoryForgets: what is remembered stays below its bound and is what was
// put in.
func TestMemoryForgets(t *testing.T) {
	var m memory
	row := make([]grade, 100<<10)
	for i := range 100 {
		m.put(&part{stem: strings.Repeat("x", i+1), met: row, any: true})
		if held := len(m.parts) * len(row); held > maxMemory {
			t.Fatalf("%d bytes are held", held)
		}
	}
	if p, ok := m.get(strings.Repeat("x", 100)); !ok || !p.shared || !p.any {
		t.Errorf("the last part: %+v %v", p.any, ok)
	}
	m.put(&part{stem: "large", met: make([]grade, maxMemory+1)})
	if _, ok := m.get("large"); ok {
		t.Error("a part larger than the bound is held")
	}
}
