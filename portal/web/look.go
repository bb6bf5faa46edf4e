package web

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/static"
)

// look is a brand ready to be shown. It is replaced as a whole and never
// changed, so that a page is drawn with one brand from top to bottom.
type look struct {
	brand brand.Brand
	marks assets
}

func newLook(b brand.Brand) (*look, error) {
	if err := b.Check(); err != nil {
		return nil, errors.Join(ErrConfig, err)
	}
	if b.ShortName == "" {
		b.ShortName = b.Name
	}
	marks, err := loadAssets(&b)
	if err != nil {
		return nil, errors.Join(ErrConfig, err)
	}
	return &look{brand: b, marks: marks}, nil
}

// Brand returns the brand that is shown now; read only.
func (w *Web) Brand() *brand.Brand { return &w.look.Load().brand }

// SetBrand shows another brand from the next page on. A brand that cannot be
// used changes nothing; its error wraps ErrConfig. It may be called while
// pages are served.
func (w *Web) SetBrand(b brand.Brand) error {
	l, err := newLook(b)
	if err != nil {
		return err
	}
	if ok, darker := b.Color.Readable(); !ok {
		w.cfg.Log.Warn("main colour is too light for links, a darker tone is used", "colour", b.Color.String(), "used", darker.String())
	}
	w.look.Store(l)
	w.cache.clear()
	return nil
}

// Theme is light or dark, whatever the reader's system says.
type Theme string

// The themes of a preview.
const (
	Light Theme = "hell"
	Dark  Theme = "dunkel"
)

// Preview draws the real pages with a brand that is not published.
type Preview struct {
	web *Web
}

// Preview returns the pages as they would look with b, in one theme. base is
// the address below which the caller serves Preview.File.
func (w *Web) Preview(b brand.Brand, theme Theme, base string) (*Preview, error) {
	l, err := newLook(b)
	if err != nil {
		return nil, err
	}
	p := &Web{cfg: w.cfg, texts: w.texts, files: w.files, pages: w.pages, zone: w.zone, policy: w.policy, preview: &preview{theme: theme, base: base}}
	p.cfg.Sessions, p.cfg.ReportGap = nil, nil // nobody's name stands in a preview, and it tells nobody
	p.look.Store(l)
	return &Preview{web: p}, nil
}

// preview is what a Web is told that draws previews.
type preview struct {
	theme Theme
	base  string
}

// Page draws the page that address, a path with query, leads to; ok is false
// for any but the start page, results, and a single offer.
func (p *Preview) Page(address string) (page []byte, ok bool) {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil || r.URL.IsAbs() || r.URL.Host != "" {
		return nil, false
	}
	rec := &captured{header: http.Header{}, status: http.StatusOK}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/":
		p.web.Start(rec, r)
	case r.URL.Path == "/suche":
		p.web.Suche(rec, r)
	case parts[0] == "leistung" && len(parts) == 3:
		r.SetPathValue("leika", parts[1])
		r.SetPathValue("ort", parts[2])
		p.web.Leistung(rec, r)
	case parts[0] == "angebot" && len(parts) == 3:
		r.SetPathValue("member", parts[1])
		r.SetPathValue("offer", parts[2])
		p.web.Angebot(rec, r)
	default:
		return nil, false
	}
	return rec.body.Bytes(), rec.status == http.StatusOK
}

// captured is an answer that stays here.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (c *captured) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *captured) WriteHeader(status int) { c.status = status }

// Write implements http.ResponseWriter.
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }

// File returns a stylesheet or picture that a previewed page names.
func (p *Preview) File(name string) (contentType string, body []byte, ok bool) {
	if f, is := p.web.look.Load().marks[name]; is {
		if name == brandCSS {
			return f.contentType, []byte(p.themed(string(f.body))), true
		}
		return f.contentType, f.body, true
	}
	plain, is := p.web.files.Plain(name)
	if !is || !strings.HasSuffix(name, ".css") {
		return "", nil, false
	}
	css := strings.ReplaceAll(string(plain), `url("`, `url("`+static.Prefix) // fonts stay where they are
	return "text/css; charset=utf-8", []byte(p.themed(strings.ReplaceAll(css, `url("`+static.Prefix+"data:", `url("data:`))), true
}

// themed lets the rules of one theme hold always and those of the other never.
func (p *Preview) themed(css string) string {
	dark, light := "not all", "all"
	if p.web.preview.theme == Dark {
		dark, light = light, dark
	}
	return strings.NewReplacer(
		"(prefers-color-scheme:dark)", dark, "(prefers-color-scheme: dark)", dark,
		"(prefers-color-scheme:light)", light, "(prefers-color-scheme: light)", light,
	).Replace(css)
}
