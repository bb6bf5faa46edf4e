package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rathausnetz/federation"
)

// Validate checks what every catalogue must satisfy, whoever publishes it:
// identity, shape, lengths, markup and codes (Invalid), and says what looks
// like a mistake (Warn). It expects a normalised catalogue. A receiver
// refuses a catalogue with an Invalid finding. [DESIGN §3]
func Validate(c *Catalogue) []Finding {
	var f findings
	if n := len(c.Offers) + len(c.Units) + len(c.Delegations); n > MaxRecords {
		f.add(Invalid, CodeLimit, "", fmt.Sprintf("Der Katalog hat %d Einträge, erlaubt sind %d.", n, MaxRecords), "Teilen Sie den Katalog auf mehrere Mitglieder auf.")
		return f.list
	}
	units := make(map[ID]bool, len(c.Units))
	for i := range c.Units {
		units[c.Units[i].ID] = true
	}
	forms, claims := map[ID]*Onlinedienst{}, map[ID]ID{}
	for i := range c.Offers {
		o := &c.Offers[i]
		f.offer(o)
		f.sameForms(o, forms)
		f.ownClaims(o, claims)
		f.repeated(i > 0 && c.Offers[i-1].ID == o.ID)
		for j := range o.Zustaendigkeiten {
			if u := o.Zustaendigkeiten[j].Unit; u != "" && !units[u] {
				f.add(Warn, CodeUnit, "zustaendigkeit", fmt.Sprintf("Die Organisationseinheit %s fehlt im Katalog.", u), "Liefern Sie die Organisationseinheit mit.")
			}
		}
	}
	for i := range c.Units {
		f.unit(&c.Units[i])
		f.repeated(i > 0 && c.Units[i-1].ID == c.Units[i].ID)
	}
	for i := range c.Delegations {
		f.delegation(&c.Delegations[i])
		f.repeated(i > 0 && c.Delegations[i-1].ID == c.Delegations[i].ID)
	}
	return f.list
}

func (f *findings) repeated(yes bool) {
	if yes {
		f.add(Invalid, CodeDuplicate, "id", "Die Kennung kommt zweimal vor.", "Vergeben Sie jede Kennung nur einmal.")
	}
}

func (f *findings) offer(o *Offer) {
	f.record = o.ID
	f.id(o.ID)
	f.text("title", o.Title, false)
	if len(o.Title) == 0 {
		f.add(Invalid, CodeTitle, "title", "Die Leistung hat keine Bezeichnung.", "Tragen Sie eine Bezeichnung ein.")
	}
	f.lists(len(o.Synonyms), len(o.Audience), len(o.Lebenslagen), len(o.SDG), len(o.Zustaendigkeiten), len(o.Onlinedienste), len(o.Sections))
	for _, s := range o.Synonyms {
		f.short("synonyms", s)
	}
	last := -1
	for i := range o.Sections {
		s := &o.Sections[i]
		if r := s.Kind.Rank(); r <= last {
			f.add(Invalid, CodeSection, string(s.Kind), "Der Abschnitt ist unbekannt oder doppelt.", "Jeder Abschnitt kommt höchstens einmal vor.")
		} else {
			last = r
		}
		f.text(string(s.Kind), s.Text, true)
	}
	f.codes(o)
	f.validity("valid", o.Valid)
	for i := range o.Zustaendigkeiten {
		f.zustaendigkeit(o, i)
	}
	for i := range o.Onlinedienste {
		f.onlinedienst(&o.Onlinedienste[i])
		f.repeated(i > 0 && o.Onlinedienste[i-1].ID == o.Onlinedienste[i].ID)
	}
	if o.Reach != ReachArea && o.Reach != ReachNetwork {
		f.add(Invalid, CodeCode, "reach", "Die Reichweite ist unbekannt.", "Erlaubt sind: eigenes Gebiet, ganzes Netz.")
	}
	if o.Leika.IsZero() {
		f.add(Warn, CodeNoKey, "leika", "Die Leistung hat keinen LeiKa-Schlüssel und wird nur über die Suche gefunden.", "Tragen Sie den Schlüssel ein, wenn es einen gibt.")
	}
}

