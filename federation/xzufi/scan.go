package xzufi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
	"rathausnetz/federation/xzufi/token"
)

// The namespaces that are read; the first is the one that is written.
const (
	space220 = "http://xoev.de/schemata/xzufi/2_2_0"
	space230 = "http://xoev.de/schemata/xzufi/2_3_0"
	space231 = "http://xoev.de/schemata/xzufi/2_3_1"
)

// scanner reads one message.
type scanner struct {
	tok   *token.Reader
	file  string
	opt   Options
	clean *markup.Cleaner
	rep   *Report
	each  func(Record) error
	tree  tree

	record catalog.ID // the record being read, for findings
	line   int        // of it
}

// message reads the root element and what is directly below it.
func (s *scanner) message() error {
	if _, err := s.tok.Next(); err != nil {
		return s.broken(err)
	}
	if sp := s.tok.Space(); !slices.Contains([]string{space220, space230, space231}, sp) {
		return &Error{
			File: s.file, Line: s.tok.Line(), Element: s.tok.Local(), Err: ErrNamespace,
			Message: fmt.Sprintf("Der Namensraum %q ist nicht XZuFi 2.2 oder 2.3. Exportieren Sie die Daten als XZuFi 2.2.", clip(sp)),
		}
	}
	s.tree.space = s.tok.Space()
	for {
		kind, err := s.tok.Next()
		if err != nil {
			return s.broken(err)
		}
		switch {
		case kind == token.EOF:
			return nil
		case kind != token.Start:
			continue
		}
		name, own := s.tok.Local(), s.tok.Space() == s.tree.space
		if err := s.tree.build(s.tok); err != nil {
			return s.broken(err)
		}
		e := elem{&s.tree, 0}
		switch {
		case own && name == "schreibe":
			err = s.schreibe(e)
		case own && name == "loesche":
			err = s.loesche(e)
		case own && (name == "nachrichtenkopf" || name == "transaktionID" || name == "transaktionPosition"):
		default:
			s.rep.skip(name)
		}
		if err != nil {
			return err
		}
	}
}

// schreibe reads the one record of a schreibe.
func (s *scanner) schreibe(e elem) error {
	for _, r := range []struct {
		name   string
		klasse Klasse
		read   func(elem, *Record) error
	}{
		{"leistung", Leistung, s.leistung},
		{"spezialisierung", Spezialisierung, s.spezialisierung},
		{"organisationseinheit", Organisationseinheit, s.organisationseinheit},
		{"onlinedienst", Onlinedienst, s.onlinedienst},
	} {
		for c := range e.each(r.name) {
			rec := Record{File: s.file, Line: c.line(), Klasse: r.klasse, ID: identifier(c.child("id"))}
			if err := s.begin(c, rec.ID); err != nil {
				return err
			}
			s.rep.read(r.klasse)
			if err := r.read(c, &rec); err != nil {
				return err
			}
		}
	}
	for c := range e.each("zustaendigkeitTransferObjekt") {
		if err := s.transfer(c); err != nil {
			return err
		}
	}
	for i := e.node().first; i != 0; i = e.t.nodes[i].next { // the records have counted what is below them
		if n := &e.t.nodes[i]; !n.used {
			s.rep.skip(n.name)
		}
	}
	return nil
}

// begin notes which record findings are about. A record that cannot be named
// cannot be changed or deleted later: the message is refused.
func (s *scanner) begin(e elem, id catalog.ID) error {
	s.record, s.line = id, e.line()
	if id == "" {
		return s.refuse(e, ErrRecord, "Der Eintrag hat keine Kennung (id). Ergänzen Sie sie in der Quelle.")
	}
	return nil
}

func (s *scanner) refuse(e elem, err error, message string) error {
	return &Error{File: s.file, Line: e.line(), Element: e.node().name, ID: string(s.record), Err: err, Message: message}
}

// loesche reads the class and the id of what is to go [XZuFi 2.2 loesche].
func (s *scanner) loesche(e elem) error {
	klasse := Klasse(e.attr("klasse"))
	id := identifier(e.child("id"))
	if err := s.begin(e, id); err != nil {
		return err
	}
	switch klasse {
	case Leistung, Spezialisierung, Organisationseinheit, Onlinedienst, Zustaendigkeit:
	default:
		s.warn(catalog.CodeSkipped, "loesche", fmt.Sprintf("Die Klasse %q gibt es nicht. Nichts wurde gelöscht.", clip(string(klasse))),
			"Erlaubt sind Leistung, LeistungSpezialisierung, Organisationseinheit, Onlinedienst und Zustaendigkeit.")
		return nil
	}
	e.unused(s.rep.skip)
	return s.each(Record{File: s.file, Line: e.line(), Klasse: klasse, ID: id, Delete: true})
}

// broken turns what the tokenizer or the tree says into an *Error.
func (s *scanner) broken(err error) error {
	out := &Error{File: s.file, Line: s.tok.Line(), Err: err, Message: "Die Datei ist kein wohlgeformtes XML. Exportieren Sie sie neu."}
	var t *token.Error
	if errors.As(err, &t) {
		out.Line, out.Element, out.Err = t.Line, t.Element, t.Err
	}
	switch {
	case errors.Is(err, token.ErrEncoding):
		out.Message = "Die Datei ist nicht in UTF-8 gespeichert. Speichern Sie sie in UTF-8."
	case errors.Is(err, token.ErrDoctype):
		out.Message = "Die Datei enthält eine DOCTYPE-Angabe, die XZuFi nicht kennt. Entfernen Sie sie."
	case errors.Is(err, token.ErrLimit), errors.Is(err, errRecordLimit), errors.Is(err, ErrLimit):
		out.Err = fmt.Errorf("%w: %w", ErrLimit, out.Err)
		out.Message = "Ein Teil der Datei ist größer oder tiefer geschachtelt als erlaubt. Prüfen Sie den Export."
	case !errors.Is(err, token.ErrSyntax):
		out.Err = fmt.Errorf("%w: %w", ErrInput, out.Err)
		out.Message = "Die Datei lässt sich nicht bis zum Ende lesen. Prüfen Sie die Quelle."
	}
	return out
}

func (s *scanner) warn(code, field, message, remedy string) {
	s.rep.find(catalog.Finding{
		Severity: catalog.Warn, Code: code, Record: s.record, Field: field, Message: message, Remedy: remedy, File: s.file, Line: s.line,
	})
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
