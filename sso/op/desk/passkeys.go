package desk

import (
	"errors"
	"net/http"

	"rathausnetz/sso/op/passkey"
)

// passkeys lists, makes, names and removes passkeys. Only accounts of the
// provider's own have them: another source signs in by its own means.
func (d *Desk) passkeys(v *visit) error {
	p := Page{Kind: Passkeys}
	if v.own == nil || d.c.Passkeys == nil {
		return d.show(v, http.StatusOK, p)
	}
	status := http.StatusOK
	if v.posted() {
		what := v.r.PostForm.Get("was")
		err := d.changeKey(v, what)
		switch {
		case err == nil:
			return v.again(what)
		case errors.Is(err, passkey.ErrName):
			p.Mistake = BadName
		case errors.Is(err, passkey.ErrMany):
			p.Mistake = TooManyKeys
		case errors.Is(err, passkey.ErrRefused):
			d.c.Log.Warn("passkey refused", "err", err)
			p.Mistake = KeyRefused
		default:
			return err
		}
		status = http.StatusUnprocessableEntity
	}
	ctx := v.r.Context()
	var err error
	if p.Keys, err = d.c.Passkeys.List(ctx, v.Account); err != nil {
		return err
	}
	options, handle, err := d.c.Passkeys.Creation(ctx, v.Account, v.own.Username)
	if err != nil && !errors.Is(err, passkey.ErrMany) {
		return err
	}
	p.Options, p.Handle = string(options), handle
	return d.show(v, status, p)
}

func (d *Desk) changeKey(v *visit, what string) error {
	ctx, f := v.r.Context(), v.r.PostForm
	var err error
	switch what {
	case "neu":
		_, err = d.c.Passkeys.Add(ctx, v.Account, f.Get("handle"), f.Get("name"), []byte(f.Get("passkey")))
	case "name":
		err = d.c.Passkeys.Rename(ctx, v.Account, f.Get("id"), f.Get("name"))
	case "weg":
		err = d.c.Passkeys.Remove(ctx, v.Account, f.Get("id"))
	default:
		err = errInput
	}
	if what != "neu" && errors.Is(err, passkey.ErrNotFound) {
		return nil // removed in another window: the list shows it
	}
	return err
}
