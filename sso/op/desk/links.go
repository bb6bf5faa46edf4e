package desk

import (
	"net/http"

	"rathausnetz/sso/op"
)

// links shows the other ways to sign in to an account. The provider takes the
// forms and leads back here with a result.
func (d *Desk) links(v *visit) error {
	f, err := d.c.Provider.LinkForm(v.w, v.r)
	if err != nil {
		return err
	}
	p := Page{Kind: Links, Links: f}
	switch res := op.LinkResult(v.r.URL.Query().Get(op.LinkParam)); res {
	case op.LinkDone, op.LinkRemoved, op.LinkTaken, op.LinkLast, op.LinkStale, op.LinkFailed:
		p.Done = string(res)
	}
	return d.show(v, http.StatusOK, p)
}
