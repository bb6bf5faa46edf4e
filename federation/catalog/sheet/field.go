package sheet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
)

// field is one column pair of the table.
type field struct {
	name string
	get  func(*catalog.Offer) string
	// set changes the offer, which is the caller's own copy; an empty value
	// empties the field. The error is one German sentence.
	set func(o *catalog.Offer, value string) error
}

const german = "de"

// listSeparator stands between the values of a list in one cell.
const listSeparator = "|"

// fields returns all column pairs in the order of the table.
func fields(clean *markup.Cleaner) []field {
	list := []field{
		{"Titel", func(o *catalog.Offer) string { return o.Title[german] }, func(o *catalog.Offer, v string) error {
			o.Title = with(o.Title, clean.Plain(v))
			return nil
		}},
		listField("Synonyme", func(o *catalog.Offer) *[]string { return &o.Synonyms }, clean),
	}
	for _, s := range sectionNames() {
		list = append(list, sectionField(s.name, s.kind, clean))
	}
	return append(list,
		field{"Themenfeld", func(o *catalog.Offer) string { return o.Themenfeld }, func(o *catalog.Offer, v string) error {
			if v != "" && !slices.Contains(catalog.Themenfelder(), v) {
				return fmt.Errorf("%q ist kein OZG-Themenfeld. Erlaubt sind: %s", v, strings.Join(catalog.Themenfelder(), ", "))
			}
			o.Themenfeld = v
			return nil
		}},
		listField("Zielgruppe", func(o *catalog.Offer) *[]string { return &o.Audience }, clean),
		listField("Lebenslagen", func(o *catalog.Offer) *[]string { return &o.Lebenslagen }, clean),
		field{"Reichweite", reachWord, setReach},
		field{"Gültig ab", func(o *catalog.Offer) string { return day(o.Valid.From, 0) }, func(o *catalog.Offer, v string) (err error) {
			o.Valid.From, err = parseDay(v, 0)
			return err
		}},
		field{"Gültig bis", func(o *catalog.Offer) string { return day(o.Valid.To, -1) }, func(o *catalog.Offer, v string) (err error) {
			o.Valid.To, err = parseDay(v, 1)
			return err
		}},
	)
}

type sectionName struct {
	name string
	kind catalog.SectionKind
}

func sectionNames() []sectionName {
	return []sectionName{
		{"Kurztext", catalog.Kurztext}, {"Volltext", catalog.Volltext}, {"Unterlagen", catalog.Unterlagen},
		{"Voraussetzungen", catalog.Voraussetzungen}, {"Kosten", catalog.Kosten}, {"Fristen", catalog.Fristen},
		{"Bearbeitungsdauer", catalog.Bearbeitungsdauer}, {"Verfahrensablauf", catalog.Verfahrensablauf},
		{"Rechtsgrundlage", catalog.Rechtsgrundlage}, {"Formulare", catalog.Formulare}, {"Hinweise", catalog.Hinweise},
		{"Weiterführendes", catalog.Weiterfuehrendes}, {"Rechtsbehelf", catalog.Rechtsbehelf},
	}
}

// with returns a copy of t with another German text.
func with(t catalog.Text, v string) catalog.Text {
	t = maps.Clone(t)
	if t == nil {
		t = catalog.Text{}
	}
	t[german] = v
	return t
}

func sectionField(name string, kind catalog.SectionKind, clean *markup.Cleaner) field {
	return field{name, func(o *catalog.Offer) string { return o.Section(kind)[german] }, func(o *catalog.Offer, v string) error {
		v = paragraphs(clean, v)
		o.Sections = slices.Clone(o.Sections)
		for i := range o.Sections {
			if o.Sections[i].Kind == kind {
				o.Sections[i].Text = with(o.Sections[i].Text, v)
				return nil
			}
		}
		o.Sections = append(o.Sections, catalog.Section{Kind: kind, Text: catalog.Text{german: v}})
		return nil
	}}
}

func listField(name string, list func(*catalog.Offer) *[]string, clean *markup.Cleaner) field {
	return field{name, func(o *catalog.Offer) string { return strings.Join(*list(o), listSeparator) }, func(o *catalog.Offer, v string) error {
		var out []string
		for part := range strings.SplitSeq(v, listSeparator) {
			out = append(out, clean.Plain(part))
		}
		*list(o) = out
		return nil
	}}
}

const (
	reachArea    = "gebiet"
	reachNetwork = "netz"
)

func reachWord(o *catalog.Offer) string {
	if o.Reach == catalog.ReachNetwork {
		return reachNetwork
	}
	return reachArea
}

func setReach(o *catalog.Offer, v string) error {
	switch v {
	case "", reachArea:
		o.Reach = catalog.ReachArea
	case reachNetwork:
		o.Reach = catalog.ReachNetwork
	default:
		return fmt.Errorf("%q ist keine Reichweite. Erlaubt sind %s und %s", v, reachArea, reachNetwork)
	}
	return nil
}

func day(t time.Time, shift int) string {
	if t.IsZero() {
		return ""
	}
	return t.AddDate(0, 0, shift).Format(time.DateOnly)
}

// parseDay reads 2026-01-31 or 31.01.2026.
func parseDay(v string, shift int) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, v)
	if err != nil {
		t, err = time.Parse("02.01.2006", v)
	}
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return time.Time{}, fmt.Errorf("%q ist kein Datum. Schreiben Sie 31.01.2026 oder 2026-01-31", v)
	}
	return t.AddDate(0, 0, shift), nil
}

// paragraphs makes reduced HTML of what somebody has typed: text without tags
// becomes paragraphs at its blank lines.
func paragraphs(clean *markup.Cleaner, s string) string {
	if strings.Contains(s, "<") || strings.TrimSpace(s) == "" {
		return clean.HTML(s)
	}
	var b strings.Builder
	var lines []string
	flush := func() {
		if len(lines) > 0 {
			b.WriteString("<p>" + strings.Join(lines, "<br>") + "</p>")
			lines = nil
		}
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if line = clean.HTML(line); line == "" {
			flush()
			continue
		}
		lines = append(lines, line)
	}
	flush()
	return b.String()
}
