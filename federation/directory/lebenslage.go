package directory

import (
	"strings"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
)

// lebenslage is one of the eight tiles of the start page and what belongs
// into it. Codes of the Portalverbund count first [DOMAIN §5.4]: a code
// belongs where a listed prefix says. The key counts always; the Themenfeld
// only if nothing else did.
type lebenslage struct {
	slug, de, en string
	codes        []string // prefixes of the seven digits of a Lage
	keys         []string // prefixes of a LeiKa key after 99
	themenfelder []string
}

// lebenslagen returns the tiles in the order of the start page.
func lebenslagen() []lebenslage {
	return []lebenslage{
		{
			slug: "umzug", de: "Umzug", en: "Moving house",
			codes: []string{"10502"},
			keys:  []string{"115", "008001011", "085001011", "008005011", "108011", "108001", "102013011", "102017"},
		},
		{
			slug: "geburt-und-familie", de: "Geburt und Familie", en: "Birth and family",
			codes:        []string{"1010", "1020", "1030"},
			keys:         []string{"027", "041", "013", "059", "071", "072", "079", "088", "133", "003108", "107007", "107016", "107018", "107021", "107102", "107103"},
			themenfelder: []string{"familie_kind", "bildung"},
		},
		{
			slug: "bauen-und-wohnen", de: "Bauen und Wohnen", en: "Building and living",
			codes:        []string{"10500", "10501", "10503", "10504", "10505"}, // 10502 is Wohnen und Umzug
			keys:         []string{"012", "148", "107022", "107023", "102012", "102017", "090023", "053"},
			themenfelder: []string{"bauen_wohnen", "umwelt"},
		},
		{
			slug: "auto-und-verkehr", de: "Auto und Verkehr", en: "Car and traffic",
			codes:        []string{"1090"},
			keys:         []string{"036", "026", "108", "084", "102015"},
			themenfelder: []string{"mobilitaet_reisen"},
		},
		{
			slug: "arbeit-und-soziales", de: "Arbeit und Soziales", en: "Work and social benefits",
			codes:        []string{"1040", "1140", "1180"},
			keys:         []string{"007", "015", "022", "038", "107", "111", "114", "131", "158"},
			themenfelder: []string{"arbeit_ruhestand", "gesundheit"},
		},
		{
			slug: "gewerbe-und-firma", de: "Gewerbe und Firma", en: "Trade and business",
			codes:        []string{"2"},
			keys:         []string{"025", "050", "052", "055", "102010", "157", "154049", "154054"},
			themenfelder: []string{"unternehmensfuehrung_entwicklung"},
		},
		{
			slug: "pass-und-ausweis", de: "Pass und Ausweis", en: "Passport and identity card",
			codes:        []string{"1070"},
			keys:         []string{"008", "085", "049", "115003", "099"},
			themenfelder: []string{"ein_auswanderung"},
		},
		{
			slug: "sterbefall", de: "Sterbefall", en: "Bereavement",
			codes: []string{"1190"},
			keys:  []string{"101", "111018", "111022", "157025"},
		},
	}
}

// situationsOfKey returns the tiles a key belongs to, as bits in the order of
// lebenslagen.
func situationsOfKey(table []lebenslage, key leika.ID) traits {
	digits := strings.TrimPrefix(key.String(), "99")
	var set traits
	for i := range table {
		if digits != "" && anyPrefix(table[i].keys, digits) {
			set |= 1 << i
		}
	}
	return set
}

// situations adds what the offer itself says to the tiles of its key.
func situations(table []lebenslage, ofKey traits, o *catalog.Offer) traits {
	set := ofKey
	for i := range table {
		for _, code := range o.Lebenslagen {
			if code == table[i].slug || anyPrefix(table[i].codes, code) {
				set |= 1 << i
			}
		}
	}
	if set != 0 || o.Themenfeld == "" {
		return set
	}
	for i := range table {
		for _, t := range table[i].themenfelder {
			if t == o.Themenfeld {
				set |= 1 << i
			}
		}
	}
	return set
}

func anyPrefix(prefixes []string, s string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// traits are what filters ask of an offer, in one word so that counting
// facets reads no texts.
type traits uint16

const (
	traitOnline      traits = 1 << 8 // has an Onlinedienst
	traitConditional traits = 1 << 9 // not everywhere or not always: look closer
	traitCitizen     traits = 1 << 10
	traitBusiness    traits = 1 << 11
	traitAuthority   traits = 1 << 12
	traitSituations         = 1<<8 - 1 // one bit for each Lebenslage
)

func traitsOf(table []lebenslage, ofKey traits, o *catalog.Offer) traits {
	t := situations(table, ofKey, o)
	for i := range o.Onlinedienste {
		t |= traitOnline
		if s := &o.Onlinedienste[i]; len(s.Areas) > 0 || !s.Valid.IsZero() {
			t |= traitConditional
		}
	}
	for _, a := range o.Audience {
		t |= audienceTrait(a)
	}
	return t
}

// audienceTrait returns the bit of a code of leistungsadressat.
func audienceTrait(code string) traits {
	switch code {
	case "001":
		return traitCitizen
	case "002":
		return traitBusiness
	case "003":
		return traitAuthority
	}
	return 0
}
