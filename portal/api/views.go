package api

import (
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
)

// The views are what the JSON interface shows of the network: a contract of
// its own, so that nothing inside can change it by accident.

type memberView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	ShortName string `json:"shortName"`
	Kind      string `json:"kind"`
	Seat      string `json:"seat"` // ARS, "" for a utility
}

func viewMember(m *federation.Member) memberView {
	return memberView{string(m.ID), m.Name, m.ShortName, m.Kind.String(), m.Seat.String()}
}

type onlineView struct {
	Title   catalog.Text `json:"title,omitempty"`
	URL     string       `json:"url"`
	Level   string       `json:"level"`
	Payment bool         `json:"payment"`
}

type unitView struct {
	Name   catalog.Text `json:"name"`
	Street string       `json:"street,omitempty"`
	PLZ    string       `json:"plz,omitempty"`
	Ort    string       `json:"ort,omitempty"`
	Phone  string       `json:"phone,omitempty"`
	Email  string       `json:"email,omitempty"`
	URL    string       `json:"url,omitempty"`
	Hours  catalog.Text `json:"hours,omitempty"`
}

type providerView struct {
	Reason    string       `json:"reason"`
	Member    memberView   `json:"member"`
	Offer     string       `json:"offer"`
	Leika     string       `json:"leika,omitempty"`
	Title     catalog.Text `json:"title"`
	Area      string       `json:"area"` // ARS of the Zustaendigkeit
	Unit      *unitView    `json:"unit,omitempty"`
	Online    []onlineView `json:"online"`
	Serial    uint64       `json:"serial"`
	Geaendert string       `json:"geaendert,omitempty"`
	Fetched   string       `json:"fetched,omitempty"`
	Stale     bool         `json:"stale"`
	Reachable bool         `json:"reachable"`
	Via       string       `json:"via,omitempty"`
	Neighbour bool         `json:"neighbour"`
}

func viewProvider(p *directory.Provider) providerView {
	v := providerView{
		Reason: string(p.Reason), Member: viewMember(&p.Member), Offer: string(p.Offer.ID), Leika: p.Offer.Leika.String(),
		Title: p.Offer.Title, Area: p.Zustaendigkeit.Area.String(), Unit: viewUnit(p.Unit), Online: []onlineView{},
		Serial: p.Serial, Geaendert: stamp(p.Geaendert), Fetched: stamp(p.Fetched),
		Stale: p.Stale, Reachable: p.Reachable, Via: string(p.Via), Neighbour: p.Neighbour,
	}
	for i := range p.Onlinedienste {
		o := &p.Onlinedienste[i]
		v.Online = append(v.Online, onlineView{o.Title, o.URL, o.Level.String(), o.Payment})
	}
	return v
}

func viewProviders(list []directory.Provider) []providerView {
	out := make([]providerView, 0, len(list))
	for i := range list {
		out = append(out, viewProvider(&list[i]))
	}
	return out
}

func viewUnit(u *catalog.Unit) *unitView {
	if u == nil {
		return nil
	}
	return &unitView{u.Name, u.Street, u.PLZ, u.Ort, u.Phone, u.Email, u.URL, u.Hours}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

type noticeView struct {
	Kind   string `json:"kind"`
	Member string `json:"member,omitempty"`
	Name   string `json:"name,omitempty"`
	Via    string `json:"via,omitempty"`
	Area   string `json:"area,omitempty"`
	Leika  string `json:"leika,omitempty"`
	Since  string `json:"since,omitempty"`
}

type changeView struct {
	Date      string         `json:"date"`
	Providers []providerView `json:"providers"`
}

// answerView is a directory.Answer.
type answerView struct {
	Reason      string           `json:"reason"`
	Leika       string           `json:"leika,omitempty"`
	Place       string           `json:"place"`
	PlaceName   string           `json:"placeName"`
	Outdated    string           `json:"outdated,omitempty"`
	Date        string           `json:"date"`
	Outside     bool             `json:"outside"`
	MatchedKey  string           `json:"matchedKey,omitempty"`
	MatchedArea string           `json:"matchedArea,omitempty"`
	Providers   []providerView   `json:"providers"`
	Contacts    []providerView   `json:"contacts"`
	Notices     []noticeView     `json:"notices"`
	Upcoming    *changeView      `json:"upcoming,omitempty"`
	Steps       []directory.Step `json:"steps,omitempty"`
	AnsweredBy  *sealView        `json:"answeredBy,omitempty"` // for a place of another Landkreis
}

func (a *API) viewAnswer(x *directory.Answer, steps []directory.Step) answerView {
	v := answerView{
		Reason: string(x.Reason), Leika: x.Asked.String(), Place: x.Place.String(), PlaceName: a.register.Name(x.Place),
		Outdated: x.Outdated.String(), Date: x.Date.Format(time.DateOnly), Outside: x.Outside,
		MatchedKey: x.Matched.String(), Providers: viewProviders(x.Providers), Contacts: viewProviders(x.Contacts),
		Notices: []noticeView{}, Steps: steps,
	}
	if x.Found() {
		v.MatchedArea = x.MatchedArea.String()
	}
	for _, n := range x.Notices {
		v.Notices = append(v.Notices, noticeView{
			string(n.Kind), string(n.Member), n.Name, string(n.Via), n.Area.String(), n.Leika.String(), stamp(n.Since),
		})
	}
	if x.Upcoming != nil {
		v.Upcoming = &changeView{x.Upcoming.Date.Format(time.DateOnly), viewProviders(x.Upcoming.Providers)}
	}
	return v
}

type hitView struct {
	Leika      string       `json:"leika,omitempty"`
	Title      string       `json:"title"`
	Lang       string       `json:"lang"`
	Teaser     string       `json:"teaser,omitempty"`
	TeaserLang string       `json:"teaserLang,omitempty"`
	Several    bool         `json:"several"`
	Places     int          `json:"places"`
	Provider   providerView `json:"provider"`
}

type facetView struct {
	Value  string `json:"value"`
	Label  string `json:"label"`
	Count  int    `json:"count"`
	Active bool   `json:"active"`
}

func viewFacets(list []directory.Facet) []facetView {
	out := make([]facetView, 0, len(list))
	for _, f := range list {
		out = append(out, facetView(f))
	}
	return out
}
