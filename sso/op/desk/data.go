package desk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"rathausnetz/sso"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/passkey"
)

// data says what is stored and offers the copy.
func (d *Desk) data(v *visit) error { return d.show(v, http.StatusOK, Page{Kind: Data}) }

// Export is everything that is stored about a person at the provider. Its
// names are German: it is written for who it is about.
type Export struct {
	About    string           `json:"hinweis"`
	By       string           `json:"kontofuehrung"`
	Issuer   string           `json:"adresse"`
	Made     time.Time        `json:"erstellt"`
	Account  exportAccount    `json:"konto"`
	Passkeys []passkey.Key    `json:"passkeys"`
	Links    []exportLink     `json:"weitere_anmeldewege"`
	Sessions []exportSession  `json:"anmeldungen"`
	History  []exportHandover `json:"weitergaben"`
}

type exportAccount struct {
	ID       string     `json:"kennung"`
	Username string     `json:"benutzername,omitempty"`
	Name     string     `json:"name,omitempty"`
	Upstream string     `json:"anmeldung_ueber,omitempty"`
	Claims   sso.Claims `json:"angaben,omitzero"`
	Level    string     `json:"vertrauensniveau,omitempty"`
	Created  time.Time  `json:"angelegt,omitzero"`
	Changed  time.Time  `json:"passwort_geaendert,omitzero"`
}

type exportLink struct {
	Name  string    `json:"name"`
	Since time.Time `json:"seit"`
}

type exportSession struct {
	Began   time.Time      `json:"seit"`
	Seen    time.Time      `json:"zuletzt"`
	Level   string         `json:"vertrauensniveau"`
	Methods []string       `json:"verfahren"`
	Here    bool           `json:"dieser_browser"`
	Portals []exportPortal `json:"portale"`
}

type exportPortal struct {
	Name   string    `json:"name"`
	ID     string    `json:"adresse"`
	Since  time.Time `json:"seit"`
	Claims []string  `json:"angaben"`
}

type exportHandover struct {
	Name    string    `json:"portal"`
	ID      string    `json:"adresse"`
	Subject string    `json:"kennung_dort,omitempty"`
	At      time.Time `json:"zeitpunkt"`
	Level   string    `json:"vertrauensniveau"`
	Claims  []string  `json:"angaben"`
}

const exportNote = "Alle Daten, die zu Ihrem Konto gespeichert sind. Ihr Passwort und Ihre Passkeys speichern wir nur so, dass niemand sie lesen kann. " +
	"Anträge liegen bei dem Portal, bei dem Sie sie gestellt haben."

// export sends the copy of all data as a file.
func (d *Desk) export(v *visit) error {
	e, err := d.collect(v)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="meine-daten.json"`)
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = v.w.Write(append(b, '\n')) // the reader has gone: nothing to do
	d.c.Log.Info("account exported")
	return nil
}

func (d *Desk) collect(v *visit) (*Export, error) {
	ctx := v.r.Context()
	e := &Export{
		About: exportNote, By: d.c.Name, Issuer: string(d.c.Issuer), Made: d.c.Now().UTC(),
		Account:  exportAccount{ID: v.Account, Name: v.Name, Upstream: v.Upstream},
		Passkeys: []passkey.Key{}, Links: []exportLink{}, Sessions: []exportSession{}, History: []exportHandover{},
	}
	if v.own != nil {
		e.Account.Username, e.Account.Claims, e.Account.Level = v.own.Username, v.own.Claims, v.own.Level.String()
		e.Account.Created, e.Account.Changed = v.own.Created, v.own.Changed
	}
	if d.c.Passkeys != nil {
		keys, err := d.c.Passkeys.List(ctx, v.Account)
		if err != nil {
			return nil, err
		}
		e.Passkeys = append(e.Passkeys, keys...)
	}
	links, err := d.c.Provider.LinkForm(v.w, v.r)
	if err != nil {
		return nil, err
	}
	if links != nil {
		for _, l := range links.Linked {
			e.Links = append(e.Links, exportLink{Name: l.Name, Since: l.Since})
		}
	}
	return e, d.collectUse(ctx, v, e)
}

// collectUse adds where the account is and was used.
func (d *Desk) collectUse(ctx context.Context, v *visit, e *Export) error {
	all, err := d.c.Provider.Sessions(ctx, v.Account)
	if err != nil {
		return err
	}
	for _, s := range all {
		one := exportSession{Began: s.Began, Seen: s.Seen, Level: s.Level.String(), Methods: s.AMR, Here: s.Key == v.Session, Portals: []exportPortal{}}
		for _, p := range s.Parties {
			one.Portals = append(one.Portals, exportPortal{Name: p.Name, ID: p.Client, Since: p.Since, Claims: p.Claims})
		}
		if v.own == nil {
			e.Account.Claims = s.Claims // the source's, of the last login
		}
		e.Sessions = append(e.Sessions, one)
	}
	history, err := d.c.Provider.History(ctx, v.Account)
	if err != nil {
		return err
	}
	for _, h := range history {
		// A portal that has left has no subject any more that could be told.
		sub, err := d.c.Provider.Subject(ctx, h.Client, v.Account)
		if err != nil {
			d.c.Log.Debug("subject not told", "peer", h.Client, "err", err)
		}
		e.History = append(e.History, exportHandover{Name: h.Name, ID: h.Client, Subject: sub, At: h.At, Level: h.Level.String(), Claims: h.Claims})
	}
	return nil
}

// delete removes the account after the person has said that they mean it.
func (d *Desk) delete(v *visit) error {
	p := Page{Kind: Delete}
	if !v.posted() {
		return d.show(v, http.StatusOK, p)
	}
	if v.r.PostForm.Get("verstanden") != "1" {
		p.Mistake = NotAgreed
		return d.show(v, http.StatusUnprocessableEntity, p)
	}
	// The citizen may close the window; what has begun is finished all the same.
	ctx := context.WithoutCancel(v.r.Context())
	results, err := d.Remove(ctx, v.Account)
	if err != nil {
		return err
	}
	if err := d.c.Citizens.Leave(v.w, v.r); err != nil {
		return err
	}
	p.Done, p.Results = "done", results
	v.own, v.CSRF = nil, ""
	return d.show(v, http.StatusOK, p)
}

// Remove deletes an account with everything kept about it at the provider and
// signs it out everywhere; it returns what each portal answered. Nobody signs
// in to it any more from the first moment on. After an error the account is
// there, locked, and Remove can be called again. What a portal has received stays
// there: it is that portal's record.
func (d *Desk) Remove(ctx context.Context, id string) ([]sso.LogoutResult, error) {
	own, err := d.c.Accounts.Get(ctx, id)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return nil, err
	}
	if own != nil {
		if _, err := d.c.Accounts.Lock(ctx, own.Username); err != nil {
			return nil, err
		}
	}
	results, err := d.c.Provider.Forget(ctx, id)
	if err == nil && d.c.Passkeys != nil {
		err = d.c.Passkeys.Forget(ctx, id)
	}
	if err == nil && own != nil { // last: whoever begins again must find the account
		err = d.c.Accounts.Delete(ctx, own.Username)
	}
	if err != nil {
		return results, err
	}
	d.c.Log.Info("account deleted", "portals", len(results))
	return results, nil
}