func (f *findings) codes(o *Offer) {
	for _, list := range []struct {
		field  string
		values []string
		digits int
	}{{"audience", o.Audience, 3}, {"lebenslagen", o.Lebenslagen, 7}, {"sdg", o.SDG, 7}} {
		for _, v := range list.values {
			if len(v) != list.digits || strings.Trim(v, "0123456789") != "" {
				f.add(Invalid, CodeCode, list.field, fmt.Sprintf("%q ist kein Code aus %d Ziffern.", clip(v), list.digits), "Nehmen Sie einen Code der amtlichen Liste.")
			}
		}
	}
	if o.Themenfeld != "" && !slices.Contains(Themenfelder(), o.Themenfeld) {
		f.add(Invalid, CodeCode, "themenfeld", fmt.Sprintf("%q ist kein OZG-Themenfeld.", clip(o.Themenfeld)), "Nehmen Sie eines der 14 Themenfelder.")
	}
}

// Themenfelder returns the 14 OZG-Themenfelder as the FIM portal spells them.
func Themenfelder() []string {
	return []string{
		"mobilitaet_reisen", "bildung", "engagement_hobby", "ein_auswanderung", "unternehmensfuehrung_entwicklung",
		"steuern_zoll", "umwelt", "arbeit_ruhestand", "familie_kind", "querschnittsleistungen", "bauen_wohnen",
		"forschung_foerderung", "gesundheit", "recht_ordnung",
	}
}

func (f *findings) zustaendigkeit(o *Offer, i int) {
	z := &o.Zustaendigkeiten[i]
	f.id(z.ID)
	f.lists(len(z.Except))
	if z.Unit != "" {
		f.id(z.Unit)
	}
	f.validity("zustaendigkeit", z.Valid)
	if z.Role != Zustaendig && z.Role != Beides && z.Role != Ansprechpunkt {
		f.add(Invalid, CodeRole, "zustaendigkeit", fmt.Sprintf("Die Rolle %q gibt es nicht.", clip(string(z.Role))), "Erlaubt sind 01, 02 und 03.")
	}
	for _, x := range z.Except {
		if x == z.Area || !z.Area.Covers(x) {
			f.add(Invalid, CodeArea, "zustaendigkeit", fmt.Sprintf("Die Ausnahme %s liegt nicht im Gebiet %s.", x, z.Area), "Nehmen Sie nur Gebiete aus, die im Gebiet liegen.")
		}
	}
	if i == 0 || o.Zustaendigkeiten[i-1].ID != z.ID {
		return
	}
	p := &o.Zustaendigkeiten[i-1]
	if p.Area == z.Area || p.Role != z.Role || p.Unit != z.Unit || p.Valid != z.Valid {
		f.add(Invalid, CodeDuplicate, "zustaendigkeit", fmt.Sprintf("Die Zuständigkeit %s kommt zweimal mit verschiedenem Inhalt vor.", z.ID), "Unter einer Kennung dürfen sich nur die Gebiete unterscheiden.")
	}
}

func (f *findings) onlinedienst(d *Onlinedienst) {
	f.id(d.ID)
	f.text("onlinedienst", d.Title, false)
	f.validity("onlinedienst", d.Valid)
	f.url("onlinedienst", d.URL, true)
	f.lists(len(d.Areas), len(d.Links))
	for _, l := range d.Links {
		f.id(l.ID)
		f.lists(len(l.Areas))
	}
	if d.Level > federation.LevelHoch {
		f.add(Invalid, CodeLevel, "onlinedienst", "Das Vertrauensniveau ist unbekannt.", "Erlaubt sind ohne, basis, niedrig, substanziell und hoch.")
	}
}

