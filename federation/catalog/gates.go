package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// GateInput is what Gates needs to know beside the catalogue.
type GateInput struct {
	Scope federation.Scope // what the publisher's hub has granted
	// Next is what it will grant on a day to come: that may be claimed already,
	// and counts from then on. nil: nothing is planned.
	Next *federation.Planned
	// Delegated reports what others have given to the publisher, the whole area
	// of it: that may be claimed as well. nil: nothing.
	Delegated Delegated
	// Register reports whether a LeiKa key is known; nil means that no
	// register is loaded and keys are not checked.
	Register func(leika.ID) bool
	// Loopback accepts http:// links to loopback names such as
	// melle.localhost: a demonstration network has no certificates.
	Loopback bool
	Now      time.Time // for "validity is over"; the zero value skips that
}

// Gates decides whether a normalised and valid catalogue may be published. A
// finding with severity Block stops the publication as a whole; everything
// else warns. It blocks for: placeholder texts, an offer nobody is
// responsible for, an http:// link, a LeiKa key the register does not know
// (unless the offer is marked as Own), an area or key outside the granted
// scope, a title over MaxTitle characters.
func Gates(c *Catalogue, in GateInput) []Finding {
	var f findings
	for i := range c.Offers {
		f.gateOffer(&c.Offers[i], in)
	}
	for i := range c.Units {
		u := &c.Units[i]
		f.record = u.ID
		f.gateTitle("name", u.Name)
		f.gateText("name", u.Name)
		f.gateText("hours", u.Hours)
		f.gateLinks("hours", u.Hours, in.Loopback)
		f.gateURL("url", u.URL, in.Loopback)
	}
	for i := range c.Delegations {
		d := &c.Delegations[i]
		f.record = d.ID
		f.gateKey(d.Leika, in, in.Scope.CoversKey(d.Leika), false)
		for _, a := range d.Areas {
			f.gateArea("areas", a.String(), delegable(in.Scope, a))
		}
	}
	return f.list
}

// allowed reports whether the publisher may claim key in area.
func (in *GateInput) allowed(key leika.ID, area region.Area) bool {
	return in.Scope.CoversArea(area) || in.Next != nil && in.Next.Scope.CoversArea(area) || in.Delegated != nil && !key.IsZero() && in.Delegated(key, area)
}

// keyAllowed reports whether an offer may have its key: granted, or delegated
// for every area the offer claims.
func (in *GateInput) keyAllowed(o *Offer) bool {
	if in.Scope.CoversKey(o.Leika) || in.Next != nil && in.Next.Scope.CoversKey(o.Leika) {
		return true
	}
	return in.Delegated != nil && !slices.ContainsFunc(o.Zustaendigkeiten, func(z Zustaendigkeit) bool { return !in.Delegated(o.Leika, z.Area) })
}

func (f *findings) gateOffer(o *Offer, in GateInput) {
	f.record = o.ID
	f.gateTitle("title", o.Title)
	f.gateText("title", o.Title)
	for i := range o.Sections {
		f.gateText(string(o.Sections[i].Kind), o.Sections[i].Text)
		f.gateLinks(string(o.Sections[i].Kind), o.Sections[i].Text, in.Loopback)
	}
	f.gateKey(o.Leika, in, in.keyAllowed(o), o.Own)
	responsible := false
	for i := range o.Zustaendigkeiten {
		z := &o.Zustaendigkeiten[i]
		responsible = responsible || z.Role.Responsible()
		f.gateArea("zustaendigkeit", z.Area.String(), in.allowed(o.Leika, z.Area))
	}
	if !responsible {
		f.add(Block, CodeAuthority, "zustaendigkeit", "Für die Leistung ist niemand zuständig.", "Tragen Sie eine zuständige Stelle mit einem Gebiet ein.")
	}
	for i := range o.Onlinedienste {
		f.gateURL("onlinedienst", o.Onlinedienste[i].URL, in.Loopback)
		f.gateText("onlinedienst", o.Onlinedienste[i].Title)
		for _, a := range o.Onlinedienste[i].Areas {
			f.gateArea("onlinedienst", a.String(), in.allowed(o.Leika, a))
		}
	}
	if !in.Now.IsZero() && !o.Valid.To.IsZero() && !in.Now.Before(o.Valid.To) {
		f.add(Warn, CodeExpired, "valid", "Die Gültigkeit der Leistung ist abgelaufen.", "Verlängern Sie die Gültigkeit oder löschen Sie die Leistung.")
	}
}

