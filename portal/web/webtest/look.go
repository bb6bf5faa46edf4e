package webtest

import (
	"context"
	_ "embed"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

//go:embed axe.min.js
var axe string

// axeCall runs the rules %s and returns what they find, one line each.
const axeCall = `axe.run(document,{runOnly:%s}).then(r=>r.violations.map(v=>v.id+': '+v.nodes.map(n=>n.target.join(' ')+' '+(n.any[0]||n.all[0]||n.none[0]||{}).message).slice(0,3).join(' | ')))`

// In dark only colours differ, so only their rules run again.
const (
	allRules    = `['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']`
	colourRules = `{type:'rule',values:['color-contrast','link-in-text-block']}`
)

// Look opens a page at a width and returns what is wrong with it: findings of
// axe in light and dark, sideways scroll, requests to other hosts.
func Look(t testing.TB, ctx context.Context, address string, width int64) []string {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), Scheme(false), chromedp.Navigate(address)); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return Inspect(t, ctx)
}

// Inspect is Look at the page as it stands in the browser.
func Inspect(t testing.TB, ctx context.Context) []string {
	t.Helper()
	var bad []string
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](axe+";0")); err != nil {
		t.Fatal(err)
	}
	for mode, rules := range map[string]string{"light": allRules, "dark": colourRules} {
		if err := chromedp.Do(ctx, Scheme(mode == "dark")); err != nil {
			t.Fatal(err)
		}
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](fmt.Sprintf(axeCall, rules), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			bad = append(bad, mode+" "+f)
		}
	}
	if over := sideways(t, ctx); over != "" {
		bad = append(bad, over)
	}
	for _, f := range Eval[[]string](t, ctx, `performance.getEntriesByType('resource').map(e=>e.name).filter(n=>!n.startsWith(location.origin)&&!n.startsWith('data:'))`) {
		bad = append(bad, "asks "+f)
	}
	return bad
}

func sideways(t testing.TB, ctx context.Context) string {
	t.Helper()
	over := Eval[int64](t, ctx, `document.documentElement.scrollWidth-document.documentElement.clientWidth`)
	if over <= 0 {
		return ""
	}
	wide := Eval[string](t, ctx, `[...document.querySelectorAll('body *')].filter(e=>e.getBoundingClientRect().right>document.documentElement.clientWidth+1).slice(0,4).map(e=>e.tagName+'.'+e.className).join(', ')`)
	return fmt.Sprintf("scrolls %d px sideways: %s", over, wide)
}

// Large opens a page with text at 200 % and returns what scrolls sideways, ""
// for nothing.
func Large(t testing.TB, ctx context.Context, address string, width int64) string {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	Eval[string](t, ctx, `document.documentElement.style.fontSize='200%'`)
	return sideways(t, ctx)
}

// Unfocused returns the controls of the page that do not show when they have
// the focus.
func Unfocused(t testing.TB, ctx context.Context) []string {
	t.Helper()
	return Eval[[]string](t, ctx, `[...document.querySelectorAll('a,button,input:not([type=hidden]),select,textarea,summary,[tabindex="0"]')].filter(e=>{e.focus({focusVisible:true});if(document.activeElement!==e)return false;const s=getComputedStyle(e),p=getComputedStyle(e.closest('li')||e);return s.outlineStyle==='none'&&s.boxShadow==='none'&&p.outlineStyle==='none'&&getComputedStyle(e,'::before').outlineStyle==='none'}).map(e=>e.outerHTML.slice(0,80))`)
}
