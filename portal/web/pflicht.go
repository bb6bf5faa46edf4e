package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

// textPage is a page of running text in Lang.
type textPage struct {
	Heading    string
	Lang       string // of Paragraphs, "" if it is the page's
	Paragraphs []paragraph
	Alerts     []alert
	Links      []link
}

type paragraph struct {
	Heading string
	Text    string
}

// legal serves one of the pages the law asks for: the municipality's own text,
// else the template of the portal. These texts exist in German only.
func (w *Web) legal(key string, own func() string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if w.cached(rw, r) {
			return
		}
		v := w.view(r, "text")
		v.Title = v.t("legal." + key)
		v.crumbs(link{Text: v.Title})
		page := textPage{Heading: v.Title, Lang: v.In(locale.German)}
		text := own()
		if text == "" {
			text = w.template(key)
		}
		page.Paragraphs = paragraphs(text)
		v.Page = page
		w.write(rw, r, http.StatusOK, v)
	}
}

// template fills the portal's own text of a page with name and contact.
func (w *Web) template(key string) string {
	b := w.Brand()
	c := b.Contact
	lines := []string{b.Name, c.Street, strings.TrimSpace(c.PLZ + " " + c.Ort)}
	if c.Phone != "" {
		lines = append(lines, "Telefon: "+c.Phone)
	}
	if c.Email != "" {
		lines = append(lines, "E-Mail: "+c.Email)
	}
	address := ""
	for _, l := range lines {
		if l != "" {
			address += l + "\n"
		}
	}
	law := landOf(w.cfg.Area)
	supervision := b.Legal.Aufsicht
	if supervision == "" {
		supervision = w.texts.In(locale.German, "legal.supervision", law.of)
	}
	return w.texts.In(locale.German, "legal."+key+".text", b.Name, strings.TrimSpace(address), w.cfg.Verbund, supervision, locale.Of(locale.German, b.Name), law.of, law.access)
}

// paragraphs cuts plain text at blank lines; a line that begins with "# " is
// a heading.
func paragraphs(text string) []paragraph {
	var out []paragraph
	heading := ""
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		part = strings.TrimSpace(part)
		if rest, ok := strings.CutPrefix(part, "# "); ok {
			heading, part, _ = strings.Cut(rest, "\n")
		}
		if part == "" && heading == "" {
			continue
		}
		if part == "" {
			continue // a heading alone waits for its text
		}
		out = append(out, paragraph{Heading: heading, Text: part})
		heading = ""
	}
	return out
}

// Impressum is the page "/impressum".
func (w *Web) Impressum(rw http.ResponseWriter, r *http.Request) {
	w.legal("impressum", func() string { return w.Brand().Legal.Impressum })(rw, r)
}

// Datenschutz is the page "/datenschutz".
func (w *Web) Datenschutz(rw http.ResponseWriter, r *http.Request) {
	w.legal("datenschutz", func() string { return w.Brand().Legal.Datenschutz })(rw, r)
}

// Barrierefreiheit is the page "/barrierefreiheit".
func (w *Web) Barrierefreiheit(rw http.ResponseWriter, r *http.Request) {
	w.legal("barrierefreiheit", func() string { return w.Brand().Legal.Barrierefreiheit })(rw, r)
}

// LeichteSprache is the page "/leichte-sprache". Its text is written by
// people; as long as there is none the page says so.
func (w *Web) LeichteSprache(rw http.ResponseWriter, r *http.Request) {
	w.special(rw, r, "leichte", w.Brand().Legal.LeichteSprache)
}

// Gebaerdensprache is the page "/gebaerdensprache".
func (w *Web) Gebaerdensprache(rw http.ResponseWriter, r *http.Request) {
	w.special(rw, r, "dgs", w.Brand().Legal.Gebaerdensprache)
}

