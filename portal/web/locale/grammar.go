package locale

import (
	"strings"
	"unicode/utf8"
)

// Gender of the first noun in the name of an authority.
type gender uint8

const (
	unknown gender = iota
	masculine
	feminine
	neuter
	plural
)

// headwords decide by the last part of the word: "Wasserverband" by "verband".
var headwords = []struct {
	end string
	g   gender
}{
	{"kreis", masculine}, {"verband", masculine}, {"betrieb", masculine}, {"bezirk", masculine},
	{"markt", masculine}, {"flecken", masculine}, {"bauhof", masculine}, {"bund", masculine},
	{"stadt", feminine}, {"gemeinde", feminine}, {"region", feminine}, {"verwaltung", feminine},
	{"gemeinschaft", feminine}, {"gesellschaft", feminine}, {"wirtschaft", feminine}, {"gmbh", feminine}, {"anstalt", feminine},
	{"land", neuter}, {"amt", neuter}, {"werk", neuter},
	{"werke", plural}, {"betriebe", plural},
}

func genderOf(name string) gender {
	words := strings.Fields(strings.ToLower(name))
	if len(words) == 0 {
		return unknown
	}
	for _, w := range []string{words[0], words[len(words)-1]} {
		for _, h := range headwords {
			if strings.HasSuffix(w, h.end) {
				return h.g
			}
		}
	}
	return unknown
}

// The returns name with its article as subject: "der Landkreis Osnabrück",
// "die Stadt Melle"; without one if its gender is not known or lang is not
// German.
func The(lang, name string) string {
	return article(lang, name, "der", "die", "das", "die")
}

// To returns the dative: "dem Landkreis Osnabrück", "der Stadt Melle".
func To(lang, name string) string {
	return article(lang, name, "dem", "der", "dem", "den")
}

func article(lang, name, m, f, n, p string) string {
	if lang != German {
		return name
	}
	switch genderOf(name) {
	case masculine:
		return m + " " + name
	case feminine:
		return f + " " + name
	case neuter:
		return n + " " + name
	case plural:
		return p + " " + name
	}
	return name
}

// Of returns the genitive: "des Landkreises Osnabrück", "der Stadt Melle",
// "von AWO"; in English "of …".
func Of(lang, name string) string {
	if lang != German {
		return "of " + name
	}
	g := genderOf(name)
	switch g {
	case feminine, plural:
		return "der " + name
	case unknown:
		return "von " + name
	}
	head, rest, _ := strings.Cut(name, " ")
	switch {
	case strings.HasSuffix(head, "en"), strings.HasSuffix(head, "hof"), strings.HasSuffix(head, "betrieb"), strings.HasSuffix(head, "bezirk"), strings.HasSuffix(head, "werk"):
		head += "s"
	default:
		head += "es"
	}
	return strings.TrimSpace("des " + head + " " + rest)
}

// Capital returns s with a capital first letter.
func Capital(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + s[n:]
}
