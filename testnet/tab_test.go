package testnet

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"rathausnetz/sso/session"
)

// sayYes is the button of the information page and of the question of a link.
const sayYes = `button[name='decision'][value='yes']`

// tab is a tab of a real browser and what a person does in it.
type tab struct {
	t     *testing.T
	ctx   context.Context
	shots int
}

func newTab(t *testing.T) *tab { return &tab{t: t, ctx: browser(t)} }

// read asks the page itself: nodes that DevTools knows by number are gone when
// a navigation is still on its way.
func (b *tab) read() (string, error) {
	return chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
}

func (b *tab) text() string {
	b.t.Helper()
	s, err := b.read()
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do("open "+address, chromedp.Navigate(address))
}

func (b *tab) until(what string, condition func() error) {
	b.t.Helper()
	limited, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := Await(limited, condition); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// holds waits until a JavaScript condition of the page is true.
func (b *tab) holds(what, condition string) {
	b.t.Helper()
	b.until(what, func() error {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition))
		if err == nil && !ok {
			text, _ := b.read() // only for the message
			err = fmt.Errorf("not so at this page:\n%s", text)
		}
		return err
	})
}

func (b *tab) expect(wants ...string) {
	b.t.Helper()
	for _, want := range wants {
		b.until("text", func() error {
			got, err := b.read()
			if err == nil && !strings.Contains(got, want) {
				err = fmt.Errorf("the page does not say %q:\n%s", want, got)
			}
			return err
		})
	}
}

// appears waits for a loaded page that has the element; only then nodes are
// worth clicking.
func (b *tab) appears(selector string) {
	b.t.Helper()
	b.holds(selector, `document.readyState === "complete" && !!document.querySelector(`+strconv.Quote(selector)+`)`)
}

// click presses what a person would see there, in the page itself.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.appears(selector)
	b.until("click "+selector, func() error {
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(document.querySelector(`+strconv.Quote(selector)+`).click(), true)`))
		return err
	})
}

// stands waits until the tab shows a page of m.
func (b *tab) stands(m *Member) {
	b.t.Helper()
	b.holds("at "+m.Name, `document.readyState === "complete" && location.origin === `+strconv.Quote(m.Entity.Origin()))
}

// password signs in at the provider's form.
func (b *tab) password() {
	b.t.Helper()
	b.appears(`input[name='password']`)
	b.do("sign in", chromedp.SendKeys(`input[name="username"]`, DemoUser), chromedp.SendKeys(`input[name="password"]`, DemoPassword))
	b.click(`form:has(input[name='password']) button[type='submit']`)
}

// session is the record that m keeps of this browser; nil if it has none.
func (b *tab) session(m *Member) *session.Session {
	b.t.Helper()
	b.open(m.Entity.URL("/healthz"))
	var cookies network.GetCookiesResult
	b.do("cookies", chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		cookies, err = cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
		return err
	}))
	r, err := http.NewRequest(http.MethodGet, m.Entity.URL("/"), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range cookies.Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	s, err := m.Node().Session(r)
	if err != nil {
		return nil
	}
	return s
}

// shot keeps a picture of the page if SCREENSHOTS names a folder.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	b.shots++
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("anmeldung-%02d-%s.png", b.shots, name)), png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
