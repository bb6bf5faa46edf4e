package office

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/branding"
	"rathausnetz/portal/web"
	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/locale"
)

// topic is a Lebenslage with its place in the order.
type topic struct {
	Slug, Name string
	Rank       int
}

type lookPage struct {
	Draft    branding.Draft
	HasDraft bool
	Brand    brand.Brand
	Color    string
	Hours    string
	Topics   []topic
	Problems map[string]string
	List     []branding.Problem
	Proposal string
	White    string // contrast of the proposal
	Wappen   string // address of the picture in the draft
	Title    string
	Outdated bool
	Publish  bool // the person may publish
}

func (o *Office) lookPage(q *admin.Request) (lookPage, error) {
	d, ok, err := o.c.Brand.Draft(q.Context())
	if err != nil {
		return lookPage{}, err
	}
	p := lookPage{Draft: d, HasDraft: ok, Brand: d.Brand, Color: d.Brand.Color.String(), Hours: strings.Join(d.Brand.Hours, "\n"), Publish: q.May(0)}
	p.Topics = o.topics(d.Brand.Lebenslagen)
	p.pictures(&d.Brand)
	return p, nil
}

func (p *lookPage) pictures(b *brand.Brand) {
	at := framePath + "/entwurf/hell/"
	if !b.Wappen.IsZero() {
		p.Wappen = at + "wappen"
	}
	if !b.Title.IsZero() {
		p.Title = at + "titelbild"
	}
}

// topics are the Lebenslagen in the wanted order.
func (o *Office) topics(order []string) []topic {
	var out []topic
	for _, l := range o.c.Directory.Lebenslagen(region.Area{}, locale.German) {
		rank := slices.Index(order, l.Slug)
		if rank < 0 {
			rank = len(order)
		}
		out = append(out, topic{Slug: l.Slug, Name: l.Name, Rank: rank})
	}
	slices.SortStableFunc(out, func(a, b topic) int { return a.Rank - b.Rank })
	for i := range out {
		out[i].Rank = i + 1
	}
	return out
}

func (o *Office) look(q *admin.Request) (*admin.Answer, error) {
	p, err := o.lookPage(q)
	return q.View("bild", "Erscheinungsbild", p), err
}

// saveLook takes the form over into the draft; what cannot be taken is named,
// and everything else is kept.
func (o *Office) saveLook(q *admin.Request) (*admin.Answer, error) {
	f, err := o.form(q)
	if err != nil {
		return nil, err
	}
	_, problems, err := o.c.Brand.Save(q.Context(), q.By(), f)
	p, err2 := o.lookPage(q)
	if err2 != nil {
		return nil, err2
	}
	if errors.Is(err, branding.ErrOutdated) {
		p.typed(f)
		p.Outdated = true
		return q.Again("bild", "Erscheinungsbild", p), nil
	}
	if err != nil {
		return nil, err
	}
	if len(problems) == 0 {
		return q.Redirect(previewPath, "Der Entwurf ist gespeichert. So sieht er aus."), nil
	}
	p.typed(f)
	p.List, p.Problems = problems, map[string]string{}
	for _, x := range problems {
		p.Problems[x.Field] = x.Text
		if x.Proposal != nil {
			p.Proposal = x.Proposal.String()
			p.White = strings.Replace(fmt.Sprintf("%.1f", brand.Contrast(*x.Proposal, brand.MustColor("#ffffff"))), ".", ",", 1)
		}
	}
	return q.Again("bild", "Erscheinungsbild", p), nil
}

// typed shows again what the person has typed.
func (p *lookPage) typed(f branding.Form) {
	wappen, title := p.Brand.Wappen, p.Brand.Title
	p.Brand, p.Color, p.Hours = f.Brand, f.Color, strings.Join(f.Brand.Hours, "\n")
	wappen.Alt, title.Alt = f.Wappen.Alt, f.Title.Alt
	p.Brand.Wappen, p.Brand.Title = wappen, title
}

