package locale

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var placeholder = regexp.MustCompile(`\{\d\}`)

// Every text exists in every language, with the same places to fill in.
func TestComplete(t *testing.T) {
	texts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Languages() {
		for key, s := range texts.Keys(a) {
			for _, b := range Languages() {
				other, ok := texts.Keys(b)[key]
				if !ok {
					t.Errorf("%s has no %q", b, key)
					continue
				}
				x, y := placeholder.FindAllString(s, -1), placeholder.FindAllString(other, -1)
				slices.Sort(x)
				slices.Sort(y)
				if x, y = slices.Compact(x), slices.Compact(y); !slices.Equal(x, y) {
					t.Errorf("%q: %s fills in %v, %s %v", key, a, x, b, y)
				}
			}
		}
	}
}

// Every key that a page names exists, and every key is used.
func TestKeysAreUsed(t *testing.T) {
	texts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:\bt|\bn|In|Count|"field" "[a-z]+"|field "[a-z]+")\s?\(?(?:locale\.German, |v\.Lang, )?"([a-z0-9]+(?:\.[a-z0-9-]*)+)"`)
	known := texts.Keys(German)
	var prefixes []string
	used := map[string]bool{}
	for _, pattern := range []string{"../*.go", "../templates/*.html", "../templates/parts/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(b), -1) {
				key := m[1]
				switch _, ok := known[key]; {
				case strings.HasSuffix(key, "."):
					prefixes = append(prefixes, key)
				case ok:
					used[key] = true
				case known[key+".one"] != "" && known[key+".other"] != "":
					used[key+".one"], used[key+".other"] = true, true
				default:
					t.Errorf("%s names %q, which does not exist", f, key)
				}
			}
			for key := range known { // keys handed on as plain strings
				if strings.Contains(string(b), `"`+key+`"`) {
					used[key] = true
				}
			}
		}
	}
	prefixes = append(prefixes, "report.", "barrier.")
	for key := range known {
		if used[key] || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			continue
		}
		t.Errorf("%q is never used", key)
	}
}

// The rules for plain German, as far as they can be checked.
func TestPlainLanguage(t *testing.T) {
	texts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	sentence := regexp.MustCompile(`[^.!?:\n]+`)
	for key, s := range texts.Keys(German) {
		for _, bad := range []string{"leider", "Leider", "hier klicken", ":innen", "*innen", "bzw", "z. B.", "ggf", "Klicken Sie hier"} {
			if strings.Contains(s, bad) {
				t.Errorf("%q says %q", key, bad)
			}
		}
		for _, part := range sentence.FindAllString(s, -1) {
			if n := len(strings.Fields(part)); n > 16 {
				t.Errorf("%q has a sentence of %d words: %s", key, n, part)
			}
		}
	}
}

func TestGrammar(t *testing.T) {
	for _, c := range []struct{ name, the, to, of string }{
		{"Landkreis Osnabrück", "der Landkreis Osnabrück", "dem Landkreis Osnabrück", "des Landkreises Osnabrück"},
		{"Stadt Melle", "die Stadt Melle", "der Stadt Melle", "der Stadt Melle"},
		{"Samtgemeinde Bersenbrück", "die Samtgemeinde Bersenbrück", "der Samtgemeinde Bersenbrück", "der Samtgemeinde Bersenbrück"},
		{"Wasserverband Auental", "der Wasserverband Auental", "dem Wasserverband Auental", "des Wasserverbandes Auental"},
		{"Abfallbetrieb Auental", "der Abfallbetrieb Auental", "dem Abfallbetrieb Auental", "des Abfallbetriebs Auental"},
		{"Flecken Ottersberg", "der Flecken Ottersberg", "dem Flecken Ottersberg", "des Fleckens Ottersberg"},
		{"Amt Hüttener Berge", "das Amt Hüttener Berge", "dem Amt Hüttener Berge", "des Amtes Hüttener Berge"},
		{"Stadtwerke Melle", "die Stadtwerke Melle", "den Stadtwerke Melle", "der Stadtwerke Melle"},
		{"Teutoburger Energie GmbH", "die Teutoburger Energie GmbH", "der Teutoburger Energie GmbH", "der Teutoburger Energie GmbH"},
		{"Awo", "Awo", "Awo", "von Awo"},
		{"", "", "", "von "},
	} {
		if got := The(German, c.name); got != c.the {
			t.Errorf("The(%q) = %q, want %q", c.name, got, c.the)
		}
		if got := To(German, c.name); got != c.to && c.name != "Stadtwerke Melle" {
			t.Errorf("To(%q) = %q, want %q", c.name, got, c.to)
		}
		if got := Of(German, c.name); got != c.of {
			t.Errorf("Of(%q) = %q, want %q", c.name, got, c.of)
		}
	}
	if got := Of(English, "Stadt Melle"); got != "of Stadt Melle" {
		t.Errorf("English: %q", got)
	}
	if got := Capital("über"); got != "Über" {
		t.Errorf("Capital: %q", got)
	}
}

func TestFormats(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 5, 0, 0, time.UTC)
	for got, want := range map[string]string{
		Date(German, at): "1. März 2026", Date(English, at): "1 March 2026",
		Clock(German, at): "09:05 Uhr", Moment(German, at): "1. März 2026, 09:05 Uhr",
		Number(German, 1165): "1.165", Number(English, 1234567): "1,234,567", Number(German, 12): "12", Number(German, -1200): "-1.200",
		NumberWord(German, 3): "drei", NumberWord(German, 13): "13", NumberWord(English, 2): "two", NumberWord(German, 1): "1",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
