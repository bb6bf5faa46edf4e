package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

type networkPage struct {
	Heading, Lead string
	Rows          []networkRow
}

// networkRow is one portal; State is said by sign and text.
type networkRow struct {
	Name, Kind, URL  string
	Page             string // of the authority
	State, StateKind string
	Note             string
	Date             string
	Offers           string
}

// Verbund is the page "/verbund": the portals of the network and how they do.
func (w *Web) Verbund(rw http.ResponseWriter, r *http.Request) {
	v := w.view(r, "verbund")
	v.Title = v.t("network.title")
	v.crumbs(link{Text: v.Title})
	rows := w.portals()
	page := networkPage{Heading: v.Title, Lead: v.t("network.lead", v.where(w.placeOf(w.cfg.Area)), v.n("foot.portals", len(rows)))}
	for i := range rows {
		page.Rows = append(page.Rows, v.networkRow(&rows[i]))
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// portals returns the state of all members, hub first, then by name.
func (w *Web) portals() []Portal {
	var out []Portal
	if w.cfg.Network != nil {
		out = slices.Clone(w.cfg.Network.Portals())
	} else {
		for _, a := range w.cfg.Directory.Authorities(bund) {
			out = append(out, Portal{Member: a.Member, Self: a.Member.ID == w.cfg.Self, Reachable: a.Reachable, HasCopy: a.HasCopy, Stale: a.Stale, Serial: a.Serial, Offers: a.Offers, Fetched: w.fetched(&a)})
		}
	}
	slices.SortStableFunc(out, func(a, b Portal) int {
		if a.Member.IsHub != b.Member.IsHub {
			if a.Member.IsHub {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Member.Name, b.Member.Name)
	})
	return out
}

func (v *view) networkRow(p *Portal) networkRow {
	row := networkRow{
		Name: p.Member.Name, Kind: v.t("kind." + p.Member.Kind.String()), URL: p.Member.ID.Origin() + "/",
		Page: v.Link("/behoerden/" + memberKey(p.Member.ID)), Offers: locale.Number(v.Lang, p.Offers),
	}
	switch {
	case p.Self:
		row.State, row.StateKind = v.t("network.self"), "success"
	case !p.HasCopy && !p.Reachable:
		row.State, row.StateKind = v.t("network.never"), "danger"
	case !p.Reachable:
		row.State, row.StateKind = v.t("network.silent"), "warning"
	case p.Stale:
		row.State, row.StateKind = v.t("network.stale"), "warning"
	case !p.HasCopy:
		row.State, row.StateKind = v.t("network.loading"), "info"
	default:
		row.State, row.StateKind = v.t("network.ok"), "success"
	}
	if !p.Self && !p.Reachable && !p.Since.IsZero() {
		row.Note = v.t("network.since", v.ago(p.Since))
	}
	switch {
	case p.Self:
		row.Date = v.t("network.now")
	case p.Fetched.IsZero():
		row.Date = v.t("network.nodate")
	default:
		row.Date = v.moment(p.Fetched)
	}
	return row
}

// fetched is read from any offer of the member: all have the same copy.
func (w *Web) fetched(a *directory.Authority) (t time.Time) {
	for _, o := range w.cfg.Directory.Offers(a.Member.ID) {
		if p, ok := w.cfg.Directory.Offer(directory.OfferRef{Member: a.Member.ID, ID: o.ID}); ok {
			return p.Fetched
		}
	}
	return t
}
