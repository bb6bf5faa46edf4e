package desk

import (
	"errors"
	"net/http"

	"rathausnetz/sso/op/account"
)

// password sets a new password and signs the account out in every other
// browser: whoever knew the old one is out.
func (d *Desk) password(v *visit) error {
	p := Page{Kind: Password}
	if v.own == nil || !v.posted() {
		return d.show(v, http.StatusOK, p)
	}
	ctx, f := v.r.Context(), v.r.PostForm
	if p.Mistake = d.judge(v.own.Username, f.Get("neu"), f.Get("neu2")); p.Mistake != NoMistake {
		return d.show(v, http.StatusUnprocessableEntity, p)
	}
	if _, err := d.c.Accounts.SetPassword(ctx, v.own.Username, f.Get("neu")); err != nil {
		return err
	}
	d.c.Log.Info("password changed")
	p.Done = "done"
	var err error
	if p.Results, err = d.c.Provider.EndOthers(ctx, v.Account, v.Session); err != nil {
		return err
	}
	return d.show(v, http.StatusOK, p)
}

func (d *Desk) judge(username, password, again string) Mistake {
	switch {
	case d.c.Accounts.CheckPassword(username, password) != nil:
		return BadPassword
	case password != again:
		return Different
	}
	return NoMistake
}

// recover sets a password with a code of the operator, for who cannot sign in.
// It needs no session and changes nothing without the code.
func (d *Desk) recover(w http.ResponseWriter, r *http.Request) {
	harden(w)
	p := Page{Kind: Recover, Action: r.URL.RequestURI(), Own: true}
	status, err := http.StatusOK, error(nil)
	if r.Method == http.MethodPost {
		status, err = d.redeem(w, r, &p)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.c.Pages.DeskPage(w, r, status, p)
}

func (d *Desk) redeem(w http.ResponseWriter, r *http.Request, p *Page) (int, error) {
	if err := parse(w, r); err != nil {
		return 0, err
	}
	f := r.PostForm
	p.Username = f.Get("username")
	if p.Mistake = d.judge(p.Username, f.Get("neu"), f.Get("neu2")); p.Mistake != NoMistake {
		return http.StatusUnprocessableEntity, nil
	}
	acc, err := d.c.Accounts.Redeem(r.Context(), p.Username, f.Get("code"), f.Get("neu"), d.c.Provider.Address(r))
	var many *account.LimitError
	switch {
	case errors.Is(err, account.ErrWrong):
		p.Mistake = BadCode
		return http.StatusUnprocessableEntity, nil
	case errors.As(err, &many):
		p.Mistake, p.Wait = TooManyTries, many.Minutes()
		return http.StatusTooManyRequests, nil
	case err != nil:
		return 0, err
	}
	p.Done = "done"
	p.Results, err = d.c.Provider.EndAll(r.Context(), acc.ID)
	return http.StatusOK, err
}
