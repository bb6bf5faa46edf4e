package testnet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium, or skips where there is none and
// RATHAUSNETZ_REQUIRE does not ask for one.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if strings.Contains(os.Getenv("RATHAUSNETZ_REQUIRE"), "browser") {
			t.Fatal("no Chromium found, and RATHAUSNETZ_REQUIRE asks for one")
		}
		t.Skip("no Chromium found: install chromium-headless-shell")
	}
	opts := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...), chromedp.ExecPath(path), chromedp.NoSandbox)
	actx, stopBrowser := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stopTab := chromedp.NewContext(actx)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() { cancel(); stopTab(); stopBrowser() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// TestBrowser is the whole promise in a real browser: found at Bissendorf,
// applied for at the Landkreis after one login, and at Melle without a password.
func TestBrowser(t *testing.T) {
	ctx := browser(t)
	nw := startNetwork(t, Spec{})
	// text asks the page itself: nodes that DevTools knows by number are gone
	// when a navigation is still on its way.
	read := func() (string, error) {
		return chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	}
	text := func() string {
		t.Helper()
		s, err := read()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, text())
		}
	}
	until := func(what string, condition func() error) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := Await(limited, condition); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	expect := func(want string) {
		t.Helper()
		until("text", func() error {
			got, err := read()
			if err == nil && !strings.Contains(got, want) {
				err = fmt.Errorf("the page does not say %q:\n%s", want, got)
			}
			return err
		})
	}
	// appears waits for a loaded page that has the element; only then nodes are
	// worth clicking.
	appears := func(selector string) {
		t.Helper()
		until(selector, func() error {
			there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!document.querySelector(`+strconv.Quote(selector)+`)`))
			if err == nil && !there {
				err = fmt.Errorf("the page has no %s", selector)
			}
			return err
		})
	}
	// click presses what a person would see there, in the page itself.
	click := func(selector string) {
		t.Helper()
		appears(selector)
		until("click "+selector, func() error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(document.querySelector(`+strconv.Quote(selector)+`).click(), true)`))
			return err
		})
	}
	const yes = `button[name='decision'][value='yes']`

	do("open Bissendorf", chromedp.Navigate(nw.Member("bissendorf").Entity.URL("/")))
	appears(`form[role='search']`)
	do("search", chromedp.SendKeys(`input[name="q"]`, carWords))
	click(`form[role='search'] button[type='submit']`)
	click(`a[href*='/leistung/` + carLeika + `']`)
	appears(`a[href*='/zu/']`)
	expect("Zuständig für Bissendorf: Landkreis Osnabrück")
	click(`a[href*='/zu/']`)
	appears(`input[name='password']`)
	do("sign in", chromedp.SendKeys(`input[name="username"]`, DemoUser), chromedp.SendKeys(`input[name="password"]`, DemoPassword))
	click(`form:has(input[name='password']) button[type='submit']`)
	click(yes)
	appears(`[name='` + formField + `']`)
	expect(DemoName)

	do("open Melle", chromedp.Navigate(nw.Member("melle").Entity.URL("/anmelden?zurueck=/konto")))
	appears(yes)
	if strings.Contains(text(), "Passwort") {
		t.Error("the second portal asks for a password")
	}
	click(yes)
	until("back at Melle", func() error {
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.origin`))
		if err == nil && at != nw.Member("melle").Entity.Origin() {
			err = fmt.Errorf("stands at %s", at)
		}
		return err
	})
	expect(DemoName)
}
