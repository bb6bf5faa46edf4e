package hub

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
)

// scopeForm is what a member may claim, as people type it: one area per line,
// by key or by name.
type scopeForm struct {
	Subtree, Areas, Except, Prefixes string
	Own                              bool
	Problems                         map[string]string // by field
	Open                             bool              // the finer fields are in use
}

// maxLines bounds each field.
const maxLines = 200

func formOf(s federation.Scope) scopeForm {
	lines := func(areas []region.Area) string {
		var out []string
		for _, a := range areas {
			out = append(out, a.String())
		}
		return strings.Join(out, "\n")
	}
	f := scopeForm{Subtree: lines(s.Subtree), Areas: lines(s.Areas), Except: lines(s.Except), Prefixes: strings.Join(s.LeikaPrefixes, "\n"), Own: s.OwnOffersOnly}
	f.Open = f.Areas+f.Except+f.Prefixes != "" || f.Own
	return f
}

func typedScope(v url.Values) scopeForm {
	f := scopeForm{Subtree: v.Get("gebiet"), Areas: v.Get("genau"), Except: v.Get("ohne"), Prefixes: v.Get("leika"), Own: v.Get("eigene") != "", Problems: map[string]string{}}
	f.Open = strings.TrimSpace(f.Areas+f.Except+f.Prefixes) != "" || f.Own
	return f
}

// read turns the form into a scope; what cannot be read stands in Problems.
func (f *scopeForm) read(r *region.Register) federation.Scope {
	s := federation.Scope{OwnOffersOnly: f.Own}
	s.Subtree = f.areas("gebiet", f.Subtree, r)
	s.Areas = f.areas("genau", f.Areas, r)
	s.Except = f.areas("ohne", f.Except, r)
	for _, line := range lines(f.Prefixes) {
		if len(line) > 14 || strings.Trim(line, "0123456789") != "" {
			f.Problems["leika"] = fmt.Sprintf("„%s“ ist kein Anfang eines Schlüssels. Er hat nur Ziffern, höchstens 14.", clip(line))
			break
		}
		s.LeikaPrefixes = append(s.LeikaPrefixes, line)
	}
	if len(f.Problems) == 0 && len(s.Subtree)+len(s.Areas) == 0 {
		f.Problems["gebiet"] = "Bitte geben Sie mindestens ein Gebiet an."
	}
	return s
}

func (f *scopeForm) areas(field, text string, r *region.Register) []region.Area {
	var out []region.Area
	for i, line := range lines(text) {
		if i == maxLines {
			f.Problems[field] = fmt.Sprintf("Höchstens %d Zeilen sind möglich.", maxLines)
			break
		}
		a, err := region.ParseArea(line)
		if err == nil && !a.IsBund() {
			out = append(out, a)
			continue
		}
		found := r.Lookup(line, time.Time{})
		p, ok := found.One()
		switch {
		case ok && !found.Approximate:
			out = append(out, p.Area)
			continue
		case len(found.Candidates) > 1:
			f.Problems[field] = fmt.Sprintf("„%s“ ist nicht eindeutig. Bitte nehmen Sie den Regionalschlüssel.", clip(line))
		default:
			f.Problems[field] = fmt.Sprintf("„%s“ kennen wir nicht. Ein Regionalschlüssel hat 5, 9 oder 12 Ziffern.", clip(line))
		}
	}
	return out
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// scopeLines says a scope in sentences.
func (h *Hub) scopeLines(s federation.Scope) []string {
	var out []string
	for _, a := range s.Subtree {
		text := h.cfg.Register.Name(a) + " (" + a.String() + ")"
		if a.Len() < 12 {
			text += " mit allen Orten darin"
		}
		out = append(out, text)
	}
	for _, a := range s.Areas {
		text := h.cfg.Register.Name(a) + " (" + a.String() + ")"
		if a.Len() < 12 {
			text += ", ohne die Orte darin"
		}
		out = append(out, text)
	}
	for _, a := range s.Except {
		out = append(out, "Nicht: "+h.cfg.Register.Name(a)+" ("+a.String()+")")
	}
	if len(s.LeikaPrefixes) > 0 {
		out = append(out, "Nur Leistungen mit Schlüsseln, die so anfangen: "+strings.Join(s.LeikaPrefixes, ", "))
	}
	if s.OwnOffersOnly {
		out = append(out, "Nur eigene Leistungen ohne LeiKa-Schlüssel")
	}
	return out
}
