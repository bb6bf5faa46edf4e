package web

import (
	"html/template"
	"strings"

	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/markup"
)

// contact is whom to ask, where to go and when.
type contact struct {
	Authority, Unit, UnitLang string
	Street, City              string
	Phone, Tel                string
	Email, Web                string
	Hours                     template.HTML
	HoursLang                 string
}

func (v *view) contact(p *directory.Provider) *contact {
	c := &contact{Authority: p.Member.Name, Phone: phoneOf(p)}
	if u := p.Unit; u != nil {
		name, lang := u.Name.In(v.Lang)
		if name != c.Authority {
			c.Unit, c.UnitLang = name, v.In(lang)
		}
		c.Street, c.City = u.Street, strings.TrimSpace(u.PLZ+" "+u.Ort)
		c.Email = u.Email
		if strings.HasPrefix(u.URL, "https://") {
			c.Web = u.URL
		}
		if hours, l := u.Hours.In(v.Lang); hours != "" {
			c.Hours, c.HoursLang = markup.HTML(hours), v.In(l)
		}
	}
	c.Tel = dial(c.Phone)
	if c.Street == "" && c.Phone == "" && c.Email == "" && c.Unit == "" {
		return nil
	}
	return c
}

// dial turns a German telephone number into the form of a tel: address.
func dial(phone string) string {
	var b strings.Builder
	for i, r := range phone {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0:
			b.WriteRune(r)
		}
	}
	s := b.String()
	if strings.HasPrefix(s, "0") && !strings.HasPrefix(s, "00") {
		return "+49" + s[1:]
	}
	return s
}

// offline says how it works without the internet, from what is known.
func (v *view) offline(c *contact, local []*contact) string {
	switch {
	case c == nil:
		return ""
	case c.Phone != "" && c.Street != "":
		return v.t("offline.both")
	case c.Phone != "":
		return v.t("offline.phone")
	case c.Street != "":
		return v.t("offline.visit")
	}
	return ""
}
