package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"rathausnetz/portal/web"
	"rathausnetz/portal/web/brand"
)

// A page that is kept in memory does not outlive the brand it was drawn with.
func TestSetBrand(t *testing.T) {
	w := newWeb(t)
	page := func() string {
		rec := httptest.NewRecorder()
		w.Start(rec, httptest.NewRequest("GET", "/", nil))
		return rec.Body.String()
	}
	before := page()
	b := *w.Brand()
	b.Name, b.Greeting, b.Color = "Stadt Neuenbrück", "Guten Tag in Neuenbrück", brand.MustColor("#12406e")
	if err := w.SetBrand(b); err != nil {
		t.Fatal(err)
	}
	after := page()
	if !strings.Contains(after, "Guten Tag in Neuenbrück") || strings.Contains(before, "Neuenbrück") {
		t.Error("the old brand is still shown")
	}
	mark := func(s string) string { return strings.SplitN(strings.SplitN(s, "/marke.css", 2)[1], `"`, 2)[0] }
	if mark(before) == mark(after) {
		t.Error("browsers would keep the old colours")
	}
	if err := w.SetBrand(brand.Brand{}); err == nil {
		t.Error("a brand without a name was taken")
	}
	if w.Brand().Name != "Stadt Neuenbrück" {
		t.Error("a bad brand has replaced a good one")
	}
}

// A preview is the real page with another brand and one theme; nobody else
// sees it.
func TestPreview(t *testing.T) {
	w := newWeb(t)
	b := *w.Brand()
	b.Greeting = "Nur ein Entwurf"
	for _, theme := range []web.Theme{web.Light, web.Dark} {
		p, err := w.Preview(b, theme, "/vorschau/")
		if err != nil {
			t.Fatal(err)
		}
		page, ok := p.Page("/")
		if !ok || !strings.Contains(string(page), "Nur ein Entwurf") || !strings.Contains(string(page), `href="/vorschau/kern.css"`) || strings.Contains(string(page), "<script") {
			t.Errorf("%v: %s", ok, page)
		}
		for _, address := range []string{"/suche?q=Hund", "/leistung/" + keyHund.String() + "/" + areaBissendorf.String()} {
			if _, ok := p.Page(address); !ok {
				t.Errorf("%s is not drawn", address)
			}
		}
		for _, address := range []string{"/konto", "/leistung/x/y/z", "/verwaltung", "::"} {
			if _, ok := p.Page(address); ok {
				t.Errorf("%s is drawn", address)
			}
		}
		for _, name := range []string{"kern.css", "portal.css", "marke.css"} {
			_, css, ok := p.File(name)
			if !ok || strings.Contains(string(css), "prefers-color-scheme") || strings.Contains(string(css), `url("fira`) {
				t.Errorf("%s: %v", name, ok)
			}
		}
		_, css, _ := p.File("marke.css")
		if dark := strings.Contains(string(css), "@media all{"); dark != (theme == web.Dark) {
			t.Errorf("%s: %s", theme, css)
		}
		for _, name := range []string{"suche.js", "x", "../web.go"} {
			if _, _, ok := p.File(name); ok {
				t.Errorf("%s is handed out", name)
			}
		}
	}
	rec := httptest.NewRecorder()
	w.Start(rec, httptest.NewRequest("GET", "/", nil))
	if strings.Contains(rec.Body.String(), "Nur ein Entwurf") {
		t.Error("everybody sees the draft")
	}
}

func newWeb(t *testing.T) *web.Web {
	t.Helper()
	w, err := web.New(newFixture().cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
