package hub

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
)

// asked returns the member that a request is about.
func (h *Hub) asked(q *admin.Request) (anchor.Member, error) {
	m, err := h.cfg.Anchor.Show(q.Context(), federation.EntityID(strings.TrimSuffix(q.FormValue("id"), "/")))
	if errors.Is(err, anchor.ErrNotMember) {
		return m, admin.ErrNotFound
	}
	return m, err
}

// reasonOf returns the reason of a decision, or what is wrong with it.
func reasonOf(q *admin.Request) (reason, problem string) {
	reason = strings.TrimSpace(q.PostFormValue("grund"))
	switch {
	case reason == "":
		problem = "Bitte schreiben Sie in einem Satz, warum."
	case utf8.RuneCountInString(reason) > 300:
		problem = "Höchstens 300 Zeichen sind möglich."
	}
	return reason, problem
}

// decided says what the hub's refusals mean for people.
func decided(err error) error {
	p := &admin.Problem{Status: http.StatusConflict, Err: err}
	switch {
	case errors.Is(err, anchor.ErrNotMember):
		return admin.ErrNotFound
	case errors.Is(err, anchor.ErrNoPlan):
		p.Title, p.Text = "Hier ist nichts geplant", "Vielleicht hat gerade jemand anderes die Übergabe abgesagt. Oder ihr Tag ist schon da."
	case errors.Is(err, anchor.ErrState):
		p.Title, p.Text = "Das geht in diesem Zustand nicht", "Vielleicht hat gerade jemand anderes entschieden. Öffnen Sie die Seite neu und sehen Sie nach."
	case errors.Is(err, anchor.ErrScope):
		p.Title, p.Text = "Das Gebiet ist zu groß", outsideText
	case errors.Is(err, anchor.ErrNotApproved):
		p.Title, p.Text = "Ihr Verbund ist selbst noch nicht aufgenommen", "Die übergeordnete Stelle muss diesen Knoten zuerst freigeben."
	default:
		return err
	}
	return p
}

type memberPage struct {
	anchor.Member
	Kind      string
	StateName string
	Badge     string
	Areas     []string
	Row       *row // of an active member
	Scope     scopeForm
	Kept      int // manifests kept as evidence
}

func (h *Hub) memberPage(q *admin.Request, m anchor.Member) (*memberPage, error) {
	p := &memberPage{Member: m, Kind: kinds[m.Kind], Areas: h.scopeLines(m.Scope), Scope: formOf(m.Scope)}
	p.StateName, p.Badge = stateName(m.State)
	kept, err := h.cfg.Kept(m.ID)
	if err != nil {
		return nil, err
	}
	p.Kept = len(kept)
	for _, peer := range h.cfg.Peers() {
		if peer.Member.ID == m.ID {
			r := peerRow(peer)
			p.Row = &r
		}
	}
	return p, nil
}

func (h *Hub) member(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	p, err := h.memberPage(q, m)
	if err != nil {
		return nil, err
	}
	return q.View("mitglied", m.Name, p), nil
}

// confirmPage says what will happen before it does.
type confirmPage struct {
	anchor.Member
	Offers int
	// Orphans are Leistungen that nobody answers for afterwards, in one of
	// the places at least.
	Orphans []string
	More    int    // beyond those named
	Reason  string // as typed
	Problem string // with it
	Unread  bool   // the tick is missing
}

const namedOrphans = 10

func (h *Hub) confirm(q *admin.Request) (*confirmPage, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	p := &confirmPage{Member: m, Offers: len(h.cfg.Directory.Offers(m.ID))}
	seen := map[string]bool{}
	places := h.places(h.cfg.Area)
	for _, o := range h.cfg.Directory.Offers(m.ID) {
		if o.Leika.IsZero() {
			continue
		}
		title := h.cfg.Directory.Title(o.Leika)
		if seen[title] || !h.orphaned(q.Now(), o.Leika, places, m.ID) {
			continue
		}
		seen[title] = true
		if len(p.Orphans) < namedOrphans {
			p.Orphans = append(p.Orphans, title)
		} else {
			p.More++
		}
	}
	return p, nil
}

func (h *Hub) orphaned(now time.Time, key leika.ID, places []region.Area, id federation.EntityID) bool {
	for _, place := range places {
		if m := h.cfg.Directory.Lookup(key, place, now); m.Reason != directory.None && m.Members == 1 && m.Member() == id {
			return true
		}
	}
	return false
}

func (h *Hub) askSuspend(q *admin.Request) (*admin.Answer, error) {
	p, err := h.confirm(q)
	if err != nil {
		return nil, err
	}
	return q.View("pausieren", p.Name+" pausieren", p), nil
}

func (h *Hub) suspend(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	reason, problem := reasonOf(q)
	if problem != "" {
		p, err := h.confirm(q)
		if err != nil {
			return nil, err
		}
		p.Reason, p.Problem = reason, problem
		return q.Again("pausieren", m.Name+" pausieren", p), nil
	}
	if err := h.cfg.Anchor.Suspend(q.Context(), q.By(), m.ID, reason); err != nil {
		return nil, decided(err)
	}
	return q.Redirect(memberURL(m.ID), m.Name+" ist pausiert."), nil
}

func (h *Hub) readmit(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	if err := h.cfg.Anchor.Readmit(q.Context(), q.By(), m.ID); err != nil {
		return nil, decided(err)
	}
	return q.Redirect(memberURL(m.ID), m.Name+" ist wieder zugelassen."), nil
}

func (h *Hub) askRevoke(q *admin.Request) (*admin.Answer, error) {
	p, err := h.confirm(q)
	if err != nil {
		return nil, err
	}
	return q.View("ausschliessen", p.Name+" ausschließen", p), nil
}

func (h *Hub) revoke(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	reason, problem := reasonOf(q)
	if unread := q.PostFormValue("gelesen") == ""; unread || problem != "" {
		p, err := h.confirm(q)
		if err != nil {
			return nil, err
		}
		p.Reason, p.Problem, p.Unread = reason, problem, unread
		return q.Again("ausschliessen", m.Name+" ausschließen", p), nil
	}
	if err := h.cfg.Anchor.Revoke(q.Context(), q.By(), m.ID, reason); err != nil {
		return nil, decided(err)
	}
	return q.Redirect(Path, m.Name+" ist ausgeschlossen. Alle Portale erfahren es in wenigen Sekunden."), nil
}

func (h *Hub) rescope(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	form := typedScope(q.PostForm)
	scope := form.read(h.cfg.Register)
	if len(form.Problems) == 0 {
		err := h.cfg.Anchor.Rescope(q.Context(), q.By(), m.ID, scope)
		if err == nil {
			return q.Redirect(memberURL(m.ID), "Das Gebiet ist geändert. Alle Portale erfahren es in wenigen Sekunden."), nil
		}
		if !errors.Is(err, anchor.ErrScope) {
			return nil, decided(err)
		}
		form.Problems["gebiet"] = outsideText
	}
	p, err := h.memberPage(q, m)
	if err != nil {
		return nil, err
	}
	p.Scope = form
	return q.Again("mitglied", m.Name, p), nil
}
