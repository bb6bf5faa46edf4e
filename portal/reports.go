package portal

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/control"
	"rathausnetz/portal/report"
	"rathausnetz/portal/web"
)

// networkArea is the area of the whole network and how sentences call it.
func (n *Node) networkArea() (area region.Area, name string) {
	area, name = n.began.Network.Area, n.began.Network.Name
	if area == (region.Area{}) {
		area = n.began.Home.Truncate(5)
		if n.cfg.Hub.Enabled {
			area = n.cfg.Hub.Area
		}
	}
	if name == "" {
		name = n.register.Name(area)
	}
	return area, name
}

func (n *Node) openReports() error {
	area, _ := n.networkArea()
	n.reports = report.New(report.Config{
		Self: n.cfg.Entity, Hub: providers{n}.Home, IsHub: n.anchor != nil, Area: area, HTTP: n.outbound(forReports), Store: n.store, Now: n.now, Log: n.log,
		Key: func() *trust.Key { return n.keys.Federation[0] },
		Keys: func(id federation.EntityID) (trust.JWKS, error) {
			chain, err := members{n}.Chain(id)
			if err != nil {
				return trust.JWKS{}, err
			}
			return chain.Keys, nil
		},
		Known: func(key leika.ID, place region.Area) bool {
			_, ok := n.register.Place(place)
			return ok && n.directory.Title(key) != ""
		},
	})
	return nil
}

func (n *Node) reportRoutes() []route {
	var out []route
	for path, h := range n.reports.Handlers() {
		out = append(out, route{both, path, h})
	}
	return out
}

func (n *Node) reportVerbs(v map[string]control.Verb) {
	v["reports"] = control.Handle(func(ctx context.Context, _ struct{}) ([]report.Entry, error) { return n.reports.List(ctx) })
	v["reportclose"] = control.Handle(n.reports.Close)
	v["gaps"] = control.Handle(func(ctx context.Context, _ struct{}) ([]report.Gap, error) { return n.reports.Gaps(ctx) })
}

// remarks lets the pages take "Fehler melden" to the owner of a record.
type remarks struct{ n *Node }

// Report implements web.Reports.
func (m remarks) Report(r *http.Request, about directory.OfferRef, text string) (string, bool, error) {
	ref, delivered, err := m.n.reports.Send(r.Context(), visitor(r.RemoteAddr), report.Remark{Owner: about.Member, Offer: about.ID, Text: text})
	if errors.Is(err, report.ErrTooLarge) {
		err = errors.Join(web.ErrReportLong, err)
	}
	return ref, delivered, err
}

// State implements web.Reports.
func (m remarks) State(r *http.Request, reference string) (web.ReportState, string, error) {
	s, answer, err := m.n.reports.StateOf(r.Context(), reference)
	switch {
	case errors.Is(err, report.ErrUnknown):
		return web.ReportUnknown, "", nil
	case err != nil:
		return web.ReportUnknown, "", err
	case s == report.Waiting:
		return web.ReportWaiting, "", nil
	case s == report.Left:
		return web.ReportLeft, "", nil
	case s == report.Done:
		return web.ReportDone, answer, nil
	}
	return web.ReportOpen, "", nil
}

// visitor stands for the sender of a request in the allowance: an IPv4 address
// or an IPv6 /64, kept in memory only.
func visitor(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	a := ap.Addr().Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}

// gap tells the hub that nobody answers for a Leistung in a place.
func (n *Node) gap(key leika.ID, place region.Area) bool {
	return n.reports.TellGap(context.Background(), key, place)
}
