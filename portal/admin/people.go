package admin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"rathausnetz/portal/admin/staff"
)

const peoplePath = Root + "/zugaenge"

// people is the list of staff; Leitung alone.
func (a *Admin) people() Section {
	return Section{Name: "Zugänge", Path: peoplePath, Pages: []Page{
		{Method: http.MethodGet, Path: peoplePath, Nav: "Zugänge", Serve: a.showPeople},
		{Method: http.MethodPost, Path: peoplePath + "/einladen", Action: "staff-invite", Serve: a.invite},
		{Method: http.MethodPost, Path: peoplePath + "/rollen", Action: "staff-roles", Serve: a.setRoles},
		{Method: http.MethodPost, Path: peoplePath + "/sperren", Action: "staff-lock", Serve: a.lock},
		{Method: http.MethodPost, Path: peoplePath + "/entsperren", Action: "staff-unlock", Serve: a.unlock},
		{Method: http.MethodPost, Path: peoplePath + "/loeschen", Action: "staff-delete", Serve: a.remove},
	}}
}

// roleNames is how pages call the roles, with what they are for.
var roleNames = map[staff.Roles][2]string{
	staff.Redaktion: {"Redaktion", "Texte, Links und Katalog"},
	staff.Verbund:   {"Verbund", "Mitglieder aufnehmen und Gebiete festlegen"},
	staff.Leitung:   {"Leitung", "alles, auch Zugänge und Ausschluss"},
}

// roleChoice is one box to tick.
type roleChoice struct {
	Word, Name, What string
	Set              bool
}

func choices(r staff.Roles) []roleChoice {
	var out []roleChoice
	for _, one := range staff.Everyone.Single() {
		out = append(out, roleChoice{Word: one.String(), Name: roleNames[one][0], What: roleNames[one][1], Set: r&one != 0})
	}
	return out
}

type peoplePage struct {
	People  []personRow
	Choices []roleChoice
	Name    string // as typed
	Problem string // at the invitation form
	Link    string // of a new invitation, shown once
	For     string
	Until   time.Time
	Sources []Link
}

type personRow struct {
	staff.Account
	Roles   []roleChoice
	State   string
	Kind    string // of the badge
	Self    bool
	Waiting bool
}

func (a *Admin) peoplePage(q *Request) (*peoplePage, error) {
	list, err := a.cfg.Staff.List(q.Context())
	if err != nil {
		return nil, err
	}
	p := &peoplePage{Choices: choices(0), Sources: a.sources(nil)}
	for _, one := range list {
		row := personRow{Account: one, Roles: choices(one.Roles), State: "In Ordnung", Kind: "success", Self: one.ID == q.Staff.ID}
		switch {
		case one.Locked:
			row.State, row.Kind = "Gesperrt", "danger"
		case one.Login == (staff.Login{}):
			row.State, row.Kind, row.Waiting = "Eingeladen", "info", true
		}
		p.People = append(p.People, row)
	}
	return p, nil
}

func (a *Admin) showPeople(q *Request) (*Answer, error) {
	p, err := a.peoplePage(q)
	if err != nil {
		return nil, err
	}
	return q.View("zugaenge", "Zugänge", p), nil
}

func rolesOf(q *Request) (staff.Roles, error) {
	var r staff.Roles
	if err := r.UnmarshalText([]byte(strings.Join(q.PostForm["rolle"], ","))); err != nil {
		return 0, &Problem{Status: http.StatusUnprocessableEntity, Title: "Diese Rolle gibt es nicht", Text: "Bitte wählen Sie die Rollen auf der Seite aus.", Err: err}
	}
	return r, nil
}

// invite shows the link once, in the answer itself: it stands in no address,
// no log and no store.
func (a *Admin) invite(q *Request) (*Answer, error) {
	roles, err := rolesOf(q)
	if err != nil {
		return nil, err
	}
	name := q.PostFormValue("name")
	account, secret, until, err := a.cfg.Staff.Invite(q.Context(), name, roles)
	bad := ""
	switch {
	case errors.Is(err, staff.ErrName):
		bad = "Bitte geben Sie einen Namen mit höchstens 100 Zeichen ein."
	case errors.Is(err, staff.ErrNoRole):
		bad = "Bitte wählen Sie mindestens eine Rolle."
	case err != nil:
		return nil, err
	}
	p, err := a.peoplePage(q)
	if err != nil {
		return nil, err
	}
	p.Name, p.Problem = name, bad
	if bad != "" {
		p.Choices = choices(roles)
		return q.Again("zugaenge", "Zugänge", p), nil
	}
	q.About(account.Actor(), "roles "+roles.String())
	p.Name, p.Link, p.For, p.Until = "", a.invitationURL(secret), account.Name, until
	return q.View("zugaenge", "Zugänge", p), nil
}

// changeOther refuses to change the account that asks: nobody shuts out or
// promotes themselves by accident.
func (a *Admin) changeOther(q *Request, f func(id string) (staff.Account, error), said string) (*Answer, error) {
	id := q.PostFormValue("id")
	if id == q.Staff.ID {
		return nil, &Problem{Status: http.StatusUnprocessableEntity, Title: "Das ist Ihr eigenes Konto", Text: "Bitten Sie eine andere Person mit der Rolle Leitung darum."}
	}
	account, err := f(id)
	switch {
	case errors.Is(err, staff.ErrUnknown), errors.Is(err, staff.ErrConsole):
		return nil, ErrNotFound
	case errors.Is(err, staff.ErrNoRole):
		return nil, &Problem{Status: http.StatusUnprocessableEntity, Title: "Ein Konto braucht eine Rolle", Text: "Wählen Sie mindestens eine Rolle. Oder sperren Sie das Konto."}
	case err != nil:
		return nil, err
	}
	q.About("staff:"+id, q.reason)
	return q.Redirect(peoplePath, fmt.Sprintf(said, account.Name)), nil
}

func (a *Admin) setRoles(q *Request) (*Answer, error) {
	roles, err := rolesOf(q)
	if err != nil {
		return nil, err
	}
	q.reason = "roles " + roles.String()
	return a.changeOther(q, func(id string) (staff.Account, error) { return a.cfg.Staff.SetRoles(q.Context(), id, roles) }, "Die Rollen von %s sind geändert.")
}

func (a *Admin) lock(q *Request) (*Answer, error) {
	return a.changeOther(q, func(id string) (staff.Account, error) { return a.cfg.Staff.Lock(q.Context(), id) }, "Das Konto von %s ist gesperrt. Offene Sitzungen sind beendet.")
}

func (a *Admin) unlock(q *Request) (*Answer, error) {
	return a.changeOther(q, func(id string) (staff.Account, error) { return a.cfg.Staff.Unlock(q.Context(), id) }, "Das Konto von %s ist wieder offen.")
}

func (a *Admin) remove(q *Request) (*Answer, error) {
	return a.changeOther(q, func(id string) (staff.Account, error) {
		account, err := a.cfg.Staff.Get(q.Context(), id)
		if err == nil {
			err = a.cfg.Staff.Remove(q.Context(), id)
		}
		return account, err
	}, "Das Konto von %s ist gelöscht.")
}
