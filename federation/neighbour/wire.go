package neighbour

import (
	"fmt"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// Limits of what one answer may hold.
const (
	maxProviders = 16
	maxHits      = 5 // for each text
	maxServices  = 16
	maxString    = 400 // bytes of a title, a name or an address
)

// claims is a sealed answer on the wire. Times are seconds.
type claims struct {
	Issuer   federation.EntityID `json:"iss"`
	IssuedAt trust.Seconds       `json:"iat"`
	Expires  trust.Seconds       `json:"exp"`
	Serial   uint64              `json:"serial"` // of what the hub knew, as it announces it to other hubs
	Question Question            `json:"question"`
	Result   *result             `json:"result,omitempty"` // to a LeiKa key
	Found    [][]found           `json:"found,omitempty"`  // to texts, in their order
}

// result is a directory.Answer.
type result struct {
	Reason      directory.Reason   `json:"reason"`
	Date        string             `json:"date"`
	Matched     leika.ID           `json:"matched,omitzero"`
	MatchedArea region.Area        `json:"matched_area,omitzero"`
	Providers   []provider         `json:"providers,omitempty"`
	Notices     []directory.Notice `json:"notices,omitempty"`
}

// found is a directory.Hit.
type found struct {
	Title    string   `json:"title"`
	Lang     string   `json:"lang"`
	Several  bool     `json:"several,omitempty"`
	Provider provider `json:"provider"`
}

// provider is a directory.Provider without long texts.
type provider struct {
	Reason    directory.Reason    `json:"reason"`
	ID        federation.EntityID `json:"member"` // its portal
	Name      string              `json:"name"`
	ShortName string              `json:"short_name,omitempty"`
	Kind      federation.Kind     `json:"kind"`
	Seat      region.Area         `json:"seat,omitzero"`
	Offer     catalog.ID          `json:"offer"`
	Leika     leika.ID            `json:"leika,omitzero"`
	Title     catalog.Text        `json:"title"`
	Area      region.Area         `json:"area"` // of the Zustaendigkeit
	Unit      *catalog.Unit       `json:"unit,omitempty"`
	Online    []service           `json:"online,omitempty"`
	Serial    uint64              `json:"serial"`
	Geaendert time.Time           `json:"geaendert,omitzero"`
	Fetched   time.Time           `json:"fetched,omitzero"`
	Stale     bool                `json:"stale,omitempty"`
	Reachable bool                `json:"reachable"`
	Via       federation.EntityID `json:"via,omitempty"`
	ViaName   string              `json:"via_name,omitempty"`
}

// service is a catalog.Onlinedienst.
type service struct {
	Title   catalog.Text     `json:"title,omitempty"`
	URL     string           `json:"url"`
	Level   federation.Level `json:"level"`
	Payment bool             `json:"payment,omitempty"`
}

func wireResult(a *directory.Answer) *result {
	r := &result{Reason: a.Reason, Date: a.Date.Format(time.DateOnly), Matched: a.Matched, Notices: a.Notices}
	if a.Found() {
		r.MatchedArea = a.MatchedArea
	}
	for i := range a.Providers[:min(len(a.Providers), maxProviders)] {
		r.Providers = append(r.Providers, wireProvider(&a.Providers[i]))
	}
	return r
}

func wireHits(hits []directory.Hit) []found {
	out := []found{}
	for i := range hits {
		out = append(out, found{hits[i].Title, hits[i].Lang, hits[i].Several, wireProvider(&hits[i].Provider)})
	}
	return out
}

func wireProvider(p *directory.Provider) provider {
	w := provider{
		Reason: p.Reason, ID: p.Member.ID, Name: p.Member.Name, ShortName: p.Member.ShortName, Kind: p.Member.Kind, Seat: p.Member.Seat,
		Offer: p.Offer.ID, Leika: p.Offer.Leika, Title: p.Offer.Title, Area: p.Zustaendigkeit.Area,
		Serial: p.Serial, Geaendert: p.Geaendert.UTC(), Fetched: p.Fetched.UTC(), Stale: p.Stale, Reachable: p.Reachable, Via: p.Via, ViaName: p.ViaName,
	}
	if p.Unit != nil {
		u := *p.Unit
		u.Hours = nil // reduced HTML, and long
		w.Unit = &u
	}
	for i := range p.Onlinedienste[:min(len(p.Onlinedienste), maxServices)] {
		d := &p.Onlinedienste[i]
		w.Online = append(w.Online, service{d.Title, d.URL, d.Level, d.Payment})
	}
	return w
}

// reader turns an answer back into the directory's values and refuses what a
// page or a program could be misled with.
type reader struct {
	place    region.Area
	loopback bool
	old      bool // everything in it is past its time
}

func (r reader) answer(q Question, w *result) (directory.Answer, error) {
	date, err := time.Parse(time.DateOnly, w.Date)
	if err != nil || len(w.Providers) > maxProviders || len(w.Notices) > maxProviders {
		return directory.Answer{}, fmt.Errorf("%w: result", ErrShape)
	}
	a := directory.Answer{Reason: w.Reason, Asked: q.Leika, Place: q.Place, Date: date, Matched: w.Matched, MatchedArea: w.MatchedArea, Notices: w.Notices}
	for i := range w.Providers {
		p, err := r.provider(&w.Providers[i])
		if err != nil {
			return a, err
		}
		a.Providers = append(a.Providers, p)
	}
	if a.Found() != responsible(a.Reason) {
		return a, fmt.Errorf("%w: reason %.20q with %d providers", ErrShape, a.Reason, len(a.Providers))
	}
	return a, nil
}

// responsible reports whether somebody is, for this reason.
func responsible(r directory.Reason) bool {
	switch r {
	case directory.Own, directory.Parent, directory.Delegated, directory.WholeArea, directory.Successor, directory.Conflict:
		return true
	}
	return false
}

func (r reader) hits(list []found) ([]directory.Hit, error) {
	if len(list) > maxHits {
		return nil, fmt.Errorf("%w: %d hits", ErrLimit, len(list))
	}
	var out []directory.Hit
	for i := range list {
		f := &list[i]
		p, err := r.provider(&f.Provider)
		if err != nil {
			return nil, err
		}
		if f.Title == "" || len(f.Title) > maxString || len(f.Lang) > 3 {
			return nil, fmt.Errorf("%w: title of a hit", ErrShape)
		}
		out = append(out, directory.Hit{Leika: p.Offer.Leika, Ref: directory.OfferRef{Member: p.Member.ID, ID: p.Offer.ID},
			Title: f.Title, Lang: f.Lang, Several: f.Several, Provider: p, Places: 1})
	}
	return out, nil
}

func (r reader) provider(w *provider) (directory.Provider, error) {
	id, err := federation.ParseEntityID(string(w.ID), r.loopback)
	switch {
	case err != nil:
		return directory.Provider{}, fmt.Errorf("%w: member: %w", ErrShape, err)
	case !w.Area.Covers(r.place) && !r.place.Covers(w.Area):
		return directory.Provider{}, fmt.Errorf("%s: %w: a claim on %q for %s", id, ErrArea, w.Area, r.place)
	case !responsible(w.Reason) || w.Name == "" || len(w.Name) > maxString || len(w.ShortName) > maxString || len(w.Offer) > maxString || len(w.Online) > maxServices:
		return directory.Provider{}, fmt.Errorf("%s: %w: provider", id, ErrShape)
	}
	m := federation.Member{ID: id, Name: w.Name, ShortName: w.ShortName, Kind: w.Kind, Seat: w.Seat}
	if m.ShortName == "" {
		m.ShortName = m.Name
	}
	p := directory.Provider{
		Reason: w.Reason, Member: m, Offer: &catalog.Offer{ID: w.Offer, Leika: w.Leika, Title: w.Title, Geaendert: w.Geaendert},
		Unit: w.Unit, Zustaendigkeit: catalog.Zustaendigkeit{Area: w.Area}, Serial: w.Serial, Geaendert: w.Geaendert, Fetched: w.Fetched,
		Stale: w.Stale || r.old, Reachable: w.Reachable && !r.old, Via: w.Via, ViaName: w.ViaName,
	}
	if p.Unit != nil {
		p.Unit.Hours = nil
	}
	for _, s := range w.Online {
		if !r.link(s.URL) {
			return p, fmt.Errorf("%s: %w: address of a form", id, ErrShape)
		}
		p.Onlinedienste = append(p.Onlinedienste, catalog.Onlinedienst{Title: s.Title, URL: s.URL, Level: s.Level, Payment: s.Payment})
	}
	return p, nil
}

// link accepts https addresses, and those of loopback names in a trial.
func (r reader) link(address string) bool {
	if len(address) > 2048 {
		return false
	}
	return strings.HasPrefix(address, "https://") || r.loopback && federation.IsLoopbackHost(federation.EntityID(address).Host())
}
