package hub

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
)

// clash is one conflict: several members claim the same Leistung in the same
// place.
type clash struct {
	Title, Key, Place string
	Members           []party
	Page              string // as citizens see it
}

type party struct{ Name, Page, Offer string }

type conflictPage struct {
	Rows   []clash
	Day    string
	Future bool
}

func (h *Hub) conflicts(q *admin.Request) (*admin.Answer, error) {
	var p conflictPage
	day, err := time.Parse(time.DateOnly, q.FormValue("tag"))
	if err == nil {
		p.Day, p.Future = day.Format(time.DateOnly), day.After(q.Now())
	} else {
		day = time.Time{}
	}
	for _, c := range h.cfg.Directory.Conflicts(day) {
		row := clash{Title: title(c.Title, c.Leika), Key: c.Leika.String(), Place: h.cfg.Register.Name(c.Area), Page: "/leistung/" + c.Leika.String() + "/" + c.Area.String()}
		for i, m := range c.Members {
			one := party{Name: m.Name, Page: memberURL(m.ID)}
			if m.ID == h.cfg.Self {
				one.Page = ""
			}
			if i < len(c.Offers) {
				one.Offer = string(c.Offers[i])
			}
			row.Members = append(row.Members, one)
		}
		p.Rows = append(p.Rows, row)
	}
	return q.View("konflikte", "Konflikte", p), nil
}

// gap is a Leistung in a place without an authority.
type gap struct {
	Title, Key, Place string
	Count             int // how often people have met it
	Last              time.Time
	Offered           int // places that have an answer
	Page              string
}

// gapRows are the gaps that people have met, most often first, then those that
// nobody has looked for yet. What is mended meanwhile is left out.
func (h *Hub) gapRows(ctx context.Context) ([]gap, error) {
	told, err := h.cfg.Gaps(ctx)
	if err != nil {
		return nil, err
	}
	type spot struct{ key, area string }
	met := map[spot]gap{}
	for _, g := range told {
		met[spot{g.Leika, g.Area}] = gap{Count: g.Count, Last: g.Last}
	}
	var out []gap
	seen := map[spot]bool{}
	for _, g := range h.cfg.Directory.Gaps(h.places(h.cfg.Area), time.Time{}) {
		for _, area := range g.Places {
			at := spot{g.Leika.String(), area.String()}
			seen[at] = true
			one := met[at]
			out = append(out, h.gap(one, g.Leika, title(g.Title, g.Leika), area, g.Offered))
		}
	}
	for at, one := range met {
		key, err := leika.Parse(at.key)
		area, aerr := region.ParseArea(at.area)
		if seen[at] || err != nil || aerr != nil || h.cfg.Directory.Lookup(key, area, time.Time{}).Members > 0 {
			continue
		}
		out = append(out, h.gap(one, key, title(h.cfg.Directory.Title(key), key), area, 0))
	}
	slices.SortFunc(out, func(a, b gap) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Title, b.Title), strings.Compare(a.Place, b.Place))
	})
	return out, nil
}

func (h *Hub) gap(g gap, key leika.ID, title string, area region.Area, offered int) gap {
	g.Title, g.Key, g.Place, g.Offered = title, key.String(), h.name(area), offered
	g.Page = "/leistung/" + key.String() + "/" + area.String()
	return g
}

const gapsPerPage = 50

type gapPage struct {
	Rows     []gap
	From, To int
	Total    int
	Pager    pager
}

func (h *Hub) gaps(q *admin.Request) (*admin.Answer, error) {
	rows, err := h.gapRows(q.Context())
	if err != nil {
		return nil, err
	}
	n := page(q.FormValue("seite"))
	if n*gapsPerPage >= len(rows) {
		n = 0
	}
	last := min((n+1)*gapsPerPage, len(rows))
	p := gapPage{Rows: rows[n*gapsPerPage : last], From: min(n*gapsPerPage+1, last), To: last, Total: len(rows)}
	p.Pager = pages(n, len(rows), gapsPerPage, func(n int) string { return fmt.Sprintf("%s/luecken?seite=%d", Path, n) })
	return q.View("luecken", "Lücken", p), nil
}

// exhibit is one manifest kept as evidence.
type exhibit struct {
	Name, Page string
	Serial     uint64
	Digest     string
	At         time.Time
	URL        string
}

func (h *Hub) evidence(q *admin.Request) (*admin.Answer, error) {
	known, err := h.cfg.Anchor.List(q.Context(), anchor.Filter{})
	if err != nil {
		return nil, err
	}
	var out []exhibit
	for _, m := range known {
		kept, err := h.cfg.Kept(m.ID)
		if err != nil {
			return nil, err
		}
		for _, k := range kept {
			v := url.Values{"id": {string(m.ID)}, "beleg": {k.Digest}}
			out = append(out, exhibit{Name: m.Name, Page: memberURL(m.ID), Serial: k.Serial, Digest: k.Digest, At: k.At, URL: Path + "/beweis?" + v.Encode()})
		}
	}
	return q.View("beweise", "Beweise", out), nil
}

// exhibit sends one manifest as it was sealed.
func (h *Hub) exhibit(q *admin.Request) (*admin.Answer, error) {
	id := federation.EntityID(q.FormValue("id"))
	kept, err := h.cfg.Kept(id)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		if k.Digest == q.FormValue("beleg") {
			return q.File(fmt.Sprintf("%s-%d-%s.jws", id.Host(), k.Serial, k.Digest), "application/jose", []byte(k.Sealed)), nil
		}
	}
	return nil, admin.ErrNotFound
}
