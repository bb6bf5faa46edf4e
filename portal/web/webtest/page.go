package webtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Page is one tab, used as a person uses it. What does not come about within
// Patience ends the test.
type Page struct {
	t   testing.TB
	ctx context.Context
}

// Patience is how long a page may take to say what is expected of it.
const Patience = 30 * time.Second

// NewPage returns the tab of ctx.
func NewPage(t testing.TB, ctx context.Context) *Page { return &Page{t: t, ctx: ctx} }

// Open goes to an address.
func (p *Page) Open(address string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(address)); err != nil {
		p.t.Fatalf("%s: %v", address, err)
	}
}

// Text returns what the page says. It asks the page itself: nodes that DevTools
// knows by number are gone when a navigation is still on its way.
func (p *Page) Text() string {
	s, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return ""
	}
	return s
}

// Path returns the path of the address.
func (p *Page) Path() string {
	s, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`location.pathname`))
	if err != nil {
		return ""
	}
	return s
}

// Until waits until condition holds.
func (p *Page) Until(what string, condition func() bool) {
	p.t.Helper()
	limited, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-limited.Done():
			p.t.Fatalf("%s did not come about at %s:\n%s", what, p.Path(), p.Text())
		case <-tick.C:
		}
	}
}

// Expect waits until the page says all texts.
func (p *Page) Expect(texts ...string) {
	p.t.Helper()
	for _, want := range texts {
		p.Until(fmt.Sprintf("%q", want), func() bool { return strings.Contains(p.Text(), want) })
	}
}

// Appears waits for a loaded page that has the element.
func (p *Page) Appears(selector string) {
	p.t.Helper()
	p.Until(selector, func() bool {
		there, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!document.querySelector(`+strconv.Quote(selector)+`)`))
		return err == nil && there
	})
}

// Click presses what a person would see there, in the page itself.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Appears(selector)
	p.do(`document.querySelector(` + strconv.Quote(selector) + `).click()`)
}

// Type puts text into a field.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Appears(selector)
	p.do(`document.querySelector(` + strconv.Quote(selector) + `).value = ` + strconv.Quote(text))
}

// Value returns the text of an element.
func (p *Page) Value(selector string) string {
	p.t.Helper()
	p.Appears(selector)
	return Eval[string](p.t, p.ctx, `document.querySelector(`+strconv.Quote(selector)+`).innerText`)
}

func (p *Page) do(js string) {
	p.t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("("+js+", true)")); err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
}

// Picture is the function Picture in this tab.
func (p *Page) Picture(address string, width int64, dark bool) ([]byte, error) {
	return Picture(p.ctx, address, width, dark)
}
