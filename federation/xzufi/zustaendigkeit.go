package xzufi

import (
	"fmt"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
)

// The words of identifiers around a claim.
const (
	schemeRS         = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs"
	schemeExcept     = "urn:rathausnetz:gebiet:ausser"
	schemeDelegation = "urn:rathausnetz:delegation"
	schemeLeika      = "urn:de:fim:leika:leistung"
	schemeOfUnit     = "ZustaendigkeitOrganisationseinheit"
	schemeOfOnline   = "ZustaendigkeitOnlinedienst"
)

// transfer reads a claim that comes on its own
// [XZuFi 2.2 zustaendigkeitTransferObjekt].
func (s *scanner) transfer(e elem) error {
	parent := e.child("uebergeordnetesObjektID")
	for z := range e.each("zustaendigkeit") {
		var err error
		if parent.attr("schemeID") == schemeDelegation {
			err = s.delegation(z, parent.text())
		} else {
			err = s.zustaendigkeit(z, identifier(parent), false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// zustaendigkeit reads one claim. What it refers to may come later or never.
// A claim without area claims nothing: which area is meant is not guessed.
// [XZuFi 2.2 zustaendigkeit]
func (s *scanner) zustaendigkeit(e elem, parent catalog.ID, online bool) error {
	id := e.child("id")
	rec := Record{File: s.file, Line: e.line(), Klasse: Zustaendigkeit, ID: identifier(id)}
	if err := s.begin(e, rec.ID); err != nil {
		return err
	}
	s.rep.read(Zustaendigkeit)
	c := &Claim{
		Parent: parent, Offer: identifier(e.child("leistungID")), Valid: s.validity(e),
		OfOnline: online || id.attr("schemeID") == schemeOfOnline,
	}
	rec.Claim = c
	c.Areas = s.areas(e, "gebietID")
	for x := range e.each("idSekundaer") {
		if x.attr("schemeID") != schemeExcept {
			s.rep.skip("idSekundaer " + clip(x.attr("schemeID")))
		} else if a, ok := s.area(x); ok {
			c.Except = append(c.Except, a)
		}
	}
	if c.Offer == "" {
		s.warn(catalog.CodeOrphan, "leistungID", "Die Zuständigkeit nennt keine Leistung und wurde ausgelassen.", "Ergänzen Sie leistungID.")
		return nil
	}
	role := e.child("rolle").code()
	switch c.Role = catalog.Role(role); {
	case c.Role == catalog.Zustaendig, c.Role == catalog.Beides, c.Role == catalog.Ansprechpunkt:
	case c.OfOnline: // no role is needed to show a form
		c.Role = catalog.Zustaendig
	default:
		s.warn(catalog.CodeRole, "rolle", fmt.Sprintf("Die Rolle %q gibt es nicht. Die Zuständigkeit wurde ausgelassen.", clip(role)), "Erlaubt sind 01, 02 und 03.")
		return nil
	}
	e.unused(s.rep.skip)
	return s.each(rec)
}

// delegation reads a claim that gives a key away (see the package comment).
func (s *scanner) delegation(e elem, to string) error {
	rec := Record{File: s.file, Line: e.line(), Klasse: Zustaendigkeit, ID: identifier(e.child("id"))}
	if err := s.begin(e, rec.ID); err != nil {
		return err
	}
	s.rep.read(Zustaendigkeit)
	member, err := s.opt.Entity(to)
	if err != nil {
		s.warn(catalog.CodeMember, "uebergeordnetesObjektID", fmt.Sprintf("%q ist kein Mitglied. Die Übertragung wurde ausgelassen.", clip(to)), "Nennen Sie die Adresse des Mitglieds, mit https:// am Anfang.")
		return nil
	}
	key, err := leika.Parse(e.child("leistungID").text())
	if err != nil {
		s.warn(catalog.CodeLeika, "leistungID", fmt.Sprintf("%q ist kein LeiKa-Schlüssel. Die Übertragung wurde ausgelassen.", clip(e.child("leistungID").text())), "Ein LeiKa-Schlüssel hat 14 Ziffern.")
		return nil
	}
	e.child("rolle").known()
	rec.Claim = &Claim{To: member, Leika: key, Areas: s.areas(e, "gebietID"), Valid: s.validity(e)}
	if len(rec.Claim.Areas) == 0 {
		s.warn(catalog.CodeArea, "gebietID", "Die Übertragung nennt kein Gebiet und wurde ausgelassen.", "Nennen Sie die Gebiete, für die sie gilt.")
		return nil
	}
	e.unused(s.rep.skip)
	return s.each(rec)
}