// form reads the form.
func (o *Office) form(q *admin.Request) (f branding.Form, err error) {
	v := q.PostFormValue
	if f.Revision, err = strconv.Atoi(v("stand")); err != nil {
		return f, &admin.Problem{Status: http.StatusBadRequest, Title: "Das Formular ist nicht vollständig", Text: "Bitte öffnen Sie die Seite neu und versuchen Sie es noch einmal."}
	}
	percent := func(name string) int { n, _ := strconv.Atoi(v(name)); return n }
	if f.Color = v("farbe"); v("vorschlag") != "" {
		f.Color = v("vorschlag")
	}
	f.Brand = brand.Brand{
		Name: v("name"), ShortName: v("kurzname"), Greeting: v("gruss"), Intro: v("einleitung"),
		Contact:    brand.Contact{Street: v("strasse"), PLZ: v("plz"), Ort: v("ort"), Phone: v("telefon"), Email: v("email")},
		Hours:      strings.Split(strings.ReplaceAll(v("zeiten"), "\r\n", "\n"), "\n"),
		TitleFocus: brand.Focus{X: percent("fokus-x"), Y: percent("fokus-y")},
		Legal: brand.Legal{Impressum: v("impressum"), Datenschutz: v("datenschutz"), Barrierefreiheit: v("barrierefreiheit"),
			LeichteSprache: v("leichte"), Gebaerdensprache: v("dgs"), Aufsicht: v("aufsicht")},
	}
	topics := o.topics(nil)
	for i := range topics {
		if n, err := strconv.Atoi(v("rang-" + topics[i].Slug)); err == nil {
			topics[i].Rank = n
		}
	}
	slices.SortStableFunc(topics, func(a, b topic) int { return a.Rank - b.Rank })
	for _, t := range topics {
		f.Brand.Lebenslagen = append(f.Brand.Lebenslagen, t.Slug)
	}
	for name, p := range map[string]*branding.Picture{"wappen": &f.Wappen, "titelbild": &f.Title} {
		*p = branding.Picture{Remove: v(name+"-weg") != "", Alt: v(name + "-alt"), Decorative: v(name+"-schmuck") != "", Rights: v(name+"-recht") != ""}
		if p.Upload, _, err = upload(q, name); err != nil {
			return f, err
		}
	}
	return f, nil
}

// page is one of the pages that can be looked at.
type page struct{ Word, Name, Path string }

func (o *Office) pages() []page {
	out := []page{{"start", "Startseite", "/"}, {"treffer", "Treffer", "/suche?q=anmelden"}}
	c := o.c.Catalogue()
	if c == nil || len(c.Offers) == 0 {
		return out
	}
	of := &c.Offers[0]
	for i := range c.Offers {
		if len(c.Offers[i].Onlinedienste) > 0 {
			of = &c.Offers[i]
			break
		}
	}
	path := "/angebot/" + url.PathEscape(o.c.Self.Host()) + "/" + url.PathEscape(string(of.ID))
	if _, ok := o.c.Directory.Offer(directory.OfferRef{Member: o.c.Self, ID: of.ID}); !ok {
		return out
	}
	return append(out, page{"leistung", "Leistung", path})
}

type previewPage struct {
	HasDraft      bool
	Pages, Themes []choice
	Frame         string
	Name, Theme   string
	Publish       bool
}

// preview shows the real pages with the draft, wide and as on a phone.
func (o *Office) preview(q *admin.Request) (*admin.Answer, error) {
	_, ok, err := o.c.Brand.Draft(q.Context())
	if err != nil {
		return nil, err
	}
	p := previewPage{HasDraft: ok, Publish: q.May(0)}
	wanted, theme := q.URL.Query().Get("seite"), web.Light
	if q.URL.Query().Get("thema") == string(web.Dark) {
		theme = web.Dark
	}
	shown := o.pages()[0]
	for _, x := range o.pages() {
		if x.Word == wanted {
			shown = x
		}
	}
	at := func(word string, t web.Theme) string {
		return previewPath + "?" + url.Values{"seite": {word}, "thema": {string(t)}}.Encode()
	}
	for _, x := range o.pages() {
		p.Pages = append(p.Pages, choice{URL: at(x.Word, theme), Text: x.Name, Current: x.Word == shown.Word})
	}
	p.Themes = []choice{{URL: at(shown.Word, web.Light), Text: "Hell", Current: theme == web.Light}, {URL: at(shown.Word, web.Dark), Text: "Dunkel", Current: theme == web.Dark}}
	stand := "jetzt"
	if ok {
		stand = "entwurf"
	}
	p.Name, p.Theme = shown.Name, string(theme)
	p.Frame = framePath + "/" + stand + "/" + string(theme) + "/seite?" + url.Values{"pfad": {shown.Path}}.Encode()
	return q.View("vorschau", "Vorschau", p).Framing(), nil
}

