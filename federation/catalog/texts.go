package catalog

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rathausnetz/federation/catalog/markup"
)

// text checks one text in all its languages; html says whether it may hold
// the allowed tags.
func (f *findings) text(field string, t Text, html bool) {
	if len(t) > MaxLanguages {
		f.add(Invalid, CodeLimit, field, fmt.Sprintf("Der Text liegt in %d Sprachen vor, erlaubt sind %d.", len(t), MaxLanguages), "")
		return
	}
	longest := maxPlain
	if html {
		longest = MaxText
	}
	for lang, s := range t {
		if len(lang) != 2 || lang[0] < 'a' || lang[0] > 'z' || lang[1] < 'a' || lang[1] > 'z' {
			f.add(Invalid, CodeLanguage, field, fmt.Sprintf("%q ist kein Sprachcode aus zwei Buchstaben.", clip(lang)), "Nehmen Sie zum Beispiel de oder en.")
		}
		switch {
		case len(s) > longest:
			f.add(Invalid, CodeText, field, fmt.Sprintf("Der Text hat %d Bytes, erlaubt sind %d.", len(s), longest), "Kürzen Sie den Text.")
		case html && !markup.IsClean(s):
			f.add(Invalid, CodeHTML, field, "Der Text enthält Auszeichnungen, die nicht erlaubt sind.", "Erlaubt sind Absätze, Überschriften, Listen, Hervorhebungen und Links.")
		case !html && !printable(s):
			f.add(Invalid, CodeText, field, "Der Text enthält Steuerzeichen oder beginnt oder endet mit einem Leerzeichen.", "Geben Sie den Text neu ein.")
		}
	}
	if t["de"] == "" && len(t) > 0 {
		f.add(Warn, CodeLanguageGap, field, "Der Text fehlt auf Deutsch.", "Ergänzen Sie den deutschen Text.")
	}
}

func (f *findings) short(field, s string) {
	if len(s) > maxShort || !printable(s) {
		f.add(Invalid, CodeText, field, "Der Eintrag ist zu lang, leer oder enthält Steuerzeichen.", fmt.Sprintf("Höchstens %d Bytes in einer Zeile.", maxShort))
	}
}

func (f *findings) lists(lengths ...int) {
	for _, n := range lengths {
		if n > MaxList {
			f.add(Invalid, CodeLimit, "", fmt.Sprintf("Eine Liste hat %d Einträge, erlaubt sind %d.", n, MaxList), "Teilen Sie den Eintrag auf.")
		}
	}
}

func (f *findings) validity(field string, v Validity) {
	if !midnight(v.From) || !midnight(v.To) {
		f.add(Invalid, CodeValidity, field, "Die Gültigkeit ist kein Zeitraum von ganzen Tagen.", "Geben Sie Tage an.")
	}
	if !v.From.IsZero() && !v.To.IsZero() && !v.From.Before(v.To) {
		f.add(Invalid, CodeValidity, field, "Die Gültigkeit endet, bevor sie beginnt.", "Berichtigen Sie Beginn oder Ende.")
	}
}

// midnight reports whether t is unset or the beginning of a day in UTC.
func midnight(t time.Time) bool {
	return t.IsZero() || (t.Equal(t.Truncate(24*time.Hour)) && t.Year() >= 1900 && t.Year() <= 2201)
}

func (f *findings) url(field, s string, required bool) {
	if s == "" && !required {
		return
	}
	if !absoluteURL(s) {
		f.add(Invalid, CodeURL, field, fmt.Sprintf("%q ist keine vollständige Web-Adresse.", clip(s)), "Eine Adresse beginnt mit https:// und nennt den Rechner.")
	}
}

// absoluteURL reports whether s is an http or https URL with a host, without
// user part, in printable ASCII or UTF-8 and not too long.
func absoluteURL(s string) bool {
	if len(s) > MaxURL || !printable(s) || strings.ContainsAny(s, " \"'<>\\`") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}

// printable reports whether s is valid UTF-8 in one line without blanks at
// its ends, control or formatting characters.
func printable(s string) bool {
	if s == "" || !utf8.ValidString(s) || s != strings.TrimSpace(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || (r >= '\u202a' && r <= '\u202e') || (r >= '\u2066' && r <= '\u2069') {
			return false
		}
	}
	return true
}

func clip(s string) string {
	const longest = 60
	if len(s) <= longest {
		return s
	}
	cut := longest
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
