package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/mirror"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/web/locale"
)

// row is one line of the table of portals.
type row struct {
	ID      federation.EntityID
	Name    string
	Short   string
	Kind    string
	State   string // in words
	Badge   string // kind of the badge
	Mark    string // sign on the map
	Age     time.Time
	Now     bool // the own catalogue has no age
	Serial  string
	RTT     string
	Offers  int
	Note    string
	Detail  string // of the last error, as the log has it
	Page    string
	Missing bool // nothing is held: no age, no serial
}

type networkPage struct {
	Name    string
	Tiles   []tile
	Chart   *chart
	Rows    []row
	Pending int
}

// tile is one figure with the page behind it.
type tile struct{ Head, Text, URL string }

// memberURL is the page of one member.
func memberURL(id federation.EntityID) string {
	return Path + "/mitglied?" + url.Values{"id": {string(id)}}.Encode()
}

// rows joins the registry with what is seen of the portals.
func (h *Hub) rows(ctx context.Context) ([]row, []anchor.Member, error) {
	known, err := h.cfg.Anchor.List(ctx, anchor.Filter{})
	if err != nil {
		return nil, nil, err
	}
	peers := map[federation.EntityID]Peer{}
	var out []row
	for _, p := range h.cfg.Peers() {
		peers[p.Member.ID] = p
		if p.Self {
			out = append(out, peerRow(p))
		}
	}
	for _, m := range known {
		switch m.State {
		case anchor.StateRefused, anchor.StateRevoked:
			continue
		case anchor.StateActive:
			p, ok := peers[m.ID]
			if !ok {
				p.Member = federation.Member{ID: m.ID, Name: m.Name, ShortName: m.ShortName, Kind: m.Kind}
			}
			out = append(out, peerRow(p))
		default:
			out = append(out, registryRow(m))
		}
	}
	slices.SortStableFunc(out, func(a, b row) int {
		if own := cmp.Compare(boolInt(b.Now), boolInt(a.Now)); own != 0 {
			return own
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, known, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

var kinds = map[federation.Kind]string{
	federation.KindGemeinde: "Gemeinde", federation.KindSamtgemeinde: "Samtgemeinde", federation.KindLandkreis: "Landkreis",
	federation.KindLand: "Land", federation.KindUnternehmen: "Unternehmen",
}

func short(name, legal string) string { return cmp.Or(name, legal) }

func peerRow(p Peer) row {
	r := row{
		ID: p.Member.ID, Name: p.Member.Name, Short: short(p.Member.ShortName, p.Member.Name), Kind: kinds[p.Member.Kind], Page: memberURL(p.Member.ID),
		Age: p.Checked, Now: p.Self, Offers: p.Offers, Serial: fmt.Sprint(p.Serial), RTT: "–", Missing: p.Serial == 0 || p.Checked.IsZero() && !p.Self,
	}
	if p.RTT > 0 {
		r.RTT = fmt.Sprintf("%d ms", max(p.RTT.Milliseconds(), 1))
	}
	if p.Announced > p.Serial {
		r.Serial = fmt.Sprintf("%d, angekündigt %d", p.Serial, p.Announced)
	}
	if p.Err != nil {
		r.Note, r.Detail = reason(p.Err), p.Err.Error()
	}
	if p.Outside > 0 {
		r.Note = strings.TrimSpace(r.Note + fmt.Sprintf(" %s außerhalb des Gebiets wurden weggelassen.", count(p.Outside, "Angabe", "Angaben")))
	}
	switch {
	case p.Self:
		r.State, r.Badge, r.Mark, r.Page = "Dieses Portal", "success", "✓", ""
	case errors.Is(p.Err, mirror.ErrEquivocates):
		r.State, r.Badge, r.Mark = "Widersprüchlicher Katalog", "danger", "✕"
	case !p.Reachable && p.Serial == 0:
		r.State, r.Badge, r.Mark = "Noch nie erreicht", "danger", "✕"
	case !p.Reachable:
		r.State, r.Badge, r.Mark = "Nicht erreichbar", "danger", "✕"
	case p.Serial == 0:
		r.State, r.Badge, r.Mark = "Noch kein Katalog", "info", "?"
	case p.Copy != mirror.StateFresh:
		r.State, r.Badge, r.Mark = "Angaben veraltet", "warning", "!"
	case p.Err != nil:
		r.State, r.Badge, r.Mark = "Abruf gestört", "warning", "!"
	default:
		r.State, r.Badge, r.Mark = "In Ordnung", "success", "✓"
	}
	return r
}

func registryRow(m anchor.Member) row {
	r := row{ID: m.ID, Name: m.Name, Short: short(m.ShortName, m.Name), Kind: kinds[m.Kind], RTT: "–", Serial: "–", Missing: true, Page: memberURL(m.ID)}
	r.State, r.Badge = stateName(m.State)
	switch m.State {
	case anchor.StatePending:
		r.Mark, r.Note, r.Page = "?", "Fingerabdruck prüfen und freigeben", Path+"/aufnahme"
	case anchor.StateSuspended:
		r.Mark, r.Note = "–", m.Reason
	}
	return r
}

func stateName(s anchor.State) (name, badge string) {
	switch s {
	case anchor.StatePending:
		return "Wartet auf Freigabe", "info"
	case anchor.StateActive:
		return "Mitglied", "success"
	case anchor.StateSuspended:
		return "Pausiert", "warning"
	case anchor.StateRefused:
		return "Abgelehnt", "danger"
	case anchor.StateRevoked:
		return "Ausgeschlossen", "danger"
	}
	return string(s), "info"
}

// reason says in one sentence why a pull changed nothing; the words of the log
// stand beside it on the member's page.
func reason(err error) string {
	for _, c := range []struct {
		err  error
		text string
	}{
		{mirror.ErrEquivocates, "Es gibt zwei verschiedene Kataloge mit derselben Nummer."},
		{mirror.ErrSeal, "Die Unterschrift unter dem Katalog stimmt nicht."},
		{mirror.ErrIssuer, "Der Katalog gehört zu einem anderen Mitglied."},
		{mirror.ErrRollback, "Der Katalog ist älter als der letzte."},
		{mirror.ErrExpired, "Der Katalog ist abgelaufen."},
		{mirror.ErrNotYet, "Der Katalog trägt ein Datum in der Zukunft. Vielleicht geht dort die Uhr falsch."},
		{mirror.ErrContent, "Der Inhalt passt nicht zum Verzeichnis des Katalogs."},
		{mirror.ErrTooLarge, "Der Katalog ist zu groß."},
		{mirror.ErrFull, "Hier ist kein Speicherplatz mehr frei."},
		{mirror.ErrNotMember, "Das Portal kann sich nicht als Mitglied ausweisen."},
		{mirror.ErrUnreachable, "Der Katalog war nicht abrufbar."},
	} {
		if errors.Is(err, c.err) {
			return c.text
		}
	}
	return "Der Abruf ist fehlgeschlagen."
}

// count writes a number with its noun: "1 Portal", "1.165 Leistungen".
func count(n int, one, other string) string {
	if n == 1 {
		other = one
	}
	return locale.Number(locale.German, n) + " " + other
}

func (h *Hub) network(q *admin.Request) (*admin.Answer, error) {
	page, err := h.state(q)
	if err != nil {
		return nil, err
	}
	page.Chart = newChart(page.Rows)
	return q.View("netz", "Verbund "+h.cfg.Name, page), nil
}

// state is what both pages about the whole Verbund show.
func (h *Hub) state(q *admin.Request) (networkPage, error) {
	rows, known, err := h.rows(q.Context())
	if err != nil {
		return networkPage{}, err
	}
	tiles, err := h.tiles(q, rows)
	return networkPage{Name: h.cfg.Name, Tiles: tiles, Rows: rows, Pending: pending(known)}, err
}

func pending(known []anchor.Member) int {
	n := 0
	for _, m := range known {
		if m.State == anchor.StatePending {
			n++
		}
	}
	return n
}

// tiles are the figures above the table, each with the page behind it.
func (h *Hub) tiles(q *admin.Request, rows []row) ([]tile, error) {
	states := map[string]int{}
	var order []string
	for _, r := range rows {
		s := r.State
		if r.Now {
			s = "In Ordnung"
		}
		if states[s] == 0 {
			order = append(order, s)
		}
		states[s]++
	}
	var words []string
	for _, s := range order {
		words = append(words, fmt.Sprintf("%d %s", states[s], lower(s)))
	}
	_, _, leistungen := h.cfg.Directory.Size()
	gaps, err := h.gapRows(q.Context())
	if err != nil {
		return nil, err
	}
	clashes := len(h.cfg.Directory.Conflicts(time.Time{}))
	return []tile{
		{count(len(rows), "Portal", "Portale"), strings.Join(words, ", "), Path},
		{count(leistungen, "Leistung", "Leistungen"), "Wer macht was wo?", Path + "/abdeckung"},
		{count(len(gaps), "Lücke", "Lücken"), "Leistung und Ort ohne Behörde", Path + "/luecken"},
		{count(clashes, "Konflikt", "Konflikte"), "Mehrere Behörden für dieselbe Leistung", Path + "/konflikte"},
	}, nil
}

// lower writes a state inside a sentence; nouns keep their capital.
func lower(s string) string {
	switch s {
	case "In Ordnung", "Nicht erreichbar", "Noch nie erreicht", "Noch kein Katalog", "Wartet auf Freigabe", "Pausiert", "Widersprüchlicher Katalog":
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// home is the hub's part of the first page: what waits for somebody.
func (h *Hub) home(q *admin.Request) (*admin.Answer, error) {
	page, err := h.state(q)
	if err != nil {
		return nil, err
	}
	return q.View("uebersicht", "", page), nil
}
