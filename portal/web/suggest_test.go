package web_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rathausnetz/portal/api"
)

// Suggestions while typing: opened by the keys of a word, read out, walked
// through with the arrow keys, closed with Escape, sent with Enter.
func TestSuggestions(t *testing.T) {
	ctx := browser(t)
	f := newFixture()
	a, err := api.New(api.Config{Self: f.cfg.Self, Directory: f.cfg.Directory, Register: f.cfg.Register, Now: f.cfg.Now})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", routes(f.web(t)))
	mux.Handle(api.PathSuggest, a.Suggest())
	s := serve(t, mux)
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	is := func(what, js string, want string) {
		t.Helper()
		if got := eval[string](t, ctx, "String("+js+")"); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	for _, width := range []int64{1280, 320} {
		do(chromedp.EmulateViewport(width, 900), scheme(false), chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible(`#q[role="combobox"]`))
		is("closed at first", `q.ariaExpanded`, "false")
		do(chromedp.Focus("#q"), chromedp.SendKeys("#q", "anmel"), chromedp.WaitVisible(`#q-liste li`))
		is("expanded", `q.ariaExpanded`, "true")
		is("read out", `/^Vorschläge: \d+\. Mit den Pfeiltasten wählen\.$/.test(document.querySelector('.pv-combo [role=status]').textContent)`, "true")
		do(chromedp.KeyEvent(kb.ArrowDown))
		is("first", `q.getAttribute('aria-activedescendant')`, "q-liste0")
		is("focus stays in the field", `document.activeElement.id`, "q")
		is("target of 44 px", `document.querySelector('#q-liste li').getBoundingClientRect().height >= 44`, "true")
		for _, bad := range inspect(t, ctx, "/") {
			t.Errorf("%d px: %s", width, bad)
		}
		do(chromedp.KeyEvent(kb.ArrowUp))
		is("around to the last", `q.getAttribute('aria-activedescendant')`, eval[string](t, ctx, `document.querySelector('#q-liste').lastChild.id`))
		picture(t, ctx, "vorschlaege", width)
		do(chromedp.KeyEvent(kb.Escape))
		is("closed", `q.ariaExpanded + document.querySelector('#q-liste').hidden`, "falsetrue")
		is("what was typed", `q.value`, "anmel")
	}
	do(chromedp.SendKeys("#q", "d"), chromedp.WaitVisible(`#q-liste li`), chromedp.KeyEvent(kb.ArrowDown))
	chosen := eval[string](t, ctx, `document.querySelector('#q-liste li').textContent`)
	do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(`h1`), chromedp.WaitVisible(`.pv-filter, .kern-alert, ol`))
	if got := eval[string](t, ctx, `new URLSearchParams(location.search).get('q')`); got != chosen || chosen == "" {
		t.Errorf("stands at %s, want a search for %q", eval[string](t, ctx, `location.href`), chosen)
	}
}

// picture keeps a screenshot where RATHAUSNETZ_SCREENSHOTS asks for it.
func picture(t *testing.T, ctx context.Context, name string, width int64) {
	t.Helper()
	dir := os.Getenv("RATHAUSNETZ_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+"-"+strconv.FormatInt(width, 10)+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
