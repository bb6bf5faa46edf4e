package hub

import (
	"errors"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
)

// handover is one planned change of a member's area.
type handover struct {
	Name, URL string
	From      time.Time
	Day       string // for links
	Areas     []string
	Reason    string
	ID        string
}

func (h *Hub) handovers(q *admin.Request) (*admin.Answer, error) {
	known, err := h.cfg.Anchor.List(q.Context(), anchor.Filter{})
	if err != nil {
		return nil, err
	}
	var out struct {
		Planned []handover
		Members []option
	}
	for _, m := range known {
		if m.State == anchor.StateActive {
			out.Members = append(out.Members, option{Value: string(m.ID), Text: m.Name})
		}
		if m.Next == nil || m.State == anchor.StateRevoked || m.State == anchor.StateRefused {
			continue
		}
		out.Planned = append(out.Planned, handover{ID: string(m.ID), Name: m.Name, URL: handoverURL(m.ID), From: m.Next.From, Day: m.Next.From.Format(time.DateOnly),
			Areas: h.scopeLines(m.Next.Scope), Reason: m.Next.Reason})
	}
	return q.View("uebergaben", "Übergaben an einem Tag", out), nil
}

func handoverURL(id federation.EntityID) string {
	return strings.Replace(memberURL(id), "/mitglied?", "/uebergabe?", 1)
}

// shift is one Leistung in one place that another member answers for
// afterwards.
type shift struct{ Title, Place, Before, After string }

type handoverPage struct {
	anchor.Member
	Day     string // as typed
	From    time.Time
	Scope   scopeForm
	Reason  string
	All     bool   // everything is given up
	Problem string // of the day
	Now     []string
	Shown   bool // a preview was asked for
	Shifts  []shift
	More    int // beyond those shown
}

const shownShifts = 100

func (h *Hub) handover(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	p := &handoverPage{Member: m, Scope: formOf(m.Scope), Now: h.scopeLines(m.Scope)}
	if m.Next != nil {
		p.Day, p.Scope, p.Reason = m.Next.From.Format(time.DateOnly), formOf(m.Next.Scope), m.Next.Reason
		p.All = len(m.Next.Scope.Subtree)+len(m.Next.Scope.Areas) == 0
		h.preview(p, m.Next.Planned)
	}
	return q.View("uebergabe", "Übergabe: "+m.Name, p), nil
}

// plan shows what would change, and with the second button plans it.
func (h *Hub) plan(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	p := &handoverPage{Member: m, Day: q.PostFormValue("tag"), Scope: typedScope(q.PostForm), Reason: strings.TrimSpace(q.PostFormValue("grund")), Now: h.scopeLines(m.Scope)}
	title := "Übergabe: " + m.Name
	from, err := time.Parse(time.DateOnly, p.Day)
	if err != nil {
		p.Problem = "Bitte wählen Sie einen Tag."
	}
	planned := federation.Planned{From: from}
	if p.All = q.PostFormValue("alles") != ""; !p.All {
		planned.Scope = p.Scope.read(h.cfg.Register)
	}
	if p.Problem != "" || len(p.Scope.Problems) > 0 {
		return q.Again("uebergabe", title, p), nil
	}
	if q.PostFormValue("schritt") != "planen" {
		h.preview(p, planned)
		return q.View("uebergabe", title, p), nil
	}
	switch err := h.cfg.Anchor.Plan(q.Context(), q.By(), m.ID, planned, p.Reason); {
	case errors.Is(err, anchor.ErrPlanDay):
		p.Problem = "Der Tag muss in der Zukunft liegen, höchstens zehn Jahre."
	case errors.Is(err, anchor.ErrScope):
		p.Scope.Problems["gebiet"] = outsideText
	case err != nil:
		return nil, decided(err)
	default:
		return q.Redirect(Path+"/uebergaben", "Die Übergabe am "+date(from)+" ist geplant. Sie geschieht von selbst."), nil
	}
	return q.Again("uebergabe", title, p), nil
}

func (h *Hub) unplan(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	if err := h.cfg.Anchor.Unplan(q.Context(), q.By(), m.ID); err != nil {
		return nil, decided(err)
	}
	return q.Redirect(Path+"/uebergaben", "Die Übergabe von "+m.Name+" ist abgesagt."), nil
}

// preview compares who answers on the day before the hand-over with who
// answers on the day itself, in every Gemeinde that it touches.
func (h *Hub) preview(p *handoverPage, planned federation.Planned) {
	p.Shown, p.From = true, planned.From
	then := h.cfg.Preview(p.ID, planned)
	before := planned.From.AddDate(0, 0, -1)
	for _, key := range then.Keys() {
		for _, place := range h.touched(p.Member.Scope, planned.Scope) {
			was, will := h.cfg.Directory.Lookup(key, place, before), then.Lookup(key, place, planned.From)
			if was.Member() == will.Member() && was.Members == will.Members {
				continue
			}
			if len(p.Shifts) == shownShifts {
				p.More++
				continue
			}
			p.Shifts = append(p.Shifts, shift{Title: title(then.Title(key), key), Place: h.name(place), Before: h.answerer(was), After: h.answerer(will)})
		}
	}
}

// touched are the Gemeinden in either grant.
func (h *Hub) touched(a, b federation.Scope) []region.Area {
	var out []region.Area
	for _, g := range h.places(h.cfg.Area) {
		if a.CoversArea(g) || b.CoversArea(g) {
			out = append(out, g)
		}
	}
	return out
}

// answerer names who answers.
func (h *Hub) answerer(m directory.Match) string {
	switch {
	case m.Members == 0:
		return "niemand"
	case m.Members > 1:
		return "mehrere Behörden"
	}
	if a, ok := h.cfg.Directory.Authority(m.Member()); ok {
		return a.Member.Name
	}
	return string(m.Member())
}
