package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/anchor"
	"rathausnetz/portal/admin"
)

const (
	recordsPerPage = 50
	maxRecords     = 1 << 20
)

type trailPage struct {
	Rows             []anchor.Record
	Words, Who, What string
	From, Until      string
	Actions          []option
	First, Last      int
	Total            int
	Pager            pager
	CSV, JSON        string
	Verify           string
	Verified         bool // the chain was checked
	RecordCount      int
	Broken           string // what is wrong with it
}

// records returns what the filter of the request leaves, newest first.
func (h *Hub) records(q *admin.Request) (*trailPage, []anchor.Record, error) {
	all, err := h.cfg.Anchor.Audit(q.Context(), 1, maxRecords)
	if err != nil {
		return nil, nil, err
	}
	p := &trailPage{Words: strings.TrimSpace(q.FormValue("q")), Who: strings.TrimSpace(q.FormValue("wer")), What: q.FormValue("was"), From: q.FormValue("von"), Until: q.FormValue("bis")}
	from, ferr := time.Parse(time.DateOnly, p.From)
	until, uerr := time.Parse(time.DateOnly, p.Until)
	actions := map[string]bool{}
	var out []anchor.Record
	for _, r := range slices.Backward(all) {
		actions[r.Action] = true
		switch {
		case p.Who != "" && !strings.Contains(strings.ToLower(r.By), strings.ToLower(p.Who)):
		case p.What != "" && r.Action != p.What:
		case p.Words != "" && !strings.Contains(strings.ToLower(r.Subject+" "+r.Reason), strings.ToLower(p.Words)):
		case ferr == nil && r.At.Before(from):
		case uerr == nil && !r.At.Before(until.AddDate(0, 0, 1)):
		default:
			out = append(out, r)
		}
	}
	p.Actions = append(p.Actions, option{"", "Alles", p.What == ""})
	for a := range actions {
		p.Actions = append(p.Actions, option{a, actionName(a), a == p.What})
	}
	slices.SortFunc(p.Actions[1:], func(a, b option) int { return strings.Compare(a.Text, b.Text) })
	return p, out, nil
}

func (p *trailPage) url(path string, extra ...string) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": p.Words, "wer": p.Who, "was": p.What, "von": p.From, "bis": p.Until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for i := 0; i+1 < len(extra); i += 2 {
		v.Set(extra[i], extra[i+1])
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func (h *Hub) trail(q *admin.Request) (*admin.Answer, error) {
	p, rows, err := h.records(q)
	if err != nil {
		return nil, err
	}
	n := page(q.FormValue("seite"))
	if n*recordsPerPage >= len(rows) {
		n = 0
	}
	p.Last = min((n+1)*recordsPerPage, len(rows))
	p.Rows, p.First, p.Total = rows[n*recordsPerPage:p.Last], min(n*recordsPerPage+1, p.Last), len(rows)
	for i := range p.Rows {
		p.Rows[i].Action, p.Rows[i].Reason = actionName(p.Rows[i].Action), reasonText(p.Rows[i].Reason)
	}
	p.Pager = pages(n, len(rows), recordsPerPage, func(n int) string { return p.url(Path+"/protokoll", "seite", fmt.Sprint(n)) })
	p.CSV, p.JSON, p.Verify = p.url(Path+"/protokoll.csv"), p.url(Path+"/protokoll.json"), p.url(Path+"/protokoll", "pruefen", "1")
	if q.FormValue("pruefen") != "" {
		p.Verified = true
		n, err := h.cfg.Anchor.VerifyAudit(q.Context())
		p.RecordCount = int(n)
		if errors.Is(err, anchor.ErrAudit) {
			p.Broken = err.Error()
		} else if err != nil {
			return nil, err
		}
	}
	return q.View("protokoll", "Protokoll", p), nil
}

func (h *Hub) trailCSV(q *admin.Request) (*admin.Answer, error) {
	_, rows, err := h.records(q)
	if err != nil {
		return nil, err
	}
	table := [][]string{{"Nummer", "Zeit (UTC)", "Wer", "Was", "Wen oder was", "Grund", "Prüfsumme des Eintrags davor"}}
	for _, r := range rows {
		table = append(table, []string{fmt.Sprint(r.Seq), r.At.UTC().Format(time.RFC3339), r.By, r.Action, r.Subject, r.Reason, r.Previous.String()})
	}
	return spreadsheet(q, "protokoll-"+q.Now().Format(time.DateOnly)+".csv", table)
}

func (h *Hub) trailJSON(q *admin.Request) (*admin.Answer, error) {
	_, rows, err := h.records(q)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = []anchor.Record{}
	}
	b, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		return nil, err
	}
	return q.File("protokoll-"+q.Now().Format(time.DateOnly)+".json", "application/json", b), nil
}

var actionNames = map[string]string{
	"invite": "Beitrittscode erzeugt", "join": "Beitritt beantragt", "join-refused": "Beitritt nicht angenommen", "approve": "Mitglied freigegeben",
	"refuse": "Mitglied abgelehnt", "suspend": "Mitglied pausiert", "readmit": "Mitglied wieder zugelassen", "revoke": "Mitglied ausgeschlossen",
	"rescope": "Gebiet geändert", "plan": "Übergabe geplant", "unplan": "Übergabe abgesagt", "plan-done": "Übergabe vollzogen", "keys-changed": "Schlüssel eines Mitglieds gewechselt", "gossip-key": "Netzschlüssel gewechselt",
	"equivocation": "Widersprüchliche Kataloge", "report-equivocation": "Widersprüchliche Kataloge gemeldet", "refused": "Katalog abgewiesen", "scope": "Angaben außerhalb des Gebiets",
	"staff-link-made": "Zugang von der Kommandozeile erzeugt", "staff-link": "Mit Link angemeldet", "staff-signin": "Angemeldet", "staff-signout": "Abgemeldet",
	"staff-accept": "Einladung angenommen", "staff-invite": "Person eingeladen", "staff-roles": "Rollen geändert", "staff-lock": "Konto gesperrt",
	"staff-unlock": "Konto wieder geöffnet", "staff-delete": "Konto gelöscht",
}

// reasonText says in German what the hub itself has written as a reason; what
// a person wrote stays as it is.
func reasonText(r string) string {
	switch rest, isRoles := strings.CutPrefix(r, "roles "); {
	case r == "waits for approval":
		return "wartet auf Freigabe"
	case r == "announced by the member itself":
		return "vom Mitglied selbst angekündigt"
	case isRoles:
		return "Rollen: " + rest
	}
	if id, ok := strings.CutPrefix(r, "revoked "); ok {
		return "nach dem Ausschluss von " + id
	}
	return r
}

func actionName(a string) string {
	if n := actionNames[a]; n != "" {
		return n
	}
	return a
}
