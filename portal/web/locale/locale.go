package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed de.json en.json
var files embed.FS

// The languages of the portal; the first is the usual one.
const (
	German  = "de"
	English = "en"
)

// Languages returns the codes in the order of the language menu.
func Languages() []string { return []string{German, English} }

// Texts are the sentences of all languages. They are never changed after Load
// and may be read concurrently.
type Texts struct {
	byLang map[string]map[string]string
}

// Load reads the built-in files.
func Load() (*Texts, error) {
	t := &Texts{byLang: map[string]map[string]string{}}
	for _, lang := range Languages() {
		b, err := files.ReadFile(lang + ".json")
		if err != nil {
			return nil, err
		}
		m := map[string]string{}
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("locale: %s.json: %w", lang, err)
		}
		t.byLang[lang] = m
	}
	return t, nil
}

// Default returns the language of a page that asks for none.
func (t *Texts) Default() string { return German }

// Known reports whether lang is a language of the portal.
func (t *Texts) Known(lang string) bool { return t.byLang[lang] != nil }

// In returns the sentence of key with {0}, {1}, … replaced by args. A missing
// key is shown as itself in brackets: visible, and caught by the tests.
func (t *Texts) In(lang, key string, args ...any) string {
	s, ok := t.byLang[lang][key]
	if !ok {
		return "[" + key + "]"
	}
	if len(args) == 0 {
		return s
	}
	pairs := make([]string, 0, 2*len(args))
	for i, a := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", fmt.Sprint(a))
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// Count returns the sentence key.one or key.other for n, which becomes {0}
// with the language's thousands separator; args follow as {1}, {2}, ….
func (t *Texts) Count(lang, key string, n int, args ...any) string {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return t.In(lang, key+form, append([]any{Number(lang, n)}, args...)...)
}

// Keys returns all keys of lang, for tests.
func (t *Texts) Keys(lang string) map[string]string { return t.byLang[lang] }

// Number writes n with the thousands separator of lang.
func Number(lang string, n int) string {
	s := strconv.Itoa(n)
	sep := "."
	if lang == English {
		sep = ","
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

// NumberWord writes 2 to 12 as a word, as running text wants it.
func NumberWord(lang string, n int) string {
	words := map[string][]string{
		German:  {"zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"},
		English: {"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"},
	}[lang]
	if n < 2 || n-2 >= len(words) {
		return Number(lang, n)
	}
	return words[n-2]
}

var monthsDE = [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}

// Date writes a day: "21. November 2026" or "21 November 2026". The zone is
// that of t.
func Date(lang string, t time.Time) string {
	if lang == English {
		return t.Format("2 January 2006")
	}
	return fmt.Sprintf("%d. %s %d", t.Day(), monthsDE[t.Month()-1], t.Year())
}

// Clock writes a time of day: "10:42 Uhr" or "10:42".
func Clock(lang string, t time.Time) string {
	if lang == English {
		return t.Format("15:04")
	}
	return t.Format("15:04") + " Uhr"
}

// Moment writes a day with its time.
func Moment(lang string, t time.Time) string {
	return Date(lang, t) + ", " + Clock(lang, t)
}
