package web

import (
	"html/template"
	"net/url"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
	"rathausnetz/portal/web/markup"
)

// detailPage is one Leistung as one authority offers it.
type detailPage struct {
	Heading     string
	HeadingLang string
	Lead        string
	LeadLang    string
	Alerts      []alert
	Box         responsibility
	Facts       []fact
	Main        []section // always open, with a heading
	More        []section // folded
	Contact     *contact
	Local       []*contact // whom to ask in the place itself
	Offline     string     // how it works without the internet
	Source      []pair
	Report      link
	Microdata   bool
	AreaName    string
	Member      string
}

// responsibility is the Zuständig-Box.
type responsibility struct {
	Heading string
	Reason  string
	Apply   []apply
	Leads   string // where the button leads
	Needs   *alert // the login is not enough
	Change  *link
	Notes   []string
	State   *alert // instead of the button
}

// apply is one button "Online beantragen".
type apply struct {
	URL, Text string
	Title     string // of the service, when there are several
	TitleLang string
	Level     string
	Away      bool // it opens in another portal
}

// fact is one line of the Kurz-Liste; Text is used when HTML is empty.
type fact struct {
	Key, Text, Strong string
	HTML              template.HTML
	Lang              string
	Note              string // what it means today
}

type section struct {
	ID, Heading string
	HTML        template.HTML
	Lang        string
	Open        bool
}

type pair struct{ Key, Value string }

func (v *view) detail(p *directory.Provider, ans *directory.Answer, title string) detailPage {
	own, lang := p.Offer.Title.In(v.Lang)
	if own != "" {
		title = own
	}
	page := detailPage{Heading: title, HeadingLang: v.In(lang), Member: p.Member.Name, AreaName: v.Place.Full}
	if short := p.Offer.Section(catalog.Kurztext); short != nil {
		text, l := short.In(v.Lang)
		page.Lead, page.LeadLang = markup.Plain(text), v.In(l)
		v.Summary = page.Lead
	}
	page.Alerts = v.dataState(p)
	page.Box = v.box(p, ans)
	page.Facts = v.facts(p)
	page.Main, page.More = v.sections(p.Offer)
	page.Contact = v.contact(p)
	for i := range ans.Contacts {
		if c := v.contact(&ans.Contacts[i]); c != nil && ans.Contacts[i].Unit != p.Unit {
			page.Local = append(page.Local, c)
		}
	}
	page.Offline = v.offline(page.Contact, page.Local)
	page.Source = v.source(p, ans)
	page.Report = link{URL: v.query("/fehler-melden", url.Values{"angebot": {memberKey(p.Member.ID) + " " + string(p.Offer.ID)}}), Text: v.t("source.report")}
	if p.Member.ID != v.w.cfg.Self {
		v.Canonical = v.canonical(p)
	}
	return page
}

// canonical is the address of the same page at the owner's portal.
func (v *view) canonical(p *directory.Provider) string {
	path := offerPath(directory.OfferRef{Member: p.Member.ID, ID: p.Offer.ID})
	if !p.Offer.Leika.IsZero() {
		path = "/leistung/" + p.Offer.Leika.String() + "/" + v.Place.Key
	}
	return p.Member.ID.Origin() + path
}

// dataState tells when what we show is old.
func (v *view) dataState(p *directory.Provider) []alert {
	if !p.Stale {
		return nil
	}
	text := v.t("stale.date", v.date(p.Fetched))
	if !p.Reachable {
		text += " " + v.t("stale.silent", locale.Of(v.Lang, p.Member.Name))
	}
	text += " " + v.t("stale.check")
	return []alert{{Kind: "warning", Title: v.t("stale.title"), Text: []string{text}, Status: true}}
}

