package xzufi

import (
	"fmt"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// organisationseinheit reads whom to ask, and the claims nested in it
// [XZuFi 2.2 organisationseinheit].
func (s *scanner) organisationseinheit(e elem, rec *Record) error {
	u := &catalog.Unit{ID: rec.ID}
	rec.Unit = u
	for c := range e.each("name") {
		names := s.plain(c, "name") // doubly nested
		if len(names) == 0 {
			if lang, ok := s.language(c); ok && c.text() != "" {
				names = catalog.Text{lang: s.clean.Plain(c.text())}
			}
		}
		for lang, v := range names {
			if u.Name[lang] == "" {
				u.Name = put(u.Name, lang, v)
			}
		}
	}
	for c := range e.each("anschrift") {
		if u.Ort == "" {
			s.anschrift(u, c)
		} else {
			c.known()
		}
	}
	for c := range e.each("kommunikation") {
		s.kommunikation(u, c)
	}
	for c := range e.each("internetadresse") {
		c.known()
		if v := s.short("internetadresse", c.child("uri")); u.URL == "" {
			u.URL = v
		}
	}
	u.Hours = s.html(e, "infoOeffnungszeitenText")
	u.Geaendert = s.changed(e)
	if err := s.each(*rec); err != nil {
		return err
	}
	return s.nested(e, rec.ID, false)
}

func (s *scanner) anschrift(u *catalog.Unit, e elem) {
	u.Street = s.short("strasse", e.child("strasse"))
	if n := s.short("hausnummer", e.child("hausnummer")); n != "" && u.Street != "" {
		u.Street += " " + n
	}
	u.PLZ = s.short("postleitzahl", e.child("postleitzahl"))
	u.Ort = s.short("ort", e.child("ort"))
	k := e.child("verwaltungspolitischeKodierung")
	k.known()
	if v := k.child("regionalschluessel").code(); v != "" {
		a, err := region.ParseArea(v)
		if err != nil {
			s.warn(catalog.CodeArea, "regionalschluessel", fmt.Sprintf("%q ist kein Regionalschlüssel und wurde ausgelassen.", clip(v)), "Ein Regionalschlüssel hat 2, 3, 5, 9 oder 12 Ziffern.")
			return
		}
		u.Area = a
	}
}

// The channels of urn:de:xoev:codeliste:erreichbarkeit that are kept.
const (
	kanalMail   = "01"
	kanalFest   = "02"
	kanalMobil  = "03"
	kanalWeb    = "09"
	listKanal   = "urn:de:xoev:codeliste:erreichbarkeit"
	listNiveau  = "urn:rathausnetz:codeliste:vertrauensniveau"
	listZahlung = "urn:rathausnetz:codeliste:zahlung"
	codeOnline  = "online"
)

// kommunikation keeps the first address of each channel.
func (s *scanner) kommunikation(u *catalog.Unit, e elem) {
	kanal := e.child("kanal").code()
	var field *string
	switch kanal {
	case kanalMail:
		field = &u.Email
	case kanalFest, kanalMobil:
		field = &u.Phone
	case kanalWeb:
		field = &u.URL
	default:
		e.known()
		s.rep.skip("kommunikation " + clip(kanal))
		return
	}
	if v := s.short("kommunikation", e.child("kennung")); *field == "" {
		*field = v
	}
}

// onlinedienst reads an online form, and the claims nested in it
// [XZuFi 2.2 onlinedienst].
func (s *scanner) onlinedienst(e elem, rec *Record) error {
	d := &catalog.Onlinedienst{ID: rec.ID, Title: s.plain(e, "bezeichnung")}
	rec.Form = d
	for c := range e.each("link") {
		c.known()
		lang, _ := s.language(c)
		if v := c.child("link").text(); d.URL == "" || (lang == german && d.URL != v) {
			d.URL = v
		}
	}
	d.Level = s.level(e)
	for c := range e.each("zahlungsweise") {
		if code := c.code(); c.attr("listURI") == listZahlung && code == codeOnline {
			d.Payment = true
		} else {
			s.rep.skip("zahlungsweise " + clip(c.attr("listURI")))
		}
	}
	d.Valid = s.validity(e)
	if err := s.each(*rec); err != nil {
		return err
	}
	return s.nested(e, rec.ID, true)
}

// level reads vertrauensniveau: a word of this project's own list, or a code
// the Options map. Several mean the highest.
func (s *scanner) level(e elem) federation.Level {
	highest := federation.LevelNone
	for c := range e.each("vertrauensniveau") {
		code := c.code()
		l, mapped := s.opt.Levels[code]
		if c.attr("listURI") == listNiveau {
			var err error
			l, err = federation.ParseLevel(code)
			mapped = err == nil
		}
		if !mapped {
			s.warn(catalog.CodeLevel, "vertrauensniveau", fmt.Sprintf("Dem Code %q ist kein Vertrauensniveau zugeordnet. Es wurde keines übernommen.", clip(code)), "Ordnen Sie den Code in der Konfiguration zu.")
			continue
		}
		highest = max(highest, l)
	}
	return highest
}

// nested reads the claims inside an Organisationseinheit or Onlinedienst.
func (s *scanner) nested(e elem, parent catalog.ID, online bool) error {
	for c := range e.each("zustaendigkeit") {
		if err := s.zustaendigkeit(c, parent, online); err != nil {
			return err
		}
	}
	e.redundant()
	e.unused(s.rep.skip)
	return nil
}
