package kern

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPurge(t *testing.T) {
	const css = `@charset "UTF-8";:root{--a:1;--b:var(--a);--c:url("data:;}x")}
@media (prefers-color-scheme:dark){:root{--a:2;--z:3}.gone{color:red}}
:is(body,.kern-dark,[data-kern-theme=dark]):not([class*=kern-level-]),.kern-layer.kern-level-0{--x-contextual:var(--b)}
.kern-btn,.kern-card{color:var(--x-contextual)}.kern-btn:not(.kern-gone):hover{color:var(--c)}.kern-card .kern-btn{x:y}
@font-face{font-family:F;src:url(f.woff)}@keyframes spin{to{x:y}}`
	got, err := Purge(css, map[string]bool{"kern-btn": true}, "p{color:var(--z)}")
	if err != nil {
		t.Fatal(err)
	}
	want := `:root{--a:1;--b:var(--a);--c:url("data:;}x")}
@media (prefers-color-scheme:dark){:root{--a:2;--z:3}
}
:is(body):not([class*=kern-level-]){--x-contextual:var(--b)}
.kern-btn{color:var(--x-contextual)}
.kern-btn:not(.kern-gone):hover{color:var(--c)}
@keyframes spin{to{x:y}
}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPurgeRefuses(t *testing.T) {
	for _, css := range []string{"a{", "a", "}", "a{b:c}}", "@media x{a{b:c}", strings.Repeat("@media x{", 9)} {
		if _, err := Purge(css, nil); err == nil {
			t.Errorf("%q was accepted", css)
		}
	}
}

// The cut stylesheet still carries the rule that hands the municipality's
// colour on, and every class that pages name.
func TestCutKeepsWhatCarriesColours(t *testing.T) {
	b, err := os.ReadFile("../static/files/kern.css")
	if err != nil {
		t.Fatal(err)
	}
	css := string(b)
	at := strings.Index(css, ":is(body):not([class*=kern-level-]){")
	if at < 0 {
		t.Fatal("the rule for -contextual colours is gone: every municipality would turn KERN's blue")
	}
	rule := css[at : at+strings.IndexByte(css[at:], '}')]
	for _, name := range []string{"--kern-color-action-default-contextual", "--kern-color-action-on-default-contextual", "--kern-color-layout-text-default-contextual"} {
		if !strings.Contains(rule, name+":") {
			t.Errorf("%s is not set", name)
		}
	}
	var texts []string
	for _, pattern := range []string{"../templates/*.html", "../templates/parts/*.html", "../../admin/templates/*.html", "../../admin/templates/parts/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(b))
		}
	}
	for class := range Classes(texts...) {
		if !strings.Contains(css, "."+class) {
			t.Errorf("pages use %s, the stylesheet does not have it: run go generate ./portal/web/kern", class)
		}
	}
}

func FuzzPurge(f *testing.F) {
	f.Add("a,b{c:d}@media x{e{f:url('}')}}")
	f.Fuzz(func(t *testing.T, css string) {
		once, err := Purge(css, map[string]bool{"a": true})
		if err != nil {
			return
		}
		if twice, err := Purge(once, map[string]bool{"a": true}); err != nil || twice != once {
			t.Errorf("%q: a second cut changed %q to %q (%v)", css, once, twice, err)
		}
	})
}