func (v *view) box(p *directory.Provider, ans *directory.Answer) responsibility {
	b := responsibility{Reason: v.reason(p), Change: v.otherPlace()}
	b.Heading = v.t("box.for", v.Place.Name, p.Member.Name)
	if v.Place.Wide || p.Neighbour {
		b.Heading = v.t("box.heading", p.Member.Name)
	}
	b.Notes = v.notes(ans)
	offer := directory.OfferRef{Member: p.Member.ID, ID: p.Offer.ID}
	switch {
	case !p.Online():
		b.State = v.notOnline(p)
	case !p.Reachable && p.Member.ID != v.w.cfg.Self:
		b.State = v.applyDown(p)
	default:
		for i := range p.Onlinedienste {
			b.Apply = append(b.Apply, v.applyButton(offer, &p.Onlinedienste[i], len(p.Onlinedienste) > 1))
		}
		b.Leads = v.leads(p)
		b.Needs = v.levelState(p)
	}
	return b
}

func (v *view) applyButton(ref directory.OfferRef, d *catalog.Onlinedienst, several bool) apply {
	q := url.Values{"dienst": {string(d.ID)}}
	if v.Place.Key != "" {
		q.Set("ort", v.Place.Key)
	}
	a := apply{Text: v.t("box.apply"), URL: "/zu/" + strings.TrimPrefix(offerPath(ref), "/angebot/") + "?" + q.Encode()}
	if title, lang := d.Title.In(v.Lang); several && title != "" {
		a.Title, a.TitleLang = title, v.In(lang)
	}
	a.Away = ref.Member != v.w.cfg.Self
	if several {
		a.Level = v.t("badge.level." + levelKey(d.Level))
	}
	return a
}

// leads says where the button leads and whether a login comes along.
func (v *view) leads(p *directory.Provider) string {
	if p.Member.ID == v.w.cfg.Self {
		return v.t("box.here")
	}
	text := v.t("box.leads", locale.Of(v.Lang, p.Member.Name))
	if lowest(p.Onlinedienste) > federation.LevelNone {
		text += " " + v.t("box.sso")
	}
	return text
}

// levelState is shown to a person whose login is below what is needed.
func (v *view) levelState(p *directory.Provider) *alert {
	need := lowest(p.Onlinedienste)
	if v.Person == nil || v.Person.Level >= need {
		return nil
	}
	return &alert{Kind: "info", Title: v.t("level.title"), Text: []string{
		v.t("level.have."+v.Person.Level.String()) + " " + v.t("level.need."+levelKey(need)),
	}}
}

func (v *view) notOnline(p *directory.Provider) *alert {
	text := v.t("notonline.visit")
	if p.Offer.Section(catalog.Formulare) != nil {
		text = v.t("notonline.form")
	}
	return &alert{Kind: "info", Title: v.t("notonline.title"), Text: []string{text}}
}

// applyDown is the state of a portal that does not answer, in place of the
// button.
func (v *view) applyDown(p *directory.Provider) *alert {
	of := locale.Of(v.Lang, p.Member.Name)
	text := v.t("down.text", of)
	if since := v.w.silentSince(p.Member.ID); !since.IsZero() {
		text = v.t("down.since", of, v.ago(since))
	}
	if phone := phoneOf(p); phone != "" {
		text += " " + v.t("down.call", phone)
	} else {
		text += " " + v.t("down.later")
	}
	return &alert{Kind: "danger", Title: v.t("down.title"), Text: []string{text}, Status: true}
}

func phoneOf(p *directory.Provider) string {
	if p.Unit != nil && p.Unit.Phone != "" {
		return p.Unit.Phone
	}
	return p.Member.Phone
}

func (w *Web) silentSince(id federation.EntityID) time.Time {
	if w.cfg.Network == nil {
		return time.Time{}
	}
	for _, p := range w.cfg.Network.Portals() {
		if p.Member.ID == id && !p.Reachable {
			return p.Since
		}
	}
	return time.Time{}
}

// notes are remarks on the answer itself.
func (v *view) notes(ans *directory.Answer) []string {
	var out []string
	for _, n := range ans.Notices {
		switch n.Kind {
		case directory.NoticeSuccessor:
			if v.Place.Changed != nil {
				out = append(out, v.t("note.successor", v.Place.Changed.Old.FullName, v.Place.Full))
			}
		case directory.NoticeBroaderKey:
			out = append(out, v.t("note.broader"))
		case directory.NoticeNoCopy:
			out = append(out, v.t("note.nocopy", locale.Of(v.Lang, v.fullName(n.Member, n.Name))))
		}
	}
	if c := ans.Upcoming; c != nil {
		day := v.date(c.Date.UTC())
		switch {
		case len(c.Providers) == 0:
			out = append(out, v.t("note.ends", day))
		case len(c.Providers) > 1 || c.Providers[0].Member.ID != firstMember(ans):
			out = append(out, v.t("note.changes", day, locale.The(v.Lang, c.Providers[0].Member.Name)))
		}
	}
	return out
}

