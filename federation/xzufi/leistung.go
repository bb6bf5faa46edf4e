package xzufi

import (
	"fmt"
	"html"
	"strings"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
)

// The lists by which klassifizierung is told apart.
const (
	listLagen         = "urn:xoev-de:fim:codeliste:pvlagen"
	listThemenfeld    = "urn:rathausnetz:codeliste:themenfeld"
	listReichweite    = "urn:rathausnetz:codeliste:reichweite"
	listKennzeichen   = "urn:rathausnetz:codeliste:kennzeichen"
	codeNetz          = "netz"
	codeEigene        = "eigene-leistung"
	modulBezeichnung  = "02"
	modulBezeichnung2 = "03"
	modulTeaser       = "24"
)

// moduleKind returns the section a text module is stored as
// [XZuFi 2.2 leikaTextmodul].
func moduleKind(code string) (catalog.SectionKind, bool) {
	switch code {
	case "05", modulTeaser:
		return catalog.Kurztext, true
	case "06":
		return catalog.Volltext, true
	case "07":
		return catalog.Rechtsgrundlage, true
	case "08":
		return catalog.Unterlagen, true
	case "09":
		return catalog.Voraussetzungen, true
	case "11":
		return catalog.Verfahrensablauf, true
	case "14":
		return catalog.Formulare, true
	case "15":
		return catalog.Weiterfuehrendes, true
	case "16":
		return catalog.Hinweise, true
	case "25":
		return catalog.Rechtsbehelf, true
	}
	return "", false
}

// sections gathers texts by kind, in the order of their first appearance.
type sections []catalog.Section

func (l *sections) add(kind catalog.SectionKind, t catalog.Text) {
	if len(t) == 0 {
		return
	}
	for i := range *l {
		if (*l)[i].Kind == kind {
			for lang, v := range t {
				(*l)[i].Text[lang] += v
			}
			return
		}
	}
	*l = append(*l, catalog.Section{Kind: kind, Text: t})
}

func (l sections) has(kind catalog.SectionKind) bool {
	for i := range l {
		if l[i].Kind == kind {
			return true
		}
	}
	return false
}

// leistung reads what describes a Leistung [XZuFi 2.2 leistung].
func (s *scanner) leistung(e elem, rec *Record) error {
	o := &catalog.Offer{ID: rec.ID}
	rec.Offer = o
	o.Leika = s.key(e)
	s.modules(e, o)
	for c := range e.each("modulBegriffImKontext") {
		for b := range c.each("begriffImKontext") {
			b.known()
			for w := range b.each("begriff") {
				o.Synonyms = append(o.Synonyms, s.short("modulBegriffImKontext", w))
			}
		}
	}
	for c := range e.each("leistungsadressat") {
		o.Audience = append(o.Audience, s.digits(c, c.code(), 3)...)
	}
	for c := range e.each("klassifizierung") {
		s.klassifizierung(o, c)
	}
	for c := range e.each("informationsbereichSDG") {
		o.SDG = append(o.SDG, s.digits(c, c.code(), 7)...)
	}
	for c := range e.each("informationsbereicheSDG") { // 2.3: one object with lists
		s.sdgLists(o, c)
	}
	o.Valid = s.validity(e)
	o.Geaendert = s.changed(e)
	e.redundant()
	e.unused(s.rep.skip)
	return s.each(*rec)
}

func (s *scanner) sdgLists(o *catalog.Offer, e elem) {
	for i := e.node().first; i != 0; i = e.t.nodes[i].next {
		e.t.nodes[i].used = true
		c := elem{e.t, i}
		if v := c.code(); v != "" {
			o.SDG = append(o.SDG, s.digits(c, v, 7)...)
			continue
		}
		s.sdgLists(o, c)
	}
}

// key reads the LeiKa key: of several the first that is one. A key that is
// none is left out with a finding; the Leistung stays.
func (s *scanner) key(e elem) leika.ID {
	var key leika.ID
	for _, name := range [...]string{"referenzLeiKa", "referenzLeistungsschluessel"} {
		for c := range e.each(name) {
			id, err := leika.Parse(c.code())
			switch {
			case err != nil:
				s.warn(catalog.CodeLeika, name, fmt.Sprintf("%q ist kein LeiKa-Schlüssel. Die Leistung gilt als Leistung ohne Schlüssel.", clip(c.code())), "Ein LeiKa-Schlüssel hat 14 Ziffern.")
			case key != 0 && key != id:
				s.warn(catalog.CodeLeika, name, fmt.Sprintf("Die Leistung nennt mehrere LeiKa-Schlüssel. %s wurde ausgelassen.", id), "Legen Sie für jeden Schlüssel eine eigene Leistung an.")
			default:
				key = id
			}
		}
	}
	return key
}

