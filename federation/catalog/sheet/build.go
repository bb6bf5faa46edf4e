package sheet

import (
	"fmt"
	"maps"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
	"rathausnetz/federation/region"
)

// builder turns the hand-written form into a catalogue.
type builder struct {
	agency string
	clean  *markup.Cleaner
}

func (b *builder) id(value string) catalog.ID {
	if value == "" {
		return ""
	}
	return catalog.NewID(b.agency, value)
}

func (b *builder) catalogue(y yamlCatalogue, member federation.EntityID) (*catalog.Catalogue, error) {
	c := &catalog.Catalogue{Member: member}
	for _, u := range y.Einheiten {
		c.Units = append(c.Units, catalog.Unit{
			ID: b.id(u.Kennung), Name: b.plain(u.Name), Street: b.clean.Plain(u.Strasse), PLZ: b.clean.Plain(u.PLZ), Ort: b.clean.Plain(u.Ort),
			Phone: b.clean.Plain(u.Telefon), Email: u.Email, URL: u.Adresse, Hours: b.html(u.Zeiten), Area: u.Gebiet.Area,
		})
	}
	for _, o := range y.Leistungen {
		offer, err := b.offer(o)
		if err != nil {
			return nil, fmt.Errorf("leistung %q: %w", o.Kennung, err)
		}
		c.Offers = append(c.Offers, offer)
	}
	for _, d := range y.Uebertragungen {
		to, err := federation.ParseEntityID(d.An, true)
		if err != nil {
			return nil, fmt.Errorf("uebertragung %q: %w", d.Kennung, err)
		}
		c.Delegations = append(c.Delegations, catalog.Delegation{ID: b.id(d.Kennung), Leika: d.Leika.ID, Areas: areas(d.Gebiete), To: to})
	}
	c.Normalize()
	return c, nil
}

func (b *builder) offer(y yamlOffer) (catalog.Offer, error) {
	o := catalog.Offer{
		ID: b.id(y.Kennung), Leika: y.Leika.ID, Own: y.Eigene, Title: b.plain(y.Titel), Audience: y.Zielgruppe,
		Lebenslagen: y.Lebenslagen, Themenfeld: y.Themenfeld, SDG: y.SDG,
	}
	for _, s := range y.Synonyme {
		o.Synonyms = append(o.Synonyms, b.clean.Plain(s))
	}
	for _, kind := range slices.Sorted(maps.Keys(y.Texte)) {
		if catalog.SectionKind(kind).Rank() < 0 {
			return o, fmt.Errorf("texte: %q is no section", kind)
		}
		o.Sections = append(o.Sections, catalog.Section{Kind: catalog.SectionKind(kind), Text: b.html(y.Texte[kind])})
	}
	if err := setReach(&o, y.Reichweite); err != nil {
		return o, err
	}
	var err error
	if o.Valid.From, err = parseDay(y.GueltigAb, 0); err != nil {
		return o, err
	}
	if o.Valid.To, err = parseDay(y.GueltigBis, 1); err != nil {
		return o, err
	}
	for i, z := range y.Zustaendig {
		if err := b.claim(&o, y.Kennung, i, z); err != nil {
			return o, err
		}
	}
	for i, f := range y.Online {
		b.form(&o, y.Kennung, i, f)
	}
	return o, nil
}

func (b *builder) claim(o *catalog.Offer, offer string, i int, y yamlClaim) error {
	role, ok := map[string]catalog.Role{
		"": catalog.Zustaendig, "zustaendig": catalog.Zustaendig, "ansprechpunkt": catalog.Ansprechpunkt, "beides": catalog.Beides,
	}[y.Rolle]
	if !ok {
		return fmt.Errorf("rolle %q: one of zustaendig, ansprechpunkt, beides", y.Rolle)
	}
	if len(y.Gebiete) == 0 {
		return fmt.Errorf("zustaendig %d: gebiete is missing", i+1)
	}
	for _, a := range areas(y.Gebiete) {
		z := catalog.Zustaendigkeit{ID: b.id(fmt.Sprintf("%s.Z.%d", offer, i+1)), Area: a, Role: role, Unit: b.id(y.Einheit)}
		for _, x := range areas(y.Ausser) {
			if x != a && a.Covers(x) {
				z.Except = append(z.Except, x)
			}
		}
		o.Zustaendigkeiten = append(o.Zustaendigkeiten, z)
	}
	return nil
}

func (b *builder) form(o *catalog.Offer, offer string, i int, y yamlForm) {
	if y.Kennung == "" {
		y.Kennung = fmt.Sprintf("%s.OD.%d", offer, i+1)
	}
	o.Onlinedienste = append(o.Onlinedienste, catalog.Onlinedienst{
		ID: b.id(y.Kennung), Title: b.plain(y.Titel), URL: y.Adresse, Level: y.Niveau.Level, Payment: y.Bezahlung, Areas: areas(y.Gebiete),
		Links: []catalog.Link{{ID: b.id(fmt.Sprintf("%s.ZO.%d", offer, i+1)), Areas: areas(y.Gebiete)}},
	})
}

// areas returns the areas sorted and without repetition.
func areas(list []yamlArea) []region.Area {
	out := make([]region.Area, 0, len(list))
	for _, a := range list {
		out = append(out, a.Area)
	}
	slices.SortFunc(out, region.Area.Compare)
	return slices.Compact(out)
}

func (b *builder) plain(t yamlText) catalog.Text {
	out := catalog.Text{}
	for lang, s := range t {
		out[lang] = b.clean.Plain(s)
	}
	return out
}

func (b *builder) html(t yamlText) catalog.Text {
	out := catalog.Text{}
	for lang, s := range t {
		out[lang] = paragraphs(b.clean, s)
	}
	return out
}
