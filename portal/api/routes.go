package api

import (
	"net/http"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/region"
)

// Limits of /routes [FIT-Connect routes].
const (
	defaultRoutes = 100
	maxRoutes     = 500
)

// routeList is the answer of /routes. Nothing found is an empty list, not an
// error.
type routeList struct {
	Count  int     `json:"count"`
	Offset int     `json:"offset"`
	Total  int     `json:"totalCount"`
	Routes []Route `json:"routes"`
}

// Route is one responsible authority in the words of the Routing API.
// destinationId and destinationSignature are this network's own: see Advert.
type Route struct {
	DestinationID        string    `json:"destinationId"`
	DestinationSignature string    `json:"destinationSignature"`
	DestinationName      string    `json:"destinationName,omitempty"`
	DestinationShortName string    `json:"destinationShortName,omitempty"`
	ContactPersons       []contact `json:"contactPersons,omitempty"`
	Address              *address  `json:"address,omitempty"`
	PostalAddress        *address  `json:"postalAddress,omitempty"`
	ContactFormURL       string    `json:"contactFormUrl,omitempty"`
	FurtherInformation   *section  `json:"furtherInformation,omitempty"`
	RequiredDocuments    *section  `json:"requiredDocuments,omitempty"`
	LegalBasis           *section  `json:"legalBasis,omitempty"`
	Deadline             *section  `json:"deadline,omitempty"`
	// CustomParameters carries what the Routing API has no field for: reason,
	// member, offer, online services, age.
	CustomParameters map[string]string `json:"customParameters,omitempty"`
	Origin           string            `json:"origin"`
}

// Origin is the value of origin: this network is none of the sources the
// Routing API knows, and does not pretend to be one.
const Origin = "Rathausnetz"

type contact struct {
	Name  string `json:"name,omitempty"`
	Tel   string `json:"tel,omitempty"`
	Email string `json:"email,omitempty"`
}

type address struct {
	Street string `json:"street,omitempty"`
	ZIP    string `json:"zip,omitempty"`
	City   string `json:"city,omitempty"`
}

type section struct {
	Description map[string]string `json:"description"`
}

// Routes serves GET /routing-api/v2/routes.
func (a *API) Routes() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "leikaKey", "ags", "ars", "areaId", "offset", "limit")
		key := p.leika("leikaKey")
		if key.IsZero() {
			p.fail(badParameter("leikaKey", "fehlt oder ist kein LeiKa-Schlüssel: 14 Ziffern, die ersten sind 99."))
		}
		place := a.routePlace(p)
		offset := p.number("offset", 0, 1<<30, 0)
		limit := p.number("limit", 1, maxRoutes, defaultRoutes)
		if err := p.err(); err != nil {
			return answer{}, err
		}
		ans := a.directory.Resolve(directory.Request{Leika: key, Place: place.area, Outdated: place.outdated})
		routes := make([]Route, 0, len(ans.Providers))
		for i := range ans.Providers {
			route, err := a.route(&ans, &ans.Providers[i])
			if err != nil {
				return answer{}, err
			}
			routes = append(routes, route)
		}
		l := page(routes, offset, limit)
		return jsonAnswer(routeList{l.Count, l.Offset, l.Total, l.Items})
	})
}

// routePlace reads exactly one of ags, ars and areaId.
func (a *API) routePlace(p *params) located {
	given := 0
	for _, name := range [...]string{"ags", "ars", "areaId"} {
		if p.one(name) != "" {
			given++
		}
	}
	if given != 1 {
		p.fail(badParameter("ags, ars, areaId", "genau einer der drei muss angegeben sein."))
		return located{}
	}
	if s := p.one("ags"); s != "" {
		return a.byAGS(p, s)
	}
	name, s := "ars", p.one("ars")
	if s == "" {
		// An areaId is the ARS of the area, as /areas gives it out.
		name, s = "areaId", p.one("areaId")
	}
	if !digits(s, 2, 3, 5, 9, 12) {
		p.fail(badParameter(name, "muss 2, 3, 5, 9 oder 12 Ziffern haben."))
		return located{}
	}
	area, err := region.ParseArea(s)
	if err != nil {
		p.fail(badParameter(name, "muss 2, 3, 5, 9 oder 12 Ziffern haben."))
	}
	return a.current(p, name, area)
}