func (w *Web) special(rw http.ResponseWriter, r *http.Request, key, text string) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "text")
	v.Title = v.t("special." + key)
	v.crumbs(link{Text: v.Title})
	page := textPage{Heading: v.Title}
	if text == "" {
		page.Alerts = []alert{{Kind: "info", Title: v.t("special." + key + ".missing"), Text: []string{v.t("special." + key + ".text")}}}
		page.Links = v.helpLinks()
	} else {
		page.Lang, page.Paragraphs = v.In(locale.German), paragraphs(text)
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

func (v *view) helpLinks() []link {
	out := []link{{URL: v.Link("/behoerden"), Text: v.t("help.authorities")}}
	if p := v.look.brand.Contact.Phone; p != "" {
		out = append(out, link{URL: "tel:" + dial(p), Text: v.t("help.call", p)})
	}
	return append(out, link{URL: "tel:115", Text: v.t("help.115")})
}

// Hilfe is the page "/hilfe".
func (w *Web) Hilfe(rw http.ResponseWriter, r *http.Request) {
	if w.cached(rw, r) {
		return
	}
	v := w.view(r, "text")
	v.Nav, v.Title = "hilfe", v.t("nav.help")
	v.crumbs(link{Text: v.Title})
	v.Page = textPage{Heading: v.Title, Paragraphs: paragraphs(v.t("help.text", w.cfg.Verbund)), Links: v.helpLinks()}
	w.write(rw, r, http.StatusOK, v)
}

// reportPage is the form of "Fehler melden" and "Barriere melden".
type reportPage struct {
	Heading, Lead string
	Action        string
	About         string // title of the offer
	AboutLang     string
	Key           string // hidden field "angebot"
	Lang          string
	Text          string
	Problem       string
	Sent          *alert
	Left          string // the owner of the text takes part no more
	Contact       *contact
	Form          bool
}

const (
	maxReport    = 2000 // characters
	maxReference = 40   // bytes
)

// FehlerMelden is the page "/fehler-melden", GET and POST: a remark on a text
// goes to the member that owns it. No personal data is asked for.
func (w *Web) FehlerMelden(rw http.ResponseWriter, r *http.Request) {
	w.report(rw, r, "report")
}

// BarriereMelden is the page "/barriere-melden", GET and POST: a remark on the
// portal itself.
func (w *Web) BarriereMelden(rw http.ResponseWriter, r *http.Request) {
	w.report(rw, r, "barrier")
}

func (w *Web) report(rw http.ResponseWriter, r *http.Request, key string) {
	v := w.view(r, "melden")
	v.NoIndex, v.Private = true, true
	v.Title = v.t(key + ".title")
	v.crumbs(link{Text: v.Title})
	page := reportPage{Heading: v.Title, Lead: v.t(key + ".lead"), Action: r.URL.Path, Form: w.cfg.Reports != nil, Key: r.FormValue("angebot")}
	if v.Lang != locale.German {
		page.Action += "?lang=" + v.Lang
	}
	if !page.Form {
		page.Lead = v.t(key + ".contact.lead")
	}
	ref := directory.OfferRef{Member: w.cfg.Self}
	page.Contact = &contact{Authority: w.Brand().Name, Phone: w.Brand().Contact.Phone, Tel: dial(w.Brand().Contact.Phone), Email: w.Brand().Contact.Email}
	if member, id, ok := strings.Cut(page.Key, " "); ok {
		a, found := w.member(member)
		if !found { // revoked since the page was opened: the own office takes it
			page.Left = v.t("report.left", w.Brand().Name)
		}
		if found {
			ref = directory.OfferRef{Member: a.Member.ID, ID: catalog.ID(id)}
			if p, found := w.cfg.Directory.Offer(ref); found {
				title, lang := p.Offer.Title.In(v.Lang)
				page.About, page.AboutLang, page.Contact = title, v.In(lang), v.contact(&p)
			}
		}
	}
	switch asked := r.URL.Query().Get("referenz"); {
	case !page.Form:
	case r.Method == http.MethodPost:
		w.takeReport(rw, r, v, &page, ref)
	case asked != "":
		page.Sent = v.reportState(strings.ToUpper(strings.TrimSpace(asked)))
		page.Form, page.Contact = false, nil // the page is about that report alone
	}
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

func (w *Web) takeReport(rw http.ResponseWriter, r *http.Request, v *view, page *reportPage, ref directory.OfferRef) {
	r.Body = http.MaxBytesReader(rw, r.Body, 64<<10)
	page.Text = strings.TrimSpace(r.PostFormValue("text"))
	switch n := utf8.RuneCountInString(page.Text); {
	case n == 0:
		page.Problem = v.t("report.empty")
		return
	case n > maxReport:
		page.Problem = v.t("report.long", locale.Number(v.Lang, maxReport))
		return
	}
	id, delivered, err := w.cfg.Reports.Report(r, ref, page.Text)
	switch {
	case errors.Is(err, ErrReportLong):
		page.Problem = v.t("report.long", locale.Number(v.Lang, maxReport))
	case err != nil:
		w.cfg.Log.Warn("report not taken", "peer", ref.Member, "err", err)
		page.Sent = &alert{Kind: "danger", Title: v.t("report.failed.title"), Text: []string{v.t("report.failed")}, Status: true}
	case delivered:
		page.Sent = &alert{Kind: "success", Title: v.t("report.sent.title"), Text: []string{v.t("report.sent", id)}, Links: v.stateLink(id), Status: true}
		page.Form = false
	default:
		page.Sent = &alert{Kind: "info", Title: v.t("report.queued.title"), Text: []string{v.t("report.queued", id)}, Links: v.stateLink(id), Status: true}
		page.Form = false
	}
}

// stateLink leads to the state of a report. The address holds nothing but its
// reference.
func (v *view) stateLink(id string) []link {
	return []link{{URL: v.query("/fehler-melden", url.Values{"referenz": {id}}), Text: v.t("report.state.link")}}
}

// reportState says how far the report with this reference is.
func (v *view) reportState(id string) *alert {
	if len(id) > maxReference {
		id = ""
	}
	s, answer, err := v.w.cfg.Reports.State(v.r, id)
	if err != nil {
		v.w.cfg.Log.Info("state of a report is not known", "err", err)
		return &alert{Kind: "warning", Title: v.t("report.state.silent.title"), Text: []string{v.t("report.state.silent", id)}, Status: true}
	}
	kind := map[ReportState]string{ReportDone: "success", ReportUnknown: "warning", ReportLeft: "warning"}[s]
	if kind == "" {
		kind = "info"
	}
	a := &alert{Kind: kind, Title: v.t("report.state." + string(s) + ".title"), Text: []string{v.t("report.state."+string(s), id)}, Status: true}
	if answer != "" {
		a.Text = append(a.Text, v.t("report.state.answer", answer))
	}
	return a
}
