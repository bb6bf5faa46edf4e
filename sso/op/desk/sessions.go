package desk

import (
	"errors"
	"net/http"

	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
)

// sessions is "Wo bin ich angemeldet?" [SSO.md §5.5]: every browser with its
// portals, to be ended one by one or all at once.
func (d *Desk) sessions(v *visit) error {
	p := Page{Kind: Sessions}
	if v.posted() {
		var err error
		if p, err = d.endSessions(v); err != nil {
			return err
		}
	}
	all, err := d.c.Provider.Sessions(v.r.Context(), v.Account)
	if err != nil {
		return err
	}
	for _, s := range all {
		one := Session{ID: s.Key, Here: s.Key == v.Session, Began: s.Began, Seen: s.Seen}
		for _, party := range s.Parties {
			one.Portals = append(one.Portals, Portal{ID: party.Client, Name: party.Name, Since: party.Since})
		}
		p.Sessions = append(p.Sessions, one)
	}
	return d.show(v, http.StatusOK, p)
}

// endSessions does what the form asks. What has ended meanwhile is no mistake:
// it is what the person wants.
func (d *Desk) endSessions(v *visit) (Page, error) {
	ctx, f := v.r.Context(), v.r.PostForm
	p := Page{Kind: Sessions, Done: f.Get("was")}
	var err error
	switch p.Done {
	case "portal":
		var one sso.LogoutResult
		if one, err = d.c.Provider.EndParty(ctx, v.Account, f.Get("sitzung"), f.Get("portal")); err == nil {
			p.Results = append(p.Results, one)
		}
	case "browser":
		if f.Get("sitzung") == v.Session {
			return p, errInput // this browser signs out at the logout page
		}
		p.Results, err = d.c.Provider.EndSession(ctx, v.Account, f.Get("sitzung"))
	case "alle":
		p.Results, err = d.c.Provider.EndOthers(ctx, v.Account, v.Session)
	default:
		err = errInput
	}
	if errors.Is(err, ledger.ErrUnknown) {
		err = nil
	}
	return p, err
}

// history is who received what and when.
func (d *Desk) history(v *visit) error {
	all, err := d.c.Provider.History(v.r.Context(), v.Account)
	if err != nil {
		return err
	}
	p := Page{Kind: History}
	for i := len(all) - 1; i >= 0; i-- { // the newest first
		p.History = append(p.History, all[i])
	}
	return d.show(v, http.StatusOK, p)
}
