package xzufi

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// writer writes elements with two blanks of indent, attributes in the order
// given and no element without content.
type writer struct {
	buf   bytes.Buffer
	depth int
}

func (w *writer) indent() {
	for range w.depth {
		w.buf.WriteString("  ")
	}
}

func (w *writer) start(name string, attrs []string) {
	w.indent()
	w.buf.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			w.buf.WriteString(" " + attrs[i] + `="`)
			w.escape(attrs[i+1])
			w.buf.WriteByte('"')
		}
	}
	w.buf.WriteByte('>')
}

func (w *writer) open(name string, attrs ...string) {
	w.start(name, attrs)
	w.buf.WriteByte('\n')
	w.depth++
}

func (w *writer) close(name string) {
	w.depth--
	w.indent()
	w.buf.WriteString("</" + name + ">\n")
}

// leaf writes an element with text, nothing if the text is empty.
func (w *writer) leaf(name, text string, attrs ...string) {
	if text == "" {
		return
	}
	w.start(name, attrs)
	w.escape(text)
	w.buf.WriteString("</" + name + ">\n")
}

// code writes a code element; its content is in no namespace.
func (w *writer) code(name, code, list string, version ...string) {
	if code == "" {
		return
	}
	attrs := []string{"listURI", list}
	if len(version) > 0 {
		attrs = append(attrs, "listVersionID", version[0])
	}
	w.start(name, attrs)
	w.buf.WriteString("<code>")
	w.escape(code)
	w.buf.WriteString("</code></" + name + ">\n")
}

func (w *writer) escape(s string) {
	for i := range len(s) {
		switch c := s[i]; c {
		case '&':
			w.buf.WriteString("&amp;")
		case '<':
			w.buf.WriteString("&lt;")
		case '>':
			w.buf.WriteString("&gt;")
		case '"':
			w.buf.WriteString("&quot;")
		case '\t':
			w.buf.WriteString("&#9;")
		case '\n':
			w.buf.WriteString("&#10;")
		default:
			w.buf.WriteByte(c)
		}
	}
}

func (w *writer) id(name string, id catalog.ID, scheme string) {
	agency, value := id.Split()
	w.leaf(name, value, "schemeAgencyID", agency, "schemeID", scheme)
}

func (w *writer) texts(name string, t catalog.Text) {
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		w.leaf(name, t[lang], "languageCode", lang)
	}
}

