package catalog

import (
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Catalogue is everything one member offers at one serial. Offers, Units and
// Delegations are sorted by ID (see Normalize). A published catalogue is
// never changed: every holder may read it concurrently.
type Catalogue struct {
	Member      federation.EntityID `json:"member"`
	Serial      uint64              `json:"serial"`
	Offers      []Offer             `json:"offers"`
	Units       []Unit              `json:"units"`
	Delegations []Delegation        `json:"delegations"`
}

// ID identifies a record inside a catalogue: XZuFi agency and value, written
// AGENCY:VALUE. A bare value is not unique [XZuFi 2.2 Identifikator].
type ID string

// NewID joins agency and value. A colon or per cent sign of the agency is
// written as %3A or %25, so that Split can take the ID apart again.
func NewID(agency, value string) ID {
	if strings.ContainsAny(agency, ":%") {
		agency = strings.ReplaceAll(strings.ReplaceAll(agency, "%", "%25"), ":", "%3A")
	}
	return ID(agency + ":" + value)
}

// Split returns agency and value as NewID got them.
func (id ID) Split() (agency, value string) {
	agency, value, ok := strings.Cut(string(id), ":")
	if !ok {
		return "", string(id)
	}
	return strings.ReplaceAll(strings.ReplaceAll(agency, "%3A", ":"), "%25", "%"), value
}

// Text is one text in several languages, by two-letter language code. Values
// are plain text or, in Section, HTML reduced to the allowed tags.
type Text map[string]string

// In returns the text in lang, else in German, else in any language, and the
// language it is really in; both are "" if there is no text.
func (t Text) In(lang string) (text, actual string) {
	if s := t[lang]; s != "" {
		return s, lang
	}
	if s := t["de"]; s != "" {
		return s, "de"
	}
	for l, s := range t {
		if s != "" && (actual == "" || l < actual) {
			text, actual = s, l
		}
	}
	return text, actual
}

// Offer is one Leistung as one member offers it.
type Offer struct {
	ID    ID       `json:"id"`
	Leika leika.ID `json:"leika,omitzero"` // zero: an offer without LeiKa key
	// Own is the editor's "eigene Leistung" tick: the key, if any, is known
	// not to be in the register.
	Own              bool             `json:"own,omitempty"`
	Title            Text             `json:"title"`
	Synonyms         []string         `json:"synonyms,omitempty"`
	Sections         []Section        `json:"sections,omitempty"` // in the order of SectionKind, one per kind
	Audience         []string         `json:"audience,omitempty"` // 001 Bürger, 002 Unternehmen, 003 Verwaltung
	Lebenslagen      []string         `json:"lebenslagen,omitempty"`
	Themenfeld       string           `json:"themenfeld,omitempty"` // OZG-Themenfeld, one of 14
	SDG              []string         `json:"sdg,omitempty"`        // 7 digits each
	Zustaendigkeiten []Zustaendigkeit `json:"zustaendigkeiten,omitempty"`
	Onlinedienste    []Onlinedienst   `json:"onlinedienste,omitempty"`
	Reach            Reach            `json:"reach,omitempty"`
	Valid            Validity         `json:"valid,omitzero"`
	Geaendert        time.Time        `json:"geaendert,omitzero"` // last change by an editor, whole seconds UTC
}

// Section is one part of an offer's description; Text holds HTML reduced to
// p br h1–h6 b strong i em sup sub ul ol li and a href.
type Section struct {
	Kind SectionKind `json:"kind"`
	Text Text        `json:"text"`
}

// SectionKind names a module of XZuFi in the project's words.
type SectionKind string

// The sections in the order in which they are shown and stored.
const (
	Kurztext          SectionKind = "kurztext"
	Volltext          SectionKind = "volltext"
	Unterlagen        SectionKind = "unterlagen"
	Voraussetzungen   SectionKind = "voraussetzungen"
	Kosten            SectionKind = "kosten"
	Fristen           SectionKind = "fristen"
	Bearbeitungsdauer SectionKind = "bearbeitungsdauer"
	Verfahrensablauf  SectionKind = "verfahrensablauf"
	Rechtsgrundlage   SectionKind = "rechtsgrundlage"
	Formulare         SectionKind = "formulare"
	Hinweise          SectionKind = "hinweise"
	Weiterfuehrendes  SectionKind = "weiterfuehrendes"
	Rechtsbehelf      SectionKind = "rechtsbehelf"
)

// Section returns the text of kind, nil if the offer has none.
func (o *Offer) Section(kind SectionKind) Text {
	for i := range o.Sections {
		if o.Sections[i].Kind == kind {
			return o.Sections[i].Text
		}
	}
	return nil
}

// Role says what an authority does for a Leistung in an area [XZuFi 2.2 rolle].
type Role string

// The roles. Only Zustaendig and Beides are responsible.
const (
	Zustaendig    Role = "01"
	Ansprechpunkt Role = "03"
	Beides        Role = "02"
)

// Responsible reports whether r makes a claim on responsibility.
func (r Role) Responsible() bool { return r == Zustaendig || r == Beides }

// Zustaendigkeit says that a unit is responsible for the offer in Area and
// everything inside it, without the areas in Except.
type Zustaendigkeit struct {
	ID     ID            `json:"id"`
	Area   region.Area   `json:"area"`
	Except []region.Area `json:"except,omitempty"`
	Role   Role          `json:"role"`
	Unit   ID            `json:"unit,omitempty"`
	Valid  Validity      `json:"valid,omitzero"`
}

// Validity is a span of days; the zero value is always. Both ends are
// midnight UTC of a date; To is the first day on which it no longer holds.
type Validity struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// At reports whether v holds at t.
func (v Validity) At(t time.Time) bool {
	return (v.From.IsZero() || !t.Before(v.From)) && (v.To.IsZero() || t.Before(v.To))
}

// Within returns the time when both v and w hold. ok is false if there is none.
func (v Validity) Within(w Validity) (both Validity, ok bool) {
	if v.From.IsZero() || w.From.After(v.From) {
		v.From = w.From
	}
	if v.To.IsZero() || !w.To.IsZero() && w.To.Before(v.To) {
		v.To = w.To
	}
	return v, !v.empty()
}

func (v Validity) empty() bool { return !v.To.IsZero() && !v.From.Before(v.To) }

// IsZero reports whether v is unlimited.
func (v Validity) IsZero() bool { return v.From.IsZero() && v.To.IsZero() }

// Onlinedienst is an online form of the offer.
type Onlinedienst struct {
	ID      ID               `json:"id"`
	Title   Text             `json:"title,omitempty"`
	URL     string           `json:"url"` // https, absolute
	Level   federation.Level `json:"level"`
	Payment bool             `json:"payment,omitempty"` // must be paid online
	// Areas restricts the form to these areas and all inside them; empty
	// means wherever the offer is responsible.
	Areas []region.Area `json:"areas,omitempty"`
	Valid Validity      `json:"valid,omitzero"`
	// Links are the Zustaendigkeiten that tie the form to this offer. They
	// are kept so that a later change of one of them finds it; to whom the
	// form is shown is decided by Areas alone.
	Links []Link `json:"links,omitempty"`
}

// Link ties an Onlinedienst to its offer in Areas; no areas means wherever
// the offer is responsible.
type Link struct {
	ID    ID            `json:"id"`
	Areas []region.Area `json:"areas,omitempty"`
}

// Reach says who hears of an offer without LeiKa key.
type Reach string

// The reaches; the zero value is ReachArea.
const (
	ReachArea    Reach = ""        // only where the offer is responsible
	ReachNetwork Reach = "network" // every portal of the network
)

// Unit is an Organisationseinheit: whom to ask, where to go.
type Unit struct {
	ID        ID          `json:"id"`
	Name      Text        `json:"name"`
	Street    string      `json:"street,omitempty"`
	PLZ       string      `json:"plz,omitempty"`
	Ort       string      `json:"ort,omitempty"`
	Phone     string      `json:"phone,omitempty"`
	Email     string      `json:"email,omitempty"`
	URL       string      `json:"url,omitempty"`
	Hours     Text        `json:"hours,omitempty"` // opening hours, reduced HTML
	Area      region.Area `json:"area,omitzero"`   // where it sits
	Geaendert time.Time   `json:"geaendert,omitzero"`
}

// Delegation gives the responsibility for a key in areas to another member,
// whose own claim then counts there [DESIGN §4.2].
type Delegation struct {
	ID    ID                  `json:"id"`
	Leika leika.ID            `json:"leika"`
	Areas []region.Area       `json:"areas"`
	To    federation.EntityID `json:"to"`
	Valid Validity            `json:"valid,omitzero"`
}
