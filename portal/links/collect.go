package links

import (
	"html"
	"maps"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation/catalog"
)

// Link is one address in one record.
type Link struct {
	URL    string     `json:"url"`    // "" for a record without links
	Record catalog.ID `json:"record"` // of an offer or a unit
	Unit   bool       `json:"unit,omitempty"`
	Field  string     `json:"field"` // onlinedienst, url, or the kind of a section
	Title  string     `json:"title"` // of the record, German if there is one
}

// Of returns the links of a catalogue in its order, each address once for each
// field of a record. An offer without any has one entry with an empty URL. nil
// has no links.
func Of(c *catalog.Catalogue) []Link {
	if c == nil {
		return nil
	}
	var out []Link
	for i := range c.Offers {
		o := &c.Offers[i]
		title, _ := o.Title.In("de")
		g := gatherer{base: Link{Record: o.ID, Title: title}, seen: map[Link]bool{}}
		for j := range o.Onlinedienste {
			g.add("onlinedienst", o.Onlinedienste[j].URL)
		}
		for j := range o.Sections {
			g.text(string(o.Sections[j].Kind), o.Sections[j].Text)
		}
		if len(g.out) == 0 {
			g.out = []Link{g.base}
		}
		out = append(out, g.out...)
	}
	for i := range c.Units {
		u := &c.Units[i]
		title, _ := u.Name.In("de")
		g := gatherer{base: Link{Record: u.ID, Unit: true, Title: title}, seen: map[Link]bool{}}
		g.add("url", u.URL)
		g.text("hours", u.Hours)
		out = append(out, g.out...)
	}
	return out
}

type gatherer struct {
	base Link
	seen map[Link]bool
	out  []Link
}

func (g *gatherer) add(field, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || len(raw) > catalog.MaxURL {
		return
	}
	l := g.base
	l.Field = field
	u.Fragment, u.RawFragment = "", "" // not sent
	l.URL = u.String()
	if !g.seen[l] {
		g.seen[l] = true
		g.out = append(g.out, l)
	}
}

// text finds the addresses of a reduced HTML text, in which an attribute has
// one form only (see catalog/markup).
func (g *gatherer) text(field string, t catalog.Text) {
	const attr = `href="`
	for _, lang := range langs(t) {
		for rest := t[lang]; ; {
			at := strings.Index(rest, attr)
			if at < 0 {
				break
			}
			rest = rest[at+len(attr):]
			end := strings.IndexByte(rest, '"')
			if end < 0 {
				break
			}
			g.add(field, html.UnescapeString(rest[:end]))
			rest = rest[end:]
		}
	}
}

// langs are the languages of t, German first.
func langs(t catalog.Text) []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "de":
			return -1
		case b == "de":
			return 1
		}
		return strings.Compare(a, b)
	})
}
