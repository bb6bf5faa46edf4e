package region

import (
	"fmt"
	"strings"
	"time"
)

// Place is one area with its name, as one or more editions of the register
// show it. It is a value: copies share nothing that can be changed.
type Place struct {
	Area       Area      `json:"ars"`
	AGS        AGS       `json:"ags,omitzero"`          // zero for a Gemeindeverband
	Name       string    `json:"name"`                  // "Melle", "Bersenbrück"
	Official   string    `json:"official"`              // as the register writes it: "Melle, Stadt"
	FullName   string    `json:"full_name"`             // with its kind: "Stadt Melle", "Samtgemeinde Bersenbrück"
	Type       Type      `json:"type,omitempty"`        // Textkennzeichen; 0 for Land and Regierungsbezirk
	Seat       string    `json:"seat,omitempty"`        // where the administration sits; empty for a Gemeinde
	PLZ        string    `json:"plz,omitempty"`         // of the administration's seat; only a Gemeinde has one
	PLZSeveral bool      `json:"plz_several,omitempty"` // the Gemeinde has further PLZ
	Population int       `json:"population,omitempty"`
	Hectares   int       `json:"hectares,omitempty"`
	FirstSeen  time.Time `json:"first_seen,omitzero"` // date of the first loaded edition that has it, midnight UTC
	LastSeen   time.Time `json:"last_seen,omitzero"`  // date of the last one
}

// Type is a Textkennzeichen of the register [GV100AD].
type Type uint8

// The Textkennzeichen that the code asks for by name.
const (
	KreisfreieStadtKreis Type = 41
	StadtkreisKreis      Type = 42
	Kreis                Type = 43
	Landkreis            Type = 44
	Verbandsfrei         Type = 50
	Amt                  Type = 51
	Samtgemeinde         Type = 52
	Verbandsgemeinde     Type = 53
	Markt                Type = 60
	KreisfreieStadt      Type = 61
	Stadtkreis           Type = 62
	Stadt                Type = 63
	Gemeinde             Type = 64
	Gemeindefrei         Type = 65
	GemeindefreiLeer     Type = 66
	GrosseKreisstadt     Type = 67
)

// String returns the kind in German, "" for a code without one.
func (t Type) String() string {
	switch t {
	case KreisfreieStadtKreis, KreisfreieStadt:
		return "Kreisfreie Stadt"
	case StadtkreisKreis, Stadtkreis:
		return "Stadtkreis"
	case Kreis:
		return "Kreis"
	case Landkreis:
		return "Landkreis"
	case 45:
		return "Regionalverband"
	case Verbandsfrei:
		return "Verbandsfreie Gemeinde"
	case Amt:
		return "Amt"
	case Samtgemeinde:
		return "Samtgemeinde"
	case Verbandsgemeinde:
		return "Verbandsgemeinde"
	case 54, 57:
		return "Verwaltungsgemeinschaft"
	case 55:
		return "Kirchspielslandgemeinde"
	case 56:
		return "Verwaltungsverband"
	case 58:
		return "Erfüllende Gemeinde"
	case Markt:
		return "Markt"
	case Stadt:
		return "Stadt"
	case Gemeinde:
		return "Gemeinde"
	case Gemeindefrei, GemeindefreiLeer:
		return "Gemeindefreies Gebiet"
	case GrosseKreisstadt:
		return "Große Kreisstadt"
	}
	return ""
}

// isStadt reports whether people call an area of this type a Stadt.
func (t Type) isStadt() bool {
	return t == KreisfreieStadt || t == Stadtkreis || t == Stadt || t == GrosseKreisstadt
}

// title is the word before a name: "Stadt" Melle.
func (t Type) title() string {
	switch {
	case t.isStadt(), t == KreisfreieStadtKreis, t == StadtkreisKreis:
		return "Stadt"
	case t == Kreis, t == Landkreis, t == Amt, t == Samtgemeinde, t == Verbandsgemeinde,
		t == 54, t == 55, t == 56, t == 57, t == Markt, t == Gemeinde:
		return t.String()
	}
	return ""
}

// setNames derives Name and FullName from Official.
func (p *Place) setNames() {
	name := p.Official
	if i := strings.IndexByte(name, ','); i > 0 {
		name = name[:i]
	}
	name = strings.TrimSuffix(name, " (VGem)")
	p.Name = strings.TrimSpace(name)
	p.FullName = p.Name
	switch {
	case p.Area.Len() == 2:
		p.FullName = "Land " + p.Name
	case p.Area.Len() == 5 && namesItself(p.Name):
	default:
		if t := p.Type.title(); t != "" && !strings.HasPrefix(p.Name, t+" ") {
			p.FullName = t + " " + p.Name
		}
	}
}

// namesItself reports whether the name of a Kreis already says what it is:
// "Saalekreis", "Region Hannover".
func namesItself(name string) bool {
	return strings.Contains(name, "kreis") || strings.Contains(name, "Kreis") || strings.Contains(name, "region") || strings.HasPrefix(name, "Region")
}

// Edition is the register at one date, as read from one file.
type Edition struct {
	Date   time.Time // Gebietsstand, midnight UTC
	Source string    // the line that names the source on pages
	Covers []Area    // what the edition is complete for: Länder, or Kreise of a part
	Places []Place   // in the order of the file, verbandsfreie Gemeinden not shown as associations
	Extra  []PLZ     // PLZ beyond those of the seats
}

// PLZ is one pair of the table that AddPLZ loads: a postal code touches a
// Gemeinde. A PLZ is not an area; neither determines the other.
type PLZ struct {
	Code string // 5 digits
	AGS  AGS
}

func (e *Edition) String() string {
	return fmt.Sprintf("%s, %d places", e.Date.Format(time.DateOnly), len(e.Places))
}