func firstMember(ans *directory.Answer) federation.EntityID {
	if p := ans.First(); p != nil {
		return p.Member.ID
	}
	return ""
}

// facts is the Kurz-Liste: always the same words in the same order.
func (v *view) facts(p *directory.Provider) []fact {
	from := func(key string, kind catalog.SectionKind) fact {
		f := fact{Key: v.t("fact." + key), Text: v.t("fact.none")}
		if t := p.Offer.Section(kind); t != nil {
			if text, lang := t.In(v.Lang); text != "" {
				f.HTML, f.Lang, f.Text = markup.HTML(text), v.In(lang), ""
			}
		}
		return f
	}
	login, pay := fact{Key: v.t("fact.login"), Text: v.t("fact.login.offline")}, fact{Key: v.t("fact.pay"), Text: v.t("fact.pay.none")}
	if p.Online() {
		level := lowest(p.Onlinedienste)
		login.Text = v.t("fact.login." + levelKey(level))
		if level > federation.LevelNone {
			login.Strong = v.t("fact.level", v.t("level.name."+level.String()))
		}
		for i := range p.Onlinedienste {
			if p.Onlinedienste[i].Payment {
				pay.Text = v.t("fact.pay.online")
			}
		}
	}
	takes := from("duration", catalog.Bearbeitungsdauer)
	takes.Note = v.untilWhen(p.Offer)
	return []fact{
		from("cost", catalog.Kosten), takes, from("deadline", catalog.Fristen), login, pay,
	}
}

// sections returns the descriptions: first the open ones, then the folded.
func (v *view) sections(o *catalog.Offer) (open, folded []section) {
	get := func(kind catalog.SectionKind) (section, bool) {
		t := o.Section(kind)
		if t == nil {
			return section{}, false
		}
		text, lang := t.In(v.Lang)
		s := section{ID: string(kind), Heading: v.t("section." + string(kind)), HTML: markup.HTML(text)}
		if strings.TrimSpace(text) == "" {
			return section{}, false
		}
		s.Lang = v.In(lang)
		return s, true
	}
	for _, k := range []catalog.SectionKind{catalog.Volltext, catalog.Unterlagen} {
		if s, ok := get(k); ok {
			open = append(open, s)
		}
	}
	for _, k := range []catalog.SectionKind{
		catalog.Verfahrensablauf, catalog.Voraussetzungen, catalog.Formulare, catalog.Hinweise,
		catalog.Rechtsgrundlage, catalog.Rechtsbehelf, catalog.Weiterfuehrendes,
	} {
		if s, ok := get(k); ok {
			s.Open = len(folded) == 0
			folded = append(folded, s)
		}
	}
	return open, folded
}

// source is the Angaben-Block: who says so and how old it is.
func (v *view) source(p *directory.Provider, ans *directory.Answer) []pair {
	out := []pair{{v.t("source.from"), v.portal(p.Member)}}
	if !p.Geaendert.IsZero() {
		out = append(out, pair{v.t("source.changed"), v.date(p.Geaendert)})
	}
	if !p.Fetched.IsZero() && p.Member.ID != v.w.cfg.Self {
		out = append(out, pair{v.t("source.fetched"), v.moment(p.Fetched)})
	}
	if !p.Offer.Leika.IsZero() {
		out = append(out, pair{v.t("source.leika"), p.Offer.Leika.String()})
	} else {
		out = append(out, pair{v.t("source.leika"), v.t("source.noleika")})
	}
	if v.Place.Key != "" && len(v.Place.Key) >= 5 {
		label := "AGS "
		if v.Place.Wide {
			label = "ARS "
		}
		out = append(out, pair{v.t("source.area"), label + v.Place.Key})
	}
	return out
}