func (a *API) byAGS(p *params, s string) located {
	if !digits(s, 2, 3, 5, 8) {
		p.fail(badParameter("ags", "muss 2, 3, 5 oder 8 Ziffern haben."))
		return located{}
	}
	ags, err := region.ParseAGS(s)
	if err != nil {
		p.fail(badParameter("ags", "muss 2, 3, 5 oder 8 Ziffern haben."))
		return located{}
	}
	if area, ok := ags.Area(); ok {
		return a.current(p, "ags", area)
	}
	area, ok := a.register.ARS(ags)
	if !ok {
		return located{area: unknownArea()}
	}
	return a.current(p, "ags", area)
}

// unknownArea is a place that exists nowhere: the answer is an empty list, as
// for every place outside the network.
func unknownArea() region.Area { return region.MustArea("999999999999") }

// current replaces an area that no longer exists by its one successor.
func (a *API) current(p *params, name string, area region.Area) located {
	if only := a.only(area); only != area {
		return located{area: only}
	}
	if _, ok := a.register.Place(area); ok {
		return located{area: area}
	}
	for _, s := range a.register.Lookup(area.String(), a.now()).Succession {
		if s.Old.Area != area {
			continue
		}
		if len(s.New) == 1 {
			return located{area: s.New[0].Area, outdated: area}
		}
		gone := problem(http.StatusBadRequest, "outdated-place", "Gebiet gibt es nicht mehr", "%s: %s gibt es nicht mehr.", name, s.Old.FullName)
		for _, n := range s.New {
			gone.Candidates = append(gone.Candidates, placeCandidate{n.Area.String(), n.AGS.String(), n.FullName})
		}
		p.fail(gone)
	}
	return located{area: area}
}

// only returns the one Gemeinde of an area that has no other: the key of a
// kreisfreie Stadt as Kreis, or of a Gemeinde as its own Gemeindeverband,
// means that Gemeinde. Every other area is returned as it is.
func (a *API) only(area region.Area) region.Area {
	if n := area.Len(); n != 5 && n != 9 {
		return area
	}
	if g := a.register.Gemeinden(area); len(g) == 1 {
		return g[0].Area
	}
	return area
}

func (a *API) route(ans *directory.Answer, p *directory.Provider) (Route, error) {
	signature, err := a.advert(ans, p)
	if err != nil {
		return Route{}, err
	}
	r := Route{
		DestinationID: destinationID(p.Member.ID, p.Offer.ID), DestinationSignature: signature,
		DestinationName: p.Member.Name, DestinationShortName: p.Member.ShortName,
		FurtherInformation: describe(p.Offer, catalog.Hinweise), RequiredDocuments: describe(p.Offer, catalog.Unterlagen),
		LegalBasis: describe(p.Offer, catalog.Rechtsgrundlage), Deadline: describe(p.Offer, catalog.Fristen),
		CustomParameters: custom(ans, p), Origin: Origin,
	}
	if u := p.Unit; u != nil {
		name, _ := u.Name.In("de")
		r.ContactPersons = []contact{{Name: name, Tel: u.Phone, Email: u.Email}}
		r.PostalAddress = &address{Street: u.Street, ZIP: u.PLZ, City: u.Ort}
		r.ContactFormURL = u.URL
	}
	return r, nil
}

func describe(o *catalog.Offer, kind catalog.SectionKind) *section {
	if t := o.Section(kind); len(t) > 0 {
		return &section{t}
	}
	return nil
}

func custom(ans *directory.Answer, p *directory.Provider) map[string]string {
	c := map[string]string{
		"reason": string(ans.Reason), "member": string(p.Member.ID), "offer": string(p.Offer.ID),
		"matchedKey": ans.Matched.String(), "matchedArea": ans.MatchedArea.String(),
		"stale": truth(p.Stale), "reachable": truth(p.Reachable),
	}
	if len(p.Onlinedienste) > 0 {
		c["onlineService"] = p.Onlinedienste[0].URL
		c["onlineServiceLevel"] = p.Onlinedienste[0].Level.String()
	}
	if !p.Geaendert.IsZero() {
		c["lastChanged"] = p.Geaendert.UTC().Format("2006-01-02T15:04:05Z")
	}
	return c
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
