package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/webtest"
)

func browser(t *testing.T) context.Context { t.Helper(); return webtest.Browser(t) }

func scheme(dark bool) chromedp.Action[chromedp.Void] { return webtest.Scheme(dark) }

func look(t *testing.T, ctx context.Context, origin, path string, width int64) []string {
	t.Helper()
	return webtest.Look(t, ctx, origin+path, width)
}

func inspect(t *testing.T, ctx context.Context, _ string) []string {
	t.Helper()
	return webtest.Inspect(t, ctx)
}

// allPages are all pages and states, as paths below a fixture's portal.
func allPages() []string {
	lk, me := "landkreis.example", "melle.example"
	return []string{
		"/", "/?ort=03459", "/?lang=en", "/suche", "/suche?q=anmelden&ort=alle", "/suche?q=Baumf%C3%A4llantrag", "/suche?q=Hund&ort=Berlin",
		"/suche?q=Hund&ort=4914", "/suche?q=Bauplann", "/suche?q=Bauplan&online=1&lang=en",
		"/leistung/" + keyBauakte.String() + "/03459012", "/leistung/" + keyBauakte.String() + "/03459012?lang=en",
		"/leistung/" + keyHund.String() + "/03459012", "/leistung/" + keyHund.String() + "/03459024", "/leistung/" + keyAusweis.String() + "/03459012",
		"/leistung/" + keyConflict.String() + "/03459012", "/leistung/" + keyNobody.String() + "/03459012", "/leistung/" + keyHund.String() + "/03459",
		"/leistung/" + keyHund.String() + "/00000000", "/angebot/" + me + "/T:mel-9", "/zu/" + me + "/T:mel-9",
		"/ort", "/ort?plz=49577", "/ort?plz=4914", "/ort?plz=Berlin", "/lebenslagen", "/lebenslage/auto-und-verkehr", "/leistungen", "/leistungen?ort=alle",
		"/behoerden", "/behoerden/" + lk, "/behoerden/" + me, "/verbund", "/konto", "/antrag/x", "/antrag/x?entwurf=1&stufe=1", "/impressum", "/datenschutz", "/barrierefreiheit",
		"/leichte-sprache", "/gebaerdensprache", "/hilfe", "/fehler-melden", "/fehler-melden?referenz=open", "/fehler-melden?referenz=gone", "/fehler-melden?referenz=left", "/fehler-melden?angebot=weg.example+T:1", "/barriere-melden", "/nirgends", "/umzug", "/umzug?von=Melle&nach=Bissendorf", "/umzug?von=49577&nach=1", "/umzug?von=Holdorf&nach=Damme", "/umzug?von=Lohne&nach=Bissendorf", "/leistung/" + keyHund.String() + "/03460002", "/einbetten", "/einbetten?q=Hund", "/einbetten?anleitung=1",
		"/t/login", "/t/wrong", "/t/stepup", "/t/choice", "/t/nochoice", "/t/link", "/t/confirm", "/t/logout", "/t/loggedout", "/t/fail", "/t/level", "/t/again", "/t/500", "/t/locked",
		"/konto/noch-da?rest=4", "/konto/noch-da?rahmen=1&rest=50", "/konto/noch-da?rahmen=1&rest=4", "/konto/noch-da?rahmen=1&rest=2&fest=1&lang=en", "/konto/noch-da?rahmen=1",
		"/t/konto/sessions", "/t/konto/sessions?lang=en", "/t/konto/signedout", "/t/konto/password", "/t/konto/badpassword", "/t/konto/newpassword",
		"/t/konto/nopasskeys", "/t/konto/passkeys", "/t/konto/manykeys", "/t/konto/history", "/t/konto/nohistory", "/t/konto/links", "/t/konto/data",
		"/t/konto/delete", "/t/konto/deleted", "/t/konto/recover", "/t/konto/waiting", "/t/konto/recovered",
	}
}

// Every page and state, three widths, light and dark, without a finding.
func TestPagesAccessible(t *testing.T) {
	ctx := browser(t)
	f := newFixture().withBeside()
	s := serve(t, routes(f.web(t)))
	for _, width := range []int64{1280, 390, 320} {
		t.Run(fmt.Sprintf("%dpx", width), func(t *testing.T) {
			t.Parallel()
			tab, end := chromedp.NewContext(ctx)
			t.Cleanup(end)
			for _, p := range allPages() {
				for _, bad := range look(t, tab, s.URL, p, width) {
					t.Errorf("%s: %s", p, bad)
				}
			}
		})
	}
}

