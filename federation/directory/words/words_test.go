package words

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Führungszeugnis", "fuhrungszeugnis"}, {"Fuehrungszeugnis", "fuhrungszeugnis"}, {"FÜHRUNGSZEUGNIS", "fuhrungszeugnis"},
		{"Fu\u0308hrung", "fuhrung"}, {"Straße", "strasse"}, {"STRASSE", "strasse"}, {"STRAẞE", "strasse"},
		{"bauen", "bauen"}, {"Steuer", "steuer"}, {"Quelle", "quelle"}, {"neue", "neue"}, {"Ärzte", "arzte"}, {"Aerzte", "arzte"},
		{"öffnen", "offnen"}, {"oeffnen", "offnen"}, {"Café", "cafe"}, {"Łódź", "łodz"}, {"ﬁ", "fi"}, {"", ""}, {"115", "115"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	if n := len(Fold(strings.Repeat("ﷺ", 100))); n > MaxWord {
		t.Errorf("a long word folds to %d bytes", n)
	}
}

func TestStem(t *testing.T) {
	for _, c := range [][]string{
		{"anmelden", "anmeldung", "anmeldungen"}, {"hund", "hunde", "hunden"}, {"ausweis", "ausweise", "ausweises"},
		{"genehmigung", "genehmigungen"}, {"steuer", "steuern"},
	} {
		for _, w := range c[1:] {
			if Stem(w) != Stem(c[0]) {
				t.Errorf("%q and %q have the stems %q and %q", c[0], w, Stem(c[0]), Stem(w))
			}
		}
	}
	if Stem("kfz") != "kfz" || Stem("2026er") != "2026er" {
		t.Error("a short word or one with digits has another stem")
	}
}

func TestEach(t *testing.T) {
	var got []string
	text := "E-Auto: §5 Gebühr, 12 € (Kfz)"
	Each(text, func(w Word) bool {
		got = append(got, w.Folded+"="+text[w.From:w.To])
		return true
	})
	if want := "auto=Auto 5=5 gebuhr=Gebühr 12=12 kfz=Kfz"; strings.Join(got, " ") != want {
		t.Errorf("words %v", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"hund", "hund", 2, 0}, {"hund", "hnd", 2, 1}, {"hund", "hudn", 2, 1}, {"hund", "hunde", 2, 1}, {"hund", "mund", 2, 1},
		{"hund", "katze", 2, 3}, {"", "ab", 2, 2}, {"abc", "", 2, 3}, {"fuhrung", "furhung", 1, 1}, {"abcd", "badc", 2, 2},
		{strings.Repeat("a", 70), strings.Repeat("a", 70), 2, 3},
	} {
		if got := Distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("Distance(%q, %q, %d) = %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
	}
}

func TestDistanceIsSymmetric(t *testing.T) {
	word := rapid.StringMatching(`[abc]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if x, y := Distance(a, b, 3), Distance(b, a, 3); x != y || (x == 0) != (a == b) {
			t.Fatalf("%q %q: %d and %d", a, b, x, y)
		}
	})
}

// TestVocabularyGrows: however words are added, the answers are those of one
// vocabulary with all of them.
func TestVocabularyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab]{3,7}`), 1, 60, rapid.ID[string]).Draw(t, "words")
		whole := (&Vocabulary{}).With(all)
		grown := &Vocabulary{}
		for rest := all; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			grown = grown.With(rest[:n])
			rest = rest[n:]
		}
		probe := rapid.StringMatching(`[ab]{3,5}`).Draw(t, "probe")
		for _, v := range []*Vocabulary{whole, grown} {
			for i, w := range all {
				if id, ok := v.ID(w); !ok || id != uint32(i) || v.Word(id) != w {
					t.Fatalf("word %q has number %d, %v", w, id, ok)
				}
			}
		}
		ask := func(v *Vocabulary) string {
			var prefixed, containing []string
			v.Prefixed(probe, func(_ uint32, w string) bool { prefixed = append(prefixed, w); return true })
			v.Containing(probe, func(_ uint32, w string) bool { containing = append(containing, w); return true })
			slices.Sort(prefixed)
			slices.Sort(containing)
			return fmt.Sprint(prefixed, containing, v.Similar(probe, 1))
		}
		if x, y := ask(whole), ask(grown); x != y {
			t.Fatalf("%q: %s and %s", probe, x, y)
		}
		want := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return !strings.Contains(w, probe) })
		var got []string
		grown.Containing(probe, func(_ uint32, w string) bool { got = append(got, w); return true })
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("Containing(%q) = %v, want %v", probe, got, want)
		}
	})
}

func TestDictionary(t *testing.T) {
	d, broken := NewDictionary("# Kommentar\nPerso, Lichtbild: Personalausweis, Hilfe zur Pflege\nkaputte Zeile\n: nichts\nlinks:\n", "Auto stilllegen: Außerbetriebsetzung\n")
	if !slices.Equal(broken, []int{3, 4, 5}) {
		t.Errorf("broken lines %v", broken)
	}
	var got []string
	look := func(query string) string {
		got = nil
		d.Lookup(Stems(query), func(s *Synonym, at []int) {
			for _, m := range s.Means {
				got = append(got, fmt.Sprint(m.Shown, m.Stems, at))
			}
		})
		return strings.Join(got, "; ")
	}
	if x := look("mein Perso"); x != "Personalausweis[personalausweis] [1]; Hilfe zur Pflege[hilf pfleg] [1]" {
		t.Errorf("Perso: %s", x)
	}
	if x := look("stilllegen von meinem Auto"); !strings.Contains(x, "Außerbetriebsetzung") {
		t.Errorf("a phrase in another order: %s", x)
	}
	if x := look("Auto"); x != "" {
		t.Errorf("half a phrase: %s", x)
	}
	if n := d.Similar("lichtbilt", 2); len(n) != 1 || n[0].Word != "Lichtbild" {
		t.Errorf("Similar = %+v", n)
	}
}

// TestBuiltinDictionary: it has the size that was promised, every line can be
// read, and no everyday word leads to itself alone.
func TestBuiltinDictionary(t *testing.T) {
	d, broken := NewDictionary(Builtin())
	if len(broken) > 0 || d.Len() < 200 {
		t.Errorf("%d entries, broken lines %v", d.Len(), broken)
	}
	w := NewWeights()
	for word, want := range map[string]Weight{"ich": Filler, "beantragen": Weak, "hund": Content, "fur": Filler} {
		if w.Of(word) != want {
			t.Errorf("%q weighs %d", word, w.Of(word))
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Führung", "ẞß", "\xff\xfe", "ǅ", "a\u0301\u0302", strings.Repeat("ﷺ", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if len(folded) > MaxWord {
			t.Fatalf("%d bytes", len(folded))
		}
		if utf8.ValidString(s) && !utf8.ValidString(folded) {
			t.Fatalf("Fold(%q) = %q", s, folded)
		}
		Stem(folded)
		Each(s, func(w Word) bool {
			if w.From < 0 || w.To > len(s) || w.From >= w.To {
				t.Fatalf("word at %d to %d of %d", w.From, w.To, len(s))
			}
			return true
		})
	})
}

func FuzzDictionary(f *testing.F) {
	f.Add("a: b, c\n# x\n:::\n")
	f.Fuzz(func(t *testing.T, s string) {
		d, _ := NewDictionary(s)
		d.Lookup(Stems(s), func(*Synonym, []int) {})
		d.Similar("perso", 2)
	})
}