// modules reads the texts: titles, sections, costs, deadlines and duration.
func (s *scanner) modules(e elem, o *catalog.Offer) {
	var first, second, teaser catalog.Text
	var list sections
	for m := range e.each("modulText") {
		code := m.child("leikaTextmodul").code()
		kind, known := moduleKind(code)
		switch {
		case code == modulBezeichnung:
			first = s.plain(m, "inhalt")
		case code == modulBezeichnung2:
			second = s.plain(m, "inhalt")
		case code == modulTeaser:
			teaser = s.withLinks(m, s.html(m, "inhalt"))
		case known:
			list.add(kind, s.withLinks(m, s.html(m, "inhalt")))
		default:
			m.known()
			s.rep.skip("modulText " + clip(code))
		}
	}
	if !list.has(catalog.Kurztext) {
		list.add(catalog.Kurztext, teaser)
	}
	for _, m := range []struct {
		name string
		kind catalog.SectionKind
	}{{"modulKosten", catalog.Kosten}, {"modulFrist", catalog.Fristen}, {"modulBearbeitungsdauer", catalog.Bearbeitungsdauer}} {
		for c := range e.each(m.name) {
			list.add(m.kind, s.withLinks(c, s.html(c, "beschreibung")))
		}
	}
	o.Sections = list
	o.Title = first
	if len(second) > 0 {
		if t := first[german]; t != "" && t != second[german] {
			o.Synonyms = append(o.Synonyms, t)
		}
		o.Title = second
	}
}

// withLinks appends the links of a module to its text as a list.
func (s *scanner) withLinks(m elem, t catalog.Text) catalog.Text {
	items := map[string]string{}
	for l := range m.each("weiterfuehrenderLink") {
		l.known()
		lang, ok := s.language(l)
		uri := l.child("uri").text()
		if !ok || uri == "" {
			continue
		}
		title := l.child("titel").text()
		if title == "" {
			title = uri
		}
		items[lang] += `<li><a href="` + html.EscapeString(uri) + `">` + html.EscapeString(s.clean.Plain(title)) + `</a></li>`
	}
	for lang, list := range items {
		if list = s.clean.HTML("<ul>" + list + "</ul>"); strings.Contains(list, "<a ") {
			t = put(t, lang, t[lang]+list)
		} else {
			s.warn(catalog.CodeURL, "weiterfuehrenderLink", "Ein Link ist keine vollständige Web-Adresse und wurde ausgelassen.", "Eine Adresse beginnt mit https://.")
		}
	}
	return t
}

func (s *scanner) klassifizierung(o *catalog.Offer, e elem) {
	code := e.code()
	switch list := e.attr("listURI"); {
	case list == listLagen:
		o.Lebenslagen = append(o.Lebenslagen, s.digits(e, code, 7)...)
	case list == listThemenfeld:
		o.Themenfeld = code
	case list == listReichweite && code == codeNetz:
		o.Reach = catalog.ReachNetwork
	case list == listKennzeichen && code == codeEigene:
		o.Own = true
	default:
		s.rep.skip("klassifizierung " + clip(list))
	}
}

// digits returns the one code if it has exactly n digits; a wrong one is
// left out with a finding.
func (s *scanner) digits(e elem, code string, n int) []string {
	if len(code) == n && strings.Trim(code, "0123456789") == "" {
		return []string{code}
	}
	s.warn(catalog.CodeCode, e.node().name, fmt.Sprintf("%q ist kein Code aus %d Ziffern und wurde ausgelassen.", clip(code), n), "Nehmen Sie einen Code der amtlichen Liste.")
	return nil
}

// short reads a word or a line, cut to what a catalogue takes.
func (s *scanner) short(field string, e elem) string {
	const longest = 300
	v := s.clean.Plain(e.text())
	if len(v) > longest {
		s.warn(catalog.CodeText, field, fmt.Sprintf("Der Eintrag ist länger als %d Bytes und wurde ausgelassen.", longest), "Kürzen Sie den Eintrag.")
		return ""
	}
	return v
}

// spezialisierung reads a Leistung that changes another one for some areas.
func (s *scanner) spezialisierung(e elem, rec *Record) error {
	rec.Base = identifier(e.child("leistungID"))
	rec.Areas = s.areas(e, "gueltigkeitGebietID")
	return s.leistung(e, rec)
}