func (w *writer) validity(v catalog.Validity) {
	if v.IsZero() {
		return
	}
	w.open("xz:gueltigkeit")
	if !v.From.IsZero() {
		w.leaf("xz:beginn", v.From.Format(time.DateOnly))
	}
	if !v.To.IsZero() {
		w.leaf("xz:ende", v.To.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	w.close("xz:gueltigkeit")
}

func (w *writer) changed(t time.Time) {
	if t.IsZero() {
		return
	}
	w.open("xz:versionsinformation")
	w.leaf("xz:geaendertDatumZeit", t.UTC().Format(time.RFC3339))
	w.close("xz:versionsinformation")
}

func (w *writer) areas(list ...region.Area) {
	for _, a := range list {
		v := a.String()
		if a.IsBund() {
			v = germany
		}
		w.leaf("xz:gebietID", v, "schemeID", schemeRS)
	}
}

// unit writes an Organisationseinheit without its claims.
func (w *writer) unit(u *catalog.Unit) {
	w.open("xz:schreibe")
	w.open("xz:organisationseinheit", "xsi:type", "xz:OrganisationseinheitErweitert")
	w.id("xz:id", u.ID, "")
	w.open("xz:name")
	w.texts("xz:name", u.Name)
	w.close("xz:name")
	if u.Street != "" || u.PLZ != "" || u.Ort != "" || !u.Area.IsBund() {
		w.open("xz:anschrift")
		w.leaf("xz:strasse", u.Street)
		w.leaf("xz:postleitzahl", u.PLZ)
		w.leaf("xz:ort", u.Ort)
		if !u.Area.IsBund() {
			w.open("xz:verwaltungspolitischeKodierung")
			w.code("xz:regionalschluessel", u.Area.String(), "")
			w.close("xz:verwaltungspolitischeKodierung")
		}
		w.close("xz:anschrift")
	}
	for _, k := range []struct{ code, value string }{{kanalMail, u.Email}, {kanalFest, u.Phone}, {kanalWeb, u.URL}} {
		if k.value != "" {
			w.open("xz:kommunikation")
			w.code("xz:kanal", k.code, listKanal)
			w.leaf("xz:kennung", k.value)
			w.close("xz:kommunikation")
		}
	}
	w.texts("xz:infoOeffnungszeitenText", u.Hours)
	w.changed(u.Geaendert)
	w.close("xz:organisationseinheit")
	w.close("xz:schreibe")
}

// moduleCode returns the text module a section is written as, "" for the
// sections that have an element of their own.
func moduleCode(kind catalog.SectionKind) string {
	for _, code := range [...]string{"05", "06", "07", "08", "09", "11", "14", "15", "16", "25"} {
		if k, _ := moduleKind(code); k == kind {
			return code
		}
	}
	return ""
}

func (w *writer) module(code string, t catalog.Text) {
	w.open("xz:modulText")
	w.code("xz:leikaTextmodul", code, "urn:de:xzufi:codeliste:leistungstextmodulleika", writtenList)
	w.texts("xz:inhalt", t)
	w.close("xz:modulText")
}

// offer writes a Leistung without its claims and forms.
func (w *writer) offer(o *catalog.Offer) {
	w.open("xz:schreibe")
	w.open("xz:leistung")
	w.id("xz:id", o.ID, "")
	w.code("xz:referenzLeiKa", o.Leika.String(), schemeLeika)
	w.module(modulBezeichnung, o.Title)
	for i := range o.Sections {
		if code := moduleCode(o.Sections[i].Kind); code != "" {
			w.module(code, o.Sections[i].Text)
		}
	}
	for _, m := range []struct {
		name string
		kind catalog.SectionKind
	}{{"xz:modulFrist", catalog.Fristen}, {"xz:modulKosten", catalog.Kosten}, {"xz:modulBearbeitungsdauer", catalog.Bearbeitungsdauer}} {
		if t := o.Section(m.kind); t != nil {
			w.open(m.name)
			w.texts("xz:beschreibung", t)
			w.close(m.name)
		}
	}
	w.synonyms(o.Synonyms)
	for _, v := range o.Audience {
		w.code("xz:leistungsadressat", v, "urn:xoev-de:fim:codeliste:leistungsadressat")
	}
	for _, v := range o.Lebenslagen {
		w.code("xz:klassifizierung", v, listLagen)
	}
	w.code("xz:klassifizierung", o.Themenfeld, listThemenfeld)
	if o.Reach == catalog.ReachNetwork {
		w.code("xz:klassifizierung", codeNetz, listReichweite)
	}
	if o.Own {
		w.code("xz:klassifizierung", codeEigene, listKennzeichen)
	}
	for _, v := range o.SDG {
		w.code("xz:informationsbereichSDG", v, "urn:xoev-de:fim:codeliste:sdginformationsbereiche")
	}
	w.changed(o.Geaendert)
	w.validity(o.Valid)
	w.close("xz:leistung")
	w.close("xz:schreibe")
}

func (w *writer) synonyms(list []string) {
	if len(list) == 0 {
		return
	}
	w.open("xz:modulBegriffImKontext")
	for _, v := range list {
		w.open("xz:begriffImKontext")
		w.leaf("xz:begriff", v, "languageCode", german)
		w.close("xz:begriffImKontext")
	}
	w.close("xz:modulBegriffImKontext")
}

// form writes an Onlinedienst without its links.
func (w *writer) form(d *catalog.Onlinedienst) {
	w.open("xz:schreibe")
	w.open("xz:onlinedienst", "xsi:type", "xz:OnlinedienstErweitert")
	w.id("xz:id", d.ID, "")
	w.texts("xz:bezeichnung", d.Title)
	w.open("xz:link")
	w.code("xz:typ", "01", "urn:xoev-de:fim:codeliste:onlinedienstlinktyp")
	w.leaf("xz:link", d.URL)
	w.close("xz:link")
	if d.Level != federation.LevelNone {
		w.code("xz:vertrauensniveau", d.Level.String(), listNiveau)
	}
	if d.Payment {
		w.code("xz:zahlungsweise", codeOnline, listZahlung)
	}
	w.validity(d.Valid)
	w.close("xz:onlinedienst")
	w.close("xz:schreibe")
}

// claims writes the claims of an offer, then the links of its forms. Claims
// under one id differ in their area only and are one zustaendigkeit.
func (w *writer) claims(o *catalog.Offer) {
	for i := 0; i < len(o.Zustaendigkeiten); {
		z := o.Zustaendigkeiten[i]
		var areas, except []region.Area
		for ; i < len(o.Zustaendigkeiten) && o.Zustaendigkeiten[i].ID == z.ID; i++ {
			areas = append(areas, o.Zustaendigkeiten[i].Area)
			except = append(except, o.Zustaendigkeiten[i].Except...)
		}
		slices.SortFunc(except, region.Area.Compare)
		w.transfer(z.Unit, schemeOfUnit, z.ID, o.ID, func() {
			w.areas(areas...)
			w.code("xz:rolle", string(z.Role), "")
			for _, x := range slices.Compact(except) {
				w.leaf("xz:idSekundaer", x.String(), "schemeID", schemeExcept)
			}
			w.validity(z.Valid)
		})
	}
	for _, d := range o.Onlinedienste {
		for _, l := range linksOf(o.ID, d) {
			w.transfer(d.ID, schemeOfOnline, l.ID, o.ID, func() {
				w.areas(l.Areas...)
				w.code("xz:rolle", string(catalog.Zustaendig), "")
			})
		}
	}
}

func (w *writer) transfer(parent catalog.ID, scheme string, id, offer catalog.ID, rest func()) {
	w.open("xz:schreibe")
	w.open("xz:zustaendigkeitTransferObjekt")
	w.id("xz:uebergeordnetesObjektID", parent, "")
	w.open("xz:zustaendigkeit")
	w.id("xz:id", id, scheme)
	w.id("xz:leistungID", offer, "")
	rest()
	w.close("xz:zustaendigkeit")
	w.close("xz:zustaendigkeitTransferObjekt")
	w.close("xz:schreibe")
}

// delegation writes what has no element of its own (see the package comment).
func (w *writer) delegation(d *catalog.Delegation) {
	w.open("xz:schreibe")
	w.open("xz:zustaendigkeitTransferObjekt")
	w.leaf("xz:uebergeordnetesObjektID", string(d.To), "schemeID", schemeDelegation)
	w.open("xz:zustaendigkeit")
	w.id("xz:id", d.ID, "")
	w.leaf("xz:leistungID", d.Leika.String(), "schemeID", schemeLeika)
	w.areas(d.Areas...)
	w.code("xz:rolle", string(catalog.Zustaendig), "")
	w.validity(d.Valid)
	w.close("xz:zustaendigkeit")
	w.close("xz:zustaendigkeitTransferObjekt")
	w.close("xz:schreibe")
}
