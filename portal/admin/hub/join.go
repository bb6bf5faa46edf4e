package hub

import (
	"errors"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/portal/admin"
)

const joinTitle = "Aufnahme in den Verbund"

type joinPage struct {
	Waiting []applicant
	Past    []past
	Name    string
	Short   string
	Utility bool
	Scope   scopeForm
	Problem string // of the name
	Code    string // of a new invitation, shown once
	For     string
	Until   time.Time

	Asked    string // the applicant a decision was about
	Uncalled bool   // the tick for the telephone is missing
	Refusal  string // what is wrong with the reason
}

// applicant is somebody who waits for approval.
type applicant struct {
	anchor.Member
	Kind  string
	Areas []string
}

// past is an earlier decision against an applicant.
type past struct {
	Name, State, Badge, Reason string
	Decided                    time.Time
	Page                       string
}

func (h *Hub) joinPage(q *admin.Request) (*joinPage, error) {
	known, err := h.cfg.Anchor.List(q.Context(), anchor.Filter{})
	if err != nil {
		return nil, err
	}
	p := &joinPage{}
	for _, m := range known {
		switch m.State {
		case anchor.StatePending:
			p.Waiting = append(p.Waiting, applicant{Member: m, Kind: kinds[m.Kind], Areas: h.scopeLines(m.Scope)})
		case anchor.StateRefused, anchor.StateRevoked:
			one := past{Name: m.Name, Reason: m.Reason, Decided: m.Decided, Page: memberURL(m.ID)}
			one.State, one.Badge = stateName(m.State)
			p.Past = append(p.Past, one)
		}
	}
	return p, nil
}

func (h *Hub) joining(q *admin.Request) (*admin.Answer, error) {
	p, err := h.joinPage(q)
	if err != nil {
		return nil, err
	}
	return q.View("aufnahme", joinTitle, p), nil
}

// invite shows the code once, in the answer itself: it stands in no address,
// no log and no store.
func (h *Hub) invite(q *admin.Request) (*admin.Answer, error) {
	p, err := h.joinPage(q)
	if err != nil {
		return nil, err
	}
	p.Name, p.Short, p.Utility = strings.TrimSpace(q.PostFormValue("name")), strings.TrimSpace(q.PostFormValue("kurz")), q.PostFormValue("art") == "unternehmen"
	p.Scope = typedScope(q.PostForm)
	inv := anchor.Invitation{Name: p.Name, ShortName: p.Short, Scope: p.Scope.read(h.cfg.Register)}
	if p.Name == "" || len(p.Name) > 200 {
		p.Problem = "Bitte geben Sie den amtlichen Namen ein, zum Beispiel „Gemeinde Bissendorf“."
	}
	if p.Problem == "" && len(p.Scope.Problems) == 0 {
		h.describe(&inv, p.Utility)
		code, err := h.cfg.Anchor.Invite(q.Context(), q.By(), inv)
		switch {
		case errors.Is(err, anchor.ErrScope):
			p.Scope.Problems["gebiet"] = outsideText
		case errors.Is(err, anchor.ErrRequest):
			p.Problem = "Für dieses Gebiet lässt sich die Art nicht erkennen. Nehmen Sie den Regionalschlüssel der Kommune."
		case err != nil:
			return nil, decided(err)
		default:
			fresh, err := h.joinPage(q)
			if err != nil {
				return nil, err
			}
			fresh.Code, fresh.For, fresh.Until = code.String(), p.Name, code.Expires
			return q.View("aufnahme", joinTitle, fresh), nil
		}
	}
	return q.Again("aufnahme", joinTitle, p), nil
}

const outsideText = "Dieses Gebiet gehört nicht zu Ihrem Verbund. Sie können nur vergeben, was Sie selbst haben."

// describe fills in what follows from the area: kind, seat and short name.
func (h *Hub) describe(inv *anchor.Invitation, utility bool) {
	if inv.ShortName == "" {
		inv.ShortName = inv.Name
		for _, k := range []string{"Gemeinde ", "Stadt ", "Samtgemeinde "} {
			inv.ShortName = strings.TrimPrefix(inv.ShortName, k)
		}
	}
	if utility {
		inv.Kind = federation.KindUnternehmen
		return
	}
	areas := append(inv.Scope.Subtree[:len(inv.Scope.Subtree):len(inv.Scope.Subtree)], inv.Scope.Areas...)
	if len(areas) == 0 {
		return
	}
	inv.Seat = areas[0]
	switch inv.Seat.Len() {
	case 12:
		inv.Kind = federation.KindGemeinde
	case 9:
		inv.Kind = federation.KindSamtgemeinde
	case 5:
		inv.Kind = federation.KindLandkreis
	}
}

func (h *Hub) approve(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	if q.PostFormValue("verglichen") == "" {
		p, err := h.joinPage(q)
		if err != nil {
			return nil, err
		}
		p.Asked, p.Uncalled = string(m.ID), true
		return q.Again("aufnahme", joinTitle, p), nil
	}
	if err := h.cfg.Anchor.Approve(q.Context(), q.By(), m.ID); err != nil {
		return nil, decided(err)
	}
	return q.Redirect(Path+"/aufnahme", m.Name+" gehört jetzt zum Verbund."), nil
}

func (h *Hub) refuse(q *admin.Request) (*admin.Answer, error) {
	m, err := h.asked(q)
	if err != nil {
		return nil, err
	}
	reason, problem := reasonOf(q)
	if problem != "" {
		p, err := h.joinPage(q)
		if err != nil {
			return nil, err
		}
		p.Asked, p.Refusal = string(m.ID), problem
		return q.Again("aufnahme", joinTitle, p), nil
	}
	if err := h.cfg.Anchor.Refuse(q.Context(), q.By(), m.ID, reason); err != nil {
		return nil, decided(err)
	}
	return q.Redirect(Path+"/aufnahme", m.Name+" ist abgelehnt."), nil
}
