package office_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rathausnetz/portal/web/webtest"
)

var pages = []string{
	"/verwaltung", "/verwaltung/inhalte", "/verwaltung/inhalte/leistungen", "/verwaltung/inhalte/leistungen?q=xyz",
	"/verwaltung/inhalte/leistung?id=t:hund", "/verwaltung/inhalte/leistung?id=t:ausweis&ort=034590024024", "/verwaltung/inhalte/links", "/verwaltung/inhalte/hinweise",
	"/verwaltung/inhalte/tabelle", "/verwaltung/inhalte/uebernahme", "/verwaltung/inhalte/aufrufe",
	"/verwaltung/erscheinungsbild", "/verwaltung/erscheinungsbild/vorschau", "/verwaltung/erscheinungsbild/vorschau?seite=leistung&thema=dunkel", "/verwaltung/erscheinungsbild/versionen",
}

// Every page at three widths, in light and dark, without a finding; nothing
// scrolls sideways at 200 %, every control shows its focus.
func TestPagesAccessible(t *testing.T) {
	ctx := webtest.Browser(t)
	f := newFixture(t)
	link, err := f.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tab := webtest.NewPage(t, ctx)
	tab.Open(link)
	tab.Click(`main button[type="submit"]`)
	tab.Expect("Ihre Aufgaben")
	for _, width := range []int64{1280, 390, 320} {
		for _, p := range pages {
			for _, bad := range webtest.Look(t, ctx, f.Origin+p, width) {
				t.Errorf("%s at %d: %s", p, width, bad)
			}
		}
	}
	for _, p := range pages {
		if bad := webtest.Large(t, ctx, f.Origin+p, 1280); bad != "" {
			t.Errorf("%s at 200 %%: %s", p, bad)
		}
		for _, bad := range webtest.Unfocused(t, ctx) {
			t.Errorf("%s: no focus at %s", p, bad)
		}
	}
	// A form with faults is a page, too.
	tab.Open(f.Origin + "/verwaltung/erscheinungsbild")
	if err := chromedp.Do(ctx, chromedp.SetValue(`#farbe`, "#f2b705"), chromedp.SetValue(`#plz`, "49")); err != nil {
		t.Fatal(err)
	}
	tab.Click(`main form button.kern-btn--primary`)
	tab.Expect("Das konnten wir nicht übernehmen", "Vorschlag übernehmen")
	for _, bad := range webtest.Inspect(t, ctx) {
		t.Errorf("a form with faults: %s", bad)
	}
	shots(t, f.Origin, func(address string, width int64, dark bool) ([]byte, error) {
		return webtest.Picture(ctx, address, width, dark)
	})
}

// shots writes pictures of all pages into the folder that SHOTS names.
func shots(t *testing.T, origin string, take func(string, int64, bool) ([]byte, error)) {
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	for i, p := range pages {
		for _, s := range []struct {
			width int64
			dark  bool
		}{{1280, false}, {390, false}, {1280, true}} {
			png, err := take(origin+p, s.width, s.dark)
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%02d%s-%d-%v.png", i, strings.NewReplacer("/", "-", "?", "-", ":", "", "&", "-").Replace(p), s.width, s.dark)
			if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
