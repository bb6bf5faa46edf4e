package leika

// Depth says how far a key goes: the object alone, with Verrichtung, or with
// Verrichtungsdetail. The values are those of the FIM portal's leistungstyp.
type Depth string

// The depths, from wide to narrow.
const (
	LO   Depth = "lo"   // Leistungsobjekt
	LOV  Depth = "lov"  // with Verrichtung
	LOVD Depth = "lovd" // with Verrichtungsdetail
)

// national is the instance of the catalogue that holds for all Länder.
const national = 99

// Depth returns how far the key goes, "" for the zero value. A detail without
// a Verrichtung counts as lovd: it cannot be cut to a Verrichtung.
func (id ID) Depth() Depth {
	switch {
	case id == 0:
		return ""
	case id%1000 != 0:
		return LOVD
	case id%1000000 != 0:
		return LOV
	}
	return LO
}

// Instanz returns the first two digits: 99 for the nationwide catalogue,
// otherwise the key of a Land's own catalogue.
func (id ID) Instanz() int { return int(id / 1e12) }

// IsNational reports whether the key is one of the nationwide catalogue. A
// Land's own key is a key as well, but means something only in that Land.
func (id ID) IsNational() bool { return id.Instanz() == national }

// Gruppierung returns the Leistungsgruppierung, digits 3 to 5.
func (id ID) Gruppierung() int { return int(id / 1e9 % 1000) }

// Objekt returns the Leistungskennung, digits 6 to 8: the object within its
// Gruppierung.
func (id ID) Objekt() int { return int(id / 1e6 % 1000) }

// Verrichtung returns digits 9 to 11, 0 if the key has none.
func (id ID) Verrichtung() int { return int(id / 1000 % 1000) }

// Detail returns the Verrichtungsdetail, digits 12 to 14, 0 if there is none.
func (id ID) Detail() int { return int(id % 1000) }

// Object returns the key of the object alone (lo).
func (id ID) Object() ID { return id - id%1000000 }

// Covers reports whether other is id or lies below it: the same object, and
// the same Verrichtung and Detail where id has them. The zero value covers
// nothing.
func (id ID) Covers(other ID) bool {
	switch id.Depth() {
	case LO:
		return other.Object() == id
	case LOV:
		return other-other%1000 == id
	case LOVD:
		return other == id
	}
	return false
}

// IsReserved reports whether the key is one that test systems and manuals
// use as an example. It is well formed but names no Leistung, so a published
// catalogue must not hold it.
func (id ID) IsReserved() bool {
	switch id {
	case 99400048079000, // test destination of FIT-Connect
		99123456760610, // placeholder in manuals
		99134005017000: // example of the routing interface
		return true
	}
	return false
}

// URN returns the form used in exchange formats,
// "urn:de:fim:leika:leistung:" and the digits; "" for the zero value.
func (id ID) URN() string {
	if id == 0 {
		return ""
	}
	return urn + id.String()
}