// A page with known faults is caught: the test above can fail.
func TestBrokenPageIsCaught(t *testing.T) {
	ctx := browser(t)
	f := newFixture()
	pages := routes(f.web(t))
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/broken" {
			pages.ServeHTTP(w, r)
			return
		}
		_, _ = io.WriteString(w, `<!doctype html><html><title></title><body style="color:#999"><h4>A</h4><img src="http://127.0.0.2:9/x.png"><input><div style="width:2000px">wide</div><a href="#"></a>`)
	}))
	all := strings.Join(look(t, ctx, s.URL, "/broken", 390), "\n")
	for _, want := range []string{"color-contrast", "document-title", "html-has-lang", "image-alt", "label", "link-name", "landmark-one-main", "sideways", "asks http://127.0.0.2"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s was not found in:\n%s", want, all)
		}
	}
}

// Text at 200 % does not make a page scroll sideways.
func TestLargeTextReflows(t *testing.T) {
	ctx := browser(t)
	f := newFixture()
	s := serve(t, routes(f.web(t)))
	for _, width := range []int64{1280, 390} {
		for _, p := range []string{"/", "/suche?q=anmelden&ort=alle", "/leistung/" + keyBauakte.String() + "/03459012", "/verbund", "/t/login", "/ort"} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL+p)); err != nil {
				t.Fatal(err)
			}
			over, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.style.fontSize='200%',document.documentElement.scrollWidth-document.documentElement.clientWidth`))
			if err != nil {
				t.Fatal(err)
			}
			if over > 0 {
				wide, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`[...document.querySelectorAll('body *')].filter(e=>e.getBoundingClientRect().right>document.documentElement.clientWidth+1).slice(0,6).map(e=>e.tagName+'.'+e.className).join(', ')`))
				t.Errorf("%s at %d px with text at 200 %% scrolls %d px sideways: %s", p, width, over, wide)
			}
		}
	}
}

// The keyboard: the skip link comes first, is seen, and leads to the content.
func TestKeyboard(t *testing.T) {
	ctx := browser(t)
	f := newFixture()
	s := serve(t, routes(f.web(t)))
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.URL+"/"), chromedp.KeyEvent(kb.Tab)); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](t, ctx, `document.activeElement.className`); got != "pv-skip" {
		t.Errorf("the first stop is %q, not the skip link", got)
	}
	if left := eval[float64](t, ctx, `document.activeElement.getBoundingClientRect().left`); left < 0 {
		t.Error("the skip link is not seen when it has the focus")
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab)); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](t, ctx, `document.activeElement.id`); got != "q" {
		t.Errorf("after the skip link the focus is at %q, not in the search", got)
	}
	unseen := eval[[]string](t, ctx, `[...document.querySelectorAll('a,button,input,summary')].filter(e=>{e.focus({focusVisible:true});const s=getComputedStyle(e),p=getComputedStyle(e.closest('li')||e);return s.outlineStyle==='none'&&s.boxShadow==='none'&&p.outlineStyle==='none'&&getComputedStyle(e,'::before').outlineStyle==='none'}).map(e=>e.outerHTML.slice(0,80))`)
	for _, e := range unseen {
		t.Errorf("no visible focus: %s", e)
	}
}

// A brand that is not blue reaches links, buttons and borders, in light and
// dark: the cut of the stylesheet has kept what carries the colour.
func TestBrandColourReachesThePage(t *testing.T) {
	ctx := browser(t)
	for _, hex := range []string{"#8f1d2c", "#f2b705", "#175c3a"} {
		f := newFixture()
		f.cfg.Brand.Color = brand.MustColor(hex)
		s := serve(t, routes(f.web(t)))
		palette := f.cfg.Brand.Color.Palette()
		for mode, tones := range map[string]brand.Tones{"light": palette.Light, "dark": palette.Dark} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), scheme(mode == "dark"), chromedp.Navigate(s.URL+"/leistung/"+keyBauakte.String()+"/03459012")); err != nil {
				t.Fatal(err)
			}
			for what, js := range map[string]string{
				"button": `getComputedStyle(document.querySelector('.kern-btn--primary')).backgroundColor`,
				"link":   `getComputedStyle(document.querySelector('.pv-meta .kern-link')).color`,
				"box":    `getComputedStyle(document.querySelector('.pv-box')).borderLeftColor`,
			} {
				want := fmt.Sprintf("rgb(%d, %d, %d)", tones.Brand.R, tones.Brand.G, tones.Brand.B)
				if got := eval[string](t, ctx, js); got != want {
					t.Errorf("%s, %s: the %s is %s, want %s", hex, mode, what, got, want)
				}
			}
			bar := fmt.Sprintf("rgb(%d, %d, %d)", palette.Bar.R, palette.Bar.G, palette.Bar.B)
			if got := eval[string](t, ctx, `getComputedStyle(document.querySelector('.pv-nav')).backgroundColor`); got != bar {
				t.Errorf("%s, %s: the menu bar is %s", hex, mode, got)
			}
		}
		for _, bad := range look(t, ctx, s.URL, "/", 390) {
			t.Errorf("%s: %s", hex, bad)
		}
	}
}

// The whole way of a citizen works with scripts switched off.
func TestWorksWithoutScripts(t *testing.T) {
	ctx := browser(t)
	f := newFixture()
	s := serve(t, routes(f.web(t)))
	off := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	text := func(want string) {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Text("main"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, want) {
			t.Fatalf("%q is not in %s", want, got)
		}
	}
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	do(chromedp.EmulateViewport(390, 900), off, chromedp.Navigate(s.URL+"/"), chromedp.SendKeys("#q", "Hund"), chromedp.Click(".pv-search button"), chromedp.WaitVisible(".pv-hit"))
	text("1 Treffer für „Hund“ in Bissendorf")
	do(chromedp.Click(".pv-hit a"), chromedp.WaitVisible("#zs"))
	text("Die Gemeinde Bissendorf bearbeitet diesen Antrag selbst.")
	do(chromedp.Click(".pv-box--act .pv-note a"), chromedp.WaitVisible("#plz"), chromedp.SendKeys("#plz", "Melle"), chromedp.Click("main button"), chromedp.WaitVisible("#zs"))
	text("Zuständig für Melle: Stadt Melle")
	do(chromedp.Navigate(s.URL+"/suche?q=anmelden&ort=alle"), chromedp.Click(".pv-fold > summary"), chromedp.WaitVisible("#f-online"), chromedp.Click("label[for=f-online]"), chromedp.Click(".pv-filter button"), chromedp.WaitVisible(".pv-filter__reset"))
	text("Filter zurücksetzen")
}

func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	return webtest.Eval[T](t, ctx, js)
}

// TestScreenshots writes pictures into the folder that
// RATHAUSNETZ_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("RATHAUSNETZ_SCREENSHOTS")
	if dir == "" {
		t.Skip("RATHAUSNETZ_SCREENSHOTS names no folder")
	}
	ctx := browser(t)
	f := newFixture()
	s := serve(t, routes(f.web(t)))
	for name, p := range map[string]string{
		"start": "/", "treffer": "/suche?q=anmelden&ort=alle", "leistung": "/leistung/" + keyBauakte.String() + "/03459012",
		"verbund": "/verbund", "leistungen": "/leistungen?ort=03459", "kein-treffer": "/suche?q=Baumf%C3%A4llantrag",
		"mehrere": "/leistung/" + keyConflict.String() + "/03459012", "alt": "/leistung/" + keyHund.String() + "/03459024",
		"umzug": "/umzug?von=Melle&nach=Bissendorf", "anmelden": "/t/wrong", "zustimmen": "/t/confirm", "anmeldewege": "/t/choice", "verknuepfen": "/t/link", "abgemeldet": "/t/loggedout", "start-en": "/?lang=en", "einbetten": "/einbetten?q=Hund", "antrag": "/antrag/x", "ort": "/ort", "konto": "/konto", "konto-anmeldungen": "/t/konto/sessions", "konto-passwort": "/t/konto/badpassword", "konto-passkeys": "/t/konto/passkeys", "konto-weitergaben": "/t/konto/history",
		"konto-daten": "/t/konto/data", "konto-loeschen": "/t/konto/delete", "konto-geloescht": "/t/konto/deleted", "konto-code": "/t/konto/recover", "konto-wege": "/t/konto/links", "gesperrt": "/t/locked", "behoerde": "/behoerden/landkreis.example",
	} {
		for _, width := range []int64{1280, 390} {
			for _, dark := range []bool{false, true} {
				if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), scheme(dark), chromedp.Navigate(s.URL+p)); err != nil {
					t.Fatal(err)
				}
				png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				mode := ""
				if dark {
					mode = "-dark"
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d%s.png", name, width, mode)), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
