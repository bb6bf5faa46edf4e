package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/german"
	"golang.org/x/text/unicode/norm"
)

// MaxWord is the longest word in bytes that is looked at; the rest of a
// longer one is ignored.
const MaxWord = 64

// Word is one word of a text.
type Word struct {
	Folded string // as Fold returns it
	From   int    // byte offset in the text
	To     int
}

// Each calls f for every word of text: letters and digits in a row. It stops
// when f returns false. Single letters are left out, single digits are not.
func Each(text string, f func(Word) bool) {
	from := -1
	for i := 0; i <= len(text); {
		r, size := rune(-1), 1
		if i < len(text) {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		switch inside := r >= 0 && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)); {
		case inside && from < 0:
			from = i
		case !inside && from >= 0:
			if w := Fold(text[from:i]); len(w) > 1 || (len(w) == 1 && w[0] >= '0' && w[0] <= '9') {
				if !f(Word{w, from, i}) {
					return
				}
			}
			from = -1
		}
		i += size
	}
}

// Fold returns one spelling for all spellings of a word: lower case, without
// accents, ä ö ü and ae oe ue as a o u, ß as ss, at most MaxWord bytes.
func Fold(word string) string {
	var buf [MaxWord]byte
	b := buf[:0] // a rune that unfolds into many moves it to the heap
	for i, r := range word {
		if len(b) >= MaxWord-2*utf8.UTFMax {
			break
		}
		b = appendFolded(b, word[i:], r)
	}
	for len(b) > MaxWord { // one rune may unfold into eighteen
		_, size := utf8.DecodeLastRune(b)
		b = b[:len(b)-size]
	}
	return string(b)
}

// FoldText folds every letter of a text and keeps the rest: the order of
// titles that a German reader expects.
func FoldText(s string) string {
	b := make([]byte, 0, len(s))
	for i, r := range s {
		b = appendFolded(b, s[i:], r)
	}
	return string(b)
}

func appendFolded(b []byte, rest string, r rune) []byte {
	switch {
	case r >= 'A' && r <= 'Z':
		r += 'a' - 'A'
		fallthrough
	case r < utf8.RuneSelf:
		if r == 'e' && len(b) > 0 && umlautE(b) {
			return b
		}
		return append(b, byte(r))
	case r == 'ä' || r == 'Ä':
		return append(b, 'a')
	case r == 'ö' || r == 'Ö':
		return append(b, 'o')
	case r == 'ü' || r == 'Ü':
		return append(b, 'u')
	case r == 'ß' || r == 'ẞ':
		return append(b, "ss"...)
	case unicode.Is(unicode.Mn, r):
		return b
	}
	_, size := utf8.DecodeRuneInString(rest)
	for _, d := range norm.NFKD.String(rest[:size]) {
		if !unicode.Is(unicode.Mn, d) {
			b = utf8.AppendRune(b, unicode.ToLower(d))
		}
	}
	return b
}

// umlautE reports whether an e after b writes an umlaut: after a and o, and
// after u unless that u belongs to au, eu or qu (bauen, Steuer, Quelle).
func umlautE(b []byte) bool {
	switch b[len(b)-1] {
	case 'a', 'o':
		return true
	case 'u':
		return len(b) < 2 || !strings.ContainsRune("aeq", rune(b[len(b)-2]))
	}
	return false
}

// Stem returns the stem of a folded word; words of up to three bytes and
// words with digits are their own stems.
func Stem(folded string) string {
	if len(folded) <= 3 || strings.ContainsAny(folded, "0123456789") {
		return folded
	}
	env := snowballstem.NewEnv(folded)
	german.Stem(env)
	return env.Current()
}