func (f *findings) gateTitle(field string, t Text) {
	for _, s := range t {
		if n := utf8.RuneCountInString(s); n > MaxTitle {
			f.add(Block, CodeTitleLength, field, fmt.Sprintf("Die Bezeichnung hat %d Zeichen, erlaubt sind %d.", n, MaxTitle), "Kürzen Sie die Bezeichnung.")
		}
	}
}

func (f *findings) gateText(field string, t Text) {
	for _, s := range t {
		if p := placeholder(s); p != "" {
			f.add(Block, CodePlaceholder, field, fmt.Sprintf("Im Text steht noch der Platzhalter %q.", p), "Ersetzen Sie ihn durch den endgültigen Text.")
			return
		}
	}
}

func (f *findings) gateLinks(field string, t Text, loopback bool) {
	for _, s := range t {
		for rest := s; ; {
			at := strings.Index(rest, `href="http://`)
			if at < 0 {
				break
			}
			rest = rest[at+len(`href="`):]
			end := strings.IndexByte(rest, '"')
			if end < 0 {
				break
			}
			f.gateURL(field, rest[:end], loopback)
			rest = rest[end:]
		}
	}
}

func (f *findings) gateURL(field, s string, loopback bool) {
	if !strings.HasPrefix(s, "http://") {
		return
	}
	if u, err := url.Parse(s); loopback && err == nil && federation.IsLoopbackHost(u.Hostname()) {
		return
	}
	f.add(Block, CodePlaintextLink, field, fmt.Sprintf("Der Link %s ist unverschlüsselt.", clip(s)), "Verwenden Sie die Adresse mit https://.")
}

func (f *findings) gateKey(key leika.ID, in GateInput, allowed, own bool) {
	if key.IsZero() {
		return
	}
	if in.Register != nil && !own && !in.Register(key) {
		f.add(Block, CodeLeika, "leika", fmt.Sprintf("Der LeiKa-Schlüssel %s steht nicht im Register.", key), "Berichtigen Sie den Schlüssel oder kennzeichnen Sie die Leistung als eigene Leistung.")
	}
	if !allowed {
		f.add(Block, CodeScopeKey, "leika", fmt.Sprintf("Der LeiKa-Schlüssel %s gehört nicht zu den Leistungen, die Ihnen gewährt sind.", key), "Bitten Sie Ihren Landkreis, die Gewährung zu erweitern.")
	}
}

func (f *findings) gateArea(field, area string, covered bool) {
	if !covered {
		f.add(Block, CodeScopeArea, field, fmt.Sprintf("Das Gebiet %s liegt außerhalb des Gebiets, das Ihnen gewährt ist.", area), "Berichtigen Sie das Gebiet oder bitten Sie Ihren Landkreis, die Gewährung zu erweitern.")
	}
}

// placeholder returns the placeholder in s that an editor has forgotten, ""
// if there is none: two or more X as a word, an empty or dotted bracket, TODO
// as a word. "XX" as a Roman number blocks too: "20" says the same.
func placeholder(s string) string {
	for _, p := range [...]string{"[…]", "[...]", "[..]", "[ ]", "[]"} {
		if strings.Contains(s, p) {
			return p
		}
	}
	for word := range strings.FieldsFuncSeq(s, notLetter) {
		if word == "TODO" || (len(word) >= 2 && strings.Trim(word, "X") == "") {
			return word
		}
	}
	return ""
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