// sameForms checks that one Onlinedienst says the same at every offer it is
// part of: it is one record, shown in several places.
func (f *findings) sameForms(o *Offer, forms map[ID]*Onlinedienst) {
	for i := range o.Onlinedienste {
		d := &o.Onlinedienste[i]
		before, ok := forms[d.ID]
		if !ok {
			forms[d.ID] = d
			continue
		}
		if before.URL != d.URL || before.Level != d.Level || before.Payment != d.Payment || before.Valid != d.Valid || !maps.Equal(before.Title, d.Title) {
			f.add(Invalid, CodeDuplicate, "onlinedienst", fmt.Sprintf("Der Onlinedienst %s steht bei mehreren Leistungen mit verschiedenem Inhalt.", d.ID), "Geben Sie ihm überall dieselben Angaben oder verschiedene Kennungen.")
		}
	}
}

// ownClaims checks that the id of a claim is not used by another offer too:
// a change of that claim would not know which one is meant.
func (f *findings) ownClaims(o *Offer, claims map[ID]ID) {
	check := func(id ID) {
		if before, ok := claims[id]; ok && before != o.ID {
			f.add(Invalid, CodeDuplicate, "zustaendigkeit", fmt.Sprintf("Die Zuständigkeit %s steht bei zwei Leistungen.", id), "Vergeben Sie jede Kennung nur einmal.")
		}
		claims[id] = o.ID
	}
	for i := range o.Zustaendigkeiten {
		check(o.Zustaendigkeiten[i].ID)
	}
	for i := range o.Onlinedienste {
		for _, l := range o.Onlinedienste[i].Links {
			check(l.ID)
		}
	}
}

func (f *findings) unit(u *Unit) {
	f.record = u.ID
	f.id(u.ID)
	f.text("name", u.Name, false)
	f.text("hours", u.Hours, true)
	if len(u.Name) == 0 {
		f.add(Invalid, CodeTitle, "name", "Die Organisationseinheit hat keinen Namen.", "Tragen Sie den Namen ein.")
	}
	for field, s := range map[string]string{"street": u.Street, "plz": u.PLZ, "ort": u.Ort, "phone": u.Phone, "email": u.Email} {
		if s != "" {
			f.short(field, s)
		}
	}
	f.url("url", u.URL, false)
	if u.Email != "" && (strings.Count(u.Email, "@") != 1 || strings.ContainsAny(u.Email, " <>\"'?&")) {
		f.add(Invalid, CodeText, "email", "Das ist keine E-Mail-Adresse.", "Tragen Sie genau eine Adresse ein.")
	}
	if u.Phone == "" && u.Email == "" && u.URL == "" {
		f.add(Warn, CodeContact, "", "Die Organisationseinheit ist auf keinem Weg zu erreichen.", "Tragen Sie Telefon oder E-Mail ein.")
	}
}

func (f *findings) delegation(d *Delegation) {
	f.record = d.ID
	f.id(d.ID)
	f.validity("delegation", d.Valid)
	f.lists(len(d.Areas))
	if id, err := federation.ParseEntityID(string(d.To), true); err != nil || id != d.To {
		f.add(Invalid, CodeMember, "to", "Die Übertragung nennt kein Mitglied.", "Nennen Sie die Adresse des Mitglieds, mit https:// am Anfang.")
	}
	if d.Leika.IsZero() {
		f.add(Invalid, CodeLeika, "leika", "Die Übertragung nennt keinen LeiKa-Schlüssel.", "Übertragen Sie jede Leistung einzeln.")
	}
	if len(d.Areas) == 0 {
		f.add(Invalid, CodeArea, "areas", "Die Übertragung nennt kein Gebiet.", "Nennen Sie die Gebiete, für die sie gilt.")
	}
}

func (f *findings) id(id ID) {
	_, value, ok := strings.Cut(string(id), ":")
	if !ok || value == "" || len(id) > MaxID || !printable(string(id)) {
		f.add(Invalid, CodeID, "id", fmt.Sprintf("%q ist keine Kennung.", clip(string(id))), "Eine Kennung hat die Form STELLE:WERT, ohne Leerzeichen am Rand.")
	}
}
