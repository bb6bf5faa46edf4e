package web

import (
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/portal/web/locale"
)

type accountPage struct {
	Heading string
	Login   string
	Facts   []pair
	Portals []string
	Desk    []link // pages of the account, if it is kept here
	Keeper  string // where it is kept otherwise
	Manage  string
}

// Konto is the page "/konto": where the citizen is signed in, and how to sign
// out everywhere.
func (w *Web) Konto(rw http.ResponseWriter, r *http.Request) {
	v := w.view(r, "konto")
	v.Nav, v.NoIndex, v.Private = "konto", true, true
	page := accountPage{Login: v.Login()}
	if v.Person == nil {
		v.Title = v.t("account.title")
	} else {
		v.Title = v.t("account.mine")
		p := v.Person
		page.Facts = []pair{{v.t("account.name"), p.Name}, {v.t("account.level"), v.t("level.name." + p.Level.String())}}
		if p.Issuer != "" {
			page.Facts = append(page.Facts, pair{v.t("account.issuer"), p.Issuer})
		}
		if !p.Since.IsZero() {
			page.Facts = append(page.Facts, pair{v.t("account.since"), v.moment(p.Since)})
		}
		if !p.Until.IsZero() {
			page.Facts = append(page.Facts, pair{v.t("account.until"), v.moment(p.Until)})
		}
		page.Portals = p.Portals
		if p.AccountHere {
			page.Desk = v.deskLinks()
		} else if p.AccountURL != "" {
			page.Keeper, page.Manage = p.Issuer, p.AccountURL
		}
	}
	page.Heading = v.Title
	v.crumbs(link{Text: v.Title})
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// formPage is the demonstration form: it shows the way, it sends nothing.
type formPage struct {
	Heading string
	Action  string
	Lang    string
	Name    string
	Level   string
	Sent    bool
	Alerts  []alert
	Wish    string
	Missing string
	Need    string // what is still to be proven before sending; may be empty
	Kept    bool   // what was typed before a login is here again
}

// Form is what the portal knows of a form beside the page itself.
type Form struct {
	Need federation.Level    // for sending
	Kept map[string][]string // what was typed before a login; may be nil
}

// FormWish is the field without which the form is not sent.
const FormWish = "anliegen"

// Lengths of the form's fields, in bytes.
const (
	maxWish = 500
	maxName = 200
)

func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// Antrag is the demonstration form "/antrag/{slug}", GET and POST. It keeps
// nothing and sends nothing, and says so. Outside a demonstration network it
// does not exist.
func (w *Web) Antrag(rw http.ResponseWriter, r *http.Request, f Form) {
	if !w.cfg.Demo {
		w.NotFound(rw, r)
		return
	}
	v := w.view(r, "antrag")
	v.NoIndex, v.Private = true, true
	page := formPage{Action: r.URL.Path, Heading: v.formTitle(r)}
	if v.Lang != locale.German {
		page.Action += "?lang=" + v.Lang
	}
	if v.Person != nil {
		page.Name, page.Level = v.Person.Name, v.t("level.name."+v.Person.Level.String())
		if v.Person.Level < f.Need {
			page.Need = v.t("level.have."+v.Person.Level.String()) + " " + v.t("form.need."+levelKey(f.Need))
		}
	}
	if typed := url.Values(f.Kept); typed != nil {
		page.Kept, page.Wish = true, cut(typed.Get(FormWish), maxWish)
		page.Name = cut(typed.Get("name"), maxName)
	}
	v.Title = page.Heading
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(rw, r.Body, 64<<10)
		page.Wish = cut(r.PostFormValue(FormWish), maxWish)
		switch {
		case page.Wish == "":
			page.Missing = v.t("form.missing")
		default:
			page.Sent = true
			v.Title = v.t("form.thanks")
		}
	}
	v.Stay = v.Person != nil && !page.Sent
	v.crumbs(link{Text: v.Title})
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// formTitle is the title of the own offer whose service is at this address.
func (v *view) formTitle(r *http.Request) string {
	want := v.w.cfg.Self.URL(r.URL.Path)
	for _, o := range v.w.cfg.Directory.Offers(v.w.cfg.Self) {
		for i := range o.Onlinedienste {
			if o.Onlinedienste[i].URL == want {
				title, lang := o.Title.In(v.Lang)
				v.In(lang)
				return title
			}
		}
	}
	return v.t("form.title")
}
