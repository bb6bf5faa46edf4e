package xzufi

import (
	"fmt"
	"strings"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// identifier joins agency and value of an Identifikator; "" if there is no
// value [XZuFi 2.2 Identifikator].
func identifier(e elem) catalog.ID {
	v := strings.Join(strings.Fields(e.text()), " ")
	if v == "" {
		return ""
	}
	return catalog.NewID(e.attr("schemeAgencyID"), v)
}

// german is the language of a text that does not name its own.
const german = "de"

// language returns the two-letter code of an element's text: languageCode,
// shortened where it carries a region ("de-DE").
func (s *scanner) language(e elem) (string, bool) {
	code := strings.ToLower(e.attr("languageCode"))
	if code == "" {
		return german, true
	}
	short, _, _ := strings.Cut(strings.ReplaceAll(code, "_", "-"), "-")
	if len(short) == 2 && short[0] >= 'a' && short[0] <= 'z' && short[1] >= 'a' && short[1] <= 'z' {
		return short, true
	}
	s.warn(catalog.CodeLanguage, e.node().name, fmt.Sprintf("%q ist kein Sprachcode aus zwei Buchstaben. Der Text wurde ausgelassen.", clip(code)), "Nehmen Sie zum Beispiel de oder en.")
	return "", false
}

// plain reads the texts of several elements as plain text by language; of two
// in one language the first counts.
func (s *scanner) plain(e elem, name string) catalog.Text {
	var t catalog.Text
	for c := range e.each(name) {
		lang, ok := s.language(c)
		if !ok {
			continue
		}
		if v := s.clean.Plain(c.text()); v != "" && t[lang] == "" {
			t = put(t, lang, v)
		}
	}
	return t
}

// html reads the texts of several elements as reduced HTML by language; of
// two in one language the second follows the first.
func (s *scanner) html(e elem, name string) catalog.Text {
	var t catalog.Text
	for c := range e.each(name) {
		lang, ok := s.language(c)
		if !ok {
			continue
		}
		if v := s.clean.HTML(c.text()); v != "" {
			t = put(t, lang, t[lang]+v)
		}
	}
	return t
}

func put(t catalog.Text, lang, v string) catalog.Text {
	if t == nil {
		t = catalog.Text{}
	}
	t[lang] = v
	return t
}

// validity reads gueltigkeit: dates, of which ende is the last day on which
// it holds. The first one counts.
func (s *scanner) validity(e elem) catalog.Validity {
	var v catalog.Validity
	g := e.child("gueltigkeit")
	if t, ok := s.date(g.child("beginn")); ok {
		v.From = t
	}
	if t, ok := s.date(g.child("ende")); ok {
		v.To = t.AddDate(0, 0, 1)
	}
	return v
}

// date reads the day of an xs:date or xs:dateTime.
func (s *scanner) date(e elem) (time.Time, bool) {
	v := e.text()
	if v == "" {
		return time.Time{}, false
	}
	t, err := time.Parse(time.DateOnly, v[:min(len(v), len(time.DateOnly))])
	if err != nil || !plausible(t) {
		s.badTime(e, v)
		return time.Time{}, false
	}
	return t, true
}

// changed reads when an editor last changed a record. A time without zone is
// taken as UTC. 2.3 calls the element versionsinformationen.
func (s *scanner) changed(e elem) time.Time {
	var latest time.Time
	for _, name := range [...]string{"versionsinformation", "versionsinformationen"} {
		for c := range e.each(name) {
			c.known()
			g := c.child("geaendertDatumZeit")
			v := g.text()
			if v == "" {
				continue
			}
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				t, err = time.Parse("2006-01-02T15:04:05", v)
			}
			if err != nil || !plausible(t) {
				s.badTime(g, v)
			} else if t.After(latest) {
				latest = t.UTC().Truncate(time.Second)
			}
		}
	}
	return latest
}

func plausible(t time.Time) bool { return t.Year() >= 1900 && t.Year() <= 2200 }

func (s *scanner) badTime(e elem, v string) {
	s.warn(catalog.CodeValidity, e.node().name, fmt.Sprintf("%q ist kein Datum. Die Angabe wurde ausgelassen.", clip(v)), "Ein Datum hat die Form 2026-01-31.")
}

// germany is how the official area list writes the whole country.
const germany = "DG"

// area reads one ARS of 2, 3, 5, 9 or 12 digits.
func (s *scanner) area(e elem) (region.Area, bool) {
	v := e.text()
	if v == germany {
		return region.Area{}, true
	}
	a, err := region.ParseArea(v)
	if err != nil || v == "" {
		s.warn(catalog.CodeArea, e.node().name, fmt.Sprintf("%q ist kein Regionalschlüssel. Das Gebiet wurde ausgelassen.", clip(v)), "Ein Regionalschlüssel hat 2, 3, 5, 9 oder 12 Ziffern.")
		return a, false
	}
	return a, true
}

func (s *scanner) areas(e elem, name string) []region.Area {
	var list []region.Area
	for c := range e.each(name) {
		if a, ok := s.area(c); ok {
			list = append(list, a)
		}
	}
	return list
}