// frame sends a page of a preview, or a file that it names.
func (o *Office) frame(q *admin.Request) (*admin.Answer, error) {
	stand, theme := q.PathValue("stand"), web.Theme(q.PathValue("thema"))
	if theme != web.Light && theme != web.Dark {
		return nil, admin.ErrNotFound
	}
	b := *o.c.Web.Brand()
	switch stand {
	case "jetzt":
	case "entwurf":
		d, _, err := o.c.Brand.Draft(q.Context())
		if err != nil {
			return nil, err
		}
		b = d.Brand
	default:
		return nil, admin.ErrNotFound
	}
	p, err := o.c.Web.Preview(b, theme, framePath+"/"+stand+"/"+string(theme)+"/")
	if err != nil {
		return nil, err
	}
	if name := q.PathValue("datei"); name != "seite" {
		contentType, body, ok := p.File(name)
		if !ok {
			return nil, admin.ErrNotFound
		}
		return q.Framed(contentType, body), nil
	}
	body, ok := p.Page(q.URL.Query().Get("pfad"))
	if !ok {
		return nil, admin.ErrNotFound
	}
	return q.Framed("text/html; charset=utf-8", body), nil
}

func (o *Office) discardLook(q *admin.Request) (*admin.Answer, error) {
	if err := o.c.Brand.Discard(q.Context()); err != nil {
		return nil, err
	}
	return q.Redirect(lookPath, "Der Entwurf ist verworfen. Das Portal sieht aus wie zuvor."), nil
}

func (o *Office) publishLook(q *admin.Request) (*admin.Answer, error) {
	v, err := o.c.Brand.Publish(q.Context(), q.By())
	if errors.Is(err, branding.ErrNoDraft) {
		return nil, &admin.Problem{Status: http.StatusConflict, Title: "Es gibt keinen Entwurf", Err: err, Text: "Vielleicht hat ihn jemand schon veröffentlicht oder verworfen."}
	}
	if err != nil {
		return nil, err
	}
	q.About(fmt.Sprintf("version %d", v.Number), "")
	return q.Redirect(lookPath, "Das neue Erscheinungsbild ist veröffentlicht."), nil
}

// version is a published look in the list.
type version struct {
	branding.Version
	Live bool
}

type versionsPage struct {
	Versions []version
	Publish  bool
}

func (o *Office) versions(q *admin.Request) (*admin.Answer, error) {
	all, err := o.c.Brand.Versions(q.Context())
	if err != nil {
		return nil, err
	}
	p := versionsPage{Publish: q.May(0)}
	for i, v := range all {
		p.Versions = append(p.Versions, version{Version: v, Live: i == 0})
	}
	return q.View("versionen", "Frühere Fassungen", p), nil
}

func (o *Office) restoreLook(q *admin.Request) (*admin.Answer, error) {
	n, err := strconv.Atoi(q.PostFormValue("nummer"))
	if err != nil {
		return nil, admin.ErrNotFound
	}
	v, err := o.c.Brand.Restore(q.Context(), q.By(), n)
	if errors.Is(err, branding.ErrNoVersion) {
		return nil, admin.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	q.About(fmt.Sprintf("version %d", v.Number), fmt.Sprintf("as it was in version %d", n))
	return q.Redirect(lookPath+"/versionen", "Die frühere Fassung ist wieder veröffentlicht."), nil
}
